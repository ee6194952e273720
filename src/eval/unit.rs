//! What a worker asks for answers at once: a learner, or several settings of one that share work.

use crate::learner::{Answer, Family, Fitted, Given, LearnError, Learner, Parameters, Registry};
use crate::tensor::Backend;
use crate::vocab::{Confidence, Setting, Transform};

/// One learner or a family, with the places of its members among the learners of the evaluation.
pub(super) struct Unit<D: Backend> {
    pub(super) members: Vec<usize>,
    /// By member, what makes its answers certain.
    pub(super) confidences: Vec<Confidence>,
    pub(super) takes: Transform,
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
        learners: &[Parameters],
        fitted: &[Option<Fitted<D>>],
        device: &D,
    ) -> Result<Vec<Unit<D>>, LearnError> {
        let build = |place: usize| match &fitted[place] {
            Some(fitted) => fitted.learner(device),
            None => registry.build(&learners[place]),
        };
        // By name and transform, the places of inductive learners that might be kin.
        let mut kin: Vec<(&str, Transform, Vec<usize>)> = Vec::new();
        let mut confidences = Vec::with_capacity(learners.len());
        let mut units = Vec::with_capacity(learners.len());
        for (place, parameters) in learners.iter().enumerate() {
            let learner = build(place)?;
            let (takes, setting) = (learner.takes(), learner.setting());
            confidences.push(learner.confidence());
            if setting != Setting::Inductive {
                let confidences = vec![learner.confidence()];
                units.push(Unit {
                    members: vec![place],
                    confidences,
                    takes,
                    setting,
                    kind: Kind::One(learner),
                });
                continue;
            }
            let same = |known: &&mut (&str, Transform, Vec<usize>)| {
                (known.0, known.1) == (parameters.learner(), takes)
            };
            match kin.iter_mut().find(same) {
                Some((_, _, members)) => members.push(place),
                None => kin.push((parameters.learner(), takes, vec![place])),
            }
        }
        for (name, takes, members) in kin {
            let settings: Vec<Parameters> = members.iter().map(|place| learners[*place].clone()).collect();
            let family = match members.len() {
                1 => None,
                _ => registry.entry(name)?.build_family(&settings)?,
            };
            let setting = Setting::Inductive;
            match family {
                Some(family) => {
                    let confidences = members.iter().map(|place| confidences[*place]).collect();
                    units.push(Unit { members, confidences, takes, setting, kind: Kind::Family(family) });
                }
                None => {
                    for place in members {
                        let (confidences, kind) = (vec![confidences[place]], Kind::One(build(place)?));
                        units.push(Unit { members: vec![place], confidences, takes, setting, kind });
                    }
                }
            }
        }
        Ok(units)
    }

    /// The answers of all members.
    pub(super) fn answers(&self, given: &Given<'_, D>) -> Result<Vec<Answer<D>>, LearnError> {
        match &self.kind {
            Kind::One(learner) => Ok(vec![learner.answer(given)?]),
            Kind::Family(family) => {
                let support = given.support.ok_or(LearnError::Missing { what: "a support set" })?;
                family.answers(support, given.query, given.chance)
            }
        }
    }
}
