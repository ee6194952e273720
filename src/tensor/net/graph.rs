//! The description of a network: operations in the order in which they are computed, and the weights that they name.

use super::sweep::Sweep;
use crate::tensor::TensorError;

/// The result of an operation, by the place of the operation in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(pub(super) usize);

impl Value {
    /// Its place among [`Graph::ops`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// A tensor of weights, by its place among the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Param(pub(super) usize);

impl Param {
    /// Its place among [`Graph::parameters`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// What is done to each number of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    #[default]
    None,
    /// `max(0, x)`.
    Relu,
    /// `min(max(0, x), 6)`.
    Relu6,
    /// `max(x, x / 10)`.
    LeakyRelu,
    /// `x · min(max(0, x + 3), 6) / 6` (Howard et al. 2019).
    HardSwish,
    /// `min(max(0, x + 3), 6) / 6`.
    HardSigmoid,
    /// `x · Φ(x)` by the error function (Hendrycks and Gimpel 2016).
    Gelu,
    /// Its approximation by a hyperbolic tangent, which GPT-2 was trained with.
    GeluTanh,
    /// `x · σ(1.702 x)`, the approximation that CLIP was trained with.
    QuickGelu,
}

/// Batch normalisation by running moments, or layer normalisation where there are none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalise {
    /// What the normalised numbers are multiplied by; 1 where there is none.
    pub scale: Option<Param>,
    /// What is then added.
    pub shift: Param,
    /// Running mean and variance.
    pub moments: (Param, Param),
    /// What is added to the variance.
    pub epsilon: f32,
}

/// One step of a network.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The images, once.
    Images,
    /// Each channel of the images multiplied and moved: a preprocessing that the network does itself.
    Rescale {
        /// What is rescaled.
        from: Value,
        /// Factor of each channel.
        factor: Vec<f32>,
        /// What is then added to each channel.
        term: Vec<f32>,
    },
    /// Filters (out, in per group, height, width), a bias or a normalisation, an activation.
    Convolve {
        /// What is convolved.
        from: Value,
        /// The filters.
        weight: Param,
        /// Their number.
        out: usize,
        /// How they move.
        sweep: Sweep,
        /// Groups of channels that do not see each other.
        groups: usize,
        /// What is added to each channel.
        bias: Option<Param>,
        /// The normalisation behind.
        norm: Option<Normalise>,
        /// The activation behind that.
        activation: Activation,
    },
    /// A normalisation by itself.
    Normalise {
        /// What is normalised.
        from: Value,
        /// By what.
        norm: Normalise,
        /// The activation behind.
        activation: Activation,
    },
    /// A matrix (out, in) and a bias, at each pixel or token.
    Dense {
        /// What is multiplied.
        from: Value,
        /// The matrix.
        weight: Param,
        /// Its rows.
        out: usize,
        /// What is added to each channel.
        bias: Option<Param>,
        /// The activation behind.
        activation: Activation,
    },
    /// The largest number of each window; padding is never the largest.
    MaxPool {
        /// What is pooled.
        from: Value,
        /// The window.
        sweep: Sweep,
    },
    /// The mean of each window.
    MeanPool {
        /// What is pooled.
        from: Value,
        /// The window.
        sweep: Sweep,
        /// Whether padding counts as zeros.
        counts_padding: bool,
    },
    /// Means over as many cells as `to` (height, width) says, whatever the size of the image.
    AdaptiveMean {
        /// What is pooled.
        from: Value,
        /// Cells (vertical, horizontal).
        to: (usize, usize),
    },
    /// The mean of each channel, over the pixels or tokens from `first` on.
    Mean {
        /// Of what.
        from: Value,
        /// The first pixel that counts.
        first: usize,
    },
    /// All numbers of an image as the channels of one pixel: channels, then rows, as torch flattens.
    Flatten {
        /// What is flattened.
        from: Value,
    },
    /// Channels of several results behind each other.
    Concatenate {
        /// The results.
        parts: Vec<Value>,
    },
    /// The sum of two results, and an activation.
    Add {
        /// One.
        left: Value,
        /// The other.
        right: Value,
        /// The activation of the sum.
        activation: Activation,
    },
    /// Each channel of an image multiplied by one number.
    Gate {
        /// The image.
        from: Value,
        /// One number for each channel.
        gate: Value,
    },
    /// Every `stride`-th pixel, with channels of zeros on both sides (He et al. 2016, option A).
    Subsample {
        /// Of what.
        from: Value,
        /// Pixels from one that is taken to the next.
        stride: usize,
        /// Channels before and behind.
        zeros: (usize, usize),
    },
    /// Pixels as tokens, behind a learned one where there is one, plus learned positions (tokens, channels).
    Tokens {
        /// The map of patches.
        from: Value,
        /// The token in front of them.
        class: Option<Param>,
        /// The positions.
        positions: Param,
        /// Patches for which there are positions (vertical, horizontal).
        grid: (usize, usize),
    },
    /// Layer normalisation of each token.
    LayerNorm {
        /// Of what.
        from: Value,
        /// Factor of each channel.
        scale: Param,
        /// What is then added.
        shift: Param,
        /// What is added to the variance.
        epsilon: f32,
    },
    /// Whole numbers as rows of a table, plus learned positions (tokens, channels).
    Words {
        /// One channel with the number of a word for each token.
        from: Value,
        /// The table.
        words: Param,
        /// The positions.
        positions: Param,
    },
    /// Attention of tokens to tokens (Vaswani et al. 2017) on queries, keys and values behind each other.
    Attend {
        /// (tokens, 3 · channels).
        from: Value,
        /// Heads.
        heads: usize,
        /// Whether a token sees only itself and what stands before it.
        causal: bool,
    },
    /// Each channel multiplied by a learned number.
    LayerScale {
        /// What is scaled.
        from: Value,
        /// The numbers.
        factor: Param,
    },
    /// One token.
    Token {
        /// Of these.
        from: Value,
        /// Its number.
        index: usize,
    },
    /// The last token.
    LastToken {
        /// Of these.
        from: Value,
    },
}

impl Op {
    /// The results that it is made of.
    pub fn inputs(&self) -> Vec<Value> {
        match self {
            Op::Images => Vec::new(),
            Op::Concatenate { parts } => parts.clone(),
            Op::Add { left, right, .. } => vec![*left, *right],
            Op::Gate { from, gate } => vec![*from, *gate],
            Op::Rescale { from, .. }
            | Op::Convolve { from, .. }
            | Op::Normalise { from, .. }
            | Op::Dense { from, .. }
            | Op::MaxPool { from, .. }
            | Op::MeanPool { from, .. }
            | Op::AdaptiveMean { from, .. }
            | Op::Mean { from, .. }
            | Op::Flatten { from }
            | Op::Subsample { from, .. }
            | Op::Tokens { from, .. }
            | Op::LayerNorm { from, .. }
            | Op::Attend { from, .. }
            | Op::LayerScale { from, .. }
            | Op::Words { from, .. }
            | Op::Token { from, .. }
            | Op::LastToken { from } => vec![*from],
        }
    }
}

impl Op {
    /// The same on other results and weights.
    fn mapped(&self, value: &impl Fn(Value) -> Value, param: &impl Fn(Param) -> Param) -> Op {
        let mut op = self.clone();
        let norm = |norm: &mut Normalise| {
            norm.scale = norm.scale.map(param);
            norm.shift = param(norm.shift);
            norm.moments = (param(norm.moments.0), param(norm.moments.1));
        };
        match &mut op {
            Op::Images => {}
            Op::Concatenate { parts } => parts.iter_mut().for_each(|part| *part = value(*part)),
            Op::Add { left, right, .. } => (*left, *right) = (value(*left), value(*right)),
            Op::Gate { from, gate } => (*from, *gate) = (value(*from), value(*gate)),
            Op::Convolve { from, weight, bias, norm: behind, .. } => {
                (*from, *weight, *bias) = (value(*from), param(*weight), bias.map(param));
                behind.iter_mut().for_each(norm);
            }
            Op::Normalise { from, norm: by, .. } => {
                *from = value(*from);
                norm(by);
            }
            Op::Dense { from, weight, bias, .. } => {
                (*from, *weight, *bias) = (value(*from), param(*weight), bias.map(param));
            }
            Op::Tokens { from, class, positions, .. } => {
                (*from, *class, *positions) = (value(*from), class.map(param), param(*positions));
            }
            Op::LayerNorm { from, scale, shift, .. } => {
                (*from, *scale, *shift) = (value(*from), param(*scale), param(*shift));
            }
            Op::LayerScale { from, factor } => (*from, *factor) = (value(*from), param(*factor)),
            Op::Rescale { from, .. }
            | Op::MaxPool { from, .. }
            | Op::MeanPool { from, .. }
            | Op::AdaptiveMean { from, .. }
            | Op::Mean { from, .. }
            | Op::Flatten { from }
            | Op::Subsample { from, .. }
            | Op::Attend { from, .. }
            | Op::Token { from, .. }
            | Op::LastToken { from } => *from = value(*from),
            Op::Words { from, words, positions } => {
                (*from, *words, *positions) = (value(*from), param(*words), param(*positions));
            }
        }
        op
    }
}

/// The upper part of a network: what is above a cut.
#[derive(Clone, Debug, PartialEq)]
pub struct Above {
    /// A network whose images are what comes out at the cut.
    pub graph: Graph,
    /// Of each of its weights the place among those of the whole network.
    pub from: Vec<usize>,
}

/// The row of a number in a table of as many rows.
pub(super) fn known_word(number: f32, rows: usize) -> Result<usize, TensorError> {
    let row = number as usize;
    if row as f32 == number && row < rows {
        Ok(row)
    } else {
        Err(TensorError::NoSuchItem { item: row, rows })
    }
}

/// The first value of a weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum First {
    /// Normal with this deviation.
    Normal(f32),
    /// All the same.
    Constant(f32),
}

/// A tensor of weights: its name in files, its shape, and how it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, as its source has it.
    pub name: String,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Its first value.
    pub first: First,
    /// Whether it is learned by gradients; running moments are not.
    pub learned: bool,
}

impl Parameter {
    /// Its numbers.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

/// A network: operations, weights, and the results that have names.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    pub(super) channels: usize,
    pub(super) ops: Vec<Op>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) cuts: Vec<(String, Value)>,
    pub(super) features: Value,
    pub(super) logits: Option<Value>,
}

impl Graph {
    /// Channels of the images.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The operations, in the order in which they are computed.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// The weights, in the order in which they are named.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Results by name, at which the network may be cut, from the images on.
    pub fn cuts(&self) -> &[(String, Value)] {
        &self.cuts
    }

    /// The penultimate features.
    pub fn features(&self) -> Value {
        self.features
    }

    /// What the last layer makes of them, where there is one.
    pub fn logits(&self) -> Option<Value> {
        self.logits
    }

    /// The same network with some operations replaced, such as a pooling that rounds otherwise. What an operation reads and the
    /// weights that it names must stay.
    #[must_use]
    pub fn with(&self, change: impl Fn(&Op) -> Op) -> Graph {
        Graph { ops: self.ops.iter().map(change).collect(), ..self.clone() }
    }

    /// The same with the mean over the pixels or tokens of a result behind all else, and that mean.
    #[must_use]
    pub fn averaged(mut self, result: Value) -> (Graph, Value) {
        if let Op::Mean { .. } | Op::Flatten { .. } | Op::Token { .. } | Op::LastToken { .. } =
            self.ops[result.0]
        {
            return (self, result);
        }
        self.ops.push(Op::Mean { from: result, first: 0 });
        let mean = Value(self.ops.len() - 1);
        (self, mean)
    }

    /// The same network with one more operation behind all others, the result of which is the features.
    #[must_use]
    pub fn reading(mut self, op: Op) -> Graph {
        self.ops.push(op);
        self.features = Value(self.ops.len() - 1);
        self
    }

    /// Which operations a result is made of, itself among them.
    pub fn needed(&self, result: Value) -> Vec<bool> {
        let mut needed = vec![false; self.ops.len()];
        needed[result.0] = true;
        for place in (0..=result.0).rev() {
            if needed[place] {
                self.ops[place].inputs().iter().for_each(|input| needed[input.0] = true);
            }
        }
        needed
    }

    /// What is above `cut` up to `result`, as a network of images of `channels` channels; nothing where the result also
    /// depends on something below by another way than the cut.
    pub fn above(&self, cut: Value, channels: usize, result: Value) -> Option<Above> {
        let needed = Graph { ops: self.cut_off(cut), ..self.clone() }.needed(result);
        if cut > result || needed[..cut.0].contains(&true) {
            return None;
        }
        let (mut values, mut params) =
            (vec![Value(0); self.ops.len()], vec![Param(0); self.parameters.len()]);
        let (mut ops, mut from) = (vec![Op::Images], Vec::new());
        for place in (cut.0 + 1..=result.0).filter(|place| needed[*place]) {
            for param in self.used(place) {
                if !from.contains(&param.0) {
                    params[param.0] = Param(from.len());
                    from.push(param.0);
                }
            }
            values[place] = Value(ops.len());
            ops.push(self.ops[place].mapped(&|value| values[value.0], &|param| params[param.0]));
        }
        let above = |(_, value): &&(String, Value)| *value >= cut && *value <= result && needed[value.0];
        let graph = Graph {
            channels,
            ops,
            parameters: from.iter().map(|place| self.parameters[*place].clone()).collect(),
            cuts: self.cuts.iter().filter(above).map(|(name, v)| (name.clone(), values[v.0])).collect(),
            features: values[result.0],
            logits: None,
        };
        Some(Above { graph, from })
    }

    /// The operations, with that at the cut made of nothing below.
    fn cut_off(&self, cut: Value) -> Vec<Op> {
        let place = |(place, op): (usize, &Op)| if place == cut.0 { Op::Images } else { op.clone() };
        self.ops.iter().enumerate().map(place).collect()
    }

    /// The weights that an operation uses.
    pub fn used(&self, place: usize) -> Vec<Param> {
        let norm = |norm: &Normalise| {
            norm.scale.into_iter().chain([norm.shift, norm.moments.0, norm.moments.1]).collect::<Vec<_>>()
        };
        match &self.ops[place] {
            Op::Convolve { weight, bias, norm: behind, .. } => {
                let behind = behind.as_ref().map(norm).unwrap_or_default();
                [*weight].into_iter().chain(*bias).chain(behind).collect()
            }
            Op::Normalise { norm: by, .. } => norm(by),
            Op::Dense { weight, bias, .. } => [*weight].into_iter().chain(*bias).collect(),
            Op::Tokens { class, positions, .. } => class.iter().copied().chain([*positions]).collect(),
            Op::Words { words, positions, .. } => vec![*words, *positions],
            Op::LayerNorm { scale, shift, .. } => vec![*scale, *shift],
            Op::LayerScale { factor, .. } => vec![*factor],
            _ => Vec::new(),
        }
    }
}
