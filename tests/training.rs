//! A training that is killed and goes on ends with the same weights; wrong requests and data are one sentence each.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use kshot::backbone::Saved;
use kshot::train::SHIPPED_CONFIGS;

const RECIPE: &str = r#"
name = "tiny"
[data]
dataset = "glyphs"
[backbone]
name = "conv4"
width = 4
blocks = 2
[objective]
kind = "prototypical"
way = 5
shot = 1
query = 3
[optimiser]
kind = "adam"
rate = 0.01
[training]
steps = 60
seed = 1
schedule = { kind = "cosine" }
clip = 5.0
report = 2
[augmentation]
shift = 1.0
rotate = 5.0
[validation]
way = 5
shot = 1
query = 5
episodes = 10
seed = 7
every = 10
"#;

const OBJECTIVE: &str = "kind = \"prototypical\"\nway = 5\nshot = 1\nquery = 3\n";

fn kshot(place: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kshot"));
    command.current_dir(place).args(arguments.split_whitespace());
    command.env("XDG_CACHE_HOME", place.join("cache")).env_remove("KSHOT_DATA");
    command
}

#[track_caller]
fn done(place: &Path, arguments: &str) -> Output {
    let output = kshot(place, arguments).output().unwrap();
    assert!(output.status.success(), "kshot {arguments}\n{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn told(place: &Path, arguments: &str) -> (Option<i32>, String) {
    let output = kshot(place, arguments).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("tiny.toml"), RECIPE).unwrap();
    place
}

fn read(place: &Path, file: &str) -> Vec<u8> {
    std::fs::read(place.join(file)).unwrap()
}

#[test]
fn a_training_that_was_killed_and_goes_on_ends_with_the_same_bytes_on_any_number_of_threads() {
    let place = place();
    let place = place.path();
    done(place, "train tiny.toml --out whole");
    let mut killed = kshot(place, "train tiny.toml --out killed")
        .env("RAYON_NUM_THREADS", "1")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Killed as soon as there is something to go on from.
    let clock = Instant::now();
    while !place.join("killed/train.csv").exists() && clock.elapsed() < Duration::from_secs(120) {
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!place.join("killed/weights.safetensors").exists(), "it was over before it was killed");
    done(place, "train tiny.toml --out killed --resume");
    for file in ["weights.safetensors", "train.csv", "checkpoint.safetensors"] {
        assert!(read(place, &format!("whole/{file}")) == read(place, &format!("killed/{file}")), "{file}");
    }
    let table = String::from_utf8(read(place, "whole/train.csv")).unwrap();
    assert_eq!(table.lines().next().unwrap(), "step,loss,accuracy,validation_accuracy,rate");
    assert_eq!(table.lines().count(), 31);
    // As it is when the kill comes between the last checkpoint and the table.
    let short = table.trim_end().rsplit_once('\n').unwrap().0;
    std::fs::write(place.join("killed/train.csv"), format!("{short}\n")).unwrap();
    std::fs::remove_file(place.join("killed/weights.safetensors")).unwrap();
    done(place, "train tiny.toml --out killed --resume");
    for file in ["weights.safetensors", "train.csv"] {
        assert!(read(place, &format!("whole/{file}")) == read(place, &format!("killed/{file}")), "{file}");
    }
    assert!(table.lines().nth(1).unwrap().split(',').nth(3).unwrap().is_empty());
    assert!(!table.lines().nth(5).unwrap().split(',').nth(3).unwrap().is_empty());
}

#[test]
fn every_objective_learns_what_it_is_trained_on() {
    let place = place();
    let place = place.path();
    let objectives = [
        ("prototypes", OBJECTIVE.to_string()),
        ("classes", "kind = \"cross-entropy\"\nbatch = 40\n".to_string()),
        ("triplets", "kind = \"triplet\"\nclasses = 8\nitems = 4\n".to_string()),
    ];
    for (name, objective) in objectives {
        let text = RECIPE.replace(OBJECTIVE, &objective).replace("report = 2", "report = 10");
        std::fs::write(place.join("r.toml"), text).unwrap();
        done(place, &format!("train r.toml --out {name}"));
        let table = String::from_utf8(read(place, &format!("{name}/train.csv"))).unwrap();
        let losses: Vec<f64> =
            table.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect();
        assert_eq!(losses.len(), 6);
        assert!(losses[5] < losses[0], "{name}: {losses:?}");
    }
}

#[test]
fn a_training_that_diverges_says_so_and_leaves_no_weights() {
    let place = place();
    let place = place.path();
    let sgd = "kind = \"sgd\"\nrate = 1e30";
    for (name, rate, what) in [
        ("adam", "kind = \"adam\"\nrate = 1e12", ["`block", "the norm of the gradient"]),
        ("sgd", sgd, ["`block", "the norm of the gradient"]),
    ] {
        let text = RECIPE.replace("kind = \"adam\"\nrate = 0.01", rate).replace("clip = 5.0\n", "");
        assert_ne!(text, RECIPE);
        std::fs::write(place.join("r.toml"), text).unwrap();
        let (code, text) = told(place, &format!("train r.toml --out {name}"));
        assert_eq!(code, Some(4), "{text}");
        let said = what.iter().any(|what| text.contains(&format!("error: {what}")));
        assert!(
            said && text.contains(", training has diverged\nhint: lower `rate`, or set `clip`"),
            "{text}"
        );
        assert!(!place.join(name).join("weights.safetensors").exists());
    }
    // As shipped, but for the rate: its loss stays finite.
    let (_, shipped) = SHIPPED_CONFIGS.iter().find(|(name, _)| *name == "conv4-glyphs").unwrap();
    let text = shipped.replace("rate = 1e-3", "rate = 1e12").replace("way = 20", "way = 5");
    std::fs::write(place.join("glyphs.toml"), text).unwrap();
    let (code, text) = told(place, "train glyphs.toml --out glyphs");
    assert!(code == Some(4) && text.contains("training has diverged"), "{text}");
    assert!(!place.join("glyphs/weights.safetensors").exists());
}

#[test]
fn trained_weights_make_features_and_say_what_they_are() {
    let place = place();
    let place = place.path();
    done(place, "train tiny.toml --out trained");
    done(place, "embed glyphs --backbone conv4 --weights trained/weights.safetensors --out features");
    let about = String::from_utf8(read(place, "features/store.toml")).unwrap();
    assert!(
        about.contains("backbone = \"conv4:tiny\"") && about.contains("saw_classes = \"some\""),
        "{about}"
    );
    assert!(about.contains("saw_splits = [\"base\"]"), "{about}");
    assert!(about.contains("trained_on = \"glyphs (base)\""), "{about}");
    done(place, "embed glyphs --backbone pixels --out pixels --dtype f32");
    assert!(about.contains("seed_train = 1\n"), "{about}");
    let saved = Saved::read(&place.join("trained/weights.safetensors"), "conv4").unwrap();
    assert_eq!(saved.metadata["protocol"], RECIPE);
    assert_eq!(saved.metadata["objective"], "prototypical: way 5, shot 1, query 3");
    let run = "evaluate any-5way-1shot --learner prototypical --features";
    done(place, "train tiny.toml --seed 2 --out other");
    for (folder, seed) in [("trained", "1"), ("other", "2")] {
        // What was run is what is written down: the same recipe, with this seed.
        let written = String::from_utf8(read(place, &format!("{folder}/train.toml"))).unwrap();
        assert_eq!(written, RECIPE.replace("\nseed = 1\n", &format!("\nseed = {seed}\n")));
        let network =
            format!("--backbone conv4 --weights {folder}/weights.safetensors --out {folder}/results");
        done(place, &format!("{run} glyphs {network}"));
        let summary = String::from_utf8(read(place, &format!("{folder}/results/summary.csv"))).unwrap();
        let mut lines = summary.lines().map(|line| line.rsplit(',').nth(17).unwrap());
        assert_eq!(lines.next(), Some("seed_train"));
        assert!(lines.all(|found| found == seed), "{summary}");
        let record = String::from_utf8(read(place, &format!("{folder}/results/run.json"))).unwrap();
        assert!(record.contains(&format!("\"seed_train\": {seed},")), "{record}");
        // What reads results back takes the seed too.
        done(place, &format!("report {folder}/results --out {folder}/page.html"));
    }
    done(place, &format!("{run} glyphs --backbone pixels --out a"));
    done(place, &format!("{run} glyphs --out b"));
    assert!(
        read(place, "a/outcomes.csv") == read(place, "b/outcomes.csv"),
        "pixels are the items themselves"
    );
}

#[test]
fn results_say_whether_the_training_saw_their_classes() {
    let place = place();
    let place = place.path();
    let both = RECIPE.replace("\"glyphs\"\n", "\"glyphs\"\nsplits = [\"base\", \"validation\"]\n");
    let (both, _) = both.split_once("[validation]").unwrap();
    std::fs::write(place.join("both.toml"), both.replace("steps = 60", "steps = 2")).unwrap();
    done(place, "train both.toml --out trained");
    done(place, "embed glyphs --backbone conv4 --weights trained/weights.safetensors --out features");
    let splits = ["base", "validation", "novel", "all"];
    for split in splits {
        let rules = format!(
            "name = \"on-{split}\"\nversion = 1\nsource = \"this test\"\nsettings = [\"inductive\"]\n[data]\n\
             split = \"{split}\"\n[episode]\nway = 5\nshot = 1\nquery = 2\n[draw]\ncount = 4\nseed = 7\n\
             [report]\nmetrics = [\"accuracy\"]\n"
        );
        std::fs::write(place.join(format!("{split}.toml")), rules).unwrap();
    }
    let run = "evaluate base.toml validation.toml novel.toml all.toml --learner prototypical";
    let network = "--features glyphs --backbone conv4 --weights trained/weights.safetensors";
    // Made on the way, embedded before, and in the words of whoever embeds, which count more.
    for (out, features, expected) in [
        ("made", network.to_string(), ["all", "all", "none", "some"]),
        ("embedded", "--features features".to_string(), ["all", "all", "none", "some"]),
        ("told", format!("{network} --saw-classes some"), ["some"; 4]),
    ] {
        done(place, &format!("{run} {features} --out {out}"));
        let summary = String::from_utf8(read(place, &format!("{out}/summary.csv"))).unwrap();
        for (split, expected) in splits.iter().zip(expected) {
            let mut rows = summary.lines().filter(|row| row.starts_with(&format!("on-{split},")));
            let found = rows.next().unwrap();
            assert!(found.contains(&format!(",conv4:tiny,{expected},")), "{out}: {found}");
            assert!(rows.all(|row| row.contains(&format!(",conv4:tiny,{expected},"))));
        }
    }
}

#[test]
fn wrong_requests_and_weights_are_one_sentence() {
    let place = place();
    let place = place.path();
    done(place, "train tiny.toml --out trained");
    let (code, text) = told(place, "train tiny.toml --out trained");
    assert!(code == Some(2) && text.contains("is there already"), "{text}");
    let (code, text) = told(place, "train tiny.toml --out trained --resume --seed 2");
    assert!(
        code == Some(2)
            && text.starts_with(
                "error: trained/checkpoint.safetensors: the checkpoint is of another run: its seed is 1, expected 2\nhint: "
            ),
        "{text}"
    );
    std::fs::write(place.join("more.toml"), RECIPE.replace("steps = 60", "steps = 70")).unwrap();
    let (code, text) = told(place, "train more.toml --out trained --resume");
    assert!(
        code == Some(2)
            && text
                .contains(": line 18 of its training config is `steps = 60`, expected `steps = 70`\nhint: "),
        "{text}"
    );
    let (code, text) = told(place, "embed glyphs --backbone conv4 --out x");
    assert!(code == Some(2) && text.contains("needs weights"), "{text}");
    std::fs::write(place.join("broken.safetensors"), b"nothing").unwrap();
    let (code, text) = told(place, "embed glyphs --backbone conv4 --weights broken.safetensors --out x");
    assert!(code == Some(3) && text.starts_with("error: broken.safetensors: damaged or cut short"), "{text}");
    // A file as others write it, and one of the other network that kshot knows.
    let bert = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bert/model.safetensors");
    let (code, text) = told(place, &format!("embed glyphs --backbone conv4 --weights {bert} --out x"));
    assert!(code == Some(3) && text.contains("model.safetensors: the metadata has no `backbone`"), "{text}");
    let bytes = read(place, "trained/weights.safetensors");
    let (header, numbers) = bytes[8..].split_at(usize::from(bytes[0]) + 256 * usize::from(bytes[1]));
    let header = String::from_utf8(header.to_vec()).unwrap();
    let other = header.replace("\"backbone\":\"conv4\"", "\"backbone\":\"conv5\"");
    assert_ne!(header, other);
    std::fs::write(place.join("other.safetensors"), [&bytes[..8], other.as_bytes(), numbers].concat())
        .unwrap();
    let (code, text) = told(place, "embed glyphs --backbone conv4 --weights other.safetensors --out x");
    assert!(
        code == Some(3) && text.contains("these are weights of backbone `conv5`, expected `conv4`"),
        "{text}"
    );
    let (code, text) = told(place, "embed gaussian --backbone pixels --out x");
    assert!(code == Some(2) && text.contains("items of form `vector`, expected images"), "{text}");
    let (code, text) = told(place, "embed omniglot --backbone pixels --data nowhere --out x");
    assert!(code == Some(3) && text.contains("nowhere/omniglot: no such file or folder"), "{text}");
    std::fs::write(place.join("many.toml"), RECIPE.replacen("way = 5", "way = 500", 1)).unwrap();
    let (code, text) = told(place, "train many.toml --out many");
    assert!(code == Some(3) && text.contains("the objective needs 500"), "{text}");
    assert!(!place.join("many").exists());
    let (head, tail) = RECIPE.split_once("[validation]").unwrap();
    for (from, to, sentence) in [
        ("way = 5", "way = 500", "error: v.toml: the table [validation] cannot be met: "),
        ("seed = 7", "seed = 99999999999999999999", "error: v.toml"),
        ("way = 5", "way = 2000000", "error: v.toml: `validation.way` must be 2 to 1000000, got 2000000"),
    ] {
        std::fs::write(place.join("v.toml"), format!("{head}[validation]{}", tail.replace(from, to)))
            .unwrap();
        let (code, text) = told(place, "train v.toml --out v");
        assert!(code != Some(0) && text.starts_with(sentence) && text.lines().count() == 1, "{text}");
        assert!(!place.join("v").exists());
    }
    std::fs::write(place.join("wide.toml"), RECIPE.replace("blocks = 2", "blocks = 5")).unwrap();
    let (code, text) = told(place, "train wide.toml");
    assert!(code == Some(2) && text.contains("`blocks` must be 1 to 4"), "{text}");
}
