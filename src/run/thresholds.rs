//! The confidence score from which an answer is accepted, set before the episodes that are reported.

use std::collections::BTreeMap;

use super::prepared::{Prepared, Work};
use crate::episode::threshold_draw;
use crate::eval::{self, Evaluation, SeenRules};
use crate::learner::Checked;
use crate::metric::Need;
use crate::run::device::on_device;
use crate::run::error::RunError;
use crate::run::watch::Progress;

/// The least confidence score with which each learner accepts an answer at each shot, by their places; nothing where the
/// protocol does not ask for it.
pub(crate) fn of(run: &Prepared, work: &Work<'_>) -> Result<BTreeMap<(usize, usize), f32>, RunError> {
    let protocol = &run.rules.protocol;
    if !protocol.metrics().iter().any(|metric| metric.needs(Need::Threshold)) {
        return Ok(BTreeMap::new());
    }
    let draw = threshold_draw(protocol, run.store.index(), &run.dealer.draw)
        .map_err(|source| RunError::Sample { protocol: protocol.name().to_string(), source })?;
    if let Some(contender) = run.learners.iter().find(|contender| !contender.among.is_empty()) {
        return Err(RunError::Request(format!(
            "protocol `{}` sets thresholds on validation queries, and learner `{}` has parameters that each support set chooses\nhint: select by validation",
            protocol.name(),
            contender.parameters.learner()
        )));
    }
    let learners: Vec<Checked> = run.learners.iter().map(|contender| contender.parameters.clone()).collect();
    // On validation classes a fit sees base classes alone; on a part of the classes themselves, what it always sees.
    let on_validation = protocol.on_validation();
    let own_classes = protocol.oos().is_some_and(|outside| outside.threshold_part.is_some());
    let evaluation = Evaluation {
        behind: run.behind(),
        store: &run.store,
        draw: &draw,
        seed: protocol.seed(),
        learners: &learners,
        shots: &run.shots,
        rules: SeenRules::of(if own_classes { protocol } else { &on_validation }),
        workers: work.workers,
        batch: work.batch,
    };
    let name = format!("{} thresholds", protocol.name());
    let progress = Progress::start(
        work.watch,
        &name,
        &format!("{} episodes", draw.len()),
        (draw.len() * run.tables.len()) as u64,
    );
    let advance = |episodes| progress.advance(episodes as u64);
    Ok(on_device!(work.device, |open, Kind| eval::thresholds(
        work.learners.on::<Kind>(),
        &evaluation,
        open,
        advance
    ))?)
}
