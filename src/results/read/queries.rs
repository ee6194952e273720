//! queries.csv, of which only one episode is wanted at a time.

use std::path::Path;

use serde::Deserialize;

use super::error::ReadError;
use super::sheet::Sheet;
use crate::results::TableKey;
use crate::results::rows::Columns;

/// One query of an episode.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ReadQuery {
    /// Its class.
    pub class: String,
    /// Its row in the feature store.
    pub item: u32,
    /// The class it was taken for.
    pub predicted: String,
}

/// The queries of one episode of one table; none where the folder has no queries.csv.
///
/// # Errors
/// A file that is damaged up to that episode.
pub fn read_queries(folder: &Path, key: &TableKey, episode: u32) -> Result<Vec<ReadQuery>, ReadError> {
    let path = folder.join("queries.csv");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let mut sheet = Sheet::open(&path, &Columns::queries())?;
    let mut queries = Vec::new();
    let [number] = sheet.columns(["episode"])?;
    let key = key.cells();
    while sheet.next()? {
        if sheet.is_of(&key) && sheet.whole::<u32>(number)? == episode {
            queries.push(sheet.read()?);
        } else if !queries.is_empty() {
            break;
        }
    }
    Ok(queries)
}
