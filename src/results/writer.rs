//! One table while it is computed: episodes in, rows out.

use std::sync::Arc;

use super::ReportError;
use super::calibration::{Bin, Confidences, ece};
use super::cells;
use super::certainty::CertaintyOutcome;
use super::generalised::Generalised;
use super::part::Part;
use super::rows::{CurveCells, EpisodeRow, OutcomeRow, QueryRow, SideCells, TemperedCells, lead};
use super::stretch::{EpisodeRecord, QueryOutcome};
use super::table::{Table, TableKey};
use super::tally::{EpisodeOutcome, Measured, Tally};
use super::tempered::Tempered;
use crate::vocab::ClassId;

/// Writes one table; episodes come in rising order, in chunks of any size.
///
/// Several may be open at once and each may live on a thread of its own. Made by [`Results::begin`](super::Results::begin).
#[derive(Debug)]
pub struct TableWriter {
    table: Table,
    key: TableKey,
    lead: Vec<u8>,
    classes: Arc<[String]>,
    last: Option<u32>,
    tally: Tally,
    confidences: Confidences,
    outcomes: Part,
    episodes: Part,
    queries: Part,
    certainty: Part,
    tempered_rows: Part,
    tempered: Option<Tempered>,
    generalised: Option<Generalised>,
}

/// One table, complete, to be handed to [`Results::add`](super::Results::add).
#[derive(Debug)]
pub struct FinishedTable {
    pub(super) table: Table,
    pub(super) key: TableKey,
    pub(super) episode_count: usize,
    pub(super) class_count: usize,
    /// The classes that occurred, each with its cluster; empty where there are no clusters.
    pub(super) clusters: Vec<(String, String)>,
    pub(super) measured: Vec<Measured>,
    pub(super) bins: Vec<Bin>,
    pub(super) outcomes: Part,
    pub(super) episodes: Part,
    pub(super) queries: Part,
    pub(super) certainty: Part,
    /// The selected temperature, with the bins and the rows that belong to it.
    pub(super) tempered: Option<(f64, Vec<Bin>, Part)>,
    /// Rows of `stacking.csv` and of `seen.csv`; empty where all candidates are unseen.
    pub(super) curve: Vec<CurveCells>,
    pub(super) sides: Vec<SideCells>,
}

impl FinishedTable {
    /// The measures, sorted by name; one with several intervals comes once for each.
    pub fn measures(&self) -> &[Measured] {
        &self.measured
    }
}

impl TableWriter {
    pub(super) fn new(table: Table, classes: Arc<[String]>, part: impl Fn(&str) -> Part) -> TableWriter {
        let key = table.key();
        let tally = Tally::new(table.clusters.as_deref());
        TableWriter {
            lead: lead(&key),
            generalised: table.seen.clone().map(Generalised::new),
            table,
            key,
            classes,
            last: None,
            tally,
            confidences: Confidences::default(),
            outcomes: part("outcomes"),
            episodes: part("episodes"),
            queries: part("queries"),
            certainty: part("certainty"),
            tempered_rows: part("tempered"),
            tempered: None,
        }
    }

    /// Has the claims of every episode told at this temperature too; call it before the first episode.
    pub fn at_temperature(mut self, temperature: f64) -> TableWriter {
        let rows = std::mem::replace(&mut self.tempered_rows, Part::new(std::path::PathBuf::new()));
        self.tempered = Some(Tempered::new(temperature, rows));
        self
    }

    /// Takes the claims of an episode at the table's temperature in, after the episode itself: their mean loss, and each
    /// confidence with whether the answer was correct.
    ///
    /// # Errors
    /// A table without a temperature, what cannot be a loss or a confidence, or a disk that is full.
    pub fn tempered(
        &mut self,
        outcome: &EpisodeOutcome,
        nll: f64,
        claims: &[(f32, bool)],
    ) -> Result<(), ReportError> {
        let (key, episode) = (&self.key, outcome.episode);
        let broken = |rule| ReportError::Outcome { key: key.clone(), episode, rule };
        let tempered = self.tempered.as_mut().ok_or("the table has no temperature").map_err(broken)?;
        tempered.push(outcome, nll, claims).map_err(broken)?;
        let row = (&self.key, TemperedCells { temperature: tempered.temperature, episode, nll });
        tempered.rows.append(|out| cells::append(out, [row]))
    }

    /// Takes the next episode in.
    ///
    /// # Errors
    /// An episode that does not come after the last one, a class without a name, counts that cannot be, a NaN, or a disk
    /// that is full.
    pub fn episode(&mut self, outcome: &EpisodeOutcome) -> Result<(), ReportError> {
        let episode = outcome.episode;
        if let Some(last) = self.last.filter(|last| *last >= episode) {
            return Err(ReportError::Order { key: self.key.clone(), episode, last });
        }
        for class in &outcome.classes {
            self.name(class.class)?;
        }
        let broken = |rule| ReportError::Outcome { key: self.key.clone(), episode, rule };
        let totals = self.tally.push(outcome).map_err(broken)?;
        if let Some(generalised) = &mut self.generalised {
            generalised.episode(outcome);
        }
        self.last = Some(episode);

        let (lead, names) = (&self.lead, &self.classes);
        self.outcomes.append(|out| {
            for (label, outcome) in outcome.classes.iter().enumerate() {
                let class = &names[outcome.class.index()];
                OutcomeRow { lead, episode, label, class, outcome }.write(out);
            }
        })?;
        let row = EpisodeRow {
            lead,
            setting: self.table.setting,
            episode,
            way: outcome.classes.len(),
            totals,
            draw_sha256: &self.table.draw_sha256,
            items_sha256: &self.table.items_sha256,
        };
        self.episodes.append(|out| row.write(out))
    }

    /// Takes confidences in, each with whether the answer was correct; for all queries of the table or for none.
    ///
    /// Their order does not matter.
    ///
    /// # Errors
    /// A confidence outside 0 and 1.
    pub fn confidences(&mut self, answers: &[(f32, bool)]) -> Result<(), ReportError> {
        for &(found, correct) in answers {
            if !self.confidences.push(found, correct) {
                return Err(ReportError::Confidence { key: self.key.clone(), found });
            }
        }
        Ok(())
    }

    /// Takes the queries of an episode in, for `queries.csv`, which is written where any table has them.
    ///
    /// # Errors
    /// A class without a name, or a disk that is full.
    pub fn queries(&mut self, episode: u32, queries: &[QueryOutcome]) -> Result<(), ReportError> {
        for query in queries {
            self.name(query.class)?;
            self.name(query.predicted)?;
        }
        let (lead, names) = (&self.lead, &self.classes);
        self.queries.append(|out| {
            for query in queries {
                let (class, predicted) = (&names[query.class.index()], &names[query.predicted.index()]);
                let &QueryOutcome { item, confidence, certainty, .. } = query;
                let item = item.0;
                QueryRow { lead, episode, class, item, predicted, confidence, certainty }.write(out);
            }
        })
    }

    /// Takes in how certain the answers of the episode were that was taken in last.
    ///
    /// # Errors
    /// Another episode, values that are not those of the episodes before, or a disk that is full.
    pub fn certainty(&mut self, outcome: &CertaintyOutcome) -> Result<(), ReportError> {
        let episode = outcome.episode;
        let rule = match self.last == Some(episode) {
            true => self.tally.push_certainty(&outcome.values),
            false => Err("the certainties of an episode come behind its outcome"),
        };
        rule.map_err(|rule| ReportError::Outcome { key: self.key.clone(), episode, rule })?;
        let lead = &self.lead;
        self.certainty.append(|out| outcome.write(lead, out))
    }

    /// Takes the next episode in, with all that was recorded of it.
    ///
    /// # Errors
    /// As [`TableWriter::episode`], [`TableWriter::confidences`], [`TableWriter::certainty`] and [`TableWriter::queries`].
    pub fn record(&mut self, record: &EpisodeRecord) -> Result<(), ReportError> {
        self.episode(&record.outcome)?;
        self.confidences(&record.claims)?;
        if let Some(generalised) = &mut self.generalised {
            generalised.margins(&record.margins);
        }
        record.certainty.as_ref().map_or(Ok(()), |certainty| self.certainty(certainty))?;
        if let Some(tempered) = &record.tempered {
            let answers = record.claims.iter().map(|(_, correct)| *correct);
            let claims: Vec<(f32, bool)> = tempered.confidences.iter().copied().zip(answers).collect();
            self.tempered(&record.outcome, tempered.nll, &claims)?;
        }
        self.queries(record.outcome.episode, &record.queries)
    }

    /// Computes the measures and the bins.
    ///
    /// # Errors
    /// No episode, or confidences that do not belong to the outcomes.
    pub fn finish(self) -> Result<FinishedTable, ReportError> {
        let key = self.key;
        if self.tally.episodes() == 0 {
            return Err(ReportError::NoEpisode { key });
        }
        let given = (self.confidences.count(), self.confidences.correct());
        let (queries, correct) = (self.tally.queries(), self.tally.correct());
        if given.0 > 0 && given != (queries, correct) {
            let (confidences, confident) = given;
            return Err(ReportError::Confidences { key, confidences, confident, queries, correct });
        }
        let bins = self.confidences.bins();
        let cluster = |class: ClassId| {
            let cluster = self.table.clusters.as_ref()?.get(class.index())?.clone();
            Some((self.classes.get(class.index())?.clone(), cluster))
        };
        let mut measured = self.tally.measures(self.table.level, self.table.repeat, ece(&bins));
        let tempered = self.tempered.map(|tempered| {
            let temperature = tempered.temperature;
            let (more, bins, rows) = tempered.finish(self.table.level, self.table.repeat);
            measured.extend(more);
            (temperature, bins, rows)
        });
        let (mut curve, mut sides) = (Vec::new(), Vec::new());
        if let Some(generalised) = &self.generalised {
            measured.extend(generalised.measures());
            curve = generalised.rows();
            sides = generalised.sides(&key, &self.classes);
        }
        // Stable, so that a measure's intervals keep their order.
        measured.sort_by_key(|measured| measured.metric);
        Ok(FinishedTable {
            episode_count: self.tally.episodes(),
            class_count: self.tally.classes(),
            clusters: self.tally.class_ids().filter_map(cluster).collect(),
            measured,
            tempered,
            curve,
            sides,
            table: self.table,
            key,
            bins,
            outcomes: self.outcomes,
            episodes: self.episodes,
            queries: self.queries,
            certainty: self.certainty,
        })
    }

    fn name(&self, class: ClassId) -> Result<&str, ReportError> {
        self.classes.get(class.index()).map(String::as_str).ok_or_else(|| ReportError::UnnamedClass {
            key: self.key.clone(),
            class: class.0,
            known: self.classes.len(),
        })
    }
}
