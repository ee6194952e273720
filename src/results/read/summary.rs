//! summary.csv and bins.csv.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::error::{Flaw, ReadError};
use super::outcomes::{places, same};
use super::sheet::{Sheet, differ};
use super::{Dealt, ReadTable};
use crate::results::rows::{BIN_COLUMNS, SEQUENTIAL, SUMMARY_COLUMNS};
use crate::results::{Bin, Measured, ProtocolRecord, RunRecord, Selection, Table};
use crate::stats::{self, Interval, Population};
use crate::vocab::Metric;

/// Reads the tables, without their episodes.
pub(super) fn read(path: &Path, run: &RunRecord) -> Result<Vec<ReadTable>, ReadError> {
    let mut sheet = Sheet::open(path, SUMMARY_COLUMNS)?;
    let mut tables: Vec<ReadTable> = Vec::new();
    let mut seen = BTreeSet::new();
    while sheet.next()? {
        same(&sheet, "kshot", sheet.cell(24), "run.json", &run.kshot)?;
        let protocol = run.protocols.iter().find(|protocol| protocol.name == sheet.cell(0));
        let Some(protocol) = protocol else {
            return Err(sheet.flaw(Flaw::NoProtocol { protocol: sheet.cell(0).to_string() }));
        };
        let (table, measured) = (table(&sheet, protocol)?, measured(&sheet)?);
        let key = table.key();
        let population = measured.interval.map(|(population, _)| population);
        if !seen.insert((key.clone(), measured.metric, population)) {
            let interval = population.map_or("none", Population::word);
            let what = format!("{} of {key} with interval `{interval}`", measured.metric);
            return Err(sheet.flaw(Flaw::Twice { what }));
        }
        let found = match tables.iter_mut().rev().find(|read| read.key() == key) {
            Some(read) => read,
            None => {
                tables.push(ReadTable {
                    table,
                    features_sha256: sheet.cell(23).to_string(),
                    measured: Vec::new(),
                    lines: Vec::new(),
                    dealt: Arc::new(Dealt::default()),
                    correct: Vec::new(),
                    total: Vec::new(),
                    nll: Vec::new(),
                    brier: Vec::new(),
                    certainty: BTreeMap::new(),
                    by_class: Vec::new(),
                    bins: Vec::new(),
                    tempered: Vec::new(),
                });
                tables.last_mut().expect("pushed one line above")
            }
        };
        found.measured.push(measured);
        found.lines.push(sheet.line());
        found.table.repeat &= population != Some(Population::Items);
        found.table.sequential |= sheet.cell(15) == SEQUENTIAL;
        if let Some((_, interval)) = measured.interval {
            found.table.level = interval.level;
        }
        if let Ok(metric) = measured.metric.parse::<Metric>()
            && !found.table.metrics.contains(&metric)
        {
            found.table.metrics.push(metric);
        }
    }
    if tables.is_empty() { Err(ReadError::whole(path, Flaw::Empty)) } else { Ok(tables) }
}

fn table(sheet: &Sheet, protocol: &ProtocolRecord) -> Result<Table, ReadError> {
    let text = |column| sheet.cell(column).to_string();
    let version: u32 = sheet.whole(1)?;
    same(sheet, "version", &version.to_string(), "run.json", &protocol.version.to_string())?;
    same(sheet, "draw_sha256", sheet.cell(22), "run.json", &protocol.draw_sha256)?;
    same(sheet, "features_sha256", sheet.cell(23), "run.json", &protocol.features_sha256)?;
    Ok(Table {
        protocol: text(0),
        version,
        learner: text(2),
        parameters: parameters(sheet.cell(3)),
        selection: selection(sheet)?,
        setting: sheet.word(5)?,
        backbone: Some(text(6)).filter(|backbone| !backbone.is_empty()),
        saw_classes: sheet.word(7)?,
        way: sheet.size(8)?,
        shot: sheet.size(9)?,
        query: sheet.size(10)?,
        repeat: true,
        clusters: None,
        seen: None,
        metrics: Vec::new(),
        level: 0.95,
        sequential: false,
        seed: sheet.whole(19)?,
        seed_train: if sheet.cell(20).is_empty() { None } else { Some(sheet.whole(20)?) },
        device: text(21),
        draw_sha256: text(22),
    })
}

/// Splits `key=value,key=value`; a value may hold commas, a key may not.
fn parameters(text: &str) -> BTreeMap<String, String> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for piece in text.split(',') {
        match (piece.split_once('='), pairs.last_mut()) {
            (Some((key, value)), _) => pairs.push((key.to_string(), value.to_string())),
            (None, Some((_, value))) => *value = format!("{value},{piece}"),
            (None, None) => {}
        }
    }
    pairs.into_iter().collect()
}

fn selection(sheet: &Sheet) -> Result<Selection, ReadError> {
    let all = [Selection::Default, Selection::Validation, Selection::SupportCv, Selection::Oracle];
    let found = all.into_iter().find(|selection| selection.word() == sheet.cell(4));
    found.ok_or_else(|| sheet.wrong(4, "`default`, `validation`, `support-cv` or `oracle`"))
}

fn measured(sheet: &Sheet) -> Result<Measured, ReadError> {
    let metric: Metric = sheet.word(13)?;
    let all = [Population::Sampler, Population::Items, Population::Classes];
    let sequential = (sheet.cell(15) == SEQUENTIAL).then_some(Population::Sampler);
    let population =
        sequential.or_else(|| all.into_iter().find(|population| population.word() == sheet.cell(15)));
    if population.is_none() && sheet.cell(15) != "none" {
        return Err(sheet.wrong(15, "`sampler`, `sampler-sequential`, `items`, `classes` or `none`"));
    }
    let interval = match population {
        None => None,
        Some(population) => {
            let (low, high, level) = (sheet.number(16)?, sheet.number(17)?, sheet.number(18)?);
            if low > high {
                return Err(sheet.wrong(16, "at most `high`"));
            }
            if !(level > 0.0 && level < 1.0) {
                return Err(sheet.wrong(18, "a number between 0 and 1"));
            }
            Some((population, Interval { low, high, level }))
        }
    };
    Ok(Measured { metric: metric.word(), value: sheet.number(14)?, interval })
}

/// Reads the bins of confidence into their tables.
pub(super) fn read_bins(path: &Path, tables: &mut [ReadTable]) -> Result<(), ReadError> {
    let mut sheet = Sheet::open(path, BIN_COLUMNS)?;
    let places = places(tables);
    let mut last = None;
    while sheet.next()? {
        let (key, place) = sheet.key([0, 1, 2, 3], last, |key| places.get(key).copied(), "summary.csv")?;
        let table = &mut tables[place];
        let bins = if sheet.number(4)? == 1.0 { &mut table.bins } else { &mut table.tempered };
        let number: usize = sheet.whole(5)?;
        if number < bins.len() {
            return Err(sheet.flaw(Flaw::Twice { what: format!("bin {number} of {key}") }));
        }
        same(&sheet, "bin", &number.to_string(), "the order of bins", &bins.len().to_string())?;
        let (count, correct): (u64, u64) = (sheet.whole(8)?, sheet.whole(9)?);
        if correct > count {
            return Err(sheet.flaw(Flaw::Counts { correct, total: count }));
        }
        let (low, high) = (sheet.number(6)? as f32, sheet.number(7)? as f32);
        bins.push(Bin { low, high, count, correct, confidence: sheet.number(10)? });
        last = Some((key, place));
    }
    let both = tables.iter().flat_map(|read| [(read, &read.bins), (read, &read.tempered)]);
    for (read, bins) in both.filter(|(_, bins)| !bins.is_empty()) {
        let expected: u64 = read.total.iter().map(|total| u64::from(*total)).sum();
        let found: u64 = bins.iter().map(|bin| bin.count).sum();
        if found != expected {
            return Err(ReadError::whole(
                path,
                Flaw::Count { key: read.key(), what: "queries in bins", expected, found },
            ));
        }
    }
    Ok(())
}

/// Compares the means of summary.csv with the episodes.
pub(super) fn check_values(path: &Path, tables: &[ReadTable]) -> Result<(), ReadError> {
    for read in tables {
        for (measured, line) in read.measured.iter().zip(&read.lines) {
            let values = measured.metric.parse().ok().and_then(|metric: Metric| read.values(metric));
            let Some(expected) = values.and_then(|values| stats::mean(&values)) else {
                continue;
            };
            let found = measured.value;
            if differ(found, expected) {
                let flaw =
                    Flaw::Value { key: read.key(), metric: measured.metric.to_string(), found, expected };
                return Err(ReadError::Line { path: path.to_path_buf(), line: *line, flaw });
            }
        }
    }
    Ok(())
}
