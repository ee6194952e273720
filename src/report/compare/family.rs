//! Corrections over all pairs that are looked at together, and the verdicts that follow from them.

use super::Block;
use super::pair::{Inference, Pair};
use crate::stats::{self, Population};

/// Corrects and judges the pairs of these blocks as one family: all pairs of one protocol and metric, with one error rate
/// for differences and equivalences together.
pub(super) fn correct(blocks: &mut [&mut Block], direction: f64) {
    for population in [Population::Sampler, Population::Items, Population::Classes] {
        let (p, equivalence): (Vec<f64>, Vec<Option<f64>>) =
            inferences(blocks, population).map(|inference| (inference.p, inference.equivalence_p)).unzip();
        let pairs = p.len() as f64;
        let corrected = stats::holm_pairs(&p, &equivalence).unwrap_or_default();
        let mut corrected = corrected.0.into_iter().zip(corrected.1);
        for inference in inferences(blocks, population) {
            let (difference, equivalent) = corrected.next().unwrap_or_default();
            inference.p_holm = difference.unwrap_or(1.0);
            inference.equivalence_holm = equivalent;
            let alpha = 1.0 - inference.interval.level;
            inference.simultaneous = inference.estimate.interval(1.0 - alpha / pairs);
            let value = inference.estimate.value * direction;
            inference.verdict = stats::verdict(value, inference.p_holm, inference.equivalence_holm, alpha);
        }
    }
    let pairs = |blocks: &mut [&mut Block]| -> Vec<f64> {
        let pairs = blocks.iter().flat_map(|block| &block.pairs);
        pairs.filter_map(|pair| pair.sign_flip).map(|test| test.p).collect()
    };
    let flips = pairs(blocks);
    let mut corrected = stats::holm(&flips).unwrap_or(flips).into_iter();
    for pair in blocks.iter_mut().flat_map(|block| &mut block.pairs) {
        pair.sign_flip_holm = pair.sign_flip.and_then(|_| corrected.next());
    }
}

fn inferences<'a>(
    blocks: &'a mut [&mut Block],
    population: Population,
) -> impl Iterator<Item = &'a mut Inference> + 'a {
    let pairs = blocks.iter_mut().flat_map(|block| &mut block.pairs);
    pairs.filter_map(move |pair| pair.inference_mut(population))
}

impl Inference {
    /// Whether the difference is significant after correction; by how much is another question.
    pub fn is_significant(&self) -> bool {
        self.p_holm <= 1.0 - self.interval.level
    }
}

impl Pair {
    /// What a population says of it, where it says anything.
    pub fn inference(&self, population: Population) -> Option<&Inference> {
        let finding = self.findings.iter().find(|finding| finding.population == population)?;
        finding.outcome.as_ref().ok()
    }

    fn inference_mut(&mut self, population: Population) -> Option<&mut Inference> {
        let finding = self.findings.iter_mut().find(|finding| finding.population == population)?;
        finding.outcome.as_mut().ok()
    }
}
