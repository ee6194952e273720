//! Episodes answered by all learners of a protocol, stretch by stretch.

use std::collections::BTreeMap;

use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::cli::source::{Dealer, Rules};
use crate::data::Store;
use crate::episode::Draw;
use crate::eval::{self, Batch, EvalError, Evaluation, Gammas, SeenRules};
use crate::learner::{Parameters, Roster};
use crate::metric::{CertaintyGrade, ClassGrade, QueryGrade, QueryMargin};
use crate::report::{
    CertaintyOutcome, ClassOutcome, EpisodeOutcome, EpisodeRecord, QueryOutcome, QueryStanding, Stretch,
    TableStretch,
};
use crate::tensor::{Cpu, open_cpu};
use crate::vocab::ItemId;

/// One protocol, ready to be evaluated.
pub(super) struct Run {
    pub(super) rules: Rules,
    pub(super) store: Store,
    pub(super) dealer: Dealer,
    pub(super) learners: Vec<Parameters>,
    pub(super) shots: Vec<Option<usize>>,
    /// The tables to be filled.
    pub(super) tables: Vec<Place>,
    /// The least certainty with which a learner accepts an answer, by the same places, where the protocol asks for it.
    pub(super) thresholds: BTreeMap<(usize, usize), f32>,
    /// What is subtracted from the scores of seen classes, by the same places, where they are candidates.
    pub(super) gammas: Gammas,
}

/// A table of a protocol: places among the learners and among the shots, and whether γ is subtracted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) learner: usize,
    pub(super) shot: usize,
    pub(super) stacked: bool,
}

/// How the work is done; results do not depend on it.
pub(super) struct Work {
    pub(super) workers: usize,
    pub(super) batch: Option<usize>,
    /// Whether single queries are written.
    pub(super) queries: bool,
}

/// Has all learners answer these episodes and hands each stretch to `sink` when it is complete, in order.
///
/// # Errors
/// Those of the evaluation and of `sink`; nothing is handed over after one.
pub(super) fn answer<R: Roster, E: From<CliError> + From<EvalError>>(
    run: &Run,
    draw: &Draw,
    work: &Work,
    progress: &Progress,
    mut sink: impl FnMut(Stretch) -> Result<(), E>,
) -> Result<(), E> {
    if draw.is_empty() {
        return Ok(());
    }
    let evaluation = Evaluation {
        store: &run.store,
        draw,
        seed: run.rules.protocol.seed(),
        learners: &run.learners,
        shots: &run.shots,
        rules: SeenRules { gammas: Some(&run.gammas), ..SeenRules::of(&run.rules.protocol) },
        workers: work.workers,
        batch: work.batch,
    };
    let mut tables: Vec<TableStretch> = Vec::with_capacity(run.tables.len());
    eval::evaluate::<R, Cpu, E>(
        &evaluation,
        || Ok(open_cpu()),
        |batch| {
            progress.advance(batch.episodes.len() as u64);
            let place = Place { learner: batch.learner, shot: batch.shot, stacked: batch.stacked };
            let Some(table) = run.tables.iter().position(|table| *table == place) else {
                return Ok(());
            };
            tables.push(recorded(run, draw, table, &batch, work.queries));
            if tables.len() < run.tables.len() {
                return Ok(());
            }
            let tables = std::mem::take(&mut tables);
            let first = batch.episodes.first().map_or(0, |answered| draw.episode(answered.place).number());
            sink(Stretch { first, episodes: batch.episodes.len() as u32, tables })
        },
    )
}

/// What is kept of a batch.
fn recorded(run: &Run, draw: &Draw, table: usize, batch: &Batch, with_queries: bool) -> TableStretch {
    let protocol = &run.rules.protocol;
    let measured = protocol.metrics().iter().any(|metric| metric.is_of_certainty());
    let threshold = run.thresholds.get(&(batch.learner, batch.shot)).copied();
    let outside = protocol.outside().and_then(|outside| run.store.index().find(&outside.class));
    let episodes = batch.episodes.iter().zip(&batch.items).map(|(answered, items)| {
        let (episode, grade) = (draw.episode(answered.place), &answered.grade);
        let number = episode.number();
        let class = |(label, class): (usize, &ClassGrade)| ClassOutcome {
            class: episode.class(label),
            correct: class.correct,
            total: class.total,
            nll: class.nll,
            brier: class.brier,
        };
        let claim = |q: &QueryGrade| Some((q.confidence.filter(|_| q.label.is_some())?, q.is_correct()));
        let query = |(query, item): (&QueryGrade, &ItemId)| {
            Some(QueryOutcome {
                class: query.label.map(|label| episode.class(usize::from(label))).or(outside)?,
                item: *item,
                predicted: episode.class(usize::from(query.predicted)),
                confidence: query.confidence,
                certainty: Some(query.certainty),
            })
        };
        let margin = |margin: &QueryMargin| {
            let class = episode.class(usize::from(margin.label));
            QueryStanding { class, margin: margin.margin, right: margin.right }
        };
        let queries = match with_queries {
            true => grade.queries.iter().zip(items).filter_map(query).collect(),
            false => Vec::new(),
        };
        let certainty = measured.then(|| {
            let CertaintyGrade { inside, outside, values } = CertaintyGrade::of(&grade.queries, threshold);
            CertaintyOutcome { episode: number, inside, outside, threshold, values }
        });
        EpisodeRecord {
            outcome: EpisodeOutcome {
                episode: number,
                classes: grade.classes.iter().enumerate().map(class).collect(),
            },
            ties: grade.ties,
            claims: grade.queries.iter().filter_map(claim).collect(),
            queries,
            certainty,
            margins: answered.margins.iter().map(margin).collect(),
        }
    });
    TableStretch { table, unconverged: batch.unconverged as u64, episodes: episodes.collect() }
}
