//! outcomes.csv, a row per episode and class, which must say the same of every episode as episodes.csv.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::clusters::Clusters;
use super::error::{Flaw, ReadError};
use super::sheet::{Sheet, differ, places, same};
use super::{ReadTable, extended};
use crate::metric::Metric;
use crate::results::rows::Columns;
use crate::results::{Table, TableKey};

/// One episode while its rows are read.
#[derive(Default)]
struct Sums {
    digest: u64,
    label: usize,
    correct: u64,
    total: u64,
    /// By metric of classes.
    values: Vec<f64>,
}

/// The file while it is read into its tables.
struct Outcomes<'a> {
    path: &'a Path,
    sheet: Sheet,
    tables: &'a mut [ReadTable],
    clusters: &'a Clusters,
    places: HashMap<TableKey, usize>,
    /// By table, the first table of its draw: it lists the classes, the others must agree with it line by line.
    first_of: Vec<usize>,
    /// By table, the places of its classes and of what is left out together with them.
    names: Vec<HashMap<String, u32>>,
    units: Vec<HashMap<String, u32>>,
    /// Episodes that were read, by table.
    done: Vec<usize>,
    /// The table of the last row.
    last: Option<usize>,
    sums: Sums,
    /// Where episode, label, class, correct and total stand.
    columns: [usize; 5],
    metrics: Vec<(Metric, usize)>,
}

/// Fills the classes of every table, and lets tables of one draw share them.
pub(super) fn read(path: &Path, clusters: &Clusters, tables: &mut [ReadTable]) -> Result<(), ReadError> {
    let sheet = Sheet::open(path, &Columns::all().outcomes())?;
    let count = tables.len();
    let mut outcomes = Outcomes {
        path,
        places: places(tables),
        first_of: first_of(tables),
        columns: sheet.columns(["episode", "label", "class", "correct", "total"])?,
        metrics: sheet.of_metrics(&Metric::of_classes())?,
        sheet,
        tables,
        clusters,
        names: vec![HashMap::new(); count],
        units: vec![HashMap::new(); count],
        done: vec![0; count],
        last: None,
        sums: Sums::default(),
    };
    while outcomes.sheet.next()? {
        outcomes.row()?;
    }
    outcomes.finish()
}

/// By table, the first one of the same draw.
fn first_of(tables: &[ReadTable]) -> Vec<usize> {
    let mut first_of: HashMap<[&str; 3], usize> = HashMap::new();
    tables
        .iter()
        .enumerate()
        .map(|(place, read)| {
            let Table { protocol, dataset, draw_sha256, .. } = &read.table;
            *first_of.entry([protocol, dataset, draw_sha256]).or_insert(place)
        })
        .collect()
}

impl Outcomes<'_> {
    /// Takes the present row in.
    fn row(&mut self) -> Result<(), ReadError> {
        let place = self.sheet.table(&self.places, "summary.csv")?;
        self.turn_to(place)?;
        let at = self.done[place];
        self.is_next(place, at)?;
        let [.., correct, total] = self.columns;
        let (correct, total): (u32, u32) = (self.sheet.whole(correct)?, self.sheet.whole(total)?);
        if correct > total {
            let (correct, total) = (u64::from(correct), u64::from(total));
            return Err(self.sheet.flaw(Flaw::Counts { correct, total }));
        }
        let class = if self.first_of[place] == place { self.listed(place)? } else { self.known(place, at)? };
        let read = &mut self.tables[place];
        if read.by_class.len() <= class as usize {
            read.by_class.resize(class as usize + 1, (0, 0));
        }
        read.by_class[class as usize].0 += u64::from(correct);
        read.by_class[class as usize].1 += u64::from(total);
        let sums = &mut self.sums;
        sums.correct += u64::from(correct);
        sums.total += u64::from(total);
        sums.values.resize(self.metrics.len(), 0.0);
        for (sum, (_, column)) in sums.values.iter_mut().zip(&self.metrics) {
            *sum += f64::from(total) * self.sheet.optional(*column)?.unwrap_or(0.0);
        }
        sums.label += 1;
        sums.digest = extended(sums.digest, (correct, total));
        if sums.label == way(read, at) {
            read.outcomes.push(sums.digest);
            check_episode(&self.sheet, read, at, &self.metrics, &std::mem::take(sums))?;
            self.done[place] += 1;
        }
        self.last = Some(place);
        Ok(())
    }

    /// Lets the row before be the last of its table where this one is of another, which must come behind the first of its
    /// draw.
    fn turn_to(&mut self, place: usize) -> Result<(), ReadError> {
        if let Some(before) = self.last.filter(|before| *before != place && self.sums.label > 0) {
            let (key, expected) = (self.tables[before].key(), way(&self.tables[before], self.done[before]));
            let (expected, found) = (expected as u64, self.sums.label as u64);
            let what = "classes of its last episode";
            return Err(self.sheet.flaw(Flaw::Count { key, what, expected, found }));
        }
        let first = self.first_of[place];
        if self.done[place] > 0 || self.sums.label > 0 || first == place {
            return Ok(());
        }
        if self.done[first] < self.tables[first].dealt.episodes.len() {
            let (key, other) = (self.tables[first].key(), "the lines before");
            return Err(self.sheet.flaw(Flaw::NoTable { key, other }));
        }
        share(self.path, self.tables, place, first)
    }

    /// Refuses a row that is not of the next label of the next episode.
    fn is_next(&self, place: usize, at: usize) -> Result<(), ReadError> {
        let (sheet, [episode, label, ..]) = (&self.sheet, self.columns);
        let Some(&expected) = self.tables[place].dealt.episodes.get(at) else {
            let what = format!("episode {} of {}", sheet.cell(episode), self.tables[place].key());
            return Err(sheet.flaw(Flaw::Twice { what }));
        };
        let episode: u32 = sheet.whole(episode)?;
        if episode != expected {
            same(sheet, "episode", &episode.to_string(), "episodes.csv", &expected.to_string())?;
        }
        let (label, expected): (usize, usize) = (sheet.whole(label)?, self.sums.label);
        if label != expected {
            same(sheet, "label", &label.to_string(), "the order of labels", &expected.to_string())?;
        }
        Ok(())
    }

    /// The class of a row of the first table of a draw, which lists the classes.
    fn listed(&mut self, place: usize) -> Result<u32, ReadError> {
        let (sheet, [episode, _, class, ..]) = (&self.sheet, self.columns);
        let name = sheet.cell(class);
        let next = self.tables[place].dealt.classes.len() as u32;
        let class = match self.names[place].get(name) {
            Some(class) => *class,
            None => {
                self.names[place].insert(name.to_string(), next);
                next
            }
        };
        if class == next {
            let unit = self.clusters.unit(sheet, &self.tables[place].table, name)?;
            let dealt = Arc::get_mut(&mut self.tables[place].dealt).expect("shared after its last row");
            let next = dealt.units.len() as u32;
            let number = *self.units[place].entry(unit.clone()).or_insert(next);
            if number == next {
                dealt.units.push(unit);
            }
            dealt.unit_of.push(number);
            dealt.classes.push(name.to_string());
        }
        let dealt = Arc::get_mut(&mut self.tables[place].dealt).expect("shared after its last row");
        if dealt.members[dealt.members.len() - self.sums.label..].contains(&class) {
            let (episode, key) = (sheet.cell(episode), self.tables[place].key());
            return Err(
                sheet.flaw(Flaw::Twice { what: format!("class {name} in episode {episode} of {key}") })
            );
        }
        dealt.members.push(class);
        Ok(class)
    }

    /// The class of a row of another table, which must be that of the first table.
    fn known(&self, place: usize, at: usize) -> Result<u32, ReadError> {
        let dealt = &self.tables[place].dealt;
        let class = dealt.members(at)[self.sums.label];
        let [_, _, name, ..] = self.columns;
        let expected = &dealt.classes[class as usize];
        same(&self.sheet, "class", self.sheet.cell(name), "another learner's row", expected)?;
        Ok(class)
    }

    /// Refuses a file that ends before its last episode.
    fn finish(self) -> Result<(), ReadError> {
        for (read, done) in self.tables.iter().zip(self.done) {
            let expected = read.dealt.episodes.len() as u64;
            if (done as u64) < expected {
                let flaw = Flaw::Count { key: read.key(), what: "episodes", expected, found: done as u64 };
                return Err(ReadError::whole(self.path, flaw));
            }
        }
        Ok(())
    }
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
