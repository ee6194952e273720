//! Tip-Adapter-F (Zhang et al. 2022, "Tip-Adapter: Training-free Adaption of CLIP for Few-shot Classification",
//! arXiv:2207.09519): Tip-Adapter whose keys are fine-tuned on the support.
//!
//! The score of a label is `τ·q·t + α·Σᵢ exp(−β(1 − q·kᵢ))·yᵢ` with one key `kᵢ` per support item, which starts from it. The keys
//! descend on the mean cross-entropy of the support by AdamW (Loshchilov and Hutter 2019), 20 epochs from 0.001 down along a cosine, as in the
//! authors' code. At shot 0 the first term alone is left.
//!
//! Differs from the paper: a step takes the whole support, where the authors take 256 items; support items are not augmented, because
//! the features are given; and α and β are not tuned afterwards.

use super::{Classifier, LearnError, Learner, Parameter, Registry, Scale, Semantic, Signature, Sizes};
use crate::rng::BatchRng;
use crate::tensor::{Backend, SpanOps, Tensor3, dense, ops};
use crate::view::{ClassEmbeddings, Items, Scores, Support};
use crate::vocab::Transform;

/// Shares of the last moments that AdamW keeps, what it adds to the root of the second, and its decay.
const ADAM: (f64, f64, f64, f64) = (0.9, 0.999, 1e-4, 0.01);

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "tip-adapter whose cache is fine-tuned on the support (Zhang et al. 2022)";
    let mut adapter = Signature::new("tip-adapter-f", about);
    let tau = Parameter::real("tau", 100.0, 1e-3, 1e4, "weight of the cosine with the class embedding");
    let tau = adapter.parameter(tau);
    let alpha = Parameter::real("alpha", 1.0, 0.0, 1e5, "weight of the support items");
    let alpha = adapter.parameter(alpha.search(Scale::Log, 0.1, 1e3));
    let beta = Parameter::real("beta", 5.5, 1e-3, 1e3, "how sharply the weight of a support item falls");
    let beta = adapter.parameter(beta.search(Scale::Log, 0.5, 20.0));
    let epochs = adapter.parameter(Parameter::whole("epochs", 20, 1, 10_000, "steps of AdamW"));
    let lr = adapter.parameter(Parameter::real("lr", 0.001, 1e-9, 10.0, "learning rate of the first step"));
    list.add(adapter, move |p| {
        let [tau, alpha, beta, lr] = [tau, alpha, beta, lr].map(|key| p[key]);
        let learner = Learner::semantic(TipAdapterF { tau, alpha, beta, lr, epochs: p[epochs] });
        // Steps of AdamW go along columns.
        Ok(learner.with_transform(Transform::L2n).with_sizes(EQUAL).with_invariances(&[]))
    });
}

const EQUAL: Sizes = Sizes::Equal {
    what: "tip-adapter-f",
    hint: "`semantic-prototypical` with map=ridge needs no equal sizes",
};

struct TipAdapterF {
    tau: f64,
    alpha: f64,
    beta: f64,
    lr: f64,
    epochs: usize,
}

/// The support of one episode and the logits that its class embeddings give it (support × way).
struct Task<'a> {
    rows: &'a [f64],
    labels: &'a [u16],
    named: Vec<f64>,
    way: usize,
    dim: usize,
}

impl TipAdapterF {
    /// The keys (support × dim) after the last step.
    fn keys(&self, task: &Task<'_>) -> Vec<f64> {
        let (first, second, epsilon, decay) = ADAM;
        let mut keys = task.rows.to_vec();
        let (mut m, mut v) = (vec![0.0; keys.len()], vec![0.0; keys.len()]);
        for step in 0..self.epochs {
            let gradient = self.gradient(task, &keys);
            let done = step as f64 / self.epochs as f64;
            let lr = self.lr * 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
            let power = step as i32 + 1;
            let corrections = (1.0 - first.powi(power), 1.0 - second.powi(power));
            for (((k, g), m), v) in keys.iter_mut().zip(&gradient).zip(&mut m).zip(&mut v) {
                *m = first * *m + (1.0 - first) * g;
                *v = second * *v + (1.0 - second) * g * g;
                *k -= lr * decay * *k;
                *k -= lr * (*m / corrections.0) / ((*v / corrections.1).sqrt() + epsilon);
            }
        }
        keys
    }

    /// The gradient of the mean cross-entropy by the keys.
    ///
    /// With `e_ij = α·exp(−β(1 − xᵢ·kⱼ))` the logit of item i for the label of key j rises by e_ij, and its slope along the key is
    /// `β·e_ij·xᵢ`.
    fn gradient(&self, task: &Task<'_>, keys: &[f64]) -> Vec<f64> {
        let Task { rows, labels, named, way, dim } = task;
        let count = labels.len();
        let mut cached = vec![0.0; count * count];
        dense::products(rows, keys, *dim, &mut cached);
        cached.iter_mut().for_each(|p| *p = self.alpha * (self.beta * (*p - 1.0)).exp());
        let mut slopes = named.clone();
        for (row, cached) in slopes.chunks_exact_mut(*way).zip(cached.chunks_exact(count)) {
            cached.iter().zip(*labels).for_each(|(e, label)| row[usize::from(*label)] += e);
        }
        dense::softmax(&mut slopes, *way);
        for (row, label) in slopes.chunks_exact_mut(*way).zip(*labels) {
            row[usize::from(*label)] -= 1.0;
        }
        for (place, e) in cached.iter_mut().enumerate() {
            let (item, key) = (place / count, place % count);
            *e *= self.beta * slopes[item * way + usize::from(labels[key])] / count as f64;
        }
        let mut gradient = vec![0.0; count * dim];
        dense::combine(&cached, rows, *dim, &mut gradient);
        gradient
    }
}

impl<D: Backend> Semantic<D> for TipAdapterF {
    fn adapt(
        &self,
        support: Option<&Support<D>>,
        vectors: &ClassEmbeddings<D>,
        _: &BatchRng<'_>,
    ) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let directions = ops::normalise(vectors.rows())?;
        let mut cache = None;
        if let Some(support) = support.filter(|_| self.alpha > 0.0) {
            let (way, dim, slots) = (support.way(), support.dim(), support.slots());
            EQUAL.check(vectors.class_dim(), dim)?;
            let embeddings: Vec<f64> = ops::to_host(&directions)?.iter().map(|v| f64::from(*v)).collect();
            let batch = support.on_host()?;
            let mut keys = vec![0.0; support.episodes() * slots * dim];
            for (episode, keys) in keys.chunks_exact_mut((slots * dim).max(1)).enumerate() {
                let labels = support.labels().of(episode);
                let mut raw = Vec::new();
                batch.read(episode, labels.len(), &mut raw)?;
                let rows: Vec<f64> = raw.iter().map(|x| f64::from(*x)).collect();
                let mut named = vec![0.0; labels.len() * way];
                let own = &embeddings[episode * way * dim..(episode + 1) * way * dim];
                dense::products(&rows, own, dim, &mut named);
                named.iter_mut().for_each(|v| *v *= self.tau);
                let task = Task { rows: &rows, labels, named, way, dim };
                keys.iter_mut().zip(self.keys(&task)).for_each(|(out, k)| *out = k as f32);
            }
            let keys = support.device().tensor3((support.episodes(), slots, dim), keys)?;
            cache = Some((keys, ops::transpose(&support.membership()?)?));
        }
        let [tau, alpha, beta] = [self.tau, self.alpha, self.beta].map(|v| v as f32);
        Ok(Box::new(Tuned { tau, alpha, beta, directions, cache }))
    }
}

struct Tuned<D: Backend> {
    tau: f32,
    alpha: f32,
    beta: f32,
    /// (episodes, way, dim)
    directions: Tensor3<D>,
    /// Keys (episodes, support, dim), and 1 where one has the label (episodes, support, way).
    cache: Option<(Tensor3<D>, Tensor3<D>)>,
}

impl<D: Backend> Classifier<D> for Tuned<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        use crate::tensor::dfdx::shapes::HasShape;
        EQUAL.check(self.directions.shape().2, items.dim())?;
        let named = ops::scale(items.products(&self.directions)?, self.tau)?;
        let Some((keys, members)) = &self.cache else { return Ok(Scores::logits(named)) };
        let affinity = ops::add_scalar(&items.products(keys)?, -1.0)?;
        let weights = ops::exp(&ops::scale(affinity, self.beta)?)?;
        let cached = ops::scale(ops::matmul(&weights, members)?, self.alpha)?;
        Ok(Scores::logits(ops::add(&named, &cached)?))
    }
}
