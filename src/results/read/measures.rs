//! Files with metrics per episode, which are there where such were asked for: open_set.csv and temperature_scaled.csv.

use std::path::Path;

use super::ReadTable;
use super::error::{Flaw, ReadError};
use super::sheet::{Sheet, places, same};
use crate::metric::Metric;

/// Fills these metrics of every table that has them, which must be there for all of its episodes.
pub(super) fn read(
    path: &Path,
    header: &str,
    metrics: &[Metric],
    tables: &mut [ReadTable],
) -> Result<(), ReadError> {
    let mut sheet = Sheet::open(path, header)?;
    let places = places(tables);
    let mut rows = vec![0; tables.len()];
    let [number] = sheet.columns(["episode"])?;
    let columns = sheet.of_metrics(metrics)?;
    while sheet.next()? {
        let place = sheet.table(&places, "summary.csv")?;
        let table = &mut tables[place];
        let episode: u32 = sheet.whole(number)?;
        let Some(expected) = table.dealt.episodes.get(rows[place]) else {
            return Err(sheet.flaw(Flaw::Twice { what: format!("episode {episode} of {}", table.key()) }));
        };
        same(&sheet, "episode", &episode.to_string(), "episodes.csv", &expected.to_string())?;
        table.take(&sheet, &columns, rows[place])?;
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
