//! Writing a network down, layer by layer, under the names that its weights have.

use super::graph::{Activation, First, Graph, Normalise, Op, Param, Parameter, Value};
use super::sweep::{Padding, Sweep};

/// A convolution with what stands behind it.
#[derive(Clone, Debug)]
pub struct Conv {
    out: usize,
    sweep: Sweep,
    groups: usize,
    bias: bool,
    norm: Option<(String, f32)>,
    activation: Activation,
}

impl Conv {
    /// `out` square filters of `side` pixels that move by one pixel, padded so that the image keeps its size.
    pub fn new(out: usize, side: usize) -> Conv {
        Conv {
            out,
            sweep: Sweep::square(side, 1, side / 2),
            groups: 1,
            bias: false,
            norm: None,
            activation: Activation::None,
        }
    }

    /// Filters of `kernel` (height, width) pixels, padded so that the image keeps its size.
    pub fn oblong(out: usize, kernel: (usize, usize)) -> Conv {
        let padding = Padding::Symmetric(kernel.0 / 2, kernel.1 / 2);
        Conv { sweep: Sweep { kernel, padding, ..Sweep::square(1, 1, 0) }, ..Conv::new(out, 1) }
    }

    /// Filters that move by `stride` pixels.
    #[must_use]
    pub fn stride(mut self, stride: usize) -> Conv {
        self.sweep.stride = (stride, stride);
        self
    }

    /// As many zeros beyond each edge.
    #[must_use]
    pub fn padding(mut self, padding: usize) -> Conv {
        self.sweep.padding = Padding::Symmetric(padding, padding);
        self
    }

    /// Padding as TensorFlow's `SAME` where the weights want it.
    #[must_use]
    pub fn same(mut self, same: bool) -> Conv {
        if same {
            self.sweep.padding = Padding::Same;
        }
        self
    }

    /// Groups of channels that do not see each other.
    #[must_use]
    pub fn groups(mut self, groups: usize) -> Conv {
        self.groups = groups;
        self
    }

    /// A bias.
    #[must_use]
    pub fn bias(mut self) -> Conv {
        self.bias = true;
        self
    }

    /// Batch normalisation behind, under this name.
    #[must_use]
    pub fn norm(mut self, name: impl Into<String>, epsilon: f32) -> Conv {
        self.norm = Some((name.into(), epsilon));
        self
    }

    /// An activation behind.
    #[must_use]
    pub fn then(mut self, activation: Activation) -> Conv {
        self.activation = activation;
        self
    }

    /// ReLU behind.
    #[must_use]
    pub fn relu(self) -> Conv {
        self.then(Activation::Relu)
    }
}

/// A dense layer with what stands behind it.
#[derive(Clone, Copy, Debug)]
pub struct Dense {
    out: usize,
    bias: bool,
    activation: Activation,
}

impl Dense {
    /// `out` outputs with a bias.
    pub fn new(out: usize) -> Dense {
        Dense { out, bias: true, activation: Activation::None }
    }

    /// Without a bias.
    #[must_use]
    pub fn without_bias(self) -> Dense {
        Dense { bias: false, ..self }
    }

    /// An activation behind.
    #[must_use]
    pub fn then(self, activation: Activation) -> Dense {
        Dense { activation, ..self }
    }
}

/// A network that is being written down.
#[derive(Clone, Debug)]
pub struct Builder {
    graph: Graph,
    /// Channels of each result.
    widths: Vec<usize>,
}

impl Builder {
    /// A network of images with as many channels, and these images.
    pub fn new(channels: usize) -> (Builder, Value) {
        let graph = Graph {
            channels,
            ops: vec![Op::Images],
            parameters: Vec::new(),
            cuts: Vec::new(),
            features: Value(0),
            logits: None,
        };
        (Builder { graph, widths: vec![channels] }, Value(0))
    }

    /// Channels of a result.
    pub fn width(&self, value: Value) -> usize {
        self.widths[value.0]
    }

    fn push(&mut self, op: Op, width: usize) -> Value {
        self.graph.ops.push(op);
        self.widths.push(width);
        Value(self.graph.ops.len() - 1)
    }

    /// Names a weight.
    pub fn parameter(
        &mut self,
        name: impl Into<String>,
        shape: &[usize],
        first: First,
        learned: bool,
    ) -> Param {
        self.graph.parameters.push(Parameter { name: name.into(), shape: shape.to_vec(), first, learned });
        Param(self.graph.parameters.len() - 1)
    }

    fn normalisation(&mut self, name: &str, channels: usize, epsilon: f32) -> Normalise {
        let mut part = |part: &str, first, learned| {
            self.parameter(format!("{name}.{part}"), &[channels], First::Constant(first), learned)
        };
        let (scale, shift) = (part("weight", 1.0, true), part("bias", 0.0, true));
        let moments = (part("running_mean", 0.0, false), part("running_var", 1.0, false));
        Normalise { scale: Some(scale), shift, moments, epsilon }
    }

    /// A convolution. Filters begin normal with variance 2 / fan-out (He et al. 2015), as torchvision's do.
    pub fn conv(&mut self, from: Value, name: &str, conv: Conv) -> Value {
        let Conv { out, sweep, groups, bias, norm, activation } = conv;
        let (inside, taps) = (self.width(from) / groups, sweep.kernel.0 * sweep.kernel.1);
        let deviation = (2.0 / (taps * out / groups) as f32).sqrt();
        let shape = [out, inside, sweep.kernel.0, sweep.kernel.1];
        let weight = self.parameter(format!("{name}.weight"), &shape, First::Normal(deviation), true);
        let bias = bias.then(|| self.parameter(format!("{name}.bias"), &[out], First::Constant(0.0), true));
        let norm = norm.map(|(name, epsilon)| self.normalisation(&name, out, epsilon));
        self.push(Op::Convolve { from, weight, out, sweep, groups, bias, norm, activation }, out)
    }

    /// Batch normalisation by itself, and an activation.
    pub fn norm(&mut self, from: Value, name: &str, epsilon: f32, activation: Activation) -> Value {
        let width = self.width(from);
        let norm = self.normalisation(name, width, epsilon);
        self.push(Op::Normalise { from, norm, activation }, width)
    }

    /// A dense layer. Its matrix begins normal with variance 1 / fan-in.
    pub fn dense(&mut self, from: Value, name: &str, dense: Dense) -> Value {
        let Dense { out, bias, activation } = dense;
        let inside = self.width(from);
        let deviation = 1.0 / (inside as f32).sqrt();
        let weight = self.parameter(format!("{name}.weight"), &[out, inside], First::Normal(deviation), true);
        let bias = bias.then(|| self.parameter(format!("{name}.bias"), &[out], First::Constant(0.0), true));
        self.push(Op::Dense { from, weight, out, bias, activation }, out)
    }

    /// The largest number of each window.
    pub fn max_pool(&mut self, from: Value, sweep: Sweep) -> Value {
        self.push(Op::MaxPool { from, sweep }, self.width(from))
    }

    /// The mean of each window; padding counts as zeros where `counts_padding`.
    pub fn mean_pool(&mut self, from: Value, sweep: Sweep, counts_padding: bool) -> Value {
        self.push(Op::MeanPool { from, sweep, counts_padding }, self.width(from))
    }

    /// Means over as many cells.
    pub fn adaptive_mean(&mut self, from: Value, to: (usize, usize)) -> Value {
        self.push(Op::AdaptiveMean { from, to }, self.width(from))
    }

    /// The mean of each channel over pixels or tokens, without the first `first`.
    pub fn mean(&mut self, from: Value, first: usize) -> Value {
        self.push(Op::Mean { from, first }, self.width(from))
    }

    /// All numbers of images of `pixels` pixels as channels.
    pub fn flatten(&mut self, from: Value, pixels: usize) -> Value {
        self.push(Op::Flatten { from }, self.width(from) * pixels)
    }

    /// Channels behind each other.
    pub fn concatenate(&mut self, parts: &[Value]) -> Value {
        let width = parts.iter().map(|part| self.width(*part)).sum();
        self.push(Op::Concatenate { parts: parts.to_vec() }, width)
    }

    /// A sum, and an activation.
    pub fn add(&mut self, left: Value, right: Value, activation: Activation) -> Value {
        self.push(Op::Add { left, right, activation }, self.width(left))
    }

    /// Each channel multiplied by one number of `gate`.
    pub fn gate(&mut self, from: Value, gate: Value) -> Value {
        self.push(Op::Gate { from, gate }, self.width(from))
    }

    /// Each channel of the images multiplied by `factor`, plus `term`.
    pub fn rescale(&mut self, from: Value, factor: Vec<f32>, term: Vec<f32>) -> Value {
        self.push(Op::Rescale { from, factor, term }, self.width(from))
    }

    /// Every `stride`-th pixel, with channels of zeros on both sides.
    pub fn subsample(&mut self, from: Value, stride: usize, zeros: (usize, usize)) -> Value {
        self.push(Op::Subsample { from, stride, zeros }, self.width(from) + zeros.0 + zeros.1)
    }

    /// Patches as tokens behind a class token, plus positions.
    pub fn tokens(
        &mut self,
        from: Value,
        class: Option<Param>,
        positions: Param,
        grid: (usize, usize),
    ) -> Value {
        self.push(Op::Tokens { from, class, positions, grid }, self.width(from))
    }

    /// Layer normalisation.
    pub fn layer_norm(&mut self, from: Value, name: &str, epsilon: f32) -> Value {
        let width = self.width(from);
        let scale = self.parameter(format!("{name}.weight"), &[width], First::Constant(1.0), true);
        let shift = self.parameter(format!("{name}.bias"), &[width], First::Constant(0.0), true);
        self.push(Op::LayerNorm { from, scale, shift, epsilon }, width)
    }

    /// Numbers of words as rows of a table of as many `channels`, plus positions.
    pub fn words(&mut self, from: Value, words: Param, positions: Param, channels: usize) -> Value {
        self.push(Op::Words { from, words, positions }, channels)
    }

    /// Attention on queries, keys and values behind each other; where it is `causal`, to what stands before.
    pub fn attend(&mut self, from: Value, heads: usize, causal: bool) -> Value {
        self.push(Op::Attend { from, heads, causal }, self.width(from) / 3)
    }

    /// Each channel multiplied by a learned number.
    pub fn layer_scale(&mut self, from: Value, factor: Param) -> Value {
        self.push(Op::LayerScale { from, factor }, self.width(from))
    }

    /// One token.
    pub fn token(&mut self, from: Value, index: usize) -> Value {
        self.push(Op::Token { from, index }, self.width(from))
    }

    /// The last token.
    pub fn last_token(&mut self, from: Value) -> Value {
        self.push(Op::LastToken { from }, self.width(from))
    }

    /// Gives a result a name at which the network may be cut.
    pub fn cut(&mut self, name: impl Into<String>, value: Value) {
        self.graph.cuts.push((name.into(), value));
    }

    /// The network, with its penultimate features and what the last layer makes of them.
    pub fn finish(mut self, features: Value, logits: Option<Value>) -> Graph {
        self.graph.features = features;
        self.graph.logits = logits;
        self.graph
    }
}
