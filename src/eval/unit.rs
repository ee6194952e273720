//! What a worker asks for answers at once: a learner, or several settings of one that share work.

use crate::learner::{Answer, Family, LearnError, Learner, Parameters, Registry};
use crate::rng::Chance;
use crate::tensor::Backend;
use crate::view::{Items, Support};
use crate::vocab::Transform;

/// One learner or a family, with the places of its members among the learners of the evaluation.
pub(super) struct Unit<D: Backend> {
    pub(super) members: Vec<usize>,
    pub(super) takes: Transform,
    kind: Kind<D>,
}

enum Kind<D: Backend> {
    One(Learner<D>),
    Family(Box<dyn Family<D>>),
}

impl<D: Backend> Unit<D> {
    /// The learners of an evaluation, in families where several settings of one can share work.
    pub(super) fn all(registry: &Registry<D>, learners: &[Parameters]) -> Result<Vec<Unit<D>>, LearnError> {
        let mut units: Vec<Unit<D>> = Vec::new();
        for (place, parameters) in learners.iter().enumerate() {
            let learner = registry.build(parameters)?;
            let kin = |unit: &&mut Unit<D>| {
                let first = &learners[unit.members[0]];
                unit.takes == learner.takes() && first.learner() == parameters.learner()
            };
            match units.iter_mut().find(kin) {
                Some(unit) => unit.members.push(place),
                None => {
                    let takes = learner.takes();
                    units.push(Unit { members: vec![place], takes, kind: Kind::One(learner) });
                }
            }
        }
        let mut out = Vec::with_capacity(units.len());
        for unit in units {
            let members: Vec<Parameters> =
                unit.members.iter().map(|place| learners[*place].clone()).collect();
            let family = match members.as_slice() {
                [_] => None,
                several => registry.entry(several[0].learner())?.build_family(several)?,
            };
            match family {
                Some(family) => out.push(Unit { kind: Kind::Family(family), ..unit }),
                None => {
                    for (place, parameters) in unit.members.iter().zip(&members) {
                        let kind = Kind::One(registry.build(parameters)?);
                        out.push(Unit { members: vec![*place], takes: unit.takes, kind });
                    }
                }
            }
        }
        Ok(out)
    }

    /// The answers of all members.
    pub(super) fn answers(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        chance: &Chance<'_>,
    ) -> Result<Vec<Answer<D>>, LearnError> {
        match &self.kind {
            Kind::One(learner) => Ok(vec![learner.answer(support, query, chance)?]),
            Kind::Family(family) => family.answers(support, query, chance),
        }
    }
}
