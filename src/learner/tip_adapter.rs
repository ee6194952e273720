//! Tip-Adapter, training-free (Zhang et al. 2022, "Tip-Adapter: Training-free Adaption of CLIP for Few-shot
//! Classification", arXiv:2207.09519).
//!
//! The score of a label is `τ·q·t + α·Σᵢ exp(−β(1 − q·xᵢ))·yᵢ` over the support items `xᵢ` of that label, with unit item
//! `q`, unit class embedding `t` and unit `xᵢ` (eqs. 4 to 6). At shot 0 the first term alone is left.
//!
//! Defaults are the authors': τ = 100, α = 1, β = 5.5.
//!
//! Differs from the paper: α and β are not tuned on each dataset's validation items for each shot; `kshot select` chooses them
//! on validation classes. The sum grows with the number of shots, so that one α does not fit all of them: select for each shot
//! by itself.

use super::{Classifier, LearnError, Learner, Parameter, Registry, Scale, Semantic, Signature, Sizes};
use crate::rng::BatchRng;
use crate::tensor::{Backend, SpanOps, Tensor3, ops};
use crate::view::{ClassEmbeddings, Items, Scores, Support};
use crate::vocab::Transform;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "cosine to class embeddings plus a cache of support items, training-free (Zhang et al. 2022)";
    let mut adapter = Signature::new("tip-adapter", about);
    let tau = Parameter::real("tau", 100.0, 1e-3, 1e4, "weight of the cosine with the class embedding");
    let tau = adapter.parameter(tau);
    let alpha = Parameter::real("alpha", 1.0, 0.0, 1e5, "weight of the support items");
    let alpha = adapter.parameter(alpha.search(Scale::Log, 0.1, 1e3));
    let beta = Parameter::real("beta", 5.5, 1e-3, 1e3, "how sharply the weight of a support item falls");
    let beta = adapter.parameter(beta.search(Scale::Log, 0.5, 20.0));
    list.add(adapter, move |p| {
        let [tau, alpha, beta] = [tau, alpha, beta].map(|key| p[key] as f32);
        let learner = Learner::semantic(TipAdapter { tau, alpha, beta });
        Ok(learner.with_transform(Transform::L2n).with_sizes(EQUAL))
    });
}

const EQUAL: Sizes =
    Sizes::Equal { what: "tip-adapter", hint: "`semantic-prototypical` with map=ridge needs no equal sizes" };

struct TipAdapter {
    tau: f32,
    alpha: f32,
    beta: f32,
}

impl<D: Backend> Semantic<D> for TipAdapter {
    fn adapt(
        &self,
        support: Option<&Support<D>>,
        vectors: &ClassEmbeddings<D>,
        _: &BatchRng<'_>,
    ) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let cache = match support {
            Some(support) if self.alpha > 0.0 => {
                let members = ops::transpose(&support.membership()?)?; // (episodes, support, way)
                Some((support.features()?.clone(), members))
            }
            _ => None,
        };
        let TipAdapter { tau, alpha, beta } = *self;
        Ok(Box::new(Cached { tau, alpha, beta, directions: ops::normalise(vectors.rows())?, cache }))
    }
}

struct Cached<D: Backend> {
    tau: f32,
    alpha: f32,
    beta: f32,
    /// (episodes, way, dim)
    directions: Tensor3<D>,
    /// Support features (episodes, support, dim), and 1 where an item has the label (episodes, support, way).
    cache: Option<(Tensor3<D>, Tensor3<D>)>,
}

impl<D: Backend> Classifier<D> for Cached<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        use crate::tensor::dfdx::shapes::HasShape;
        EQUAL.check(self.directions.shape().2, items.dim())?;
        let named = ops::scale(items.products(&self.directions)?, self.tau)?;
        let Some((features, members)) = &self.cache else { return Ok(Scores::logits(named)) };
        // A slot without an item is no member of any label.
        let weights = ops::exp(&ops::scale(items.cosines_less_one(features)?, self.beta)?)?;
        let cached = ops::scale(ops::matmul(&weights, members)?, self.alpha)?;
        Ok(Scores::logits(ops::add(&named, &cached)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Labels, open_cpu, to_host};

    #[test]
    fn scores_on_paper() {
        let device = open_cpu();
        let learner = TipAdapter { tau: 2.0, alpha: 3.0, beta: 1.0 };
        let vectors = ClassEmbeddings::new(&device, (1, 2, 2), vec![2.0, 0.0, 0.0, 1.0]).unwrap();
        let labels = Labels::new(1, 2, 2, vec![1, 1]).unwrap();
        let support = Support::dense(&device, 2, vec![1.0, 0.0, 0.0, 1.0], labels).unwrap();
        let items = Items::dense(&device, (1, 1, 2), vec![1.0, 0.0]).unwrap();
        let classifier = learner.adapt(Some(&support), &vectors, &BatchRng::new(0, &[0])).unwrap();
        let scores = to_host(&classifier.scores(&items).unwrap().values).unwrap();
        let expected = 3.0 * (1.0 + (-1f32).exp());
        assert!((scores[0] - 2.0).abs() < 1e-6 && (scores[1] - expected).abs() < 1e-5, "{scores:?}");
    }
}
