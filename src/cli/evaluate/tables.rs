//! The tables of one protocol, filled by an evaluation.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cli::error::CliError;
use crate::cli::progress::Progress;
use crate::cli::source::{Dealer, Rules};
use crate::data::Store;
use crate::episode::threshold_draw;
use crate::eval::{self, Batch, Evaluation, SeenRules};
use crate::learner::{Parameters, Registry, Roster};
use crate::metric::{CertaintyGrade, ClassGrade, QueryGrade};
use crate::protocol::{Query, Way};
use crate::report::{
    CertaintyOutcome, ClassOutcome, EpisodeOutcome, QueryOutcome, Results, Selection, Size, Table,
    TableWriter, Warning,
};
use crate::tensor::{Cpu, open_cpu};
use crate::vocab::{ClassId, ItemId, Setting};

/// One protocol, ready to be evaluated.
pub(super) struct Run {
    pub(super) rules: Rules,
    pub(super) store: Store,
    pub(super) dealer: Dealer,
    pub(super) learners: Vec<Parameters>,
    pub(super) shots: Vec<Option<usize>>,
}

/// How the work is done; results do not depend on it.
pub(super) struct Work {
    pub(super) workers: usize,
    pub(super) batch: Option<usize>,
    /// Whether single queries are written.
    pub(super) queries: bool,
}

/// Evaluates one protocol and hands its tables to the results.
pub(super) fn fill<R: Roster>(
    run: &Run,
    work: &Work,
    results: &mut Results,
) -> Result<Vec<Warning>, CliError> {
    let protocol = &run.rules.protocol;
    let names: Arc<[String]> = run.store.index().classes().iter().map(|c| c.name.clone()).collect();
    let registry = Registry::<Cpu>::of::<R>();
    let mut sheets = BTreeMap::new();
    for (learner, parameters) in run.learners.iter().enumerate() {
        let setting = registry.build(parameters)?.setting();
        let takes_part = |(shot, _): &(usize, &Option<usize>)| eval::takes_part(setting, &run.shots, *shot);
        for (shot, size) in run.shots.iter().enumerate().filter(takes_part) {
            let writer = results.begin(table(run, parameters, setting, *size), Arc::clone(&names))?;
            sheets.insert((learner, shot), Sheet { writer, ties: 0, queries: 0, unconverged: 0 });
        }
    }
    let evaluation = Evaluation {
        store: &run.store,
        draw: &run.dealer.draw,
        seed: protocol.seed(),
        learners: &run.learners,
        shots: &run.shots,
        rules: SeenRules::of(protocol),
        workers: work.workers,
        batch: work.batch,
    };
    let thresholds = thresholds::<R>(run, &evaluation)?;
    let measured = protocol.metrics().iter().any(|metric| metric.is_of_certainty());
    let outside = protocol.outside().and_then(|outside| run.store.index().find(&outside.class));
    let steps = run.dealer.draw.len() * sheets.len();
    let progress = Progress::start(protocol.name(), run.dealer.draw.len(), steps as u64);
    eval::evaluate::<R, Cpu, CliError>(
        &evaluation,
        || Ok(open_cpu()),
        |batch| {
            progress.advance(batch.episodes.len() as u64);
            match sheets.get_mut(&(batch.learner, batch.shot)) {
                Some(sheet) => {
                    sheet.take(run, &batch, work.queries.then_some(outside))?;
                    match measured {
                        true => sheet.measure(&batch, thresholds.get(&(batch.learner, batch.shot)), run),
                        false => Ok(()),
                    }
                }
                None => Ok(()),
            }
        },
    )?;
    drop(progress);
    let mut warnings = Vec::new();
    for ((learner, _), sheet) in sheets {
        let (protocol, learner) =
            (protocol.name().to_string(), short_spec(&registry, &run.learners[learner]));
        if sheet.ties > 0 {
            let (protocol, learner) = (protocol.clone(), learner.clone());
            warnings.push(Warning::Ties { protocol, learner, queries: sheet.ties, of: sheet.queries });
        }
        if sheet.unconverged > 0 {
            let (episodes, of) = (sheet.unconverged, run.dealer.draw.len() as u64);
            warnings.push(Warning::NotConverged { protocol, learner, episodes, of });
        }
        results.add(sheet.writer.finish()?);
    }
    Ok(warnings)
}

/// The least certainty with which each learner accepts an answer at each shot, where the protocol asks for it.
fn thresholds<R: Roster>(
    run: &Run,
    evaluation: &Evaluation<'_>,
) -> Result<BTreeMap<(usize, usize), f32>, CliError> {
    let protocol = &run.rules.protocol;
    if !protocol.metrics().iter().any(|metric| metric.needs_threshold()) {
        return Ok(BTreeMap::new());
    }
    let draw = threshold_draw(protocol, run.store.index(), &run.dealer.draw)
        .map_err(|source| CliError::Sample { protocol: protocol.name().to_string(), source })?;
    let name = format!("{} thresholds", protocol.name());
    let steps = draw.len() * run.learners.len() * run.shots.len();
    let progress = Progress::start(&name, draw.len(), steps as u64);
    let on_validation = protocol.on_validation();
    let own_classes = protocol.outside().is_some_and(|outside| outside.threshold_part.is_some());
    let rules = if own_classes { evaluation.rules } else { SeenRules::of(&on_validation) };
    let on_other = Evaluation { draw: &draw, rules, ..*evaluation };
    Ok(eval::thresholds::<R, Cpu>(
        &on_other,
        || Ok(open_cpu()),
        |episodes| progress.advance(episodes as u64),
    )?)
}

/// The table of one learner at one shot, while it fills.
struct Sheet {
    writer: TableWriter,
    ties: u64,
    queries: u64,
    unconverged: u64,
}

impl Sheet {
    /// Takes a batch in; single queries too where `with_queries` says so and names the class of those outside.
    fn take(
        &mut self,
        run: &Run,
        batch: &Batch,
        with_queries: Option<Option<ClassId>>,
    ) -> Result<(), CliError> {
        self.unconverged += batch.unconverged as u64;
        for (answered, items) in batch.episodes.iter().zip(&batch.items) {
            let episode = run.dealer.draw.episode(answered.place);
            let grade = &answered.grade;
            let class = |(label, class): (usize, &ClassGrade)| ClassOutcome {
                class: episode.class(label),
                correct: class.correct,
                total: class.total,
                nll: class.nll,
                brier: class.brier,
            };
            let classes = grade.classes.iter().enumerate().map(class).collect();
            self.writer.episode(&EpisodeOutcome { episode: episode.number(), classes })?;
            let claims: Vec<(f32, bool)> = grade
                .queries
                .iter()
                .filter(|q| q.label.is_some())
                .filter_map(|q| q.confidence.map(|confidence| (confidence, q.is_correct())))
                .collect();
            self.writer.confidences(&claims)?;
            if let Some(outside) = with_queries {
                let row = |(query, item): (&QueryGrade, &ItemId)| {
                    Some(QueryOutcome {
                        class: query.label.map(|label| episode.class(usize::from(label))).or(outside)?,
                        item: *item,
                        predicted: episode.class(usize::from(query.predicted)),
                        confidence: query.confidence,
                        certainty: Some(query.certainty),
                    })
                };
                let rows: Vec<QueryOutcome> = grade.queries.iter().zip(items).filter_map(row).collect();
                self.writer.queries(episode.number(), &rows)?;
            }
            self.ties += u64::from(grade.ties);
            self.queries += grade.queries.len() as u64;
        }
        Ok(())
    }

    /// Measures how certain the answers of a batch that was taken in are.
    fn measure(&mut self, batch: &Batch, threshold: Option<&f32>, run: &Run) -> Result<(), CliError> {
        for answered in &batch.episodes {
            let CertaintyGrade { inside, outside, values } =
                CertaintyGrade::of(&answered.grade.queries, threshold.copied());
            let episode = run.dealer.draw.episode(answered.place).number();
            let threshold = threshold.copied();
            self.writer.certainty(&CertaintyOutcome { episode, inside, outside, threshold, values })?;
        }
        Ok(())
    }
}

/// What all rows of a table share.
fn table(run: &Run, parameters: &Parameters, setting: Setting, shot: Option<usize>) -> Table {
    let (protocol, provenance) = (&run.rules.protocol, run.store.provenance());
    Table {
        protocol: protocol.name().to_string(),
        version: protocol.version(),
        learner: parameters.learner().to_string(),
        parameters: parameters.pairs(),
        selection: Selection::Default,
        setting,
        backbone: Some(provenance.backbone.clone()),
        saw_classes: provenance.saw_classes,
        way: match protocol.way() {
            Way::Fixed(way) => Size::Number(*way),
            Way::All => Size::All,
            Way::Between { .. } | Way::MetaDataset => Size::Varied,
        },
        shot: shot.map_or(Size::Varied, |shot| Size::Number(shot as u32)),
        query: match protocol.query() {
            Query::PerClass(query) => Size::Number(*query),
            Query::All => Size::All,
            Query::Dirichlet { .. } | Query::MetaDataset => Size::Varied,
        },
        repeat: protocol.repeat(),
        clusters: clusters(&run.store),
        metrics: protocol.metrics().to_vec(),
        level: protocol.level(),
        seed: protocol.seed(),
        seed_train: None,
        device: "cpu".to_string(),
        draw_sha256: run.dealer.sha256.clone(),
    }
}

/// The cluster of each class, where the store names clusters; a class without one is alone.
fn clusters(store: &Store) -> Option<Arc<[String]>> {
    let classes = store.index().classes();
    let named = classes.iter().any(|class| class.cluster.is_some());
    named.then(|| classes.iter().map(|class| class.cluster.clone().unwrap_or(class.name.clone())).collect())
}

/// The learner with the parameters that differ from their defaults, as one would type it.
fn short_spec(registry: &Registry<Cpu>, parameters: &Parameters) -> String {
    let declared = registry.entry(parameters.learner()).map(|e| e.parameters()).unwrap_or_default();
    let changed: Vec<String> = declared
        .iter()
        .filter(|p| parameters.word(p.name) != p.default)
        .map(|p| format!("{}={}", p.name, parameters.word(p.name)))
        .collect();
    match changed.is_empty() {
        true => parameters.learner().to_string(),
        false => format!("{}:{}", parameters.learner(), changed.join(",")),
    }
}
