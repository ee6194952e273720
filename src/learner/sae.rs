//! SAE, "Semantic Autoencoder for Zero-Shot Learning" (Kodirov, Xiang and Gong 2017, CVPR).
//!
//! A map `W` (class_dim, dim) takes an item to the vector of its class, and `Wᵀ` takes it back: the minimum of
//! `‖X − T·W‖² + λ‖X·Wᵀ − T‖²` with items `X` (items, dim) and the vectors `T` (items, class_dim) of their classes solves
//! Sylvester's equation `TᵀT·W + W·λXᵀX = (1 + λ)·TᵀX` (eq. 5). `direction = forward` compares `W·x` with the class
//! vectors, `backward` compares `x` with `Wᵀ·s`, both by cosine, which are the paper's two ways (section 3.2).
//!
//! Items and class embeddings are divided by their norms first, as the authors' code does (`transform = l2n`, `normalise = l2n`).
//!
//! Differs from the paper: `TᵀT = S_wᵀ·S_w` with one weighted row per class has at most as many dimensions as there are
//! classes, so the equation is solved in the span of the class embeddings where that is smaller; the solution is the same.

use super::class_sums::{ClassSums, scatter};
use super::{
    Fit, Fitted, LearnError, Learner, Parameter, Registry, Scale, Signature, ZeroShot, transform_parameter,
};
use crate::tensor::matrix::{Matrix, sylvester};
use crate::tensor::{Backend, SpanOps, Tensor2, ops};
use crate::view::{ClassEmbeddings, Items, Scores, Seen};
use crate::vocab::Transform;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let mut sae = Signature::new("sae", "semantic autoencoder, one map both ways (Kodirov et al. 2017)");
    let words = &[("backward", true), ("forward", false)];
    let direction = Parameter::choice("direction", words, "the side on which cosines are taken");
    let backward = sae.parameter(direction.grid(&["backward", "forward"]));
    let meaning = "weight of the way from features to class embeddings";
    let lambda = Parameter::real("lambda", 0.5, 1e-6, 1e9, meaning).search(Scale::Log, 1e-2, 1e6);
    let lambda = sae.parameter(lambda);
    let words = &[("l2n", true), ("none", false)];
    let meaning = "class embeddings divided by their norms, or as they are";
    let unit = sae.parameter(Parameter::choice("normalise", words, meaning));
    let transform = sae.parameter(transform_parameter(Transform::L2n));
    list.add(sae, move |p| {
        let plan = Sae { lambda: p[lambda], backward: p[backward], unit: p[unit] };
        Ok(Learner::unfitted(plan).with_transform(p[transform]))
    });
}

struct Sae {
    lambda: f64,
    backward: bool,
    /// Whether class embeddings are divided by their norms.
    unit: bool,
}

impl<D: Backend> Fit<D> for Sae {
    fn fit(&self, seen: &Seen, _: &D) -> Result<Fitted<D>, LearnError> {
        let map = self.map(seen)?; // (class_dim, dim)
        let (shape, backward) = ((seen.class_dim(), seen.dim()), self.backward);
        let (shape, map) = match backward {
            true => (shape, map.to_f32()),
            false => ((shape.1, shape.0), map.transposed().to_f32()),
        };
        Ok(Fitted::zero_shot(move |device: &D| {
            Ok(Mapped { map: device.tensor2(shape, map.clone())?, backward })
        }))
    }
}

impl Sae {
    /// `W` (class_dim, dim).
    fn map(&self, seen: &Seen) -> Result<Matrix, LearnError> {
        let ClassSums { sums, counts } = ClassSums::of(seen)?;
        let vectors = Matrix::of_f32(seen.classes(), seen.class_dim(), seen.vectors())?;
        let vectors = if self.unit { vectors.normalise_rows() } else { vectors };
        let roots: Vec<f64> = counts.iter().map(|count| count.sqrt()).collect();
        let weighted = vectors.scale_rows(&roots);
        // With M = √n·S: TᵀT = MᵀM, TᵀX = MᵀF, F = sums/√n.
        let inverse: Vec<f64> = roots.iter().map(|root| (1.0 + self.lambda) / root.max(1.0)).collect();
        let right = sums.scale_rows(&inverse);
        let features = scatter(seen)?.map(|v| self.lambda * v);
        if seen.classes() <= seen.class_dim() {
            // W = MᵀY with MMᵀ·Y + Y·λXᵀX = (1 + λ)F.
            let inner = weighted.times(&weighted.transposed())?;
            return Ok(weighted.transposed().times(&sylvester(&inner, &features, &right)?)?);
        }
        let turned = weighted.transposed();
        Ok(sylvester(&turned.times(&weighted)?, &features, &turned.times(&right)?)?)
    }
}

/// Backward: from class embeddings to features (class_dim, dim); forward: from features to class embeddings (dim, class_dim).
struct Mapped<D: Backend> {
    map: Tensor2<D>,
    backward: bool,
}

impl<D: Backend> ZeroShot<D> for Mapped<D> {
    fn scores(&self, items: &Items<D>, candidates: &ClassEmbeddings<D>) -> Result<Scores<D>, LearnError> {
        if self.backward {
            let directions = ops::normalise(&ops::map_rows(candidates.rows(), &self.map)?)?;
            return Ok(Scores::ranking(items.cosines_less_one(&directions)?));
        }
        let mapped = ops::normalise(&ops::map_rows(&items.features()?, &self.map)?)?;
        let directions = ops::normalise(candidates.rows())?;
        Ok(Scores::ranking(ops::matmul(&mapped, &ops::transpose(&directions)?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(class_dim: usize, vectors: Vec<f32>) -> Seen {
        let features = vec![1.0, 0.5, 2.0, -1.0, 0.0, 1.0, 0.3, 0.7];
        Seen::dense(2, features, vec![0, 1, 1, 2], class_dim, vectors).unwrap()
    }

    #[test]
    fn the_map_satisfies_the_equation_of_the_paper_in_either_span() {
        for seen in [seen(1, vec![1.0, -2.0, 0.5]), seen(4, (0..12).map(|i| (i as f32).sin()).collect())] {
            let w = Sae { lambda: 0.5, backward: true, unit: false }.map(&seen).unwrap();
            let rows = seen.labels().iter().flat_map(|label| seen.vector(*label as usize)).copied();
            let t = Matrix::of_f32(4, seen.class_dim(), &rows.collect::<Vec<_>>()).unwrap();
            let mut features = vec![0.0; 8];
            features.chunks_exact_mut(2).enumerate().for_each(|(i, row)| seen.read(i, row).unwrap());
            let x = Matrix::of_f32(4, 2, &features).unwrap();
            let left = t.transposed().times(&t).unwrap().times(&w).unwrap();
            let scatter = x.transposed().times(&x).unwrap().map(|v| 0.5 * v);
            let left = left.plus(1.0, &w.times(&scatter).unwrap()).unwrap();
            let right = t.transposed().times(&x).unwrap().map(|v| 1.5 * v);
            let gap = left.plus(-1.0, &right).unwrap();
            assert!(gap.values().iter().all(|v| v.abs() < 1e-10), "{gap:?}");
        }
    }
}
