//! Reads a folder of results back, and refuses what is damaged or mixed.
//!
//! The files say some things twice: counts per class and per episode, values and the episodes that they are means of,
//! hashes in the rows and in the record. All of it is compared, because a comparison of results that do not belong
//! together would look like any other.

mod clusters;
mod episodes;
mod error;
mod measures;
mod outcomes;
mod queries;
mod recomputed;
mod sheet;
mod sides;
mod summary;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::class_level::ClassRow;
use super::hash;
use super::rows::Columns;
use super::staging::RUN_RECORD;
use super::{Measured, RunRecord, SummaryRow, Table, TableKey};
use crate::metric::{Bin, ClassCounts, Metric};
use crate::stats::Members;

use clusters::Clusters;
pub use error::{Flaw, ReadError};
pub use queries::{ReadQuery, read_queries};
use sheet::Sheet;

/// A folder of results, whole and consistent.
#[derive(Clone, Debug)]
pub struct ResultsFolder {
    /// Its path, as it was named.
    pub path: PathBuf,
    /// What was run.
    pub run: RunRecord,
    /// Its tables, in the order of the files.
    pub tables: Vec<ReadTable>,
}

/// One table: a learner under a protocol at one shot, with all its episodes.
#[derive(Clone, Debug)]
pub struct ReadTable {
    /// What its rows share. `repeat` is false where `summary.csv` has an interval for new items.
    pub table: Table,
    /// SHA-256 of the features.
    pub features_sha256: String,
    /// The rows of `summary.csv`.
    pub measured: Vec<Measured>,
    /// The line of each of them.
    lines: Vec<u64>,
    /// Which classes were in which episode; shared by the tables of one draw.
    pub dealt: Arc<Dealt>,
    /// Correct answers of each episode.
    pub correct: Vec<u32>,
    /// Queries of each episode.
    pub total: Vec<u32>,
    /// The metrics that have a value per episode, beside accuracy.
    pub per_episode: BTreeMap<Metric, Vec<f64>>,
    /// Correct answers and queries of each class of [`Dealt::classes`] over the draw.
    pub by_class: Vec<(u64, u64)>,
    /// Whether each of these classes is a seen one; empty where they have no sides.
    pub seen: Vec<bool>,
    /// A digest per episode of the correct answers and queries of each of its classes, see [`digest`].
    pub outcomes: Vec<u64>,
    /// Bins of confidence; empty for scores that only rank.
    pub bins: Vec<Bin>,
    /// The same at the selected temperature; empty where none was selected, or where it is 1.
    pub scaled_bins: Vec<Bin>,
    /// Bins of equal width.
    pub width_bins: Vec<Bin>,
}

/// The classes of every episode of a draw, as far as results tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dealt {
    /// The number of each episode.
    pub episodes: Vec<u32>,
    /// Where the classes of each episode end in `members`.
    ends: Vec<u32>,
    /// Places in `classes`.
    members: Vec<u32>,
    /// Names of the classes that occur, in the order of appearance.
    pub classes: Vec<String>,
    /// What is left out in turn for a statement about new classes: the classes, or their clusters where they have such.
    pub units: Vec<String>,
    /// The place of each class's unit in `units`.
    pub unit_of: Vec<u32>,
}

impl Dealt {
    /// Episodes by their numbers, each with the names of its classes in label order.
    pub fn of<'a>(episodes: impl IntoIterator<Item = (u32, Vec<&'a str>)>) -> Dealt {
        let mut dealt = Dealt::default();
        let mut places: BTreeMap<&str, u32> = BTreeMap::new();
        for (number, classes) in episodes {
            for name in classes {
                let place = *places.entry(name).or_insert(dealt.classes.len() as u32);
                if place as usize == dealt.classes.len() {
                    dealt.classes.push(name.to_string());
                    dealt.unit_of.push(place);
                }
                dealt.members.push(place);
            }
            dealt.episodes.push(number);
            dealt.ends.push(dealt.members.len() as u32);
        }
        dealt.units.clone_from(&dealt.classes);
        dealt
    }

    /// The first so many episodes, with the classes and units that occur in them.
    pub fn first(&self, count: usize) -> Dealt {
        let count = count.min(self.episodes.len());
        let ends = self.ends[..count].to_vec();
        let members = self.members[..ends.last().map_or(0, |end| *end as usize)].to_vec();
        // Both are listed in the order of appearance.
        let classes = members.iter().max().map_or(0, |last| *last as usize + 1);
        let unit_of = self.unit_of[..classes].to_vec();
        let units = unit_of.iter().max().map_or(0, |last| *last as usize + 1);
        Dealt {
            episodes: self.episodes[..count].to_vec(),
            ends,
            members,
            classes: self.classes[..classes].to_vec(),
            units: self.units[..units].to_vec(),
            unit_of,
        }
    }

    /// How many of the first episodes hold the same classes, label by label, in both.
    pub fn common(&self, other: &Dealt) -> usize {
        let names = |dealt: &Dealt, place: usize| -> Vec<String> {
            dealt.members(place).iter().map(|class| dealt.classes[*class as usize].clone()).collect()
        };
        let same_lists = self.classes.iter().zip(&other.classes).all(|(one, other)| one == other);
        let same = |place: &usize| {
            let (one, two) = (self.members(*place), other.members(*place));
            // Where both list their classes alike, places are as good as names.
            let alike = if same_lists { one == two } else { names(self, *place) == names(other, *place) };
            self.episodes[*place] == other.episodes[*place] && alike
        };
        (0..self.episodes.len().min(other.episodes.len())).take_while(same).count()
    }

    /// The classes of the episode at `place`, in label order, as places in [`Dealt::classes`].
    pub fn members(&self, place: usize) -> &[u32] {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.members[start as usize..self.ends[place] as usize]
    }

    /// Whether whole clusters of classes are left out, and not classes.
    pub fn is_clustered(&self) -> bool {
        self.units != self.classes
    }

    /// What is left out in turn, by episode.
    pub fn units_by_episode(&self) -> Members {
        let mut members = Members::default();
        for place in 0..self.episodes.len() {
            members.push(self.members(place).iter().map(|class| self.unit_of[*class as usize]));
        }
        members
    }
}

/// The digest of an episode from the correct answers and queries of each of its classes, in label order: two episodes of
/// the same classes have one digest where every class fared the same.
pub fn digest(classes: impl IntoIterator<Item = (u32, u32)>) -> u64 {
    classes.into_iter().fold(0, extended)
}

/// The digest with one class more.
fn extended(digest: u64, (correct, total): (u32, u32)) -> u64 {
    let mixed = (digest ^ (u64::from(correct) << 32 | u64::from(total))).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl ReadTable {
    /// A table that was not read from files: its rows of the summary, its episodes, and the outcome of each class of each
    /// episode as correct answers and queries, in label order. Losses, measures of certainty and bins may be set afterwards.
    ///
    /// `None` where the outcomes are not those of the episodes.
    pub fn of(
        table: Table,
        features_sha256: String,
        measured: Vec<Measured>,
        dealt: Arc<Dealt>,
        outcomes: &[Vec<(u32, u32)>],
    ) -> Option<ReadTable> {
        let alike = |(place, classes): (usize, &Vec<(u32, u32)>)| classes.len() == dealt.members(place).len();
        if outcomes.len() != dealt.episodes.len() || !outcomes.iter().enumerate().all(alike) {
            return None;
        }
        let mut by_class = vec![(0, 0); dealt.classes.len()];
        for (place, classes) in outcomes.iter().enumerate() {
            for (class, (correct, total)) in dealt.members(place).iter().zip(classes) {
                by_class[*class as usize].0 += u64::from(*correct);
                by_class[*class as usize].1 += u64::from(*total);
            }
        }
        Some(ReadTable {
            table,
            features_sha256,
            measured,
            lines: Vec::new(),
            correct: outcomes.iter().map(|classes| classes.iter().map(|of| of.0).sum()).collect(),
            total: outcomes.iter().map(|classes| classes.iter().map(|of| of.1).sum()).collect(),
            per_episode: BTreeMap::new(),
            by_class,
            seen: Vec::new(),
            outcomes: outcomes.iter().map(|classes| digest(classes.iter().copied())).collect(),
            bins: Vec::new(),
            scaled_bins: Vec::new(),
            width_bins: Vec::new(),
            dealt,
        })
    }

    /// What tells it from others.
    pub fn key(&self) -> TableKey {
        self.table.key()
    }

    /// One value per episode; `None` for a metric that has none, or that this table lacks.
    pub fn values(&self, metric: Metric) -> Option<Vec<f64>> {
        if metric == Metric::ACCURACY {
            let rates = self.correct.iter().zip(&self.total).map(|(c, t)| f64::from(*c) / f64::from(*t));
            return Some(rates.collect());
        }
        self.per_episode.get(&metric).cloned()
    }

    /// Takes the metrics of the present row in, the row of the episode at this place; they are there for all episodes or for
    /// none.
    fn take(&mut self, sheet: &Sheet, columns: &[(Metric, usize)], place: usize) -> Result<(), ReadError> {
        for (metric, column) in columns {
            let before = self.per_episode.contains_key(metric);
            match sheet.optional(*column)? {
                Some(value) if before || place == 0 => {
                    self.per_episode.entry(*metric).or_default().push(value);
                }
                None if !before => {}
                Some(_) => return Err(sheet.wrong(*column, "empty, as in the episodes before")),
                None => return Err(sheet.wrong(*column, "a number, as in the episodes before")),
            }
        }
        Ok(())
    }

    /// The classes that occurred, with their counts over the draw.
    pub(crate) fn class_rows(&self) -> Vec<ClassRow> {
        let row = |(place, (correct, total)): (usize, &(u64, u64))| ClassRow {
            counts: ClassCounts {
                correct: *correct,
                total: *total,
                seen: self.seen.get(place).is_some_and(|seen| *seen),
            },
            unit: self.dealt.unit_of[place],
        };
        self.by_class.iter().enumerate().map(row).collect()
    }

    /// Its rows as `summary.csv` has them.
    pub fn rows(&self) -> impl Iterator<Item = SummaryRow> + '_ {
        self.measured.iter().map(|measured| SummaryRow {
            table: self.table.clone(),
            episodes: self.dealt.episodes.len(),
            classes: self.dealt.classes.len(),
            measured: *measured,
            features_sha256: self.features_sha256.clone(),
        })
    }
}

impl ResultsFolder {
    /// Reads a folder.
    ///
    /// # Errors
    /// A file that is missing, damaged, of another version of kshot, or not of one run with the others.
    pub fn read(path: &Path) -> Result<ResultsFolder, ReadError> {
        let run = record(&path.join(RUN_RECORD))?;
        if let Some(part) = run.part {
            return Err(ReadError::whole(path, Flaw::Part { part }));
        }
        let mut tables = summary::read(&path.join("summary.csv"), &run)?;
        episodes::read(&path.join("episodes.csv"), &mut tables)?;
        let clusters = match run.files.contains_key("clusters.csv") {
            true => Clusters::read(&path.join("clusters.csv"))?,
            false => Clusters::default(),
        };
        outcomes::read(&path.join("outcomes.csv"), &clusters, &mut tables)?;
        if run.files.contains_key("seen.csv") {
            sides::read(&path.join("seen.csv"), &mut tables)?;
        }
        let columns = Columns::all();
        for (file, header, metrics) in [
            ("open_set.csv", columns.open_set(), Metric::of_open_set()),
            ("temperature_scaled.csv", columns.temperature_scaled(), Metric::of_temperature()),
        ] {
            if run.files.contains_key(file) {
                measures::read(&path.join(file), &header, &metrics, &mut tables)?;
            }
        }
        summary::read_bins(&path.join("bins.csv"), &mut tables)?;
        recomputed::check(&path.join("summary.csv"), &tables)?;
        unedited(path, &run)?;
        Ok(ResultsFolder { path: path.to_path_buf(), run, tables })
    }
}

/// Refuses files whose bytes are not those that the run wrote: not all that they say follows from the outcomes. Files that
/// are gone and were not needed are none of them.
fn unedited(folder: &Path, run: &RunRecord) -> Result<(), ReadError> {
    let edited = run.files.par_iter().map(|(name, expected)| {
        let path = folder.join(name);
        match hash::of_file(&path) {
            Ok(found) if found == *expected => Ok(()),
            Ok(_) => Err(ReadError::whole(&path, Flaw::Edited)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(ReadError::file(&path)(error)),
        }
    });
    edited.collect::<Vec<_>>().into_iter().collect()
}

/// Reads the record of a run in its folder, parts of evaluations included.
///
/// # Errors
/// A record that is missing, damaged or of another version of kshot.
pub fn read_record(folder: &Path) -> Result<RunRecord, ReadError> {
    record(&folder.join(RUN_RECORD))
}

/// Reads the run record; checked first, because another version may name its columns otherwise.
pub(super) fn record(path: &Path) -> Result<RunRecord, ReadError> {
    let bytes = std::fs::read(path).map_err(ReadError::file(path))?;
    let flawed = |error: serde_json::Error| ReadError::Line {
        path: path.to_path_buf(),
        line: error.line() as u64,
        flaw: Flaw::Record(error.to_string()),
    };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(flawed)?;
    if let Some(found) = value.get("kshot").and_then(|version| version.as_str()) {
        check_version(found).map_err(|flaw| ReadError::whole(path, flaw))?;
    }
    serde_json::from_slice(&bytes).map_err(flawed)
}

/// Versions that agree in what a Cargo requirement of the first would accept may read each other's files.
fn check_version(found: &str) -> Result<(), Flaw> {
    let here = env!("CARGO_PKG_VERSION");
    let kin = |version: &str| {
        let mut parts = version.split('.').map(str::to_string);
        let (major, minor) = (parts.next(), parts.next());
        if major.as_deref() == Some("0") { (major, minor) } else { (major, None) }
    };
    if kin(found) == kin(here) { Ok(()) } else { Err(Flaw::Version { found: found.to_string(), here }) }
}

#[cfg(test)]
mod tests;
