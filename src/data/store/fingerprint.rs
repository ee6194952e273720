//! The SHA-256 of a store, computed beside the evaluation.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};

use super::class_embeddings::ClassEmbeddings;
use super::store::Store;
use crate::data::{DataError, Place};
use crate::vocab::ItemId;

/// A fingerprint that is being computed on a thread of its own.
///
/// It is the SHA-256 of the sorted lines `name sha256`, each with a line feed, of the files of the store, under their
/// names within its folder. A store in memory counts as the files `features` (its numbers as little-endian f32), `items`
/// (a .csv of class, split, cluster, part, group and id) and, where it has them, `class_embeddings`.
#[derive(Debug)]
pub struct Fingerprint(JoinHandle<Result<String, DataError>>);

impl Fingerprint {
    /// Begins; the store itself is not kept.
    pub fn start(store: &Store) -> Fingerprint {
        let store = store.clone();
        Fingerprint(std::thread::spawn(move || fingerprint(&store)))
    }

    /// Whether it is there, so that nothing needs to be waited for.
    pub fn is_ready(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits for the end and gives 64 hexadecimal digits; fails where a file cannot be read.
    pub fn wait(self) -> Result<String, DataError> {
        match self.0.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

fn fingerprint(store: &Store) -> Result<String, DataError> {
    if !store.files.is_empty() {
        return files_sha256(&store.files);
    }
    Ok(of_lines(memory_lines(store).map_err(|error| store.unreadable(error))?))
}

/// The SHA-256 of the sorted lines `name sha256`, each with a line feed, of named files.
///
/// # Errors
/// When one of them cannot be read.
pub fn files_sha256(files: &[(String, PathBuf)]) -> Result<String, DataError> {
    let line = |(name, path): &(String, PathBuf)| {
        let hash =
            file_hash(path).map_err(|source| DataError::Unreadable { at: Place::file(path), source })?;
        Ok(format!("{name} {hash}\n"))
    };
    Ok(of_lines(files.iter().map(line).collect::<Result<_, DataError>>()?))
}

fn of_lines(mut lines: Vec<String>) -> String {
    lines.sort_unstable();
    hex(Sha256::digest(lines.concat()))
}

impl ClassEmbeddings {
    /// The SHA-256 of the numbers as little-endian f32, class after class, in 64 hexadecimal digits.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        update(&mut hash, &self.rows);
        hex(hash.finalize())
    }
}

fn file_hash(path: &std::path::Path) -> io::Result<String> {
    let (mut file, mut hash, mut block) = (File::open(path)?, Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(hash.finalize())),
            read => hash.update(&block[..read]),
        }
    }
}

fn memory_lines(store: &Store) -> io::Result<Vec<String>> {
    let (mut features, mut row) = (Sha256::new(), vec![0.0; store.dim()]);
    for item in 0..store.rows() {
        store.values().read_block(store.dim(), item, &mut row)?;
        update(&mut features, &row);
    }
    let mut lines = vec![format!("features {}\n", hex(features.finalize())), items_line(store)?];
    if let Some(vectors) = store.class_embeddings() {
        let mut hash = Sha256::new();
        update(&mut hash, &vectors.rows);
        lines.push(format!("class_embeddings {}\n", hex(hash.finalize())));
    }
    Ok(lines)
}

fn items_line(store: &Store) -> io::Result<String> {
    let index = store.index();
    let mut class_of = vec![0; store.rows()];
    for (place, class) in index.classes().iter().enumerate() {
        class.items.iter().for_each(|item| class_of[item.index()] = place);
    }
    let mut table = csv::Writer::from_writer(HashWriter(Sha256::new()));
    table.write_record(["class", "split", "cluster", "part", "group", "id"])?;
    for (item, class) in (0..).map(ItemId).zip(class_of) {
        let class = &index.classes()[class];
        table.write_record([
            class.name.as_str(),
            class.split.word(),
            class.cluster.as_deref().unwrap_or_default(),
            index.part(item).unwrap_or_default(),
            &index.group(item).to_string(),
            store.ids().map_or("", |ids| &ids[item.index()]),
        ])?;
    }
    let hash = table.into_inner().map_err(|error| error.into_error())?;
    Ok(format!("items {}\n", hex(hash.0.finalize())))
}

/// Hashes what is written to it.
struct HashWriter(Sha256);

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn update(hash: &mut Sha256, values: &[f32]) {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    hash.update(bytes);
}

fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::{folder_with, open, sample};

    fn of(store: &Store) -> String {
        Fingerprint::start(store).wait().unwrap()
    }

    #[test]
    fn a_fingerprint_is_the_hash_of_the_sorted_hashes_of_the_known_files() {
        let (_place, folder) = folder_with(&[("notes.txt", b"not part of the store"), ("store.toml", b"")]);
        let lines = ["features.npy", "items.csv", "splits.csv", "store.toml"].map(|name| {
            format!("{name} {}\n", hex(Sha256::digest(std::fs::read(folder.join(name)).unwrap())))
        });
        assert_eq!(of(&open(&folder).unwrap()), hex(Sha256::digest(lines.concat())));
    }

    #[test]
    fn a_store_in_one_file_counts_under_the_name_of_the_file() {
        let place = tempfile::tempdir().unwrap();
        let path = sample().csv(place.path());
        let line = format!("store.csv {}\n", hex(Sha256::digest(std::fs::read(&path).unwrap())));
        assert_eq!(of(&open(&path).unwrap()), hex(Sha256::digest(line)));
    }

    #[test]
    fn a_store_in_memory_changes_its_fingerprint_with_every_part_of_it() {
        let store = |spec: &str| crate::data::embedded(spec).unwrap().unwrap();
        let first = of(&store("gaussian:base=2,validation=1,novel=1,items=2,dim=3"));
        assert_eq!(first, of(&store("gaussian:base=2,validation=1,novel=1,items=2,dim=3")));
        assert_ne!(first, of(&store("gaussian:base=1,validation=2,novel=1,items=2,dim=3")));
        assert_ne!(first, of(&store("gaussian:base=2,validation=1,novel=1,items=2,dim=3,seed=2")));
    }

    #[test]
    fn a_file_that_went_away_is_an_error() {
        let (_place, folder) = folder_with(&[]);
        let store = open(&folder).unwrap();
        std::fs::remove_file(folder.join("items.csv")).unwrap();
        assert!(Fingerprint::start(&store).wait().is_err());
    }
}
