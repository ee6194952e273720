//! episodes.csv and outcomes.csv, which must say the same of every episode.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::clusters::Clusters;
use super::error::{Flaw, ReadError};
use super::sheet::{Sheet, differ};
use super::{ReadTable, extended};
use crate::metric::Metric;
use crate::results::rows::Columns;
use crate::results::{Table, TableKey};

/// The places of tables by key.
pub(super) fn places(tables: &[ReadTable]) -> HashMap<TableKey, usize> {
    tables.iter().enumerate().map(|(place, table)| (table.key(), place)).collect()
}

/// Fills the episodes of every table; `dealt` gets its episode numbers and, for now, a table of its own.
pub(super) fn read_episodes(path: &Path, tables: &mut [ReadTable]) -> Result<(), ReadError> {
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

/// One episode while its rows of outcomes.csv are read.
#[derive(Default)]
struct Sums {
    digest: u64,
    label: usize,
    correct: u64,
    total: u64,
    /// By metric of classes.
    values: Vec<f64>,
}

/// Fills the classes of every table, and lets tables of one draw share them.
pub(super) fn read_outcomes(
    path: &Path,
    clusters: &Clusters,
    tables: &mut [ReadTable],
) -> Result<(), ReadError> {
    let mut sheet = Sheet::open(path, &Columns::all().outcomes())?;
    let places = places(tables);
    // The first table of a draw lists its classes, the others must agree with it line by line.
    let mut first_of: HashMap<[String; 3], usize> = HashMap::new();
    let draw_of = |read: &ReadTable| {
        let Table { protocol, dataset, draw_sha256, .. } = &read.table;
        [protocol, dataset, draw_sha256].map(String::clone)
    };
    for (place, read) in tables.iter().enumerate() {
        first_of.entry(draw_of(read)).or_insert(place);
    }
    let first_of: Vec<usize> = tables.iter().map(|read| first_of[&draw_of(read)]).collect();
    let mut names: Vec<HashMap<String, u32>> = vec![HashMap::new(); tables.len()];
    let mut units: Vec<HashMap<String, u32>> = vec![HashMap::new(); tables.len()];
    let mut done: Vec<usize> = vec![0; tables.len()];
    let mut sums = Sums::default();
    let mut last: Option<usize> = None;
    let [episode, label, class] = sheet.columns(["episode", "label", "class"])?;
    let [correct, total] = sheet.columns(["correct", "total"])?;
    let metrics = sheet.of_metrics(&Metric::of_classes())?;
    while sheet.next()? {
        let before = last;
        let place = sheet.table(&places, "summary.csv")?;
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
            let what = format!("episode {} of {}", sheet.cell(episode), tables[place].key());
            return Err(sheet.flaw(Flaw::Twice { what }));
        };
        let episode: u32 = sheet.whole(episode)?;
        if episode != expected {
            same(&sheet, "episode", &episode.to_string(), "episodes.csv", &expected.to_string())?;
        }
        let label: usize = sheet.whole(label)?;
        if label != sums.label {
            same(&sheet, "label", &label.to_string(), "the order of labels", &sums.label.to_string())?;
        }

        let (correct, total): (u32, u32) = (sheet.whole(correct)?, sheet.whole(total)?);
        if correct > total {
            return Err(sheet.flaw(Flaw::Counts { correct: u64::from(correct), total: u64::from(total) }));
        }
        let name = sheet.cell(class);
        let class = if first == place {
            let key = tables[place].key();
            let dealt =
                Arc::get_mut(&mut tables[place].dealt).expect("the first table shares after its last row");
            let next = dealt.classes.len() as u32;
            let class = *names[place].entry(name.to_string()).or_insert(next);
            if class == next {
                let unit = clusters.unit(&sheet, &key, name)?;
                let next = dealt.units.len() as u32;
                let number = *units[place].entry(unit.clone()).or_insert(next);
                if number == next {
                    dealt.units.push(unit);
                }
                dealt.unit_of.push(number);
                dealt.classes.push(name.to_string());
            }
            if dealt.members[dealt.members.len() - label..].contains(&class) {
                let what = format!("class {name} in episode {episode} of {key}");
                return Err(sheet.flaw(Flaw::Twice { what }));
            }
            dealt.members.push(class);
            class
        } else {
            let dealt = &tables[place].dealt;
            let class = dealt.members(at)[label];
            same(&sheet, "class", name, "another learner's row", &dealt.classes[class as usize])?;
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
        sums.values.resize(metrics.len(), 0.0);
        for (sum, (_, column)) in sums.values.iter_mut().zip(&metrics) {
            *sum += f64::from(total) * sheet.optional(*column)?.unwrap_or(0.0);
        }
        sums.label += 1;
        sums.digest = extended(sums.digest, (correct, total));
        if sums.label == way(read, at) {
            read.outcomes.push(sums.digest);
            check_episode(&sheet, read, at, &metrics, &std::mem::take(&mut sums))?;
            done[place] += 1;
        }
        last = Some(place);
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
fn check_episode(
    sheet: &Sheet,
    read: &ReadTable,
    at: usize,
    metrics: &[(Metric, usize)],
    sums: &Sums,
) -> Result<(), ReadError> {
    let counts = [("correct", sums.correct, read.correct[at]), ("total", sums.total, read.total[at])];
    for (column, found, expected) in counts {
        if found != u64::from(expected) {
            same(sheet, column, &found.to_string(), "episodes.csv", &expected.to_string())?;
        }
    }
    for ((metric, _), sum) in metrics.iter().zip(&sums.values) {
        let found = sum / sums.total as f64;
        let expected = read.per_episode.get(metric).and_then(|values| values.get(at)).copied().unwrap_or(0.0);
        if differ(found, expected) {
            same(sheet, metric.name(), &found.to_string(), "episodes.csv", &expected.to_string())?;
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
