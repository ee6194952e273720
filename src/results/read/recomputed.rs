//! What the episodes determine is computed again: values, intervals and pooled accuracies of summary.csv.

use std::path::Path;

use super::ReadTable;
use super::error::{Flaw, ReadError};
use super::sheet::differ;
use crate::metric::Metric;
use crate::results::tally::over_episodes;
use crate::results::{Measured, class_level};
use crate::stats::{Interval, IntervalMethod, Population};

/// Compares every row of summary.csv with what its episodes give, and asks for the rows that they must have.
pub(super) fn check(path: &Path, tables: &[ReadTable]) -> Result<(), ReadError> {
    for read in tables {
        let lines = || read.measured.iter().zip(read.lines.iter().copied());
        for metric in &read.table.metrics {
            let expected = expected(read, *metric);
            for (measured, line) in lines().filter(|(measured, _)| measured.metric == *metric) {
                agrees(read, measured, &expected).map_err(|flaw| ReadError::Line {
                    path: path.to_path_buf(),
                    line,
                    flaw,
                })?;
            }
            let missing = expected.iter().filter_map(|of| of.interval).find(|(population, _)| {
                let is_there = |(measured, _): (&Measured, u64)| {
                    measured.metric == *metric && measured.interval.is_some_and(|(of, _)| of == *population)
                };
                !lines().any(is_there)
            });
            if let Some((population, _)) = missing {
                let flaw = Flaw::NoInterval { key: read.key(), metric: *metric, population };
                return Err(ReadError::whole(path, flaw));
            }
        }
    }
    Ok(())
}

/// The rows of a metric that the episodes of a table determine; none for one that needs more than these.
fn expected(read: &ReadTable, metric: Metric) -> Vec<Measured> {
    let (members, rows) = (read.dealt.units_by_episode(), read.class_rows());
    let level = read.table.level;
    let found = match read.values(metric) {
        Some(values) => over_episodes(metric, &values, &members, level, read.table.repeat),
        None if class_level::is_of_counts(metric) => {
            let value = class_level::value(metric, &rows);
            value.map(|value| Measured::plain(metric, value)).into_iter().collect()
        }
        None => Vec::new(),
    };
    class_level::completed(found, metric, &rows, (&members, level))
}

/// Compares one row with those that are expected.
fn agrees(read: &ReadTable, measured: &Measured, expected: &[Measured]) -> Result<(), Flaw> {
    let Some(first) = expected.first() else { return Ok(()) };
    let flaw = |what: String, found: f64, expected: f64| {
        Err(Flaw::Value { key: read.key(), metric: what, found, expected })
    };
    if differ(measured.value, first.value) {
        return flaw(measured.metric.to_string(), measured.value, first.value);
    }
    let same = |of: &&Measured| of.interval.map(|(population, _)| population) == population(measured);
    let Some(found) = expected.iter().find(same) else {
        let interval = population(measured).map_or("none", Population::word);
        return Err(Flaw::OtherInterval { key: read.key(), metric: measured.metric, interval });
    };
    if measured.method != found.method {
        let word = |of: &Measured| of.method.map_or("", IntervalMethod::word);
        return Err(Flaw::Method {
            key: read.key(),
            metric: measured.metric,
            found: word(measured),
            expected: word(found),
        });
    }
    let ends = |of: &Measured| of.interval.map(|(_, Interval { low, high, .. })| [low, high]);
    if let (Some(ours), Some(theirs)) = (ends(measured), ends(found)) {
        for (place, (found, expected)) in ours.into_iter().zip(theirs).enumerate() {
            if differ(found, expected) {
                let end = ["lower", "upper"][place];
                let interval = population(measured).map_or("none", Population::word);
                return flaw(
                    format!("the {end} end of the {interval} interval of {}", measured.metric),
                    found,
                    expected,
                );
            }
        }
    }
    Ok(())
}

fn population(measured: &Measured) -> Option<Population> {
    measured.interval.map(|(population, _)| population)
}
