//! Transformer blocks (Vaswani et al. 2017), under timm's names: queries, keys and values are one layer.

use crate::tensor::net::{Activation, Builder, Dense, First, Graph, Op, Value};

/// Which token, or mean of tokens, becomes features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The class token, normalised.
    Class,
    /// The mean of the normalised tokens of patches.
    Mean,
    /// The mean of the tokens of patches, normalised: timm's `fc_norm`.
    MeanNorm,
}

impl Pool {
    pub(super) const ALL: [(&'static str, Pool); 3] =
        [("class", Pool::Class), ("mean", Pool::Mean), ("mean-norm", Pool::MeanNorm)];

    pub(super) fn name(self) -> &'static str {
        Pool::ALL.iter().find(|(_, pool)| *pool == self).map_or("class", |(name, _)| name)
    }
}

/// The sizes of a transformer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoder {
    /// Height and width of a patch in pixels.
    pub patch: usize,
    /// Numbers of a token.
    pub hidden: usize,
    /// Blocks.
    pub depth: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Numbers between the two layers behind attention.
    pub middle: usize,
    /// The activation between them.
    pub activation: Activation,
    /// Numbers onto which the features are projected; 0 where they are not.
    pub projection: usize,
    /// Which tokens become features.
    pub pool: Pool,
}

/// Names of activations as configurations have them.
pub(in crate::backbone) const ACTIVATIONS: [(&str, Activation); 6] = [
    ("gelu", Activation::Gelu),
    ("quick_gelu", Activation::QuickGelu),
    ("gelu_new", Activation::GeluTanh),
    ("gelu_pytorch_tanh", Activation::GeluTanh),
    ("gelu_fast", Activation::GeluTanh),
    ("relu", Activation::Relu),
];

/// What the blocks of one network have in common.
#[derive(Clone, Copy, Debug)]
pub(in crate::backbone) struct Blocks {
    pub heads: usize,
    pub middle: usize,
    pub activation: Activation,
    pub epsilon: f32,
    /// Whether a token sees only what stands before it.
    pub causal: bool,
    /// Whether what is added is scaled by a learned factor for each channel (Touvron et al. 2021).
    pub scaled: bool,
}

impl Blocks {
    /// A block with a normalisation before each half.
    pub fn before(&self, net: &mut Builder, x: Value, at: &str) -> Value {
        let y = net.layer_norm(x, &format!("{at}.norm1"), self.epsilon);
        let y = self.attention(net, y, at);
        let y = self.scale(net, y, &format!("{at}.ls1.gamma"));
        let x = net.add(y, x, Activation::None);
        let y = net.layer_norm(x, &format!("{at}.norm2"), self.epsilon);
        let y = self.wide(net, y, at);
        let y = self.scale(net, y, &format!("{at}.ls2.gamma"));
        net.add(y, x, Activation::None)
    }

    /// A block with a normalisation behind each half, as BERT's.
    pub fn behind(&self, net: &mut Builder, x: Value, at: &str) -> Value {
        let y = self.attention(net, x, at);
        let y = net.add(y, x, Activation::None);
        let x = net.layer_norm(y, &format!("{at}.norm1"), self.epsilon);
        let y = self.wide(net, x, at);
        let y = net.add(y, x, Activation::None);
        net.layer_norm(y, &format!("{at}.norm2"), self.epsilon)
    }

    fn attention(&self, net: &mut Builder, x: Value, at: &str) -> Value {
        let width = net.width(x);
        let joint = net.dense(x, &format!("{at}.attn.qkv"), Dense::new(3 * width));
        let gathered = net.attend(joint, self.heads, self.causal);
        net.dense(gathered, &format!("{at}.attn.proj"), Dense::new(width))
    }

    fn wide(&self, net: &mut Builder, x: Value, at: &str) -> Value {
        let width = net.width(x);
        let wide = Dense::new(self.middle).then(self.activation);
        let y = net.dense(x, &format!("{at}.mlp.fc1"), wide);
        net.dense(y, &format!("{at}.mlp.fc2"), Dense::new(width))
    }

    fn scale(&self, net: &mut Builder, x: Value, name: &str) -> Value {
        if !self.scaled {
            return x;
        }
        let factor = net.parameter(name, &[net.width(x)], First::Constant(1.0), true);
        net.layer_scale(x, factor)
    }
}

/// A network that ends at the tokens `from`, pooled.
pub(super) fn pooled(graph: Graph, from: Value, pool: Pool) -> Graph {
    match pool {
        Pool::Class => graph.reading(Op::Token { from, index: 0 }),
        Pool::Mean | Pool::MeanNorm => graph.reading(Op::Mean { from, first: 1 }),
    }
}
