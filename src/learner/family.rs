//! Several settings of one learner, answered together: what they have in common is computed once.
//!
//! A selection tries tens of values of one parameter on the same episodes. Inner products of a support, an order of
//! neighbours, the path of a descent are the same for all of them. Every answer has the same bits as that of the
//! learner alone, so that nobody need know in whose company it was made.

use super::{LearnError, LinearClassifier, Parameters};
use crate::rng::BatchRng;
use crate::tensor::span::{Objective, Solution};
use crate::tensor::{Backend, LinearHead, SpanOps};
use crate::view::{Items, Scores, Support};
use crate::vocab::Meaning;

/// Scores of the queries of a batch, and how many of its episodes did not converge.
pub type Answer<D> = (Scores<D>, usize);

/// Settings of one inductive learner that take the same transform.
pub trait Family<D: Backend> {
    /// The answers of every setting, in the order in which they were given.
    ///
    /// # Errors
    /// As the learner's own.
    fn answers(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        rng: &BatchRng<'_>,
    ) -> Result<Vec<Answer<D>>, LearnError>;
}

/// Heads that are linear in the features and fitted in the span of the support.
pub(super) struct SpanFamily {
    objectives: Vec<Objective<'static>>,
    meaning: Meaning,
}

impl SpanFamily {
    /// One objective per setting.
    pub(super) fn of<D: SpanOps>(
        members: &[Parameters],
        meaning: Meaning,
        objective: impl Fn(&Parameters) -> Objective<'static>,
    ) -> Box<dyn Family<D>> {
        Box::new(SpanFamily { objectives: members.iter().map(objective).collect(), meaning })
    }
}

impl<D: SpanOps> Family<D> for SpanFamily {
    fn answers(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        _: &BatchRng<'_>,
    ) -> Result<Vec<Answer<D>>, LearnError> {
        let solutions = fits(support, &self.objectives)?;
        linear_answers(support, query, solutions, self.meaning)
    }
}

/// The solutions of several objectives for the supports of a batch.
pub(super) fn fits<D: SpanOps>(
    support: &Support<D>,
    objectives: &[Objective<'_>],
) -> Result<Vec<Solution<D>>, LearnError> {
    Ok(support.device().fits(support.features()?, support.labels(), objectives, support.unit())?)
}

/// The answers of linear heads with these coefficients, scored in one pass over the queries.
pub(super) fn linear_answers<D: Backend>(
    support: &Support<D>,
    query: &Items<D>,
    solutions: Vec<Solution<D>>,
    meaning: Meaning,
) -> Result<Vec<Answer<D>>, LearnError> {
    let heads = solutions
        .into_iter()
        .map(|solution| LinearClassifier::from_span(support, solution, meaning))
        .collect::<Result<Vec<_>, _>>()?;
    let views: Vec<LinearHead<'_, D>> = heads.iter().map(LinearClassifier::head).collect();
    let values = query.linear_each(&views)?;
    let answer = |(values, head): (_, &LinearClassifier<D>)| (Scores { values, meaning }, head.unconverged);
    Ok(values.into_iter().zip(&heads).map(answer).collect())
}
