//! The tables of one protocol, filled by an evaluation.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::CliError;
use super::progress::Progress;
use super::selection::Contender;
use super::source::{Dealer, Rules};
use crate::data::Store;
use crate::eval::{self, Batch, Evaluation, Grading};
use crate::learner::{Parameters, Registry, Roster};
use crate::metric::{ClassGrade, QueryGrade};
use crate::protocol::{Query, Way};
use crate::report::{
    ClassOutcome, EpisodeOutcome, QueryOutcome, Results, Selection, Size, Table, TableWriter, Warning,
};
use crate::select::{Task, cross_validation};
use crate::tensor::{Cpu, open_cpu};
use crate::vocab::{ItemId, Setting};

/// One protocol, ready to be evaluated.
pub(super) struct Run {
    pub(super) rules: Rules,
    pub(super) store: Store,
    pub(super) dealer: Dealer,
    pub(super) learners: Vec<Contender>,
    pub(super) shots: Vec<Option<usize>>,
}

/// How the work is done; results do not depend on it.
pub(super) struct Work {
    pub(super) workers: usize,
    pub(super) batch: Option<usize>,
    /// Whether single queries are written.
    pub(super) queries: bool,
    /// Whether other protocols share the results.
    pub(super) several: bool,
}

/// Columns of `choices.csv`: how often each support set chose a setting, for learners with `selection = support-cv`.
const CHOICE_COLUMNS: &str = "protocol,learner,shot,parameters,episodes";

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
    for (learner, contender) in run.learners.iter().enumerate() {
        let setting = registry.build(&contender.parameters)?.setting();
        for (shot, size) in run.shots.iter().enumerate().filter(|(_, shot)| **shot != Some(0)) {
            let mut writer = results.begin(table(run, contender, setting, *size), Arc::clone(&names))?;
            if let Some(temperature) = contender.temperature {
                writer = writer.at_temperature(temperature);
            }
            sheets.insert((learner, shot), Sheet { writer, ties: 0, queries: 0, unconverged: 0 });
        }
    }
    let steps = run.dealer.draw.len() * sheets.len();
    let progress = Progress::start(protocol.name(), run.dealer.draw.len(), steps as u64);
    let mut take = |learner: usize, batch: &Batch| {
        progress.advance(batch.episodes.len() as u64);
        match sheets.get_mut(&(learner, batch.shot)) {
            Some(sheet) => sheet.take(run, batch, work.queries),
            None => Ok(()),
        }
    };
    let fixed: Vec<usize> =
        (0..run.learners.len()).filter(|learner| run.learners[*learner].among.is_empty()).collect();
    let learners: Vec<Parameters> = fixed.iter().map(|l| run.learners[*l].parameters.clone()).collect();
    let temperatures: Vec<Option<f64>> = fixed.iter().map(|l| run.learners[*l].temperature).collect();
    let evaluation = Evaluation {
        store: &run.store,
        draw: &run.dealer.draw,
        seed: protocol.seed(),
        learners: &learners,
        shots: &run.shots,
        workers: work.workers,
        batch: work.batch,
    };
    let grading = Grading { temperatures: &temperatures, margins: false };
    if !learners.is_empty() {
        eval::evaluate_with::<R, Cpu, CliError>(
            &evaluation,
            grading,
            || Ok(open_cpu()),
            |batch| take(fixed[batch.learner], &batch),
        )?;
    }
    let mut choices = String::new();
    let mut warnings = Vec::new();
    for (learner, contender) in run.learners.iter().enumerate().filter(|(_, c)| !c.among.is_empty()) {
        let chosen = choose_in_support::<R>(run, work, contender)?;
        let task = task(run, work);
        cross_validation::evaluate::<R, Cpu, CliError>(
            &task,
            &contender.among,
            &chosen,
            || Ok(open_cpu()),
            |batch| take(learner, &batch),
        )?;
        choices += &counted(run, contender, &chosen);
        warnings.extend(kept(run, contender, &chosen));
    }
    if !choices.is_empty() {
        let name =
            if work.several { format!("choices-{}.csv", protocol.name()) } else { "choices.csv".to_string() };
        results.write_file(&name, format!("{CHOICE_COLUMNS}\n{choices}").as_bytes())?;
    }
    if run.learners.iter().any(|contender| contender.selection == Selection::Oracle) {
        warnings.push(Warning::Oracle { protocol: protocol.name().to_string() });
    }
    drop(progress);
    for ((learner, _), sheet) in sheets {
        let (protocol, learner) =
            (protocol.name().to_string(), short_spec(&registry, &run.learners[learner].parameters));
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

/// The episodes of a run, for a choice inside each support set.
fn task<'a>(run: &'a Run, work: &Work) -> Task<'a> {
    let protocol = &run.rules.protocol;
    Task {
        store: &run.store,
        draw: &run.dealer.draw,
        seed: protocol.seed(),
        shots: &run.shots,
        level: protocol.level(),
        workers: work.workers,
        batch: work.batch,
    }
}

/// By shot and episode, the setting that its support set chooses; nothing where it cannot.
type Chosen = Vec<Vec<Option<usize>>>;

fn choose_in_support<R: Roster>(run: &Run, work: &Work, contender: &Contender) -> Result<Chosen, CliError> {
    let task = task(run, work);
    let of_shot = |shot: &Option<usize>| {
        cross_validation::choices::<R, Cpu>(&task, &contender.among, *shot, || Ok(open_cpu()))
    };
    Ok(run.shots.iter().map(of_shot).collect::<Result<_, _>>()?)
}

/// Rows of `choices.csv`, with the default for episodes that could not choose.
fn counted(run: &Run, contender: &Contender, chosen: &Chosen) -> String {
    let mut rows = String::new();
    for (shot, chosen) in run.shots.iter().zip(chosen).filter(|(shot, _)| **shot != Some(0)) {
        let shot = shot.map_or("varied".to_string(), |shot| shot.to_string());
        for (setting, parameters) in contender.among.iter().enumerate() {
            let count = chosen.iter().filter(|chosen| chosen.unwrap_or(0) == setting).count();
            let (protocol, learner) = (run.rules.protocol.name(), parameters.learner());
            rows += &format!("{protocol},{learner},{shot},\"{parameters}\",{count}\n");
        }
    }
    rows
}

/// That some episodes kept the default, because they could not choose.
fn kept(run: &Run, contender: &Contender, chosen: &Chosen) -> Option<Warning> {
    let supported = run.shots.iter().zip(chosen).filter(|(shot, _)| **shot != Some(0));
    let (mut episodes, mut of) = (0, 0);
    for (_, chosen) in supported {
        of += chosen.len() as u64;
        episodes += chosen.iter().filter(|chosen| chosen.is_none()).count() as u64;
    }
    let (protocol, learner) =
        (run.rules.protocol.name().to_string(), contender.parameters.learner().to_string());
    (episodes > 0).then_some(Warning::NotCrossValidated { protocol, learner, episodes, of })
}

/// The table of one learner at one shot, while it fills.
struct Sheet {
    writer: TableWriter,
    ties: u64,
    queries: u64,
    unconverged: u64,
}

impl Sheet {
    fn take(&mut self, run: &Run, batch: &Batch, with_queries: bool) -> Result<(), CliError> {
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
            let outcome = EpisodeOutcome { episode: episode.number(), classes };
            self.writer.episode(&outcome)?;
            let claims: Vec<(f32, bool)> = grade
                .queries
                .iter()
                .filter_map(|q| q.confidence.map(|confidence| (confidence, q.predicted == q.label)))
                .collect();
            self.writer.confidences(&claims)?;
            if let Some(tempered) = &grade.tempered {
                let answers = grade.queries.iter().map(|q| q.predicted == q.label);
                let claims: Vec<(f32, bool)> = tempered.confidences.iter().copied().zip(answers).collect();
                self.writer.tempered(&outcome, tempered.nll, &claims)?;
            }
            if with_queries {
                let row = |(query, item): (&QueryGrade, &ItemId)| QueryOutcome {
                    class: episode.class(usize::from(query.label)),
                    item: *item,
                    predicted: episode.class(usize::from(query.predicted)),
                    confidence: query.confidence,
                };
                let rows: Vec<QueryOutcome> = grade.queries.iter().zip(items).map(row).collect();
                self.writer.queries(episode.number(), &rows)?;
            }
            self.ties += u64::from(grade.ties);
            self.queries += grade.queries.len() as u64;
        }
        Ok(())
    }
}

/// What all rows of a table share.
fn table(run: &Run, contender: &Contender, setting: Setting, shot: Option<usize>) -> Table {
    let (protocol, provenance) = (&run.rules.protocol, run.store.provenance());
    Table {
        protocol: protocol.name().to_string(),
        version: protocol.version(),
        learner: contender.parameters.learner().to_string(),
        parameters: contender.pairs(),
        selection: contender.selection,
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
        metrics: protocol.metrics().to_vec(),
        level: protocol.level(),
        seed: protocol.seed(),
        seed_train: None,
        device: "cpu".to_string(),
        draw_sha256: run.dealer.sha256.clone(),
    }
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
