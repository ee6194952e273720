//! What the system says of the files of a store: known at once, and enough to notice that one was changed.

use std::time::UNIX_EPOCH;

use super::store::Store;
use crate::data::DataError;

/// A file of a store, without a look inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStamp {
    /// Its name within the store.
    pub name: String,
    /// Bytes.
    pub bytes: u64,
    /// Nanoseconds from 1970 to its last change; 0 where the system does not say.
    pub changed: u64,
}

impl Store {
    /// The stamps of its files; none for a store in memory.
    ///
    /// # Errors
    /// A file that went away.
    pub fn stamps(&self) -> Result<Vec<FileStamp>, DataError> {
        let stamp = |(name, path): &(String, std::path::PathBuf)| {
            let metadata = std::fs::metadata(path).map_err(DataError::unreadable(path))?;
            let changed = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            Ok(FileStamp {
                name: name.clone(),
                bytes: metadata.len(),
                changed: changed.map_or(0, |since| since.as_nanos() as u64),
            })
        };
        self.files.iter().map(stamp).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::data::fixtures::{folder_with, open};

    #[test]
    fn a_stamp_changes_with_its_file_and_a_store_in_memory_has_none() {
        let (_place, folder) = folder_with(&[]);
        let store = open(&folder).unwrap();
        let before = store.stamps().unwrap();
        assert_eq!(before, store.stamps().unwrap());
        let items = folder.join("items.csv");
        let text = std::fs::read_to_string(&items).unwrap();
        std::fs::write(&items, format!("{text}\n")).unwrap();
        assert_ne!(before, store.stamps().unwrap());
        let memory = crate::data::embedded("gaussian:base=2,validation=1,novel=1,items=2,dim=3");
        assert!(memory.unwrap().unwrap().stamps().unwrap().is_empty());
    }
}
