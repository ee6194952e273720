//! episodes.csv and outcomes.csv, which must say the same of every episode.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::ReadTable;
use super::clusters::Clusters;
use super::error::{Flaw, ReadError};
use super::sheet::{Sheet, differ};
use crate::results::TableKey;
use crate::results::rows::{EPISODE_COLUMNS, OUTCOME_COLUMNS};
use crate::vocab::Setting;

/// The places of tables by key.
pub(super) fn places(tables: &[ReadTable]) -> HashMap<TableKey, usize> {
    tables.iter().enumerate().map(|(place, table)| (table.key(), place)).collect()
}

/// Fills the episodes of every table; `dealt` gets its episode numbers and, for now, a table of its own.
pub(super) fn read_episodes(path: &Path, tables: &mut [ReadTable]) -> Result<(), ReadError> {
    let mut sheet = Sheet::open(path, EPISODE_COLUMNS)?;
    let places = places(tables);
    let mut last = None;
    while sheet.next()? {
        let (key, place) = sheet.key([0, 1, 2, 4], last, |key| places.get(key).copied(), "summary.csv")?;
        let read = &mut tables[place];
        let setting: Setting = sheet.word(3)?;
        same(&sheet, "setting", setting.word(), "summary.csv", read.table.setting.word())?;
        same(&sheet, "draw_sha256", sheet.cell(11), "summary.csv", &read.table.draw_sha256)?;
        let episode: u32 = sheet.whole(5)?;
        let way: u32 = sheet.whole(6)?;
        let (correct, total): (u32, u32) = (sheet.whole(7)?, sheet.whole(8)?);
        if correct > total || total == 0 {
            return Err(sheet.flaw(Flaw::Counts { correct: u64::from(correct), total: u64::from(total) }));
        }
        if way == 0 {
            return Err(sheet.wrong(6, "1 or more"));
        }
        let dealt = Arc::get_mut(&mut read.dealt).expect("not shared before outcomes.csv is read");
        match dealt.episodes.last() {
            Some(last) if *last == episode => {
                return Err(sheet.flaw(Flaw::Twice { what: format!("episode {episode} of {key}") }));
            }
            Some(&last) if last > episode => return Err(sheet.flaw(Flaw::Order { last, found: episode })),
            _ => {}
        }
        let first = read.correct.is_empty();
        for (column, values) in [(9, &mut read.nll), (10, &mut read.brier)] {
            match sheet.optional(column)? {
                Some(value) if first || !values.is_empty() => values.push(value),
                None if values.is_empty() => {}
                Some(_) => return Err(sheet.wrong(column, "empty, as in the episodes before")),
                None => return Err(sheet.wrong(column, "a number, as in the episodes before")),
            }
        }
        dealt.episodes.push(episode);
        dealt.ends.push(dealt.ends.last().unwrap_or(&0) + way);
        read.correct.push(correct);
        read.total.push(total);
        last = Some((key, place));
    }
    for read in tables.iter() {
        if read.correct.is_empty() {
            return Err(ReadError::whole(path, Flaw::NoTable { key: read.key(), other: "episodes.csv" }));
        }
    }
    Ok(())
}

/// One episode while its rows of outcomes.csv are read.
#[derive(Default)]
struct Sums {
    label: usize,
    correct: u64,
    total: u64,
    nll: f64,
    brier: f64,
}

/// Fills the classes of every table, and lets tables of one draw share them.
pub(super) fn read_outcomes(
    path: &Path,
    clusters: &Clusters,
    tables: &mut [ReadTable],
) -> Result<(), ReadError> {
    let mut sheet = Sheet::open(path, OUTCOME_COLUMNS)?;
    let places = places(tables);
    // The first table of a draw lists its classes, the others must agree with it line by line.
    let mut first_of: HashMap<(String, String), usize> = HashMap::new();
    for (place, read) in tables.iter().enumerate() {
        first_of.entry((read.table.protocol.clone(), read.table.draw_sha256.clone())).or_insert(place);
    }
    let first_of: Vec<usize> = tables
        .iter()
        .map(|read| first_of[&(read.table.protocol.clone(), read.table.draw_sha256.clone())])
        .collect();
    let mut names: Vec<HashMap<String, u32>> = vec![HashMap::new(); tables.len()];
    let mut units: Vec<HashMap<String, u32>> = vec![HashMap::new(); tables.len()];
    let mut done: Vec<usize> = vec![0; tables.len()];
    let mut sums = Sums::default();
    let mut last: Option<(TableKey, usize)> = None;
    while sheet.next()? {
        let before = last.as_ref().map(|(_, place)| *place);
        let (key, place) = sheet.key([0, 1, 2, 3], last, |key| places.get(key).copied(), "summary.csv")?;
        if let Some(before) = before.filter(|before| *before != place && sums.label > 0) {
            let (key, expected) = (tables[before].key(), way(&tables[before], done[before]) as u64);
            let what = "classes of its last episode";
            return Err(sheet.flaw(Flaw::Count { key, what, expected, found: sums.label as u64 }));
        }
        let first = first_of[place];
        if done[place] == 0 && sums.label == 0 && first != place {
            if done[first] < tables[first].dealt.episodes.len() {
                return Err(sheet.flaw(Flaw::NoTable { key: tables[first].key(), other: "the lines before" }));
            }
            share(path, tables, place, first)?;
        }
        let at = done[place];
        let Some(&expected) = tables[place].dealt.episodes.get(at) else {
            let episode = sheet.cell(4).to_string();
            return Err(sheet.flaw(Flaw::Twice { what: format!("episode {episode} of {key}") }));
        };
        let episode: u32 = sheet.whole(4)?;
        if episode != expected {
            same(&sheet, "episode", &episode.to_string(), "episodes.csv", &expected.to_string())?;
        }
        let label: usize = sheet.whole(5)?;
        if label != sums.label {
            same(&sheet, "label", &label.to_string(), "the order of labels", &sums.label.to_string())?;
        }

        let (correct, total): (u32, u32) = (sheet.whole(7)?, sheet.whole(8)?);
        if correct > total {
            return Err(sheet.flaw(Flaw::Counts { correct: u64::from(correct), total: u64::from(total) }));
        }
        let class = if first == place {
            let dealt =
                Arc::get_mut(&mut tables[place].dealt).expect("the first table shares after its last row");
            let next = dealt.classes.len() as u32;
            let class = *names[place].entry(sheet.cell(6).to_string()).or_insert(next);
            if class == next {
                let name = sheet.cell(6).to_string();
                let unit = clusters.unit(&sheet, &key.protocol, &name)?;
                let next = dealt.units.len() as u32;
                let number = *units[place].entry(unit.clone()).or_insert(next);
                if number == next {
                    dealt.units.push(unit);
                }
                dealt.unit_of.push(number);
                dealt.classes.push(name);
            }
            if dealt.members[dealt.members.len() - label..].contains(&class) {
                let what = format!("class {} in episode {episode} of {key}", sheet.cell(6));
                return Err(sheet.flaw(Flaw::Twice { what }));
            }
            dealt.members.push(class);
            class
        } else {
            let dealt = &tables[place].dealt;
            let class = dealt.members(at)[label];
            same(&sheet, "class", sheet.cell(6), "another learner's row", &dealt.classes[class as usize])?;
            class
        };
        let read = &mut tables[place];
        if read.by_class.len() <= class as usize {
            read.by_class.resize(class as usize + 1, (0, 0));
        }
        read.by_class[class as usize].0 += u64::from(correct);
        read.by_class[class as usize].1 += u64::from(total);
        sums.correct += u64::from(correct);
        sums.total += u64::from(total);
        sums.nll += f64::from(total) * sheet.optional(9)?.unwrap_or(0.0);
        sums.brier += f64::from(total) * sheet.optional(10)?.unwrap_or(0.0);
        sums.label += 1;
        if sums.label == way(read, at) {
            check_episode(&sheet, read, at, &std::mem::take(&mut sums))?;
            done[place] += 1;
        }
        last = Some((key, place));
    }
    for (read, done) in tables.iter().zip(done) {
        let expected = read.dealt.episodes.len() as u64;
        if (done as u64) < expected {
            let flaw = Flaw::Count { key: read.key(), what: "episodes", expected, found: done as u64 };
            return Err(ReadError::whole(path, flaw));
        }
    }
    Ok(())
}

/// The classes of the episode at this place.
fn way(read: &ReadTable, at: usize) -> usize {
    let start = if at == 0 { 0 } else { read.dealt.ends[at - 1] };
    (read.dealt.ends[at] - start) as usize
}

/// Lets a table share the classes of the first table of its draw, whose episodes must be the same.
fn share(path: &Path, tables: &mut [ReadTable], place: usize, first: usize) -> Result<(), ReadError> {
    let (mine, theirs) = (&tables[place].dealt, &tables[first].dealt);
    if mine.episodes != theirs.episodes || mine.ends != theirs.ends {
        let (found, expected) = (mine.episodes.len() as u64, theirs.episodes.len() as u64);
        let flaw = Flaw::Count { key: tables[place].key(), what: "episodes of its draw", expected, found };
        return Err(ReadError::whole(&path.with_file_name("episodes.csv"), flaw));
    }
    tables[place].dealt = Arc::clone(&tables[first].dealt);
    Ok(())
}

/// Compares an episode of outcomes.csv with its row of episodes.csv.
fn check_episode(sheet: &Sheet, read: &ReadTable, at: usize, sums: &Sums) -> Result<(), ReadError> {
    let counts = [("correct", sums.correct, read.correct[at]), ("total", sums.total, read.total[at])];
    for (column, found, expected) in counts {
        if found != u64::from(expected) {
            same(sheet, column, &found.to_string(), "episodes.csv", &expected.to_string())?;
        }
    }
    for (column, sum, values) in [("nll", sums.nll, &read.nll), ("brier", sums.brier, &read.brier)] {
        let found = sum / sums.total as f64;
        let expected = values.get(at).copied().unwrap_or(0.0);
        if differ(found, expected) {
            same(sheet, column, &found.to_string(), "episodes.csv", &expected.to_string())?;
        }
    }
    Ok(())
}

/// Refuses a cell that contradicts what another file says.
pub(super) fn same(
    sheet: &Sheet,
    column: &'static str,
    found: &str,
    other: &'static str,
    expected: &str,
) -> Result<(), ReadError> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (found.to_string(), expected.to_string());
    Err(sheet.flaw(Flaw::Differs { column, found, other, expected }))
}
