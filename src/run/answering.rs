//! Episodes answered by all learners of a protocol, chunk by chunk.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::episode::Draw;
use crate::eval::{self, Answered, Batch, Choices, EvalError, Evaluation, Gammas, Grading, SeenRules};
use crate::learner::Checked;
use crate::metric::{ClassGrade, EpisodeAnswers, Metric, Need, QueryGrade, QueryMargin};
use crate::protocol::Protocol;
use crate::results::{
    Chunk, ClassOutcome, EpisodeOutcome, EpisodeRecord, OpenSetCounts, QueryOutcome, QueryStanding,
    TableChunk,
};
use crate::run::contender::Contender;
use crate::run::device::on_device;
use crate::run::error::RunError;
use crate::run::prepared::{Place, Prepared, Work};
use crate::run::watch::Progress;
use crate::select::{Task, cross_validation};
use crate::vocab::ItemId;

/// Has all learners answer these episodes and hands each chunk to `sink` when it is complete, in order; gives back what
/// their fits have chosen, by learner.
///
/// # Errors
/// Those of the evaluation and of `sink`; nothing is handed over after one.
pub(super) fn answer<E: From<RunError> + From<EvalError>>(
    run: &Prepared,
    draw: &Draw,
    work: &Work<'_>,
    progress: &Progress<'_>,
    mut sink: impl FnMut(Chunk) -> Result<(), E>,
) -> Result<Choices, E> {
    let draw = &*as_asked(run, draw);
    let cast = Cast::of(&run.learners);
    let gammas = cast.gammas(&run.gammas);
    let evaluation = Evaluation {
        behind: run.behind(),
        store: &run.store,
        draw,
        seed: run.rules.protocol.seed(),
        learners: &cast.learners,
        shots: &run.shots,
        rules: SeenRules { gammas: Some(&gammas), ..SeenRules::of(&run.rules.protocol) },
        workers: work.workers,
        batch: work.batch,
    };
    let chosen = chosen(run, &evaluation, work)?;
    let grading = cast.grading(&run.rules.protocol);
    let mut tables: Vec<TableChunk> = Vec::with_capacity(run.tables.len());
    let mut waiting: BTreeMap<usize, (Answered, Vec<ItemId>)> = BTreeMap::new();
    let take = |batch: Batch| {
        let (learner, setting) = cast.roles[batch.learner];
        let place = Place { learner, shot: batch.shot, stacked: batch.stacked };
        let Some(table) = run.tables.iter().position(|table| *table == place) else {
            return Ok(());
        };
        let batch = match chosen.get(&(learner, batch.shot)) {
            None => batch,
            Some(chosen) => {
                let settings = run.learners[learner].among.len();
                match merged(batch, setting, settings, chosen, &mut waiting) {
                    Some(batch) => batch,
                    None => return Ok(()),
                }
            }
        };
        progress.advance(batch.episodes.len() as u64);
        progress.go_on()?;
        tables.push(recorded(run, draw, table, &batch, work.queries));
        if tables.len() < run.tables.len() {
            return Ok(());
        }
        let tables = std::mem::take(&mut tables);
        let first = batch.episodes.first().map_or(0, |answered| draw.episode(answered.place).number());
        sink(Chunk { first, episodes: batch.episodes.len() as u32, tables })
    };
    let choices = on_device!(work.device, |open, Kind| eval::evaluate_with::<Kind, E>(
        work.learners.on::<Kind>(),
        &evaluation,
        grading,
        open,
        take
    ))?;
    Ok(cast.by_learner(choices, &run.learners))
}

/// The episodes as the protocol has them answered: with the labels of their supports, or with these shuffled.
fn as_asked<'a>(run: &Prepared, draw: &'a Draw) -> Cow<'a, Draw> {
    let protocol = &run.rules.protocol;
    match protocol.shuffle_labels() {
        true => Cow::Owned(draw.with_shuffled_labels(protocol.seed())),
        false => Cow::Borrowed(draw),
    }
}

/// The learners of an evaluation as it is carried out: of one whose supports choose, every setting.
struct Cast {
    learners: Vec<Checked>,
    temperatures: Vec<Option<f64>>,
    /// Which of the run's learners each is, and which of its settings.
    roles: Vec<(usize, usize)>,
}

impl Cast {
    /// What is graded beside counts and losses under a protocol.
    fn grading(&self, protocol: &Protocol) -> Grading<'_> {
        let support = protocol.metrics().iter().any(|metric| metric.needs(Need::SupportAnswers));
        Grading { temperatures: &self.temperatures, margins: false, support }
    }

    /// What is subtracted from the scores of seen classes, by the places of the settings.
    fn gammas(&self, of_learners: &Gammas) -> Gammas {
        let of_role = |(place, role): (usize, &(usize, usize))| {
            let shots = of_learners.range((role.0, 0)..=(role.0, usize::MAX));
            shots.map(|((_, shot), gamma)| ((place, *shot), *gamma)).collect::<Vec<_>>()
        };
        self.roles.iter().enumerate().flat_map(of_role).collect()
    }

    /// What the fits have chosen, by learner.
    fn by_learner(&self, choices: Choices, learners: &[Contender]) -> Choices {
        let mut by_learner = vec![BTreeMap::new(); learners.len()];
        for (chosen, (learner, _)) in choices.into_iter().zip(&self.roles) {
            // Of settings that each support chooses among, none speaks for all.
            if learners[*learner].among.is_empty() {
                by_learner[*learner] = chosen;
            }
        }
        by_learner
    }

    fn of(contenders: &[Contender]) -> Cast {
        let mut cast = Cast { learners: Vec::new(), temperatures: Vec::new(), roles: Vec::new() };
        for (place, contender) in contenders.iter().enumerate() {
            let fixed = std::slice::from_ref(&contender.parameters);
            let settings = if contender.among.is_empty() { fixed } else { &contender.among };
            for (setting, parameters) in settings.iter().enumerate() {
                cast.learners.push(parameters.clone());
                cast.temperatures.push(contender.temperature);
                cast.roles.push((place, setting));
            }
        }
        cast
    }
}

/// By learner and shot, the setting that the support of each episode chooses.
type Chosen = BTreeMap<(usize, usize), Vec<Option<usize>>>;

/// Lets the support sets choose, for the learners that leave it to them.
fn chosen(run: &Prepared, evaluation: &Evaluation<'_>, work: &Work<'_>) -> Result<Chosen, EvalError> {
    let mut all = Chosen::new();
    for (place, contender) in run.learners.iter().enumerate().filter(|(_, c)| !c.among.is_empty()) {
        let task = Task {
            store: evaluation.store,
            behind: evaluation.behind,
            draw: evaluation.draw,
            seed: evaluation.seed,
            shots: evaluation.shots,
            rules: evaluation.rules,
            level: run.rules.protocol.confidence_level(),
            workers: work.workers,
            batch: work.batch,
        };
        for (shot, size) in run.shots.iter().enumerate() {
            let chosen = on_device!(work.device, |open, Kind| cross_validation::choices(
                work.learners.on::<Kind>(),
                &task,
                &contender.among,
                *size,
                open
            ))?;
            all.insert((place, shot), chosen);
        }
    }
    Ok(all)
}

/// Keeps of a setting's answers those to episodes that chose it; the whole batch once the last setting has come. How many of
/// these did not converge is not known episode by episode, and told as none.
fn merged(
    batch: Batch,
    setting: usize,
    settings: usize,
    chosen: &[Option<usize>],
    waiting: &mut BTreeMap<usize, (Answered, Vec<ItemId>)>,
) -> Option<Batch> {
    for (answered, items) in batch.episodes.into_iter().zip(batch.items) {
        if chosen[answered.place].unwrap_or(0) == setting {
            waiting.insert(answered.place, (answered, items));
        }
    }
    // The settings of one batch and shot come one after another.
    if setting + 1 < settings {
        return None;
    }
    let (episodes, items) = std::mem::take(waiting).into_values().unzip();
    Some(Batch { episodes, items, unconverged: 0, ..batch })
}

/// What is kept of a batch.
fn recorded(run: &Prepared, draw: &Draw, table: usize, batch: &Batch, with_queries: bool) -> TableChunk {
    let protocol = &run.rules.protocol;
    let asked = asked(protocol.metrics());
    let with_scores = asked.iter().any(|metric| metric.needs(Need::ConfidenceScores));
    let Place { learner, shot, .. } = run.tables[table];
    let threshold = run.thresholds.get(&(learner, shot)).copied();
    let outside = protocol.oos().and_then(|outside| run.store.index().find(&outside.class));
    let episodes = batch.episodes.iter().zip(&batch.items).map(|(answered, items)| {
        let (episode, grade) = (draw.episode(answered.place), &answered.grade);
        let number = episode.number();
        let class = |(label, class): (usize, &ClassGrade)| ClassOutcome {
            class: episode.class(label),
            correct: class.correct,
            total: class.total,
        };
        let confidence = |q: &QueryGrade| Some((q.confidence.filter(|_| q.label.is_some())?, q.is_correct()));
        let query = |(query, item): (&QueryGrade, &ItemId)| {
            Some(QueryOutcome {
                class: query.label.map(|label| episode.class(usize::from(label))).or(outside)?,
                item: *item,
                predicted: episode.class(usize::from(query.predicted)),
                confidence: query.confidence,
                confidence_score: Some(query.confidence_score),
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
        let answers = EpisodeAnswers::of(grade, threshold);
        let measure = |metric: &Metric| Some((*metric, metric.of_episode(&answers)?));
        let counts = || OpenSetCounts {
            in_scope: answers.in_scope().len() as u32,
            oos: answers.oos().len() as u32,
            threshold,
        };
        EpisodeRecord {
            outcome: EpisodeOutcome {
                episode: number,
                classes: grade.classes.iter().enumerate().map(class).collect(),
                values: grade.values.clone(),
            },
            ties: grade.ties,
            confidences: grade.queries.iter().filter_map(confidence).collect(),
            scaled: grade.scaled.as_ref().map(|scaled| scaled.confidences.clone()).unwrap_or_default(),
            measures: asked.iter().filter_map(measure).collect(),
            open_set: with_scores.then(counts),
            queries,
            margins: answered.standing.iter().map(margin).collect(),
        }
    });
    TableChunk { table, unconverged: batch.unconverged as u64, episodes: episodes.collect() }
}

/// The metrics of an episode that are computed: those that a program has added and those of a temperature always, those
/// of confidence scores where one of them is asked for, and others where they are.
fn asked(metrics: &[Metric]) -> Vec<Metric> {
    let of_open_set = Metric::of_open_set();
    let scores = metrics.iter().any(|metric| of_open_set.contains(metric));
    let open_set = if scores { of_open_set } else { Vec::new() };
    [Metric::of_episodes_among(metrics), Metric::of_temperature(), open_set].concat()
}
