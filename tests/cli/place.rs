//! A temporary folder with a protocol, a small feature store and a draw, and kshot run inside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use tempfile::TempDir;

const PROTOCOL: &str = r#"name    = "p"
version = 1
source  = "a test"
settings  = ["inductive"]

[data]
split = "novel"

[episode]
way   = 5
shot  = 1
query = 3

[draw]
count = 2
seed  = 7

[report]
metrics = ["accuracy", "nll", "brier", "adaptive-ece", "class-accuracy"]
"#;

const DRAW: &str = "episode,label,class,support,query
0,0,c0,0,1 2 3
0,1,c1,1,0 2 3
0,2,c2,2,3 4 5
0,3,c3,5,0 1 2
0,4,c4,3,2 1 0
1,0,c5,0,1 2 3
1,1,c4,1,5 2 3
1,2,c3,4,3 1 5
1,3,c2,5,4 1 2
1,4,c1,3,2 4 0
";

/// Items of each of the six classes of the store, and numbers per item.
const ITEMS: usize = 6;
const DIM: usize = 3;

/// What a run of kshot left: exit code and texts.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A folder with `p.toml`, the feature store `store` of classes c0 to c5, and `draw.csv`.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Place {
        let place = Place::empty();
        place.write("p.toml", PROTOCOL);
        place.write("draw.csv", DRAW);
        let rows = 6 * ITEMS;
        let body: Vec<u8> = numbers(rows * DIM).iter().flat_map(|v| v.to_le_bytes()).collect();
        place.write("store/features.npy", npy("<f4", &format!("({rows}, {DIM})"), &body));
        let items: String = (0..rows).map(|row| format!("c{}\n", row / ITEMS)).collect();
        place.write("store/items.csv", format!("class\n{items}"));
        place
    }

    /// A folder with nothing in it.
    pub fn empty() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Replaces a piece of text that must be there.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no `{from}`");
        self.write(name, text.replacen(from, to, 1));
    }

    /// A command of kshot with these words as arguments.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kshot"));
        command.current_dir(self.folder.path()).timeout(Duration::from_secs(300));
        command.args(arguments.split_whitespace());
        command
    }

    pub fn run(&self, arguments: &str) -> Ran {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let code = output.status.code().expect("no signal ends it");
        Ran { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs what must succeed.
    pub fn done(&self, arguments: &str) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "kshot {arguments}\n{}", ran.err);
        ran
    }

    /// Runs what must end with this exit code and this sentence, and leave the folder as it was. A sentence that ends
    /// with `…` is the beginning.
    pub fn refuses(&self, code: i32, arguments: &str, sentence: &str) {
        let before = self.files();
        let ran = self.run(arguments);
        let (_, said) = ran.err.split_once("error: ").unwrap_or_else(|| panic!("no error in: {}", ran.err));
        match sentence.strip_suffix('…') {
            Some(start) => assert!(said.starts_with(start), "{said}\ndoes not begin with\n{start}"),
            None => assert_eq!(said.trim_end(), sentence),
        }
        assert_eq!(ran.code, code, "{said}");
        assert!(!said.contains("panicked"), "{said}");
        let after = self.files();
        assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
        assert!(after == before, "a file has changed");
    }

    /// All files and folders, hidden ones among them, with what they hold.
    pub fn files(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        files(self.folder.path())
    }
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            all.extend(files(&path));
            all.insert(path, None);
        } else {
            let bytes = fs::read(&path).ok();
            all.insert(path, bytes);
        }
    }
    all
}

/// As many numbers, scattered between −1 and 1.
pub fn numbers(count: usize) -> Vec<f32> {
    let scattered = |place: u32| {
        let mixed = (place + 1).wrapping_mul(0x9e37_79b9);
        let mixed = (mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b);
        (mixed ^ mixed >> 13) as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    (0..count as u32).map(scattered).collect()
}

/// An array in the .npy format.
pub fn npy(descr: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let header = format!("{header:<117}\n");
    [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), body].concat()
}

/// Says so where a test cannot do its work; past the capture of test output, so that it is seen.
pub fn skipped(test: &str, why: &str) {
    use std::io::Write;
    std::io::stderr().write_all(format!("SKIPPED: {test}: {why}\n").as_bytes()).unwrap();
}
