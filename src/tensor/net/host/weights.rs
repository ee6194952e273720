//! Weights of a network as its passes want them: normalisations folded into what stands before them, matrices in panels.

use super::super::graph::{Graph, Normalise, Op};
use super::product::Panels;
use crate::tensor::TensorError;
use crate::tensor::error::same;

/// What an operation multiplies by and adds.
#[derive(Clone, Debug)]
pub(super) enum Prepared {
    /// It has no weights.
    Nothing,
    /// One matrix for each group of channels, and one number for each channel out.
    Product { groups: Vec<Panels>, bias: Vec<f32> },
    /// Filters of one channel each, as (taps, channels), and one number for each channel.
    Depthwise { taps: Vec<f32>, bias: Vec<f32> },
    /// Factors and terms of channels; of tokens the class token or the table of words, and the positions.
    Affine { factor: Vec<f32>, term: Vec<f32> },
}

/// The numbers of all weights that a network uses.
pub(super) struct Source<'a> {
    pub values: &'a [Vec<f32>],
}

impl<'a> Source<'a> {
    /// Fails where a weight has another number of numbers than the network says.
    pub fn new(graph: &'a Graph, values: &'a [Vec<f32>]) -> Result<Source<'a>, TensorError> {
        same("a network", "weights", graph.parameters.len(), values.len())?;
        for (parameter, values) in graph.parameters.iter().zip(values) {
            same("a network", "numbers of a weight", parameter.count(), values.len())?;
        }
        Ok(Source { values })
    }

    /// What a normalisation multiplies by and then adds, in double precision: (scale, term) for each channel.
    fn affine(&self, norm: &Normalise) -> Vec<(f64, f64)> {
        let of = |param: super::super::Param, channel: usize| f64::from(self.values[param.0][channel]);
        (0..self.values[norm.shift.0].len())
            .map(|channel| {
                let deviation = (of(norm.moments.1, channel) + f64::from(norm.epsilon)).sqrt();
                let scale = norm.scale.map_or(1.0, |scale| of(scale, channel)) / deviation;
                (scale, of(norm.shift, channel) - of(norm.moments.0, channel) * scale)
            })
            .collect()
    }

    /// The weights of one operation.
    pub fn prepare(&self, op: &Op) -> Prepared {
        match op {
            Op::Convolve { weight, out, sweep, groups, bias, norm, .. } => {
                let weight = &self.values[weight.0];
                let affine = match norm {
                    Some(norm) => self.affine(norm),
                    None => vec![(1.0, 0.0); *out],
                };
                let own = |channel: usize| bias.map_or(0.0, |bias| f64::from(self.values[bias.0][channel]));
                let term = |channel: usize| (own(channel) * affine[channel].0 + affine[channel].1) as f32;
                let bias: Vec<f32> = (0..*out).map(term).collect();
                let taps = sweep.kernel.0 * sweep.kernel.1;
                let inside = weight.len() / out / taps;
                let at = |channel: usize, tap: usize, from: usize| {
                    let number = f64::from(weight[(channel * inside + from) * taps + tap]);
                    (number * affine[channel].0) as f32
                };
                if inside == 1 && *groups == *out && *groups > 1 {
                    let taps = (0..taps).flat_map(|tap| (0..*out).map(move |channel| (tap, channel)));
                    let taps = taps.map(|(tap, channel)| at(channel, tap, 0)).collect();
                    return Prepared::Depthwise { taps, bias };
                }
                let own = out / groups;
                // Windows lie as pixels of channels, filters as channels of pixels.
                let group = |group: usize| {
                    Panels::new(own, inside * taps, |column, k| {
                        at(group * own + column, k / inside, k % inside)
                    })
                };
                Prepared::Product { groups: (0..*groups).map(group).collect(), bias }
            }
            Op::Dense { weight, out, bias, .. } => {
                let weight = &self.values[weight.0];
                let inside = weight.len() / out;
                let panels = Panels::new(*out, inside, |column, k| weight[column * inside + k]);
                let bias = bias.map_or_else(Vec::new, |bias| self.values[bias.0].clone());
                Prepared::Product { groups: vec![panels], bias }
            }
            Op::Normalise { norm, .. } => {
                let (factor, term) = self.affine(norm).into_iter().map(|(f, t)| (f as f32, t as f32)).unzip();
                Prepared::Affine { factor, term }
            }
            Op::Rescale { factor, term, .. } => {
                Prepared::Affine { factor: factor.clone(), term: term.clone() }
            }
            Op::LayerNorm { scale, shift, .. } => {
                Prepared::Affine { factor: self.values[scale.0].clone(), term: self.values[shift.0].clone() }
            }
            Op::LayerScale { factor, .. } => {
                Prepared::Affine { factor: self.values[factor.0].clone(), term: Vec::new() }
            }
            Op::Words { words, positions, .. } => Prepared::Affine {
                factor: self.values[words.0].clone(),
                term: self.values[positions.0].clone(),
            },
            Op::Tokens { class, positions, .. } => Prepared::Affine {
                factor: class.map_or_else(Vec::new, |class| self.values[class.0].clone()),
                term: self.values[positions.0].clone(),
            },
            _ => Prepared::Nothing,
        }
    }
}

impl Prepared {
    /// Numbers that it holds.
    pub fn size(&self) -> usize {
        match self {
            Prepared::Nothing => 0,
            Prepared::Product { groups, bias } => groups.iter().map(Panels::size).sum::<usize>() + bias.len(),
            Prepared::Depthwise { taps, bias } => taps.len() + bias.len(),
            Prepared::Affine { factor, term } => factor.len() + term.len(),
        }
    }
}
