//! The SHA-256 of features, computed beside the evaluation; and that of files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use sha2::{Digest, Sha256};

use super::class_embeddings::ClassEmbeddings;
use super::content::hex;
use super::store::Store;
use crate::data::{DataError, Place};

/// [`Store::features_sha256`], which is being computed on a thread of its own.
#[derive(Debug)]
pub struct Fingerprint(JoinHandle<Result<String, DataError>>);

impl Fingerprint {
    /// Begins.
    pub fn start(store: &Store) -> Fingerprint {
        let store = store.clone();
        Fingerprint(std::thread::spawn(move || {
            // One thread, so that the evaluation keeps the others.
            let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build();
            alone.map_or_else(|_| store.features_sha256(), |alone| alone.install(|| store.features_sha256()))
        }))
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
    let mut lines: Vec<String> = files.iter().map(line).collect::<Result<_, DataError>>()?;
    lines.sort_unstable();
    Ok(hex(Sha256::digest(lines.concat())))
}

impl ClassEmbeddings {
    /// The SHA-256 of the numbers as little-endian f32, class after class, in 64 hexadecimal digits.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        self.rows.iter().for_each(|value| hash.update(value.to_le_bytes()));
        hex(hash.finalize())
    }
}

fn file_hash(path: &Path) -> io::Result<String> {
    let (mut file, mut hash, mut block) = (File::open(path)?, Sha256::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(hash.finalize())),
            read => hash.update(&block[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::{folder_with, open};
    use crate::data::{OpenOptions, embedded};

    #[test]
    fn files_are_hashed_under_their_names_in_whatever_order() {
        let (_place, folder) = folder_with(&[]);
        let names = ["items.csv", "features.npy"];
        let lines = ["features.npy", "items.csv"].map(|name| {
            format!("{name} {}\n", hex(Sha256::digest(std::fs::read(folder.join(name)).unwrap())))
        });
        let files = names.map(|name| (name.to_string(), folder.join(name)));
        assert_eq!(files_sha256(&files).unwrap(), hex(Sha256::digest(lines.concat())));
    }

    #[test]
    fn the_hash_beside_an_evaluation_is_that_of_the_features() {
        let store = embedded("gaussian:base=2,validation=1,novel=1,items=2,dim=3").unwrap().unwrap();
        let beside = Fingerprint::start(&store).wait().unwrap();
        assert_eq!(beside, store.features_sha256().unwrap());
        let other = embedded("gaussian:base=2,validation=1,novel=1,items=2,dim=3,seed=2").unwrap().unwrap();
        assert_ne!(other.features_sha256().unwrap(), beside);
    }

    #[test]
    fn a_file_that_was_cut_since_it_was_opened_is_an_error() {
        let (_place, folder) = folder_with(&[]);
        let store = Store::open(&folder, &OpenOptions { resident: 0, ..OpenOptions::default() }).unwrap();
        assert!(open(&folder).is_ok());
        std::fs::OpenOptions::new()
            .write(true)
            .open(folder.join("features.npy"))
            .unwrap()
            .set_len(70)
            .unwrap();
        assert!(Fingerprint::start(&store).wait().is_err());
    }
}
