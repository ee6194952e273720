//! queries.csv, of which only one episode is wanted at a time.

use std::path::Path;

use super::error::ReadError;
use super::sheet::Sheet;
use crate::results::TableKey;
use crate::results::rows::QUERY_COLUMNS;

/// One query of an episode.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    let mut sheet = Sheet::open(&path, QUERY_COLUMNS)?;
    let mut queries = Vec::new();
    while sheet.next()? {
        let ours = sheet.cell(0) == key.protocol
            && sheet.cell(1) == key.learner
            && sheet.cell(2) == key.parameters
            && sheet.size(3)? == key.shot
            && sheet.whole::<u32>(4)? == episode;
        if ours {
            queries.push(ReadQuery {
                class: sheet.cell(5).to_string(),
                item: sheet.whole(6)?,
                predicted: sheet.cell(7).to_string(),
            });
        } else if !queries.is_empty() {
            break;
        }
    }
    Ok(queries)
}
