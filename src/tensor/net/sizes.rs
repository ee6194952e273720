//! What comes out of each operation for images of one size, and what it costs.

use super::graph::{Graph, Op, Value};
use crate::tensor::TensorError;
use crate::tensor::error::same;

/// Sizes of a result for one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows of pixels, or tokens.
    pub height: usize,
    /// Pixels of a row; 1 for tokens.
    pub width: usize,
    /// Numbers of a pixel or token.
    pub channels: usize,
}

impl Size {
    /// Pixels or tokens.
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Numbers.
    pub fn count(&self) -> usize {
        self.pixels() * self.channels
    }
}

/// What a network costs for one image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Weights that are learned.
    pub parameters: usize,
    /// Multiplications of convolutions, dense layers and both products of attention.
    pub macs: u64,
    /// Layers with weights that are multiplied, on the longest way from the images.
    pub depth: usize,
    /// Numbers that all results hold together.
    pub activations: usize,
}

impl Graph {
    /// The sizes of all results for images of `image` (height, width) pixels.
    ///
    /// # Errors
    /// When the network cannot take images of this size.
    pub fn sizes(&self, image: (usize, usize)) -> Result<Vec<Size>, TensorError> {
        let mut sizes: Vec<Size> = Vec::with_capacity(self.ops.len());
        for op in &self.ops {
            let size = size_of(op, &sizes, self, image)?;
            sizes.push(size);
        }
        Ok(sizes)
    }

    /// The size of one result, of which only what it is made of must fit the image.
    ///
    /// # Errors
    /// As [`Graph::sizes`].
    pub fn size(&self, result: Value, image: (usize, usize)) -> Result<Size, TensorError> {
        let cut = Graph { ops: self.ops[..=result.0].to_vec(), ..self.clone() };
        let sizes = cut.sizes(image)?;
        Ok(sizes[result.0])
    }

    /// What the network costs up to a result, for an image of `image` (height, width) pixels.
    ///
    /// # Errors
    /// As [`Graph::sizes`].
    pub fn counts(&self, result: Value, image: (usize, usize)) -> Result<Counts, TensorError> {
        let cut = Graph { ops: self.ops[..=result.0].to_vec(), ..self.clone() };
        let sizes = cut.sizes(image)?;
        let needed = cut.needed(result);
        let mut counts = Counts::default();
        let mut depths = vec![0usize; cut.ops.len()];
        for (place, op) in cut.ops.iter().enumerate().filter(|(place, _)| needed[*place]) {
            let inputs = op.inputs();
            let multiplies = matches!(op, Op::Convolve { .. } | Op::Dense { .. });
            depths[place] = inputs.iter().map(|i| depths[i.0]).max().unwrap_or(0) + usize::from(multiplies);
            counts.macs += macs(op, &sizes, place) as u64;
            counts.activations += sizes[place].count();
            let used = cut.used(place).into_iter().map(|param| &cut.parameters[param.0]);
            counts.parameters += used.filter(|p| p.learned).map(|p| p.count()).sum::<usize>();
        }
        counts.depth = depths[result.0];
        Ok(counts)
    }
}

fn macs(op: &Op, sizes: &[Size], place: usize) -> usize {
    let out = sizes[place];
    match op {
        Op::Convolve { from, sweep, groups, .. } => {
            out.count() * sizes[from.0].channels / groups * sweep.kernel.0 * sweep.kernel.1
        }
        Op::Dense { from, .. } => out.count() * sizes[from.0].channels,
        Op::Attend { .. } => 2 * out.pixels() * out.pixels() * out.channels,
        _ => 0,
    }
}

fn size_of(op: &Op, sizes: &[Size], graph: &Graph, image: (usize, usize)) -> Result<Size, TensorError> {
    let of = |value: &Value| sizes[value.0];
    let swept = |operation, from: &Value, sweep: &super::Sweep, channels| {
        let size = of(from);
        let (height, width) = sweep.on(operation, (size.height, size.width))?.places;
        Ok(Size { height, width, channels })
    };
    Ok(match op {
        Op::Images => Size { height: image.0, width: image.1, channels: graph.channels },
        Op::Convolve { from, sweep, out, .. } => swept("a convolution", from, sweep, *out)?,
        Op::MaxPool { from, sweep } => swept("max pooling", from, sweep, of(from).channels)?,
        Op::MeanPool { from, sweep, .. } => swept("mean pooling", from, sweep, of(from).channels)?,
        Op::Dense { from, out, weight, .. } => {
            let inside = graph.parameters[weight.0].shape[1];
            same("a dense layer", "numbers of an image", inside, of(from).channels)?;
            Size { channels: *out, ..of(from) }
        }
        Op::AdaptiveMean { to, from } => Size { height: to.0, width: to.1, ..of(from) },
        Op::Mean { from, .. } | Op::Token { from, .. } | Op::LastToken { from } => {
            Size { height: 1, width: 1, ..of(from) }
        }
        Op::Flatten { from } => Size { height: 1, width: 1, channels: of(from).count() },
        Op::Concatenate { parts } => {
            let first = of(&parts[0]);
            for part in parts {
                same("a concatenation", "pixels", first.pixels(), of(part).pixels())?;
            }
            Size { channels: parts.iter().map(|part| of(part).channels).sum(), ..first }
        }
        Op::Add { left, right, .. } => {
            same("a sum", "numbers", of(left).count(), of(right).count())?;
            of(left)
        }
        Op::Subsample { from, stride, zeros } => {
            let size = of(from);
            Size {
                height: size.height.div_ceil(*stride),
                width: size.width.div_ceil(*stride),
                channels: size.channels + zeros.0 + zeros.1,
            }
        }
        Op::Tokens { from, class, grid, .. } => {
            let size = of(from);
            same("an encoder of patches", "rows of patches", grid.0, size.height)?;
            same("an encoder of patches", "columns of patches", grid.1, size.width)?;
            Size { height: size.pixels() + usize::from(class.is_some()), width: 1, ..size }
        }
        Op::Words { from, words, positions } => {
            let size = of(from);
            same("a table of words", "channels of a number", 1, size.channels)?;
            let shape = |param: &super::Param| &graph.parameters[param.0].shape;
            let (longest, channels) = (shape(positions)[1], shape(words)[2]);
            same("a table of positions", "tokens that have one", size.pixels(), size.pixels().min(longest))?;
            Size { height: size.pixels(), width: 1, channels }
        }
        Op::Attend { from, .. } => Size { channels: of(from).channels / 3, ..of(from) },
        Op::Rescale { from, .. }
        | Op::Normalise { from, .. }
        | Op::Gate { from, .. }
        | Op::LayerNorm { from, .. }
        | Op::LayerScale { from, .. } => of(from),
    })
}
