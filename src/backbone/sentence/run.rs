//! Sentences through the encoder, in batches of one length, several batches at a time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{Network, SentenceEncoder};
use crate::backbone::BackboneError;
use crate::tensor::conv::ConvOps;
use crate::tensor::encoder::{EncoderOps, Pooling, TokenBatch};
use crate::tensor::net::Passes;
use crate::tensor::{Tensor2, TensorError, to_host};

/// What became of a list of texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedded {
    /// (texts, dim), in the order of the texts.
    pub features: Vec<f32>,
    /// Numbers per text.
    pub dim: usize,
    /// How many texts were longer than the encoder reads, and were cut.
    pub truncated: usize,
}

/// A sentence encoder on a device.
pub struct Encoder<'a, D: EncoderOps + ConvOps> {
    device: D,
    weights: Loaded<D>,
    host: &'a SentenceEncoder,
}

/// A network where the device reaches it.
enum Loaded<D: EncoderOps + ConvOps> {
    /// BERT, with as many blocks.
    Bert(D::Encoder, usize),
    /// A list of operations.
    Net(Box<dyn Passes<D>>),
}

impl<D: EncoderOps + ConvOps> Encoder<'_, D> {
    /// The features of token sequences: (sequences, dim).
    ///
    /// # Errors
    /// When a token is not in the vocabulary, a sequence is longer than the positions, or the device fails.
    pub fn features(&self, tokens: &TokenBatch) -> Result<Tensor2<D>, TensorError> {
        let (pooling, unit) = (self.host.plan.pooling, self.host.plan.unit);
        match &self.weights {
            Loaded::Bert(weights, depth) => {
                let mut x = self.device.look_up(weights, tokens)?;
                for number in 0..*depth {
                    x = self.device.block(weights, number, x, tokens.length())?;
                }
                self.device.pool(&x, tokens.length(), pooling, unit)
            }
            Loaded::Net(passes) => {
                let numbers: Vec<f32> = tokens.ids().iter().map(|id| *id as f32).collect();
                let pooled = passes.features(&numbers, (tokens.length(), 1))?;
                self.device.pool(&pooled, 1, Pooling::First, unit)
            }
        }
    }
}

/// Texts of one token length.
struct Batch {
    texts: Vec<usize>,
    length: usize,
}

impl SentenceEncoder {
    /// The encoder on a device.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn on<D: EncoderOps + ConvOps>(&self, device: &D) -> Result<Encoder<'_, D>, TensorError> {
        let weights = match &self.weights {
            Network::Bert(weights) => Loaded::Bert(device.upload_encoder(weights)?, weights.depth()),
            Network::Net(net) => {
                let graph = net.graph();
                Loaded::Net(device.passes(&graph, &net.values(), graph.features())?)
            }
        };
        Ok(Encoder { device: device.clone(), weights, host: self })
    }

    /// The features of texts, by `workers` threads that each open a device; on the CPU, a result does not depend on
    /// how many there are. `progress` hears how many texts are done.
    ///
    /// # Errors
    /// When a text is empty or cannot be split into tokens, or a device fails.
    pub fn embed<D: EncoderOps + ConvOps>(
        &self,
        texts: &[impl AsRef<str> + Sync],
        workers: usize,
        open: impl Fn() -> Result<D, TensorError> + Sync,
        progress: impl Fn(usize) + Sync,
    ) -> Result<Embedded, BackboneError> {
        // A list of operations shares its work among all threads itself, and each worker would hold its weights once more.
        let workers = if matches!(self.weights, Network::Net(_)) { 1 } else { workers.max(1) };
        let (tokens, truncated) = self.split(texts, workers)?;
        let dim = self.dim();
        // Held until the end: a GPU whose last user has gone forgets all that was prepared on it.
        let first = open()?;
        // Of a block: queries, keys and values, the wide layer twice, and as much again for attention.
        let batches = batches(&tokens, first.batch_tokens(24 * dim * size_of::<f32>()));
        let features = Mutex::new(vec![0.0; texts.len() * dim]);
        let (next, done, failed) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
        let work = || -> Result<(), BackboneError> {
            let encoder = self.on(&open()?)?;
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed))
                && !failed.load(Ordering::Relaxed)
            {
                let ids = batch.texts.iter().flat_map(|text| &tokens[*text]).copied().collect();
                let rows = to_host(&encoder.features(&TokenBatch::new(ids, batch.length)?)?)?;
                let mut features = features.lock().unwrap_or_else(PoisonError::into_inner);
                for (text, row) in batch.texts.iter().zip(rows.chunks_exact(dim)) {
                    features[text * dim..(text + 1) * dim].copy_from_slice(row);
                }
                drop(features);
                let before = done.fetch_add(batch.texts.len(), Ordering::Relaxed);
                progress(before + batch.texts.len());
            }
            Ok(())
        };
        let results = in_threads(workers.min(batches.len().max(1)), |_| {
            work().inspect_err(|_| failed.store(true, Ordering::Relaxed))
        });
        results.into_iter().collect::<Result<(), _>>()?;
        let features = features.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Embedded { features, dim, truncated })
    }

    /// The tokens of each text, and how many texts were cut.
    fn split(
        &self,
        texts: &[impl AsRef<str> + Sync],
        workers: usize,
    ) -> Result<(Vec<Vec<u32>>, usize), BackboneError> {
        let share = texts.len().div_ceil(workers).max(1);
        let shares = in_threads(workers, |worker| {
            let from = (worker * share).min(texts.len());
            let texts = texts[from..].iter().take(share).enumerate();
            texts.map(|(i, text)| self.tokens.of(from + i, text.as_ref())).collect::<Result<Vec<_>, _>>()
        });
        let (mut tokens, mut truncated) = (Vec::with_capacity(texts.len()), 0);
        for share in shares {
            for (ids, cut) in share? {
                tokens.push(ids);
                truncated += usize::from(cut);
            }
        }
        Ok((tokens, truncated))
    }
}

/// The results of `count` threads, in order.
fn in_threads<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    if count == 1 {
        return vec![work(0)];
    }
    thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..count).map(|number| scope.spawn(move || work(number))).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}

/// Texts of equal length together, at most `most` tokens (or one text) in a batch; the longest first, so that the
/// workers end at about the same time.
fn batches(tokens: &[Vec<u32>], most: usize) -> Vec<Batch> {
    let mut order: Vec<usize> = (0..tokens.len()).collect();
    order.sort_by_key(|text| std::cmp::Reverse(tokens[*text].len()));
    let same_length = order.chunk_by(|a, b| tokens[*a].len() == tokens[*b].len());
    let batches = same_length.flat_map(|texts| {
        let length = tokens[texts[0]].len();
        texts.chunks((most / length).max(1)).map(move |texts| Batch { texts: texts.to_vec(), length })
    });
    batches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_holds_texts_of_one_length_the_longest_first() {
        let tokens = [2, 3, 2, 9, 2].map(|length| vec![1; length]);
        let batches: Vec<_> = batches(&tokens, 5).into_iter().map(|b| (b.length, b.texts)).collect();
        assert_eq!(batches, [(9, vec![3]), (3, vec![1]), (2, vec![0, 2]), (2, vec![4])]);
    }
}
