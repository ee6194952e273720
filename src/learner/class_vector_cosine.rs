//! The cosine between an item and the vector of a class, with nothing fitted: how image–text and sentence encoders, which
//! put items and descriptions into one space, classify without examples (Radford et al. 2021, "Learning Transferable
//! Visual Models From Natural Language Supervision", arXiv:2103.00020, section 3.1).
//!
//! Differs from the paper: the cosines are not multiplied by a learned temperature, so they are a ranking and claim no
//! probability; the order is the same.

use super::{LearnError, Learner, Registry, ZeroShot};
use crate::tensor::{Backend, SpanOps, ops};
use crate::view::{ClassEmbeddings, Items, Scores};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    list.add("class-vector-cosine", |_| Ok(Learner::zero_shot(ClassVectorCosine)))
        .about("cosine between item and class vector, nothing fitted");
}

struct ClassVectorCosine;

impl<D: Backend> ZeroShot<D> for ClassVectorCosine {
    fn suits(&self, side: usize, dim: usize) -> Result<(), LearnError> {
        let hint = "\nhint: a learner that is fitted, such as `eszsl` or `ridge-map`, needs no equal sizes";
        LearnError::unless_equal("a cosine", side, dim, hint)
    }

    fn scores(&self, items: &Items<D>, candidates: &ClassEmbeddings<D>) -> Result<Scores<D>, LearnError> {
        ZeroShot::<D>::suits(self, candidates.class_dim(), items.dim())?;
        let products = items.products(&ops::normalise(candidates.rows())?)?;
        Ok(Scores::ranking(ops::divide_rows(&products, &items.squared_norms()?)?))
    }
}
