//! What a descent is told: where it starts, how it steps, and what its logits are.

/// Where the weights start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Init {
    /// Weights and bias zero.
    Zero,
    /// The logits of a prototypical network, `2·x·m − ‖m‖²` (linear head), or the class means (cosine head).
    Prototype,
}

/// How items and weights become logits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Head {
    /// `x·w + b`.
    Linear,
    /// `scale · cos(x, w)`.
    Cosine {
        /// The factor on the cosine.
        scale: f64,
    },
}

/// The items of one mini-batch after another, one list per episode; without it every step takes the whole support.
pub type Batches<'a> = &'a (dyn Fn(usize, usize) -> Vec<Vec<usize>> + 'a);

/// Settings of the descent; its update is that of `torch.optim.SGD`.
#[derive(Clone, Copy)]
pub struct Descent<'a> {
    /// Passes over the support.
    pub epochs: usize,
    /// Learning rate.
    pub lr: f64,
    /// Share of the last update that is kept, 0 … 1.
    pub momentum: f64,
    /// Share of the gradient that momentum leaves out, 0 … 1.
    pub dampening: f64,
    /// L2 penalty on weights and bias, as a share that is added to the gradient.
    pub weight_decay: f64,
    /// Where the weights start.
    pub init: Init,
    /// How logits are made.
    pub head: Head,
    /// From (episode, support size) to the mini-batches of all passes, in order; nothing for full passes.
    pub batches: Option<Batches<'a>>,
}

impl Descent<'_> {
    /// The mini-batches of the first `passes` passes; nothing for full passes.
    pub(in crate::tensor::span) fn plan(
        &self,
        episode: usize,
        support: usize,
        passes: usize,
    ) -> Option<Vec<Vec<usize>>> {
        let mut plan = self.batches?(episode, support);
        plan.truncate(plan.len() / self.epochs.max(1) * passes);
        Some(plan)
    }
}

/// Squared norms below this are treated as this: the cosine of a zero vector is zero.
pub(super) const TINY: f64 = 1e-24;
