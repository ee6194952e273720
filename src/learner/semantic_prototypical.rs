//! Prototypes between the mean of the support and the class vector: "a class name is worth κ shots". Related to adaptive
//! modality mixture (AM3; Xing et al. 2019, "Adaptive Cross-Modal Few-Shot Learning", arXiv:1902.07104).
//!
//! With K items of a class, `prototype = (K·mean + κ·m(vector)) / (K + κ)`, and an item is scored by its cosine with the
//! prototype. At shot 0 the prototype is `m(vector)`, with many shots it is the mean. `map = identity` takes unit class
//! vectors as they are, which must be as long as the features; `map = ridge` is the ridge regression of `ridge-map`,
//! residual where sizes agree, fitted on the seen classes.
//!
//! Differs from AM3: the share of the class vector is one number κ for all classes and shots in place of a network's
//! output, because one number can be chosen on few validation classes and read by a person; `m` is linear.

use super::ridge_map::Ridge;
use super::{
    Classifier, Fit, Fitted, Informed, LearnError, Learner, Parameter, Registry, Scale, transform_of,
    transform_parameter,
};
use crate::rng::Chance;
use crate::tensor::{Backend, SpanOps, Tensor2, Tensor3, ops};
use crate::view::{ClassEmbeddings, Items, Scores, Seen, Support};
use crate::vocab::{Setting, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    list.add("semantic-prototypical", |parameters| {
        let (kappa, transform) = (parameters.real("kappa") as f32, transform_of(parameters));
        Ok(match parameters.word("map") {
            "identity" => Learner::informed(SemanticPrototypical { kappa, transform, map: None }),
            _ => Learner::unfitted(Plan { kappa, transform, ridge: Ridge::of(parameters) }),
        })
    })
    .about(
        "class mean and class vector in one prototype, a vector worth kappa shots (after Xing et al. 2019)",
    )
    .parameter(Parameter::real("kappa", 1.0, 1e-3, 1e3, "shots that a class vector is worth").search(
        Scale::Log,
        0.1,
        10.0,
    ))
    .parameter(Parameter::choice("map", &["ridge", "identity"], "from class vectors to features"))
    .parameter(Parameter::real("alpha", 1.0, 1e-6, 1e6, "penalty of map=ridge"))
    .parameter(transform_parameter(Transform::L2n));
}

struct Plan {
    kappa: f32,
    transform: Transform,
    ridge: Ridge,
}

impl<D: Backend> Fit<D> for Plan {
    fn setting(&self) -> Setting {
        Setting::Informed
    }

    fn takes(&self) -> Transform {
        self.transform
    }

    fn fit(&self, seen: &Seen, _: &D) -> Result<Fitted<D>, LearnError> {
        let map = self.ridge.fit(seen)?.to_f32();
        let (shape, kappa, transform) = ((seen.class_dim(), seen.dim()), self.kappa, self.transform);
        Ok(Fitted::informed(move |device: &D| {
            let map = Some(device.tensor2(shape, map.clone())?);
            Ok(SemanticPrototypical { kappa, transform, map })
        }))
    }
}

struct SemanticPrototypical<D: Backend> {
    kappa: f32,
    transform: Transform,
    /// (side, dim); nothing for the identity.
    map: Option<Tensor2<D>>,
}

impl<D: Backend> Informed<D> for SemanticPrototypical<D> {
    fn takes(&self) -> Transform {
        self.transform
    }

    fn suits(&self, side: usize, dim: usize) -> Result<(), LearnError> {
        if self.map.is_some() { Ok(()) } else { suits(side, dim) }
    }

    fn adapt(
        &self,
        support: Option<&Support<D>>,
        vectors: &ClassEmbeddings<D>,
        _: &Chance<'_>,
    ) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let unit = ops::normalise(vectors.rows())?;
        let mapped = match &self.map {
            Some(map) => ops::map_rows(&unit, map)?,
            None => unit,
        };
        let Some(support) = support else {
            return Ok(Box::new(CosineTo { directions: ops::normalise(&mapped)? }));
        };
        suits(mapped_side(vectors, &self.map), support.dim())?;
        // Cosines do not see the divisor K + κ.
        let sums = ops::matmul(&support.membership()?, support.features()?)?;
        let prototypes = ops::add(&sums, &ops::scale(mapped, self.kappa)?)?;
        Ok(Box::new(CosineTo { directions: ops::normalise(&prototypes)? }))
    }
}

fn mapped_side<D: Backend>(vectors: &ClassEmbeddings<D>, map: &Option<Tensor2<D>>) -> usize {
    use crate::tensor::dfdx::shapes::HasShape;
    map.as_ref().map_or(vectors.class_dim(), |map| map.shape().1)
}

fn suits(side: usize, dim: usize) -> Result<(), LearnError> {
    LearnError::unless_equal("map=identity", side, dim, "\nhint: use map=ridge")
}

/// The cosine with one direction per label (episodes, way, dim).
struct CosineTo<D: Backend> {
    directions: Tensor3<D>,
}

impl<D: Backend> Classifier<D> for CosineTo<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        use crate::tensor::dfdx::shapes::HasShape;
        suits(self.directions.shape().2, items.dim())?;
        let products = items.products(&self.directions)?;
        Ok(Scores::ranking(ops::divide_rows(&products, &items.squared_norms()?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Labels, open_cpu, to_host};

    #[test]
    fn a_class_vector_counts_as_kappa_shots() {
        let device = open_cpu();
        let learner = SemanticPrototypical { kappa: 1.0, transform: Transform::None, map: None };
        let vectors = ClassEmbeddings::new(&device, (1, 2, 2), vec![1.0, 0.0, 0.0, 5.0]).unwrap();
        let labels = Labels::new(1, 2, 2, vec![0, 1]).unwrap();
        let support = Support::dense(&device, 2, vec![0.0, 1.0, 0.0, 1.0], labels).unwrap();
        let items = Items::dense(&device, (1, 1, 2), vec![3.0, 0.0]).unwrap();
        let chance = Chance::new(0, &[0]);
        let cosines = |support| {
            let classifier = learner.adapt(support, &vectors, &chance).unwrap();
            to_host(&classifier.scores(&items).unwrap().values).unwrap()
        };
        let close =
            |found: Vec<f32>, wanted: [f32; 2]| found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(close(cosines(None), [1.0, 0.0]));
        assert!(close(cosines(Some(&support)), [0.5f32.sqrt(), 0.0]));
    }
}
