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
    let mut cosine = Signature::new("class-embedding-cosine", about);
    cosine.alias("class-vector-cosine", &[]);
    list.add(cosine, |_| Ok(Learner::zero_shot(ClassEmbeddingCosine).with_sizes(EQUAL)));
}

const EQUAL: Sizes = Sizes::Equal {
    what: "a cosine",
    hint: "a learner that is fitted, such as `eszsl` or `ridge-map`, needs no equal sizes",
};

struct ClassEmbeddingCosine;

impl<D: Backend> ZeroShot<D> for ClassEmbeddingCosine {
    fn scores(&self, items: &Items<D>, candidates: &ClassEmbeddings<D>) -> Result<Scores<D>, LearnError> {
        EQUAL.check(candidates.class_dim(), items.dim())?;
        Ok(Scores::ranking(items.cosines_less_one(&ops::normalise(candidates.rows())?)?))
    }
}
