//! Calibrated stacking: the number that is subtracted from the scores of seen classes, chosen before any novel class is met.

use super::prepared::{Place, Prepared, Work};
use crate::episode::{self, SampleError};
use crate::eval::{self, Evaluation, SeenRules};
use crate::learner::Checked;
use crate::results::Warning;
use crate::run::device::on_device;
use crate::run::error::RunError;
use crate::vocab::{Scope, Split};

/// Chooses γ for every learner of a generalised protocol, with held-out items of base classes as seen ones and validation
/// classes as unseen ones, and adds a table with it beside each with γ = 0. Without base or validation classes, or where
/// validation classes are themselves under evaluation, γ stays 0.
pub(crate) fn choose(run: &mut Prepared, work: &Work<'_>) -> Result<Option<Warning>, RunError> {
    let protocol = &run.rules.protocol;
    if protocol.seen_part().is_none() {
        return Ok(None);
    }
    let index = run.store.index();
    let mut both = [Split::Base, Split::Validation].into_iter();
    if protocol.split() != Scope::One(Split::Novel)
        || !both.all(|split| index.of_split(split).next().is_some())
    {
        return Ok(Some(Warning::NoCalibration { protocol: protocol.name().to_string() }));
    }
    let rules = protocol.generalised_on_validation();
    let draw = episode::draw(&rules, index).map_err(|source| {
        let protocol = protocol.name().to_string();
        match source {
            SampleError::TooFewClasses { .. } => RunError::Stacking { protocol, source },
            _ => RunError::Sample { protocol, source },
        }
    })?;
    let learners: Vec<Checked> = run.learners.iter().map(|contender| contender.parameters.clone()).collect();
    let evaluation = Evaluation {
        behind: run.behind(),
        store: &run.store,
        draw: &draw,
        seed: protocol.seed(),
        learners: &learners,
        shots: &run.shots,
        // A fit has the parameters of the one that is reported, which validation classes choose.
        rules: SeenRules { choosing: true, ..SeenRules::of(&rules) },
        workers: work.workers,
        batch: work.batch,
    };
    let gammas =
        on_device!(work.device, |open, Kind| eval::gammas(work.learners.on::<Kind>(), &evaluation, open))?;
    let places = std::mem::take(&mut run.tables);
    for place in places {
        run.tables.push(place);
        // A γ of 0 would be the same table twice.
        if gammas.get(&(place.learner, place.shot)).is_some_and(|gamma| *gamma != 0.0) {
            run.tables.push(Place { stacked: true, ..place });
        }
    }
    run.gammas = gammas;
    run.gammas.retain(|_, gamma| *gamma != 0.0);
    Ok(None)
}
