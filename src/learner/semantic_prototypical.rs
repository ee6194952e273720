//! Prototypes between the mean of the support and the class embedding: "a class name is worth κ shots". Related to adaptive
//! modality mixture (AM3; Xing et al. 2019, "Adaptive Cross-Modal Few-Shot Learning", arXiv:1902.07104).
//!
//! With K items of a class, `prototype = (K·mean + κ·m(vector)) / (K + κ)`, and an item is scored by its cosine with the
//! prototype. At shot 0 the prototype is `m(vector)`, with many shots it is the mean. `map = identity` takes unit class
//! vectors as they are, which must be as long as the features; `map = ridge` is the ridge regression of `ridge-map`,
//! residual where sizes agree, fitted on the seen classes.
//!
//! Differs from AM3: the share of the class embedding is one number κ for all classes and shots in place of a network's
//! output, because one number can be chosen on few validation classes and read by a person; `m` is linear.

use super::ridge_map::Ridge;
use super::{
    Classifier, Fit, Fitted, LearnError, Learner, Parameter, Registry, Scale, Semantic, Signature, Sizes,
    transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::{Backend, SpanOps, Tensor2, Tensor3, ops};
use crate::view::{ClassEmbeddings, Items, Scores, Seen, Support};
use crate::vocab::{Setting, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "class mean and class embedding in one prototype, an embedding worth kappa shots (after Xing et al. 2019)";
    let mut prototypical = Signature::new("semantic-prototypical", about);
    let kappa = Parameter::real("kappa", 1.0, 1e-3, 1e3, "shots that a class embedding is worth");
    let kappa = prototypical.parameter(kappa.search(Scale::Log, 0.1, 10.0));
    let words = &[("ridge", Map::Ridge), ("identity", Map::Identity)];
    let map = prototypical.parameter(Parameter::choice("map", words, "from class embeddings to features"));
    let alpha = prototypical.parameter(Parameter::real("alpha", 1.0, 1e-6, 1e6, "penalty of map=ridge"));
    let transform = prototypical.parameter(transform_parameter(Transform::L2n));
    list.add(prototypical, move |p| {
        let kappa = p[kappa] as f32;
        let learner = match p[map] {
            Map::Identity => Learner::semantic(SemanticPrototypical { kappa, map: None }).with_sizes(EQUAL),
            Map::Ridge => Learner::unfitted(Plan { kappa, ridge: Ridge::auto(p[alpha]) }),
        };
        Ok(learner.with_transform(p[transform]))
    });
}

#[derive(Clone, Copy)]
enum Map {
    Ridge,
    Identity,
}

const EQUAL: Sizes = Sizes::Equal { what: "map=identity", hint: "use map=ridge" };

struct Plan {
    kappa: f32,
    ridge: Ridge,
}

impl<D: Backend> Fit<D> for Plan {
    fn setting(&self) -> Setting {
        Setting::Semantic
    }

    fn fit(&self, seen: &Seen, _: &D) -> Result<Fitted<D>, LearnError> {
        let map = self.ridge.fit(seen)?.to_f32();
        let (shape, kappa) = ((seen.class_dim(), seen.dim()), self.kappa);
        Ok(Fitted::semantic(move |device: &D| {
            Ok(SemanticPrototypical { kappa, map: Some(device.tensor2(shape, map.clone())?) })
        }))
    }
}

struct SemanticPrototypical<D: Backend> {
    kappa: f32,
    /// (class_dim, dim); nothing for the identity.
    map: Option<Tensor2<D>>,
}

impl<D: Backend> Semantic<D> for SemanticPrototypical<D> {
    fn adapt(
        &self,
        support: Option<&Support<D>>,
        vectors: &ClassEmbeddings<D>,
        _: &BatchRng<'_>,
    ) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let unit = ops::normalise(vectors.rows())?;
        let mapped = match &self.map {
            Some(map) => ops::map_rows(&unit, map)?,
            None => unit,
        };
        let Some(support) = support else {
            return Ok(Box::new(CosineTo { directions: ops::normalise(&mapped)? }));
        };
        EQUAL.check(mapped_dim(vectors, &self.map), support.dim())?;
        // Cosines do not see the divisor K + κ.
        let sums = ops::matmul(&support.membership()?, support.features()?)?;
        let prototypes = ops::add(&sums, &ops::scale(mapped, self.kappa)?)?;
        Ok(Box::new(CosineTo { directions: ops::normalise(&prototypes)? }))
    }
}

fn mapped_dim<D: Backend>(vectors: &ClassEmbeddings<D>, map: &Option<Tensor2<D>>) -> usize {
    use crate::tensor::dfdx::shapes::HasShape;
    map.as_ref().map_or(vectors.class_dim(), |map| map.shape().1)
}

/// The cosine with one direction per label (episodes, way, dim).
struct CosineTo<D: Backend> {
    directions: Tensor3<D>,
}

impl<D: Backend> Classifier<D> for CosineTo<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        use crate::tensor::dfdx::shapes::HasShape;
        EQUAL.check(self.directions.shape().2, items.dim())?;
        Ok(Scores::ranking(items.cosines_less_one(&self.directions)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Labels, open_cpu, to_host};

    #[test]
    fn a_class_vector_counts_as_kappa_shots() {
        let device = open_cpu();
        let learner = SemanticPrototypical { kappa: 1.0, map: None };
        let vectors = ClassEmbeddings::new(&device, (1, 2, 2), vec![1.0, 0.0, 0.0, 5.0]).unwrap();
        let labels = Labels::new(1, 2, 2, vec![0, 1]).unwrap();
        let support = Support::dense(&device, 2, vec![0.0, 1.0, 0.0, 1.0], labels).unwrap();
        let items = Items::dense(&device, (1, 1, 2), vec![3.0, 0.0]).unwrap();
        let rng = BatchRng::new(0, &[0]);
        let cosines = |support| {
            let classifier = learner.adapt(support, &vectors, &rng).unwrap();
            to_host(&classifier.scores(&items).unwrap().values).unwrap()
        };
        let close =
            |found: Vec<f32>, wanted: [f32; 2]| found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6);
        // Less one.
        assert!(close(cosines(None), [0.0, -1.0]));
        assert!(close(cosines(Some(&support)), [0.5f32.sqrt() - 1.0, -1.0]));
    }
}
