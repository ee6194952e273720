//! A folder of results, from the first check of its path to the last rename.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use super::ReportError;
use super::journal::Journal;
use super::part::Part;
use super::rows::{
    BIN_COLUMNS, BinRow, CERTAINTY_COLUMNS, CLUSTER_COLUMNS, EPISODE_COLUMNS, OUTCOME_COLUMNS, QUERY_COLUMNS,
    SEEN_COLUMNS, STACKING_COLUMNS, SUMMARY_COLUMNS, SummaryRow, TEMPERED_COLUMNS, lead,
};
use super::run_record::RunRecord;
use super::staging::{LeftOver, PART_FILE, RESULT_FILES, RUN_RECORD, Staging};
use super::table::{Table, TableKey};
use super::tally::Measured;
use super::terms::{Difference, Kinship, Terms};
use super::text::text;
use super::warning::{FEW_EPISODES, Warning};
use super::writer::{FinishedTable, TableWriter};
use crate::vocab::Metric;

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
    pub fn create(out: &Path, overwrite: bool) -> Result<Results, ReportError> {
        let left_over = if overwrite { LeftOver::Drop } else { LeftOver::Refuse };
        Results::with_left_over(out, overwrite, left_over)
    }

    /// As [`Results::create`], where a killed run may have left a journal.
    ///
    /// # Errors
    /// As [`Results::create`], and a journal where it is to be refused.
    pub fn with_left_over(out: &Path, overwrite: bool, left_over: LeftOver) -> Result<Results, ReportError> {
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
    /// A journal of other terms, and a disk that is full. Then the journal stays as it is.
    pub fn journal(&mut self, terms: &Terms) -> Result<Journal, ReportError> {
        if let Some(left) = self.staging.left() {
            if let Some(difference) = left.terms().difference(terms, Kinship::SameRun) {
                return Err(self.other_run(difference));
            }
            if let Some(journal) = self.staging.take_journal()? {
                return Ok(journal);
            }
        }
        Journal::begin(&self.staging.journal_path(), terms)
    }

    /// That the journal which was left is of another run.
    pub fn other_run(&self, difference: Difference) -> ReportError {
        ReportError::OtherRun { folder: self.staging.out().to_path_buf(), difference }
    }

    /// Has the journal stay when the run fails, so that another can go on with it.
    pub fn keep_journal(&mut self) {
        self.staging.keep_journal();
    }

    /// Begins a table. `classes` holds the name of each class, by [`ClassId`](crate::vocab::ClassId).
    ///
    /// # Errors
    /// A second table of the same protocol, learner, parameters and shot.
    pub fn begin(&mut self, table: Table, classes: Arc<[String]>) -> Result<TableWriter, ReportError> {
        let key = table.key();
        let number = self.begun.len();
        if !self.begun.insert(key.clone()) {
            return Err(ReportError::Twice { key });
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
    pub fn write_file(&mut self, name: &str, bytes: &[u8]) -> Result<(), ReportError> {
        if RESULT_FILES.contains(&name) || self.extra.iter().any(|known| known == name) {
            return Err(ReportError::FileTwice { name: name.to_string() });
        }
        self.staging.check_free(name)?;
        let path = self.staging.path(name);
        std::fs::write(&path, bytes).map_err(ReportError::file("write", &path))?;
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
    pub fn commit(mut self, mut run: RunRecord) -> Result<Vec<SummaryRow>, ReportError> {
        for table in &self.finished {
            self.begun.remove(&table.key);
        }
        if let Some(key) = self.begun.pop_first() {
            return Err(ReportError::Unfinished { key });
        }
        self.finished.sort_by(|a, b| a.key.cmp(&b.key));
        let mut summary = Vec::new();
        for table in &self.finished {
            let protocol = run.protocols.iter().find(|p| p.name == table.key.protocol);
            let protocol = protocol
                .ok_or_else(|| ReportError::UnrecordedProtocol { protocol: table.key.protocol.clone() })?;
            let covered =
                |asked: &Metric, m: &Measured| m.metric.parse().is_ok_and(|metric| asked.covers(metric));
            let asked = |m: &&Measured| table.table.metrics.iter().any(|asked| covered(asked, m));
            summary.extend(table.measured.iter().filter(asked).map(|measured| SummaryRow {
                table: table.table.clone(),
                episodes: table.episode_count,
                classes: table.class_count,
                measured: *measured,
                features_sha256: protocol.features_sha256.clone(),
            }));
        }

        let mut bytes = Vec::new();
        summary.iter().for_each(|row| row.write(&mut bytes));
        let mut names = vec![self.file("summary.csv", SUMMARY_COLUMNS, |out| out.write_all(&bytes))?];
        bytes.clear();
        for table in &self.finished {
            let lead = lead(&table.key);
            for (number, bin) in table.bins.iter().enumerate() {
                BinRow { lead: &lead, temperature: 1.0, number, bin }.write(&mut bytes);
            }
            // At temperature 1 they are the same bins.
            for (temperature, bins, _) in
                table.tempered.iter().filter(|(temperature, ..)| *temperature != 1.0)
            {
                for (number, bin) in bins.iter().enumerate() {
                    BinRow { lead: &lead, temperature: *temperature, number, bin }.write(&mut bytes);
                }
            }
        }
        names.push(self.file("bins.csv", BIN_COLUMNS, |out| out.write_all(&bytes))?);

        let clusters: BTreeSet<[&str; 3]> = self
            .finished
            .iter()
            .flat_map(|table| {
                table.clusters.iter().map(|(class, cluster)| [&table.key.protocol, class, cluster])
            })
            .map(|row| row.map(String::as_str))
            .collect();
        if !clusters.is_empty() {
            bytes.clear();
            for [protocol, class, cluster] in clusters {
                for (cell, end) in [(protocol, b','), (class, b','), (cluster, b'\n')] {
                    text(&mut bytes, cell);
                    bytes.push(end);
                }
            }
            names.push(self.file("clusters.csv", CLUSTER_COLUMNS, |out| out.write_all(&bytes))?);
        }

        let sides: BTreeSet<&[u8]> = self.finished.iter().map(|table| table.sides.as_slice()).collect();
        let sides: Vec<&[u8]> = sides.into_iter().filter(|rows| !rows.is_empty()).collect();
        if !sides.is_empty() {
            names.push(self.file("seen.csv", SEEN_COLUMNS, |out| out.write_all(&sides.concat()))?);
            let curves: Vec<&[u8]> = self.finished.iter().map(|table| table.curve.as_slice()).collect();
            names.push(self.file("stacking.csv", STACKING_COLUMNS, |out| out.write_all(&curves.concat()))?);
        }

        let (mut outcomes, mut episodes, mut queries) = (Vec::new(), Vec::new(), Vec::new());
        let (mut certainty, mut tempered) = (Vec::new(), Vec::new());
        for table in std::mem::take(&mut self.finished) {
            outcomes.push(table.outcomes);
            episodes.push(table.episodes);
            queries.push(table.queries);
            certainty.push(table.certainty);
            tempered.extend(table.tempered.map(|(_, _, rows)| rows));
        }
        names.push(self.file("outcomes.csv", OUTCOME_COLUMNS, |out| pour(outcomes, out))?);
        names.push(self.file("episodes.csv", EPISODE_COLUMNS, |out| pour(episodes, out))?);
        if certainty.iter().any(|part| !part.is_empty()) {
            names.push(self.file("certainty.csv", CERTAINTY_COLUMNS, |out| pour(certainty, out))?);
        }
        if !tempered.is_empty() {
            names.push(self.file("tempered.csv", TEMPERED_COLUMNS, |out| pour(tempered, out))?);
        }
        if queries.iter().any(|part| !part.is_empty()) {
            names.push(self.file("queries.csv", QUERY_COLUMNS, |out| pour(queries, out))?);
            #[cfg(feature = "parquet")]
            if self.parquet {
                let (csv, out) = (self.staging.path("queries.csv"), self.staging.path("queries.parquet"));
                super::queries_parquet::convert(&csv, &out).map_err(ReportError::file("write", &out))?;
                names.push("queries.parquet".to_string());
            }
        }
        names.append(&mut self.extra);
        names.sort();
        self.publish(names, &mut run)?;
        Ok(summary)
    }

    /// Gives the journal of a part, and the files that were added, their final names; `run.json` comes last.
    ///
    /// # Errors
    /// A disk that is full. Then no file has got its final name.
    pub fn commit_part(mut self, journal: Journal, mut run: RunRecord) -> Result<(), ReportError> {
        drop(journal);
        self.staging.journal_to_part()?;
        let mut names = vec![PART_FILE.to_string()];
        names.append(&mut self.extra);
        names.sort();
        self.publish(names, &mut run)
    }

    fn publish(self, mut names: Vec<String>, run: &mut RunRecord) -> Result<(), ReportError> {
        names.push(RUN_RECORD.to_string());
        run.files.clone_from(&names);
        let record = self.staging.path(RUN_RECORD);
        std::fs::write(&record, run.json()?).map_err(ReportError::file("write", &record))?;
        self.staging.publish(&names)
    }

    /// Writes a file with its header line into the staging folder; its name again.
    fn file(
        &self,
        name: &str,
        columns: &str,
        write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<String, ReportError> {
        let path = self.staging.path(name);
        let written = File::create(&path).and_then(|file| {
            let mut out = BufWriter::with_capacity(1 << 18, file);
            writeln!(out, "{columns}")?;
            write(&mut out)?;
            out.flush()
        });
        written.map_err(ReportError::file("write", &path))?;
        Ok(name.to_string())
    }
}

fn pour(parts: Vec<Part>, out: &mut impl Write) -> std::io::Result<()> {
    parts.into_iter().try_for_each(|part| part.pour(out))
}

#[cfg(test)]
mod tests;
