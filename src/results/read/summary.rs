//! summary.csv and bins.csv.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::error::{Flaw, ReadError};
use super::sheet::{Sheet, places, same};
use super::{Dealt, ReadTable};
use crate::metric::Bin;
use crate::results::rows::{BinCells, Binning, NO_INTERVAL, SEQUENTIAL, SummaryCells, header};
use crate::results::{Measured, RunRecord, Table};
use crate::stats::{Interval, IntervalMethod, Population};
use crate::vocab::spec::parse_values;

/// Reads the tables, without their episodes.
pub(super) fn read(path: &Path, run: &RunRecord) -> Result<Vec<ReadTable>, ReadError> {
    let mut sheet = Sheet::open(path, &header::<SummaryCells>(false))?;
    let mut tables: Vec<ReadTable> = Vec::new();
    let mut seen = BTreeSet::new();
    while sheet.next()? {
        let row: SummaryCells = sheet.read()?;
        let measured = measured(&sheet, &row)?;
        let (sequential, features_sha256) = (row.interval == SEQUENTIAL, row.features_sha256.clone());
        agrees(&sheet, &row, run)?;
        let table = table(&sheet, row)?;
        let key = table.key();
        let population = measured.interval.map(|(population, _)| population);
        if !seen.insert((key.clone(), measured.metric, population)) {
            let interval = population.map_or(NO_INTERVAL, Population::word);
            let what = format!("{} of {key} with interval `{interval}`", measured.metric);
            return Err(sheet.flaw(Flaw::Twice { what }));
        }
        let found = match tables.iter_mut().rev().find(|read| read.key() == key) {
            Some(read) => read,
            None => {
                tables.push(ReadTable {
                    table,
                    features_sha256,
                    measured: Vec::new(),
                    lines: Vec::new(),
                    dealt: Arc::new(Dealt::default()),
                    correct: Vec::new(),
                    total: Vec::new(),
                    per_episode: BTreeMap::new(),
                    by_class: Vec::new(),
                    seen: Vec::new(),
                    outcomes: Vec::new(),
                    bins: Vec::new(),
                    width_bins: Vec::new(),
                    scaled_bins: Vec::new(),
                });
                tables.last_mut().expect("pushed one line above")
            }
        };
        found.measured.push(measured);
        found.lines.push(sheet.line());
        found.table.repeat &= population != Some(Population::Items);
        found.table.sequential |= sequential;
        if let Some((_, interval)) = measured.interval {
            found.table.level = interval.level;
        }
        if !found.table.metrics.contains(&measured.metric) {
            found.table.metrics.push(measured.metric);
        }
    }
    if tables.is_empty() { Err(ReadError::whole(path, Flaw::Empty)) } else { Ok(tables) }
}

/// Refuses a row that is not of the run whose record lies beside it.
fn agrees(sheet: &Sheet, row: &SummaryCells, run: &RunRecord) -> Result<(), ReadError> {
    same(sheet, "kshot", &row.kshot, "run.json", &run.kshot)?;
    let SummaryCells { protocol, features, dataset, seed_train, .. } = row;
    let found = run.protocols.iter().find(|record| {
        (&record.name, &record.features, &record.dataset, &record.seed_train)
            == (protocol, features, dataset, seed_train)
    });
    let Some(record) = found else {
        let (protocol, features) = (protocol.clone(), features.clone());
        return Err(sheet.flaw(Flaw::NoProtocol { protocol, features }));
    };
    same(sheet, "version", &row.version.to_string(), "run.json", &record.version.to_string())?;
    same(sheet, "draw_sha256", &row.draw_sha256, "run.json", &record.draw_sha256)?;
    same(sheet, "items_sha256", &row.items_sha256, "run.json", &record.items_sha256)?;
    same(sheet, "features_sha256", &row.features_sha256, "run.json", &record.features_sha256)?;
    selection(sheet, row, run)
}

/// Refuses values that come from elsewhere than the record says: those of an oracle never rank, whatever they are called.
fn selection(sheet: &Sheet, row: &SummaryCells, run: &RunRecord) -> Result<(), ReadError> {
    let own = parse_values(&row.parameters).unwrap_or_default();
    let mut found = run
        .learners
        .iter()
        .filter(|record| record.name == row.learner && record.parameters == own)
        .map(|record| record.selection);
    match found.clone().next() {
        Some(expected) if !found.any(|selection| selection == row.selection) => {
            same(sheet, "selection", row.selection.word(), "run.json", expected.word())
        }
        _ => Ok(()),
    }
}

fn table(sheet: &Sheet, row: SummaryCells) -> Result<Table, ReadError> {
    let parameters = parse_values(&row.parameters).map_err(|_| {
        let (column, expected) = ("parameters".to_string(), "`key=value` pairs joined by commas");
        sheet.flaw(Flaw::Cell { column, expected, found: row.parameters.clone() })
    })?;
    Ok(Table {
        protocol: row.protocol,
        version: row.version,
        learner: row.learner,
        parameters,
        selection: row.selection,
        setting: row.setting,
        backbone: row.backbone,
        saw_classes: row.saw_classes,
        way: row.way,
        shot: row.shot,
        query: row.query,
        repeat: true,
        clusters: None,
        seen: None,
        metrics: Vec::new(),
        level: 0.95,
        sequential: false,
        seed: row.seed,
        features: row.features,
        dataset: row.dataset,
        seed_train: row.seed_train,
        method: row.method,
        device: row.device,
        draw_sha256: row.draw_sha256,
        items_sha256: row.items_sha256,
    })
}

fn measured(sheet: &Sheet, row: &SummaryCells) -> Result<Measured, ReadError> {
    let cell = |column: &str, expected, found: &str| {
        sheet.flaw(Flaw::Cell { column: column.to_string(), expected, found: found.to_string() })
    };
    let all = [Population::Sampler, Population::Items, Population::Classes];
    let sequential = (row.interval == SEQUENTIAL).then_some(Population::Sampler);
    let population =
        sequential.or_else(|| all.into_iter().find(|population| population.word() == row.interval));
    if population.is_none() && row.interval != NO_INTERVAL {
        let expected = "`sampler`, `sampler-sequential`, `items`, `classes` or `none`";
        return Err(cell("interval", expected, &row.interval));
    }
    let interval = match population {
        None => None,
        Some(population) => {
            let there = |column, value: Option<f64>| value.ok_or_else(|| cell(column, "a number", ""));
            let (low, high) = (there("low", row.low)?, there("high", row.high)?);
            let level = there("confidence_level", row.confidence_level)?;
            if low > high {
                return Err(cell("low", "at most `high`", &low.to_string()));
            }
            if !(level > 0.0 && level < 1.0) {
                return Err(cell("confidence_level", "a number between 0 and 1", &level.to_string()));
            }
            Some((population, Interval { low, high, level }))
        }
    };
    let word = row.interval_method.as_deref();
    let method = word.and_then(|word| IntervalMethod::ALL.into_iter().find(|method| method.word() == word));
    if method.is_some() != interval.is_some() || (word.is_some() && method.is_none()) {
        let expected = "how the interval was made, and nothing without one";
        return Err(cell("interval_method", expected, word.unwrap_or_default()));
    }
    Ok(Measured { metric: row.metric, value: row.value, interval, method })
}

/// Reads the bins of confidence into their tables.
pub(super) fn read_bins(path: &Path, tables: &mut [ReadTable]) -> Result<(), ReadError> {
    let mut sheet = Sheet::open(path, &header::<BinCells>(true))?;
    let places = places(tables);
    while sheet.next()? {
        let table = &mut tables[sheet.table(&places, "summary.csv")?];
        let BinCells { temperature, binning, bin, low, high, count, correct, confidence } = sheet.read()?;
        let bins = match (binning, temperature == 1.0) {
            (Binning::Mass, true) => &mut table.bins,
            (Binning::Mass, false) => &mut table.scaled_bins,
            (Binning::Width, _) => &mut table.width_bins,
        };
        if bin < bins.len() as u64 {
            let what = format!("bin {bin} of {}", table.table.key());
            return Err(sheet.flaw(Flaw::Twice { what }));
        }
        same(&sheet, "bin", &bin.to_string(), "the order of bins", &bins.len().to_string())?;
        if correct > count {
            return Err(sheet.flaw(Flaw::Counts { correct, total: count }));
        }
        bins.push(Bin { low, high, count, correct, confidence });
    }
    let all = |read| -> [(&ReadTable, &Vec<Bin>); 3] {
        let read: &ReadTable = read;
        [(read, &read.bins), (read, &read.width_bins), (read, &read.scaled_bins)]
    };
    let both = tables.iter().flat_map(all);
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
