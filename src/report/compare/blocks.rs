//! Which tables may be laid side by side: same protocol, same draw, same features, same shot.

use std::collections::BTreeMap;

use super::error::CompareError;
use crate::results::{ReadTable, ResultsFolder, Selection, Size, TableKey};

/// A table and the folder that it came from.
#[derive(Clone, Copy)]
pub(in crate::report) struct Source<'a> {
    pub folder: &'a ResultsFolder,
    pub read: &'a ReadTable,
}

/// What the tables of one block share; blocks are sorted by it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) struct BlockKey {
    pub protocol: String,
    pub shot: Size,
    pub draw_sha256: String,
    pub features_sha256: String,
}

/// Puts tables into blocks, each sorted by learner. What was chosen on the answers themselves is left out: it is a bound for
/// others and never stands in a rank.
///
/// Several blocks of one protocol and shot are several data sets: their draws and their features must both differ.
pub(in crate::report) fn blocks(
    folders: &[ResultsFolder],
) -> Result<BTreeMap<BlockKey, Vec<Source<'_>>>, CompareError> {
    let mut sources: Vec<(TableKey, Source<'_>)> = folders
        .iter()
        .flat_map(|folder| folder.tables.iter().map(move |read| (read.key(), Source { folder, read })))
        .filter(|(_, source)| source.read.table.selection != Selection::Oracle)
        .collect();
    sources.sort_by(|a, b| a.0.cmp(&b.0));
    let mut blocks: BTreeMap<BlockKey, Vec<Source<'_>>> = BTreeMap::new();
    for (key, source) in sources {
        let block = BlockKey {
            protocol: key.protocol.clone(),
            shot: key.shot,
            draw_sha256: source.read.table.draw_sha256.clone(),
            features_sha256: source.read.features_sha256.clone(),
        };
        let known = blocks.entry(block).or_default();
        let (second, path) = (source.folder.path.clone(), |s: &Source<'_>| s.folder.path.clone());
        if let Some(twin) = known.iter().find(|known| known.read.key() == key) {
            return Err(CompareError::Twice { key, first: path(twin), second });
        }
        if let Some(first) = known.first() {
            same_version(first, &source)?;
        }
        if let Some(first) = known.first().filter(|first| first.read.dealt != source.read.dealt) {
            return Err(CompareError::Episodes { key, first: path(first), second });
        }
        known.push(source);
    }
    let all: Vec<(&BlockKey, &Source<'_>)> =
        blocks.iter().filter_map(|(key, sources)| Some((key, sources.first()?))).collect();
    for (place, (key, source)) in all.iter().enumerate() {
        for (other_key, other) in &all[..place] {
            if key.protocol == other_key.protocol {
                same_version(other, source)?;
                if key.shot == other_key.shot {
                    let lonely = blocks[*key].len() < 2 || blocks[*other_key].len() < 2;
                    data_sets((other_key, other), (key, source), lonely)?;
                }
            }
        }
    }
    Ok(blocks)
}

fn same_version(first: &Source<'_>, second: &Source<'_>) -> Result<(), CompareError> {
    let version = |source: &Source<'_>| source.read.table.version;
    if version(first) == version(second) {
        return Ok(());
    }
    Err(CompareError::Versions {
        protocol: first.read.table.protocol.clone(),
        first_version: version(first),
        first: first.folder.path.clone(),
        second_version: version(second),
        second: second.folder.path.clone(),
    })
}

/// Accepts two blocks of one protocol as two data sets; `lonely` where one of them has nothing to be paired with.
fn data_sets(
    first: (&BlockKey, &Source<'_>),
    second: (&BlockKey, &Source<'_>),
    lonely: bool,
) -> Result<(), CompareError> {
    let draws = first.0.draw_sha256 != second.0.draw_sha256;
    let features = first.0.features_sha256 != second.0.features_sha256;
    let (what, hint) = match (draws, features) {
        (true, true) if !lonely => return Ok(()),
        (true, true) => ("draws and features", "evaluate all learners on one draw of one feature store"),
        (true, false) => {
            ("draws", "evaluate all learners on one draw: the protocol's own, or one given with --draw")
        }
        (false, _) => ("features", "compare learners on one feature store at a time"),
    };
    let hashes = |key: &BlockKey| {
        let draw = draws.then_some(key.draw_sha256.as_str());
        let features = features.then_some(key.features_sha256.as_str());
        [draw, features].into_iter().flatten().map(short).collect::<Vec<_>>().join(" and ")
    };
    let path = |source: &Source<'_>| source.folder.path.clone();
    Err(CompareError::Differ {
        protocol: first.0.protocol.clone(),
        shot: first.0.shot.to_string(),
        what,
        first_sha256: hashes(first.0),
        first: path(first.1),
        second_sha256: hashes(second.0),
        second: path(second.1),
        hint,
    })
}

/// As much of a hash as a reader needs to tell it from another.
pub(super) fn short(sha256: &str) -> String {
    sha256.chars().take(12).collect()
}
