//! Which label each support slot has.

use std::sync::Arc;

use super::error::{TensorError, same};
use super::{Backend, Tensor2, Tensor3};

/// Labels of the support slots of a batch: (episodes, slots) numbers below `way`, or [`Labels::EMPTY`] for padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    episodes: usize,
    slots: usize,
    way: usize,
    labels: Arc<[u16]>,
}

impl Labels {
    /// The mark of a slot without an item. Such slots stand behind all others of their episode.
    pub const EMPTY: u16 = u16::MAX;

    /// Labels, episode after episode.
    ///
    /// # Errors
    /// When their count is wrong, one is not below `way`, or an empty slot stands before a filled one.
    pub fn new(episodes: usize, slots: usize, way: usize, labels: Vec<u16>) -> Result<Labels, TensorError> {
        same("labels", "slots", episodes * slots, labels.len())?;
        for episode in labels.chunks_exact(slots.max(1)) {
            let filled = episode.iter().take_while(|l| **l != Labels::EMPTY).count();
            if let Some(label) = episode[..filled].iter().find(|l| usize::from(**l) >= way) {
                return Err(TensorError::Shape {
                    operation: "labels",
                    what: "way",
                    expected: way,
                    found: usize::from(*label) + 1,
                });
            }
            same(
                "labels",
                "filled slots before padding",
                filled,
                episode.iter().filter(|l| **l != Labels::EMPTY).count(),
            )?;
        }
        Ok(Labels { episodes, slots, way, labels: labels.into() })
    }

    /// Episodes.
    pub fn episodes(&self) -> usize {
        self.episodes
    }

    /// Slots per episode, padding included.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Labels per episode.
    pub fn way(&self) -> usize {
        self.way
    }

    /// The labels of one episode's filled slots.
    pub fn of(&self, episode: usize) -> &[u16] {
        let all = &self.labels[episode * self.slots..(episode + 1) * self.slots];
        &all[..all.iter().take_while(|l| **l != Labels::EMPTY).count()]
    }

    /// How many support items each label of an episode has: (way).
    pub fn counts(&self, episode: usize) -> Vec<usize> {
        let mut counts = vec![0; self.way];
        self.of(episode).iter().for_each(|l| counts[usize::from(*l)] += 1);
        counts
    }

    /// 1 where a slot has the label, else 0: (episodes, way, slots).
    pub fn membership<D: Backend>(&self, device: &D) -> Result<Tensor3<D>, TensorError> {
        self.fill(device, |_| 1.0)
    }

    /// `1 / count` where a slot has the label, else 0: its product with the support is the class means.
    pub fn averaging<D: Backend>(&self, device: &D) -> Result<Tensor3<D>, TensorError> {
        self.fill(device, |count| 1.0 / count as f32)
    }

    /// 1 where a slot is filled, else 0: (episodes, slots).
    pub fn present<D: Backend>(&self, device: &D) -> Result<Tensor2<D>, TensorError> {
        let values = self.labels.iter().map(|l| if *l == Labels::EMPTY { 0.0 } else { 1.0 }).collect();
        device.tensor2((self.episodes, self.slots), values)
    }

    fn fill<D: Backend>(&self, device: &D, value: impl Fn(usize) -> f32) -> Result<Tensor3<D>, TensorError> {
        let mut out = vec![0.0; self.episodes * self.way * self.slots];
        for (episode, out) in out.chunks_exact_mut((self.way * self.slots).max(1)).enumerate() {
            let counts = self.counts(episode);
            for (slot, label) in self.of(episode).iter().enumerate() {
                let label = usize::from(*label);
                out[label * self.slots + slot] = value(counts[label]);
            }
        }
        device.tensor3((self.episodes, self.way, self.slots), out)
    }
}
