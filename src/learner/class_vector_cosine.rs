//! The cosine between an item and the vector of a class, with nothing fitted: how image–text and sentence encoders, which
//! put items and descriptions into one space, classify without examples (Radford et al. 2021, "Learning Transferable
//! Visual Models From Natural Language Supervision", arXiv:2103.00020, section 3.1).
//!
//! Differs from the paper: the cosines are not multiplied by a learned temperature, so they are a ranking and claim no
//! probability; the order is the same.

use super::{LearnError, Learner, Registry, Signature, Sizes, ZeroShot};
use crate::tensor::{Backend, SpanOps, ops};
use crate::view::{ClassEmbeddings, Items, Scores};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "cosine between item and class embedding, nothing fitted";
    list.add(Signature::new("class-vector-cosine", about), |_| {
        Ok(Learner::zero_shot(ClassVectorCosine).with_sizes(EQUAL))
    });
}

const EQUAL: Sizes = Sizes::Equal {
    what: "a cosine",
    hint: "a learner that is fitted, such as `eszsl` or `ridge-map`, needs no equal sizes",
};

struct ClassVectorCosine;

impl<D: Backend> ZeroShot<D> for ClassVectorCosine {
    fn scores(&self, items: &Items<D>, candidates: &ClassEmbeddings<D>) -> Result<Scores<D>, LearnError> {
        EQUAL.check(candidates.class_dim(), items.dim())?;
        let products = items.products(&ops::normalise(candidates.rows())?)?;
        Ok(Scores::ranking(ops::divide_rows(&products, &items.squared_norms()?)?))
    }
}
