//! episodes.csv, a row per episode.

use std::path::Path;
use std::sync::Arc;

use super::ReadTable;
use super::error::{Flaw, ReadError};
use super::sheet::{Sheet, places, same};
use crate::metric::Metric;
use crate::results::rows::Columns;

/// Fills the episodes of every table; `dealt` gets its episode numbers and, for now, a table of its own.
pub(super) fn read(path: &Path, tables: &mut [ReadTable]) -> Result<(), ReadError> {
    let mut sheet = Sheet::open(path, &Columns::all().episodes())?;
    let places = places(tables);
    let [setting, draw, items] = sheet.columns(["setting", "draw_sha256", "items_sha256"])?;
    let [episode, way_column, correct, total] = sheet.columns(["episode", "way", "correct", "total"])?;
    let metrics = sheet.of_metrics(&[Metric::of_classes(), Metric::of_episodes()].concat())?;
    while sheet.next()? {
        let place = sheet.table(&places, "summary.csv")?;
        let read = &mut tables[place];
        same(&sheet, "setting", sheet.cell(setting), "summary.csv", read.table.setting.word())?;
        same(&sheet, "draw_sha256", sheet.cell(draw), "summary.csv", &read.table.draw_sha256)?;
        same(&sheet, "items_sha256", sheet.cell(items), "summary.csv", &read.table.items_sha256)?;
        let episode: u32 = sheet.whole(episode)?;
        let way: u32 = sheet.whole(way_column)?;
        let (correct, total): (u32, u32) = (sheet.whole(correct)?, sheet.whole(total)?);
        if correct > total || total == 0 {
            return Err(sheet.flaw(Flaw::Counts { correct: u64::from(correct), total: u64::from(total) }));
        }
        if way == 0 {
            return Err(sheet.wrong(way_column, "1 or more"));
        }
        let dealt = Arc::get_mut(&mut read.dealt).expect("not shared before outcomes.csv is read");
        match dealt.episodes.last() {
            Some(last) if *last == episode => {
                let key = read.table.key();
                return Err(sheet.flaw(Flaw::Twice { what: format!("episode {episode} of {key}") }));
            }
            Some(&last) if last > episode => return Err(sheet.flaw(Flaw::Order { last, found: episode })),
            _ => {}
        }
        dealt.episodes.push(episode);
        dealt.ends.push(dealt.ends.last().unwrap_or(&0) + way);
        let before = read.correct.len();
        read.take(&sheet, &metrics, before)?;
        read.correct.push(correct);
        read.total.push(total);
    }
    for read in tables.iter() {
        if read.correct.is_empty() {
            return Err(ReadError::whole(path, Flaw::NoTable { key: read.key(), other: "episodes.csv" }));
        }
    }
    Ok(())
}
