//! Prototypical networks for zero-shot learning (Snell, Swersky and Zemel 2017, arXiv:1703.05175, section 2.6): the
//! prototype of a class is an embedding of its vector, divided by its norm, and the probability of a class is the softmax
//! of minus the squared distance to its prototype.
//!
//! The embedding `g(s) = B·s` is linear and trained on seen classes by gradient descent on the negative logarithm of the
//! right class's probability, among all seen classes. Items are `scale·x/‖x‖`, which sets how sure the softmax is.
//!
//! Differs from the paper: items are not mapped, because kshot compares heads on equal features; all seen classes are
//! candidates in every step in place of episodes of 50; plain gradient descent in place of Adam, and the embedding starts
//! from the identity where sizes agree and from a random map else. Epochs are chosen as the paper chooses them, on validation
//! classes, and none at all may be chosen.

use super::{Fit, Fitted, LearnError, Learner, Parameter, Registry, Signature, ZeroShot};
use crate::rng::{Purpose, Stream};
use crate::tensor::{Backend, SpanOps, Tensor2, ops};
use crate::view::{ClassEmbeddings, Items, Scores, Seen};
use crate::vocab::Transform;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "class embeddings mapped to prototypes (Snell et al. 2017, section 2.6)";
    let mut learner = Signature::new("prototypical-zero-shot", about);
    let scale = learner.parameter(Parameter::real("scale", 10.0, 1e-3, 1e3, "length of every item"));
    let lr = learner.parameter(Parameter::real("lr", 0.1, 1e-6, 1e3, "step size"));
    let meaning = "passes over the items; 0: chosen on validation classes";
    let epochs = learner.parameter(Parameter::whole("epochs", 0, 0, 10_000, meaning));
    let (most, meaning) = (u64::from(u32::MAX), "seed of the order and of a random start");
    let seed = learner.parameter(Parameter::whole("seed", 0, 0, most, meaning));
    list.add(learner, move |p| {
        let plan = Plan {
            scale: p[scale] as f32,
            lr: p[lr] as f32,
            epochs: Some(p[epochs]).filter(|epochs| *epochs > 0),
            seed: p[seed] as u64,
        };
        Ok(Learner::unfitted(plan).with_transform(Transform::L2n))
    });
}

/// Items in one step.
const BATCH: usize = 64;
/// Epochs that are tried.
const MOST_EPOCHS: usize = 10;
/// Epochs where there are no validation classes.
const UNCHOSEN: usize = 5;

struct Plan {
    scale: f32,
    lr: f32,
    epochs: Option<usize>,
    seed: u64,
}

impl<D: Backend> Fit<D> for Plan {
    fn fit(&self, seen: &Seen, device: &D) -> Result<Fitted<D>, LearnError> {
        let (epochs, chosen) = match (self.epochs, seen.part(true), seen.part(false)) {
            (None, Some(base), Some(validation)) => (self.best(&base, &validation, device)?, true),
            (epochs, ..) => (epochs.unwrap_or(UNCHOSEN), false),
        };
        let mut embedding = Embedding::start(self, seen);
        for epoch in 0..epochs {
            embedding.pass(self, seen, epoch as u32, device)?;
        }
        let (shape, map, scale) = ((seen.class_dim(), seen.dim()), embedding.map, self.scale);
        let fitted = Fitted::zero_shot(move |device: &D| {
            Ok(Embedded { map: device.tensor2(shape, map.clone())?, scale })
        });
        Ok(if chosen { fitted.with_choice("epochs", epochs) } else { fitted })
    }
}

impl Plan {
    /// The number of epochs on base classes after which validation classes are told apart best.
    fn best<D: Backend>(&self, base: &Seen, validation: &Seen, device: &D) -> Result<usize, LearnError> {
        let mut embedding = Embedding::start(self, base);
        let mut best = (0, embedding.accuracy(validation)?);
        for epoch in 0..MOST_EPOCHS {
            embedding.pass(self, base, epoch as u32, device)?;
            let accuracy = embedding.accuracy(validation)?;
            if accuracy > best.1 {
                best = (epoch + 1, accuracy);
            }
        }
        Ok(best.0)
    }
}

/// `Bᵀ` (class_dim, dim) while it is trained.
struct Embedding {
    map: Vec<f32>,
    dim: usize,
}

impl Embedding {
    fn start(plan: &Plan, seen: &Seen) -> Embedding {
        let (class_dim, dim) = (seen.class_dim(), seen.dim());
        let mut stream = Stream::new(plan.seed, Purpose::Learner, u32::MAX);
        let deviation = 1.0 / (class_dim as f64).sqrt();
        let entry = |place: usize| match class_dim == dim {
            true => f32::from(u8::from(place.is_multiple_of(dim + 1))),
            false => (deviation * stream.normal()) as f32,
        };
        Embedding { map: (0..class_dim * dim).map(entry).collect(), dim }
    }

    /// The embeddings of class embeddings (classes, dim), not yet divided by their norms.
    fn embed(&self, vectors: &[f32], class_dim: usize) -> Vec<f32> {
        let mut out = vec![0.0; vectors.len() / class_dim * self.dim];
        for (vector, out) in vectors.chunks_exact(class_dim).zip(out.chunks_exact_mut(self.dim)) {
            for (v, row) in vector.iter().zip(self.map.chunks_exact(self.dim)) {
                out.iter_mut().zip(row).for_each(|(o, b)| *o += v * b);
            }
        }
        out
    }

    fn pass<D: Backend>(
        &mut self,
        plan: &Plan,
        seen: &Seen,
        epoch: u32,
        device: &D,
    ) -> Result<(), LearnError> {
        let (dim, class_dim, classes) = (self.dim, seen.class_dim(), seen.classes());
        let mut order: Vec<usize> = (0..seen.count()).collect();
        Stream::new(plan.seed, Purpose::Learner, epoch).shuffle(&mut order);
        let mut items = Vec::new();
        for batch in order.chunks(BATCH) {
            items.resize(batch.len() * dim, 0.0);
            for (place, row) in batch.iter().zip(items.chunks_exact_mut(dim)) {
                seen.read(*place, row)?;
            }
            let x = device.tensor3((1, batch.len(), dim), items.clone())?;
            let raw = self.embed(seen.vectors(), class_dim);
            let (prototypes, norms) = unit(&raw, dim);
            let p = device.tensor3((1, classes, dim), prototypes.clone())?;
            // −‖scale·x − p‖² = 2·scale·x·p up to what all classes share.
            let logits = ops::scale(ops::matmul(&x, &ops::transpose(&p)?)?, 2.0 * plan.scale)?;
            let mut gradient = ops::to_host(&ops::softmax(logits)?)?;
            for (row, place) in gradient.chunks_exact_mut(classes).zip(batch) {
                row[seen.labels()[*place] as usize] -= 1.0;
            }
            let gradient = device.tensor3((1, batch.len(), classes), gradient)?;
            let factor = 2.0 * plan.scale / batch.len() as f32;
            let of_p = ops::scale(ops::matmul(&ops::transpose(&gradient)?, &x)?, factor)?;
            let mut of_raw = ops::to_host(&of_p)?;
            // p = r/‖r‖: dr = (dp − p·(p·dp))/‖r‖.
            for ((d, p), norm) in of_raw.chunks_exact_mut(dim).zip(prototypes.chunks_exact(dim)).zip(norms) {
                let along: f32 = d.iter().zip(p).map(|(d, p)| d * p).sum();
                d.iter_mut().zip(p).for_each(|(d, p)| *d = (*d - along * p) / norm);
            }
            for (vector, d) in seen.vectors().chunks_exact(class_dim).zip(of_raw.chunks_exact(dim)) {
                for (v, row) in vector.iter().zip(self.map.chunks_exact_mut(dim)) {
                    row.iter_mut().zip(d).for_each(|(b, d)| *b -= plan.lr * v * d);
                }
            }
        }
        Ok(())
    }

    /// The accuracy on other classes, averaged over them.
    fn accuracy(&self, other: &Seen) -> Result<f64, LearnError> {
        let (prototypes, _) = unit(&self.embed(other.vectors(), other.class_dim()), self.dim);
        let mut counts = vec![(0.0, 0.0); other.classes()];
        let mut item = vec![0.0; self.dim];
        for (place, label) in other.labels().iter().enumerate() {
            other.read(place, &mut item)?;
            let score = |p: &[f32]| p.iter().zip(&item).map(|(p, x)| p * x).sum::<f32>();
            let scores: Vec<f32> = prototypes.chunks_exact(self.dim).map(score).collect();
            let best = scores.iter().enumerate().fold(0, |b, (i, v)| if *v > scores[b] { i } else { b });
            let count = &mut counts[*label as usize];
            count.0 += f64::from(u8::from(best == *label as usize));
            count.1 += 1.0;
        }
        let met: Vec<f64> = counts.iter().filter(|c| c.1 > 0.0).map(|c| c.0 / c.1).collect();
        Ok(met.iter().sum::<f64>() / met.len().max(1) as f64)
    }
}

/// Rows divided by their norms, and the norms.
fn unit(values: &[f32], dim: usize) -> (Vec<f32>, Vec<f32>) {
    let norm = |row: &[f32]| row.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-12);
    let norms: Vec<f32> = values.chunks_exact(dim).map(norm).collect();
    let rows = values.chunks_exact(dim).zip(&norms);
    (rows.flat_map(|(row, norm)| row.iter().map(move |v| v / norm)).collect(), norms)
}

struct Embedded<D: Backend> {
    map: Tensor2<D>,
    scale: f32,
}

impl<D: Backend> ZeroShot<D> for Embedded<D> {
    fn scores(&self, items: &Items<D>, candidates: &ClassEmbeddings<D>) -> Result<Scores<D>, LearnError> {
        let prototypes = ops::normalise(&ops::map_rows(candidates.rows(), &self.map)?)?;
        // −‖a·x − p‖² = −a²‖x − p/a‖²
        let distances = items.negative_squared_distances(&ops::scale(prototypes, 1.0 / self.scale)?)?;
        Ok(Scores::logits(ops::scale(distances, self.scale * self.scale)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::open_cpu;

    #[test]
    fn training_turns_class_vectors_towards_their_items() {
        // Class embeddings on the axes, items on the other one's axis.
        let (features, vectors) = (vec![0.0, 1.0, 1.0, 0.0], vec![1.0, 0.0, 0.0, 1.0]);
        let seen = Seen::dense(2, features, vec![0, 1], 2, vectors).unwrap();
        let plan = Plan { scale: 1.0, lr: 0.5, epochs: Some(1), seed: 0 };
        let mut embedding = Embedding::start(&plan, &seen);
        assert_eq!(embedding.accuracy(&seen).unwrap(), 0.0);
        (0..20).for_each(|epoch| embedding.pass(&plan, &seen, epoch, &open_cpu()).unwrap());
        assert_eq!(embedding.accuracy(&seen).unwrap(), 1.0);
    }
}
