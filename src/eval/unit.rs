//! What a worker asks for answers at once: a learner, or several settings of one that share work.

use super::Takes;
use crate::learner::{Answer, Checked, Family, Fitted, Given, LearnError, Learner, Parameters, Registry};
use crate::tensor::Backend;
use crate::vocab::{Confidence, Setting};

/// One learner or a family, with the places of its members among the learners of the evaluation.
pub(super) struct Unit<D: Backend> {
    pub(super) members: Vec<usize>,
    /// By member, what makes its answers certain.
    pub(super) confidences: Vec<Confidence>,
    pub(super) takes: Takes,
    pub(super) setting: Setting,
    kind: Kind<D>,
}

enum Kind<D: Backend> {
    One(Learner<D>),
    Family(Box<dyn Family<D>>),
}

impl<D: Backend> Unit<D> {
    /// The learners of an evaluation, in families where several settings of one can share work.
    pub(super) fn all(
        registry: &Registry<D>,
        learners: &[Checked],
        (takes, fitted): (&[Takes], &[Option<Fitted<D>>]),
        device: &D,
    ) -> Result<Vec<Unit<D>>, LearnError> {
        let one = |place: usize| -> Result<Unit<D>, LearnError> {
            let learner = &learners[place];
            let built = match &fitted[place] {
                Some(fitted) => fitted.learner(device)?,
                None => registry.build(&learner.parameters)?,
            };
            let confidences = vec![learner.confidence];
            Ok(Unit::of(learner, takes[place], (vec![place], confidences), Kind::One(built)))
        };
        // By name and transform, the places of inductive learners that might be kin.
        let mut kin: Vec<(&str, Takes, Vec<usize>)> = Vec::new();
        let mut units = Vec::with_capacity(learners.len());
        for (place, learner) in learners.iter().enumerate() {
            if learner.setting != Setting::Inductive {
                units.push(one(place)?);
                continue;
            }
            let taken = takes[place];
            let same =
                |known: &&mut (&str, Takes, Vec<usize>)| (known.0, known.1) == (learner.learner(), taken);
            match kin.iter_mut().find(same) {
                Some((_, _, members)) => members.push(place),
                None => kin.push((learner.learner(), taken, vec![place])),
            }
        }
        for (name, taken, members) in kin {
            let settings: Vec<Parameters> =
                members.iter().map(|place| learners[*place].parameters.clone()).collect();
            let family = match members.len() {
                1 => None,
                _ => registry.entry(name)?.build_family(&settings)?,
            };
            match family {
                Some(family) => {
                    let first = &learners[members[0]];
                    let confidences = members.iter().map(|place| learners[*place].confidence).collect();
                    units.push(Unit::of(first, taken, (members, confidences), Kind::Family(family)));
                }
                None => {
                    for place in members {
                        units.push(one(place)?);
                    }
                }
            }
        }
        Ok(units)
    }

    /// A unit whose members are all given what this learner is given.
    fn of(
        learner: &Checked,
        takes: Takes,
        (members, confidences): (Vec<usize>, Vec<Confidence>),
        kind: Kind<D>,
    ) -> Unit<D> {
        Unit { members, confidences, takes, setting: learner.setting, kind }
    }

    /// The answers of all members.
    pub(super) fn answers(&self, given: &Given<'_, D>) -> Result<Vec<Answer<D>>, LearnError> {
        match &self.kind {
            Kind::One(learner) => Ok(vec![learner.answer(given)?]),
            Kind::Family(family) => {
                let support = given.support.ok_or(LearnError::Missing { what: "a support set" })?;
                family.answers(support, given.query, given.rng)
            }
        }
    }
}
