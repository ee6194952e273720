//! Where the results of a network lie in memory: which share a buffer, and when a buffer can be used again.

use super::super::graph::{Activation, Graph, Op, Value};
use super::super::sizes::Size;
use crate::tensor::TensorError;

/// Where a result lies: pixels `stride` numbers apart, from `offset` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub slot: usize,
    pub offset: usize,
    pub stride: usize,
}

/// What is added to a convolution's result as it is stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fused {
    pub residual: Value,
    pub activation: Activation,
}

/// How a network runs on images of one size.
#[derive(Debug)]
pub(super) struct Plan {
    pub image: (usize, usize),
    pub sizes: Vec<Size>,
    pub needed: Vec<bool>,
    pub places: Vec<Option<Place>>,
    /// Of a convolution, the sum that it takes over.
    pub fused: Vec<Option<Fused>>,
    /// Sums that a convolution has taken over, and concatenations of which no part must be copied.
    pub done: Vec<bool>,
    /// Numbers of each buffer, for one image.
    pub slots: Vec<usize>,
}

impl Plan {
    /// For a result, of images of `image` (height, width) pixels.
    pub fn new(graph: &Graph, result: Value, image: (usize, usize)) -> Result<Plan, TensorError> {
        let ops = &graph.ops[..=result.0];
        let cut = Graph { ops: ops.to_vec(), ..graph.clone() };
        let sizes = cut.sizes(image)?;
        let needed = cut.needed(result);
        let fused = fuse(ops, &needed);
        let network = Network { ops, sizes: &sizes, needed: &needed, fused: &fused };
        let mut apart = Vec::new();
        // A part that would be written into a buffer that it is computed from gets its own.
        let roots = loop {
            let roots = Roots::assign(&network, &apart);
            match roots.conflict(&network).filter(|part| !apart.contains(part)) {
                Some(part) => apart.push(part),
                None => break roots,
            }
        };
        let done = (0..ops.len()).map(|place| roots.is_done(&network, place)).collect();
        let (places, slots) = roots.lay_out(&network);
        Ok(Plan { image, places, done, slots, sizes, needed, fused })
    }

    /// Where a result lies.
    pub fn place(&self, value: Value) -> Place {
        self.places[value.0].unwrap_or(Place { slot: 0, offset: 0, stride: 0 })
    }
}

/// Sums of which one side is a convolution that nobody else asks for: that takes them over.
fn fuse(ops: &[Op], needed: &[bool]) -> Vec<Option<Fused>> {
    let mut uses = vec![0usize; ops.len()];
    for (op, _) in ops.iter().zip(needed).filter(|(_, needed)| **needed) {
        op.inputs().iter().for_each(|input| uses[input.0] += 1);
    }
    let mut fused = vec![None; ops.len()];
    for (place, op) in ops.iter().enumerate().filter(|(place, _)| needed[*place]) {
        let Op::Add { left, right, activation } = op else { continue };
        let (last, residual) = if left > right { (*left, *right) } else { (*right, *left) };
        let plain = matches!(
            &ops[last.0],
            Op::Convolve { groups: 1, activation: Activation::None, .. }
                | Op::Dense { activation: Activation::None, .. }
        );
        if plain && uses[last.0] == 1 && left != right && place > last.0 {
            fused[last.0] = Some(Fused { residual, activation: *activation });
        }
    }
    fused
}

/// What is laid out.
struct Network<'a> {
    ops: &'a [Op],
    sizes: &'a [Size],
    needed: &'a [bool],
    fused: &'a [Option<Fused>],
}

impl Network<'_> {
    /// What an operation reads, with what it has taken over.
    fn inputs(&self, place: usize) -> Vec<Value> {
        let residual = self.fused[place].map(|fused| fused.residual);
        self.ops[place].inputs().into_iter().chain(residual).collect()
    }

    /// The convolution that has taken over a sum.
    fn taken_over(&self, place: usize) -> Option<Value> {
        let Op::Add { left, right, .. } = &self.ops[place] else { return None };
        Some((*left).max(*right)).filter(|last| self.fused[last.0].is_some())
    }

    /// Parts of a concatenation with the channel at which each begins.
    fn parts(&self, place: usize) -> Vec<(Value, usize)> {
        let Op::Concatenate { parts } = &self.ops[place] else { return Vec::new() };
        let mut at = 0;
        let places = parts.iter().map(|part| {
            at += self.sizes[part.0].channels;
            (*part, at - self.sizes[part.0].channels)
        });
        places.collect()
    }
}

/// Buffers before they are laid out: of each result the one that it lies in, and the channel at which it begins.
struct Roots {
    of: Vec<Option<(usize, usize)>>,
    /// Of each buffer the pixels of an image and the numbers of a pixel.
    sizes: Vec<(usize, usize)>,
}

impl Roots {
    /// From the last result to the first, because a part lies where the largest of what it is part of wants it; parts that
    /// are `apart` do not.
    fn assign(network: &Network<'_>, apart: &[usize]) -> Roots {
        let mut roots = Roots { of: vec![None; network.ops.len()], sizes: Vec::new() };
        for place in (0..network.ops.len()).rev().filter(|place| network.needed[*place]) {
            let (root, offset) = roots.of[place].unwrap_or_else(|| {
                let size = network.sizes[place];
                roots.sizes.push((size.pixels(), size.channels));
                (roots.sizes.len() - 1, 0)
            });
            roots.of[place] = Some((root, offset));
            for (part, at) in network.parts(place) {
                if roots.of[part.0].is_none() && !apart.contains(&part.0) {
                    roots.of[part.0] = Some((root, offset + at));
                }
            }
            if let Some(convolution) = network.taken_over(place) {
                roots.of[convolution.0] = Some((root, offset));
            }
        }
        roots
    }

    /// The part of a concatenation that would be written into a buffer that it is computed from.
    fn conflict(&self, network: &Network<'_>) -> Option<usize> {
        let root = |place: usize| self.of[place].map(|(root, _)| root);
        let places = (0..network.ops.len()).filter(|place| network.needed[*place]);
        let mut writes = places.filter(|place| network.parts(*place).is_empty());
        let writes_into_input = |place: &usize| {
            network.taken_over(*place).is_none()
                && network.inputs(*place).iter().any(|input| root(input.0) == root(*place))
        };
        let place = writes.find(writes_into_input)?;
        // What has taken over a sum lies where the sum does.
        let sum = (place..network.ops.len()).find(|sum| network.taken_over(*sum) == Some(Value(place)));
        Some(sum.unwrap_or(place))
    }

    /// Whether a result is there once its inputs are.
    fn is_done(&self, network: &Network<'_>, place: usize) -> bool {
        let parts = network.parts(place);
        let Some((root, offset)) = self.of[place] else { return true };
        let here = |(part, at): &(Value, usize)| self.of[part.0] == Some((root, offset + at));
        network.taken_over(place).is_some() || (!parts.is_empty() && parts.iter().all(here))
    }

    /// Buffers with numbers, used again by what comes later: places of results, and numbers of each buffer for one image.
    fn lay_out(&self, network: &Network<'_>) -> (Vec<Option<Place>>, Vec<usize>) {
        let mut last = vec![0; self.sizes.len()];
        let root = |place: usize| self.of[place].map(|(root, _)| root);
        for place in (0..network.ops.len()).filter(|place| network.needed[*place]) {
            let used = network.inputs(place).into_iter().filter_map(|input| root(input.0));
            used.chain(root(place)).for_each(|root| last[root] = last[root].max(place));
        }
        let (mut slots, mut free) = (Vec::<usize>::new(), Vec::<usize>::new());
        let mut slot_of = vec![None; self.sizes.len()];
        let mut places = vec![None; network.ops.len()];
        for place in (0..network.ops.len()).filter(|place| network.needed[*place]) {
            let Some((root, offset)) = self.of[place] else { continue };
            let (pixels, stride) = self.sizes[root];
            let slot = *slot_of[root].get_or_insert_with(|| take(&mut slots, &mut free, pixels * stride));
            places[place] = Some(Place { slot, offset, stride });
            let ended = (0..last.len()).filter(|root| last[*root] == place);
            free.extend(ended.filter_map(|root| slot_of[root]));
        }
        (places, slots)
    }
}

/// A buffer of at least `size` numbers: the smallest free one that is large enough, the largest made larger, or a new one.
fn take(slots: &mut Vec<usize>, free: &mut Vec<usize>, size: usize) -> usize {
    let fitting = free.iter().copied().filter(|slot| slots[*slot] >= size).min_by_key(|slot| slots[*slot]);
    match fitting.or_else(|| free.iter().copied().max_by_key(|slot| slots[*slot])) {
        Some(slot) => {
            free.retain(|other| *other != slot);
            slots[slot] = slots[slot].max(size);
            slot
        }
        None => {
            slots.push(size);
            slots.len() - 1
        }
    }
}
