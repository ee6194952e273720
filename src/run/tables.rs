//! The tables of one protocol while they fill, from an evaluation or from what was recorded of one.

use std::sync::Arc;

use crate::results::{Chunk, PlannedTable, ProtocolKey, Results, Table, TableWriter, Warning};
use crate::run::error::RunError;

/// One sheet per table of a protocol.
pub(crate) struct Sheets {
    protocol: String,
    episodes: u64,
    sheets: Vec<Sheet>,
}

/// A table with what it gives reason to warn of.
struct Sheet {
    writer: TableWriter,
    learner: String,
    ties: u64,
    queries: u64,
    unconverged: u64,
}

impl Sheets {
    /// Begins all tables of a protocol.
    pub(crate) fn begin(results: &mut Results, key: &ProtocolKey) -> Result<Sheets, RunError> {
        let names: Arc<[String]> = key.classes.iter().cloned().collect();
        let clusters: Option<Arc<[String]>> =
            key.clusters.as_ref().map(|names| names.iter().cloned().collect());
        let seen: Option<Arc<[bool]>> = key.seen.as_ref().map(|seen| seen.iter().copied().collect());
        let sheet = |key: &PlannedTable| {
            let table = Table { clusters: clusters.clone(), seen: seen.clone(), ..key.table.clone() };
            let writer = results.begin(table, Arc::clone(&names))?;
            let writer = match key.temperature {
                Some(temperature) => writer.at_temperature(temperature),
                None => writer,
            };
            Ok(Sheet { writer, learner: key.learner.clone(), ties: 0, queries: 0, unconverged: 0 })
        };
        let sheets = key.tables.iter().map(sheet).collect::<Result<_, RunError>>()?;
        Ok(Sheets { protocol: key.name.clone(), episodes: 0, sheets })
    }

    /// Takes the next episodes in.
    pub(crate) fn take(&mut self, chunk: &Chunk) -> Result<(), RunError> {
        self.episodes += u64::from(chunk.episodes);
        for table in &chunk.tables {
            let Some(sheet) = self.sheets.get_mut(table.table) else { continue };
            sheet.unconverged += table.unconverged;
            for record in &table.episodes {
                sheet.writer.record(record)?;
                sheet.ties += u64::from(record.ties);
                sheet.queries += record.outcome.classes.iter().map(|c| u64::from(c.total)).sum::<u64>();
            }
        }
        Ok(())
    }

    /// Hands the tables to the results; what a reader should know of them.
    pub(crate) fn finish(self, results: &mut Results) -> Result<Vec<Warning>, RunError> {
        let mut warnings = Vec::new();
        for sheet in self.sheets {
            let (protocol, learner) = (self.protocol.clone(), sheet.learner);
            if sheet.ties > 0 {
                let (protocol, learner) = (protocol.clone(), learner.clone());
                warnings.push(Warning::Ties { protocol, learner, queries: sheet.ties, of: sheet.queries });
            }
            if sheet.unconverged > 0 {
                let episodes = sheet.unconverged;
                warnings.push(Warning::NotConverged { protocol, learner, episodes, of: self.episodes });
            }
            results.add(sheet.writer.finish()?);
        }
        Ok(warnings)
    }
}
