//! certainty.csv, which is there where a measure of certainty was asked for.

use std::path::Path;

use super::ReadTable;
use super::error::{Flaw, ReadError};
use super::outcomes::{places, same};
use super::sheet::Sheet;
use crate::results::certainty::MEASURES;
use crate::results::rows::CERTAINTY_COLUMNS;
use crate::vocab::Metric;

/// Fills the measures of every table that has them, which must be there for all of its episodes.
pub(super) fn read(path: &Path, tables: &mut [ReadTable]) -> Result<(), ReadError> {
    let mut sheet = Sheet::open(path, CERTAINTY_COLUMNS)?;
    let places = places(tables);
    let mut rows = vec![0; tables.len()];
    let [number] = sheet.columns(["episode"])?;
    let measures = sheet.columns(MEASURES.map(Metric::word))?;
    while sheet.next()? {
        let place = sheet.table(&places, "summary.csv")?;
        let table = &mut tables[place];
        let episode: u32 = sheet.whole(number)?;
        let Some(expected) = table.dealt.episodes.get(rows[place]) else {
            return Err(sheet.flaw(Flaw::Twice { what: format!("episode {episode} of {}", table.key()) }));
        };
        same(&sheet, "episode", &episode.to_string(), "episodes.csv", &expected.to_string())?;
        for (metric, column) in MEASURES.into_iter().zip(measures) {
            let known = table.certainty.entry(metric).or_default();
            match sheet.optional(column)? {
                Some(value) if known.len() == rows[place] => known.push(value),
                None if known.is_empty() => {}
                Some(_) => return Err(sheet.wrong(column, "empty, as in the episodes before")),
                None => return Err(sheet.wrong(column, "a number, as in the episodes before")),
            }
        }
        rows[place] += 1;
    }
    for (table, found) in tables.iter().zip(rows) {
        let (expected, found) = (table.dealt.episodes.len() as u64, found as u64);
        if found != 0 && found != expected {
            return Err(ReadError::whole(
                path,
                Flaw::Count { key: table.key(), what: "episodes", expected, found },
            ));
        }
    }
    Ok(())
}
