//! A folder of results, from the first check of its path to the last rename.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ResultsError;
use super::journal::Journal;
use super::part::Part;
use super::rows::{BinCells, Binning, ClusterCells, Columns, SideCells, SummaryCells, SummaryRow, header};
use super::run_key::{Compatibility, Difference, RunKey};
use super::run_record::RunRecord;
use super::staging::{LeftOver, PART_FILE, RESULT_FILES, RUN_RECORD, Staging};
use super::table::{Table, TableKey};
use super::tally::Measured;
use super::warning::{FEW_EPISODES, Warning};
use super::writer::{FinishedTable, TableWriter};
use super::{cells, hash};

/// The results of one run while they are collected.
///
/// Dropped without [`commit`](Results::commit), it leaves no file behind.
#[derive(Debug)]
pub struct Results {
    staging: Staging,
    begun: BTreeSet<TableKey>,
    finished: Vec<FinishedTable>,
    extra: Vec<String>,
    /// Whether single queries are written as parquet too.
    #[cfg(feature = "parquet")]
    parquet: bool,
}

impl Results {
    /// Makes the folder and checks that results can be written there; call it before any work.
    ///
    /// # Errors
    /// A path that cannot be written; results of another run, unless `overwrite` is set; another run that is writing there.
    pub fn create(out: &Path, overwrite: bool) -> Result<Results, ResultsError> {
        let left_over = if overwrite { LeftOver::Drop } else { LeftOver::Refuse };
        Results::with_left_over(out, overwrite, left_over)
    }

    /// As [`Results::create`], where a killed run may have left a journal.
    ///
    /// # Errors
    /// As [`Results::create`], and a journal where it is to be refused.
    pub fn with_left_over(out: &Path, overwrite: bool, left_over: LeftOver) -> Result<Results, ResultsError> {
        let staging = Staging::open(out, overwrite, left_over)?;
        Ok(Results {
            staging,
            begun: BTreeSet::new(),
            finished: Vec::new(),
            extra: Vec::new(),
            #[cfg(feature = "parquet")]
            parquet: false,
        })
    }

    /// Has single queries written as `queries.parquet` too; needs the feature `parquet`.
    #[cfg(feature = "parquet")]
    pub fn with_parquet(&mut self) {
        self.parquet = true;
    }

    /// The journal that a killed run left, before it is known whether this run can go on with it.
    pub fn left(&self) -> Option<&Journal> {
        self.staging.left()
    }

    /// The journal of this run: the one that a killed run left, or a new one.
    ///
    /// # Errors
    /// A journal of other key, and a disk that is full. Then the journal stays as it is.
    pub fn journal(&mut self, key: &RunKey) -> Result<Journal, ResultsError> {
        if let Some(left) = self.staging.left() {
            if let Some(difference) = left.run_key().difference(key, Compatibility::SameRun) {
                return Err(self.other_run(difference));
            }
            if let Some(journal) = self.staging.take_journal()? {
                return Ok(journal);
            }
        }
        Journal::begin(&self.staging.journal_path(), key)
    }

    /// That the journal which was left is of another run.
    pub fn other_run(&self, difference: Difference) -> ResultsError {
        ResultsError::OtherRun { folder: self.staging.out().to_path_buf(), difference }
    }

    /// Has the journal stay when the run fails, so that another can go on with it.
    pub fn keep_journal(&mut self) {
        self.staging.keep_journal();
    }

    /// Begins a table. `classes` holds the name of each class, by [`ClassId`](crate::vocab::ClassId).
    ///
    /// # Errors
    /// A second table of the same protocol, learner, parameters and shot.
    pub fn begin(&mut self, table: Table, classes: Arc<[String]>) -> Result<TableWriter, ResultsError> {
        let key = table.key();
        let number = self.begun.len();
        if !self.begun.insert(key.clone()) {
            return Err(ResultsError::Twice { key });
        }
        let part = |kind: &str| Part::new(self.staging.path(&format!("{kind}-{number}")));
        Ok(TableWriter::new(table, classes, part))
    }

    /// Takes a finished table back; the order does not matter.
    pub fn add(&mut self, table: FinishedTable) {
        self.finished.push(table);
    }

    /// Adds a file of this name, such as the draw; it appears with the others.
    ///
    /// # Errors
    /// A name that is given twice or belongs to a table, a file of that name that may not be overwritten, or a disk that
    /// is full.
    pub fn write_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), ResultsError> {
        if RESULT_FILES.contains(&name) || self.extra.iter().any(|known| known == name) {
            return Err(ResultsError::FileTwice { name: name.to_string() });
        }
        self.staging.check_free(name)?;
        let path = self.staging.path(name);
        std::fs::write(&path, bytes).map_err(ResultsError::file("write", &path))?;
        self.extra.push(name.to_string());
        Ok(())
    }

    /// What the finished tables themselves give reason to warn of.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = BTreeSet::new();
        for table in &self.finished {
            let (protocol, episodes) = (table.key.protocol.clone(), table.episode_count);
            if (2..FEW_EPISODES).contains(&episodes) {
                warnings.insert(Warning::FewEpisodes { protocol: protocol.clone(), episodes });
            }
            if episodes >= 2 {
                warnings.insert(Warning::SamplerInterval { protocol, classes: table.class_count });
            }
        }
        warnings.into_iter().collect()
    }

    /// Puts the files together, sorted, and gives them their final names; `run.json` comes last.
    ///
    /// Returns the rows of `summary.csv`. The features' hash of a row is that of its protocol in the run record.
    ///
    /// # Errors
    /// A table that was begun and not added, a protocol that the record does not name, or a disk that is full. Then no
    /// file has got its final name.
    pub fn commit(mut self, mut run: RunRecord) -> Result<Vec<SummaryRow>, ResultsError> {
        self.all_finished()?;
        self.finished.sort_by(|a, b| a.key.cmp(&b.key));
        let summary = self.summary(&run)?;
        let mut names = vec![self.small("summary.csv", summary.iter().map(SummaryCells::from))?];
        names.push(self.keyed("bins.csv", self.finished.iter().flat_map(bins))?);
        names.extend(self.of_classes()?);
        names.extend(self.of_episodes()?);
        names.append(&mut self.extra);
        names.sort();
        self.publish(names, &mut run)?;
        Ok(summary)
    }

    /// Refuses results of which a table was begun and not added.
    fn all_finished(&mut self) -> Result<(), ResultsError> {
        for table in &self.finished {
            self.begun.remove(&table.key);
        }
        self.begun.pop_first().map_or(Ok(()), |key| Err(ResultsError::Unfinished { key }))
    }

    /// The rows of `summary.csv`: of each table the metrics that were asked for.
    fn summary(&self, run: &RunRecord) -> Result<Vec<SummaryRow>, ResultsError> {
        let mut summary = Vec::new();
        for FinishedTable { table, key, episode_count, class_count, measured, .. } in &self.finished {
            let record = run.of_table(key).ok_or_else(|| ResultsError::Unrecorded {
                protocol: key.protocol.clone(),
                features: key.features.clone(),
            })?;
            let asked = |m: &&Measured| table.metrics.iter().any(|asked| asked.covers(m.metric));
            summary.extend(measured.iter().filter(asked).map(|measured| SummaryRow {
                table: table.clone(),
                episodes: *episode_count,
                classes: *class_count,
                measured: *measured,
                features_sha256: record.features_sha256.clone(),
            }));
        }
        Ok(summary)
    }

    /// Writes what is known of classes: their clusters, on which side of a generalised protocol they stand, and the curve
    /// between the sides.
    fn of_classes(&self) -> Result<Vec<String>, ResultsError> {
        let mut names = Vec::new();
        let cluster = |key: &TableKey, (class, cluster): &(String, String)| ClusterCells {
            protocol: key.protocol.clone(),
            dataset: key.dataset.clone(),
            class: class.clone(),
            cluster: cluster.clone(),
        };
        let clusters: BTreeSet<ClusterCells> = self
            .finished
            .iter()
            .flat_map(|table| table.clusters.iter().map(|pair| cluster(&table.key, pair)))
            .collect();
        if !clusters.is_empty() {
            names.push(self.small("clusters.csv", clusters)?);
        }
        let sides: BTreeSet<&[SideCells]> =
            self.finished.iter().map(|table| table.sides.as_slice()).collect();
        let sides: Vec<&SideCells> = sides.into_iter().flatten().collect();
        if !sides.is_empty() {
            names.push(self.small("seen.csv", sides.into_iter().cloned())?);
            let points = |table: &FinishedTable| {
                table.curve.iter().map(|point| (table.key.clone(), point.clone())).collect::<Vec<_>>()
            };
            names.push(self.keyed("seen_unseen_curve.csv", self.finished.iter().flat_map(points))?);
        }
        Ok(names)
    }

    /// Puts together what grew while episodes came in.
    fn of_episodes(&mut self) -> Result<Vec<String>, ResultsError> {
        let (mut outcomes, mut episodes, mut queries) = (Vec::new(), Vec::new(), Vec::new());
        let (mut open_set, mut scaled) = (Vec::new(), Vec::new());
        for table in std::mem::take(&mut self.finished) {
            outcomes.push(table.outcomes);
            episodes.push(table.episodes);
            queries.push(table.queries);
            open_set.push(table.open_set);
            scaled.extend(table.scaled.map(|(_, _, rows)| rows));
        }
        let columns = Columns::all();
        let mut names = vec![
            self.file("outcomes.csv", &columns.outcomes(), |out| pour(outcomes, out))?,
            self.file("episodes.csv", &columns.episodes(), |out| pour(episodes, out))?,
        ];
        if open_set.iter().any(|part| !part.is_empty()) {
            names.push(self.file("open_set.csv", &columns.open_set(), |out| pour(open_set, out))?);
        }
        if !scaled.is_empty() {
            let header = columns.temperature_scaled();
            names.push(self.file("temperature_scaled.csv", &header, |out| pour(scaled, out))?);
        }
        if queries.iter().any(|part| !part.is_empty()) {
            names.push(self.file("queries.csv", &Columns::queries(), |out| pour(queries, out))?);
            #[cfg(feature = "parquet")]
            if self.parquet {
                let (csv, out) = (self.staging.path("queries.csv"), self.staging.path("queries.parquet"));
                super::queries_parquet::convert(&csv, &out).map_err(ResultsError::file("write", &out))?;
                names.push("queries.parquet".to_string());
            }
        }
        Ok(names)
    }

    /// Gives the journal of a part, and the files that were added, their final names; `run.json` comes last.
    ///
    /// # Errors
    /// A disk that is full. Then no file has got its final name.
    pub fn commit_part(mut self, journal: Journal, mut run: RunRecord) -> Result<(), ResultsError> {
        drop(journal);
        self.staging.journal_to_part()?;
        let mut names = vec![PART_FILE.to_string()];
        names.append(&mut self.extra);
        names.sort();
        self.publish(names, &mut run)
    }

    fn publish(self, mut names: Vec<String>, run: &mut RunRecord) -> Result<(), ResultsError> {
        let hashes = names.par_iter().map(|name| {
            let path = self.staging.path(name);
            let hash = hash::of_file(&path).map_err(ResultsError::file("read", &path))?;
            Ok((name.clone(), hash))
        });
        run.files = hashes.collect::<Result<_, ResultsError>>()?;
        names.push(RUN_RECORD.to_string());
        let record = self.staging.path(RUN_RECORD);
        std::fs::write(&record, run.json()?).map_err(ResultsError::file("write", &record))?;
        self.staging.publish(&names)
    }

    /// Writes a small file whose rows belong to tables.
    fn keyed<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        rows: impl IntoIterator<Item = (TableKey, T)>,
    ) -> Result<String, ResultsError> {
        let mut bytes = Vec::new();
        cells::append(&mut bytes, rows);
        self.file(name, &header::<T>(true), |out| out.write_all(&bytes))
    }

    /// Writes a small file whose rows say themselves what they are about.
    fn small<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        rows: impl IntoIterator<Item = T>,
    ) -> Result<String, ResultsError> {
        let mut bytes = Vec::new();
        cells::append(&mut bytes, rows);
        self.file(name, &header::<T>(false), |out| out.write_all(&bytes))
    }

    /// Writes a file with its header line into the staging folder; its name again.
    fn file(
        &self,
        name: &str,
        columns: &str,
        write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<String, ResultsError> {
        let path = self.staging.path(name);
        let written = File::create(&path).and_then(|file| {
            let mut out = BufWriter::with_capacity(1 << 18, file);
            writeln!(out, "{columns}")?;
            write(&mut out)?;
            out.flush()
        });
        written.map_err(ResultsError::file("write", &path))?;
        Ok(name.to_string())
    }
}

/// The bins of confidence of a table, and those at its selected temperature: at temperature 1 they are the same.
fn bins(table: &FinishedTable) -> Vec<(TableKey, BinCells)> {
    let plain = [(1.0, Binning::Mass, &table.bins), (1.0, Binning::Width, &table.width_bins)];
    let scaled = table.scaled.iter().map(|(temperature, bins, _)| (*temperature, Binning::Mass, bins));
    plain
        .into_iter()
        .chain(scaled.filter(|(temperature, ..)| *temperature != 1.0))
        .flat_map(|(temperature, binning, bins)| {
            let row =
                move |(number, bin)| (table.key.clone(), BinCells::of(temperature, binning, number, bin));
            bins.iter().enumerate().map(row)
        })
        .collect()
}

fn pour(parts: Vec<Part>, out: &mut impl Write) -> std::io::Result<()> {
    parts.into_iter().try_for_each(|part| part.pour(out))
}

#[cfg(test)]
mod tests;
