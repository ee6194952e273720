//! One table while it is computed: episodes in, rows out.

use std::sync::Arc;

use super::ResultsError;
use super::chunk::{EpisodeRecord, QueryOutcome};
use super::class_level::{self, ClassRow};
use super::generalised::Generalised;
use super::open_set::OpenSetCounts;
use super::part::Part;
use super::rows::{
    Columns, CurveCells, EpisodeRow, OpenSetRow, OutcomeRow, QueryRow, ScaledRow, SideCells, lead,
};
use super::scaled::Scaled;
use super::table::{Table, TableKey};
use super::tally::{EpisodeOutcome, Measured, Tally};
use crate::metric::{Bin, Confidences, Metric, Pooled};
use crate::vocab::ClassId;

/// Writes one table; episodes come in rising order, in chunks of any size.
///
/// Several may be open at once and each may live on a thread of its own. Made by [`Results::begin`](super::Results::begin).
#[derive(Debug)]
pub struct TableWriter {
    table: Table,
    key: TableKey,
    lead: Vec<u8>,
    columns: Columns,
    classes: Arc<[String]>,
    last: Option<u32>,
    tally: Tally,
    confidences: Confidences,
    outcomes: Part,
    episodes: Part,
    queries: Part,
    open_set: Part,
    scaled_rows: Part,
    scaled: Option<Scaled>,
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
    /// Those of equal width.
    pub(super) width_bins: Vec<Bin>,
    pub(super) outcomes: Part,
    pub(super) episodes: Part,
    pub(super) queries: Part,
    pub(super) open_set: Part,
    /// The selected temperature, with the bins and the rows that belong to it.
    pub(super) scaled: Option<(f64, Vec<Bin>, Part)>,
    /// Rows of `seen_unseen_curve.csv` and of `seen.csv`; empty where all candidates are unseen.
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
            columns: Columns::all(),
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
            open_set: part("open-set"),
            scaled_rows: part("scaled"),
            scaled: None,
        }
    }

    /// Has the table hold probabilities at this temperature too; call it before the first episode.
    pub fn at_temperature(mut self, temperature: f64) -> TableWriter {
        let rows = std::mem::replace(&mut self.scaled_rows, Part::new(std::path::PathBuf::new()));
        self.scaled = Some(Scaled { temperature, confidences: Confidences::default(), rows });
        self
    }

    /// Takes the next episode in, with the values of metrics that are computed from all its answers; `open_set` says what
    /// those of confidence scores rest on, where there are such.
    ///
    /// # Errors
    /// An episode that does not come after the last one, a class without a name, counts that cannot be, a NaN, or a disk
    /// that is full.
    pub fn episode(
        &mut self,
        outcome: &EpisodeOutcome,
        measures: &[(Metric, f64)],
        open_set: Option<&OpenSetCounts>,
    ) -> Result<(), ResultsError> {
        let episode = outcome.episode;
        if let Some(last) = self.last.filter(|last| *last >= episode) {
            return Err(ResultsError::Order { key: self.key.clone(), episode, last });
        }
        for class in &outcome.classes {
            self.name(class.class)?;
        }
        let broken = |rule| ResultsError::Outcome { key: self.key.clone(), episode, rule };
        if !self.columns.fit(outcome) {
            return Err(broken("every class has a value for each metric of classes"));
        }
        let totals = self.tally.push(outcome, measures).map_err(broken)?;
        self.last = Some(episode);

        let (lead, names, columns) = (&self.lead, &self.classes, &self.columns);
        self.outcomes.append(|out| {
            for (label, class) in outcome.classes.iter().enumerate() {
                let (name, values) = (&names[class.class.index()], outcome.values(label));
                OutcomeRow { lead, episode, label, name, class, values, columns }.write(out);
            }
        })?;
        let row = EpisodeRow {
            lead,
            table: &self.table,
            episode,
            way: outcome.classes.len(),
            totals: &totals,
            measures,
            columns,
        };
        self.episodes.append(|out| row.write(out))?;
        if let Some(counts) = open_set {
            let row = OpenSetRow { lead, episode, counts, measures, columns };
            self.open_set.append(|out| row.write(out))?;
        }
        if let Some(Scaled { temperature, rows, .. }) = &mut self.scaled {
            let row = ScaledRow { lead, temperature: *temperature, episode, measures, columns };
            rows.append(|out| row.write(out))?;
        }
        Ok(())
    }

    /// Takes confidences in, each with whether the answer was correct; for all queries of the table or for none.
    ///
    /// Their order does not matter.
    ///
    /// # Errors
    /// A confidence outside 0 and 1.
    pub fn confidences(&mut self, answers: &[(f32, bool)]) -> Result<(), ResultsError> {
        let taken = fill(&mut self.confidences, answers.iter().copied());
        taken.map_err(|found| ResultsError::Confidence { key: self.key.clone(), found })
    }

    /// Takes the queries of an episode in, for `queries.csv`, which is written where any table has them.
    ///
    /// # Errors
    /// A class without a name, or a disk that is full.
    pub fn queries(&mut self, episode: u32, queries: &[QueryOutcome]) -> Result<(), ResultsError> {
        for query in queries {
            self.name(query.class)?;
            self.name(query.predicted)?;
        }
        let (lead, names) = (&self.lead, &self.classes);
        self.queries.append(|out| {
            for query in queries {
                let (class, predicted) = (&names[query.class.index()], &names[query.predicted.index()]);
                let &QueryOutcome { item, confidence, confidence_score, .. } = query;
                let item = item.0;
                QueryRow { lead, episode, class, item, predicted, confidence, confidence_score }.write(out);
            }
        })
    }

    /// Takes the next episode in, with all that was recorded of it.
    ///
    /// # Errors
    /// As [`TableWriter::episode`], [`TableWriter::confidences`] and [`TableWriter::queries`].
    pub fn record(&mut self, record: &EpisodeRecord) -> Result<(), ResultsError> {
        self.episode(&record.outcome, &record.measures, record.open_set.as_ref())?;
        self.confidences(&record.confidences)?;
        if let Some(generalised) = &mut self.generalised {
            generalised.margins(&record.margins);
        }
        if let Some(scaled) = &mut self.scaled {
            let answers = record.confidences.iter().map(|(_, correct)| *correct);
            let taken = fill(&mut scaled.confidences, record.scaled.iter().copied().zip(answers));
            taken.map_err(|found| ResultsError::Confidence { key: self.key.clone(), found })?;
        }
        self.queries(record.outcome.episode, &record.queries)
    }

    /// Computes the measures and the bins.
    ///
    /// # Errors
    /// No episode, or confidences that do not belong to the outcomes.
    pub fn finish(mut self) -> Result<FinishedTable, ResultsError> {
        self.is_whole()?;
        let bins = self.confidences.bins();
        let scaled = self.scaled.take().map(|mut scaled| {
            let bins = scaled.confidences.bins();
            (scaled.temperature, bins, scaled.rows)
        });
        let curve = self.generalised.as_ref().map(Generalised::curve);
        let pooled = Pooled {
            classes: &self.tally.class_counts(self.table.seen.as_deref()),
            confidences: &self.confidences,
            bins: &bins,
            temperature: scaled.as_ref().map(|(temperature, ..)| *temperature),
            scaled_bins: scaled.as_ref().map_or(&[], |(_, bins, _)| bins),
            curve: curve.as_ref(),
        };
        let mut measured = self.tally.measures(self.table.level, self.table.repeat);
        measured.extend(
            Metric::of_draws()
                .into_iter()
                .filter_map(|metric| Some(Measured::plain(metric, metric.of_draw(&pooled)?))),
        );
        let (rows, level) = (self.tally.class_rows(self.table.seen.as_deref()), self.table.level);
        let members = self.tally.members();
        let mut measured: Vec<Measured> = measured
            .chunk_by(|one, other| one.metric == other.metric)
            .flat_map(|of| class_level::completed(of.to_vec(), of[0].metric, &rows, (members, level)))
            .collect();
        let classes: Vec<(ClassId, ClassRow)> = self.tally.class_ids().zip(rows).collect();
        if let Some(of) = self.generalised.as_ref().and_then(|of| of.ausuc(&classes, level)) {
            measured.retain(|measured| measured.metric != Metric::AUSUC);
            measured.push(of);
        }
        // Stable, so that a measure's intervals keep their order.
        measured.sort_by_key(|measured| measured.metric);
        let cluster = |class: ClassId| {
            let cluster = self.table.clusters.as_ref()?.get(class.index())?.clone();
            Some((self.classes.get(class.index())?.clone(), cluster))
        };
        let sides =
            |generalised: &Generalised| generalised.sides(&self.key, self.tally.class_ids(), &self.classes);
        Ok(FinishedTable {
            episode_count: self.tally.episodes(),
            class_count: self.tally.classes(),
            clusters: self.tally.class_ids().filter_map(cluster).collect(),
            sides: self.generalised.as_ref().map(sides).unwrap_or_default(),
            curve: curve.as_ref().map(Generalised::rows).unwrap_or_default(),
            measured,
            scaled,
            table: self.table,
            key: self.key,
            bins,
            width_bins: self.confidences.width_bins(),
            outcomes: self.outcomes,
            episodes: self.episodes,
            queries: self.queries,
            open_set: self.open_set,
        })
    }

    /// Refuses a table without an episode, and confidences that are not those of its queries.
    fn is_whole(&self) -> Result<(), ResultsError> {
        let key = self.key.clone();
        if self.tally.episodes() == 0 {
            return Err(ResultsError::NoEpisode { key });
        }
        let (confidences, confident) = (self.confidences.count(), self.confidences.correct());
        let (queries, correct) = (self.tally.queries(), self.tally.correct());
        if confidences > 0 && (confidences, confident) != (queries, correct) {
            return Err(ResultsError::Confidences { key, confidences, confident, queries, correct });
        }
        Ok(())
    }

    fn name(&self, class: ClassId) -> Result<&str, ResultsError> {
        self.classes.get(class.index()).map(String::as_str).ok_or_else(|| ResultsError::UnnamedClass {
            key: self.key.clone(),
            class: class.0,
            known: self.classes.len(),
        })
    }
}

/// Takes confidences in; the first that is none, where there is such.
fn fill(confidences: &mut Confidences, answers: impl Iterator<Item = (f32, bool)>) -> Result<(), f32> {
    for (found, correct) in answers {
        if !confidences.push(found, correct) {
            return Err(found);
        }
    }
    Ok(())
}
