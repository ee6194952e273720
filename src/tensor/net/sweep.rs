//! How a window moves over an image in a network from elsewhere: torch's padding or TensorFlow's, rounding down or up.

use crate::tensor::TensorError;

/// What lies beyond the edges of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// As many pixels beyond each edge, vertical and horizontal: as PyTorch pads.
    Symmetric(usize, usize),
    /// As many as make `ceil(size / stride)` places, the odd one below and right: as TensorFlow's `SAME` pads.
    Same,
}

/// A window that moves over an image, as (vertical, horizontal) sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// Height and width in pixels.
    pub kernel: (usize, usize),
    /// Pixels from one place to the next.
    pub stride: (usize, usize),
    /// What lies beyond the edges.
    pub padding: Padding,
    /// Whether a last place that only partly lies on the image counts (rounding up), as torch's `ceil_mode`.
    pub ceil: bool,
}

/// Where the places of a window lie on images of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Places (vertical, horizontal).
    pub places: (usize, usize),
    /// Pixels beyond the upper and the left edge.
    pub before: (usize, usize),
    /// Pixels beyond the lower and the right edge that count as padding; a place may begin no later.
    pub after: (usize, usize),
}

impl Sweep {
    /// A square window that moves by `stride` over an image with `padding` pixels beyond each edge.
    pub fn square(side: usize, stride: usize, padding: usize) -> Sweep {
        Sweep {
            kernel: (side, side),
            stride: (stride, stride),
            padding: Padding::Symmetric(padding, padding),
            ceil: false,
        }
    }

    /// The same window, where the last place may lie only partly on the image.
    #[must_use]
    pub fn rounded_up(self) -> Sweep {
        Sweep { ceil: true, ..self }
    }

    /// Whether each place is one pixel, and each pixel a place.
    pub fn is_pointwise(&self) -> bool {
        let padded = matches!(self.padding, Padding::Symmetric(v, h) if v + h > 0);
        self.kernel == (1, 1) && self.stride == (1, 1) && !padded
    }

    /// Where the window lies on images of `image` (height, width) pixels.
    ///
    /// # Errors
    /// When a size is zero, or the window does not fit onto the padded image even once.
    pub fn on(&self, operation: &'static str, image: (usize, usize)) -> Result<Placed, TensorError> {
        let (vertical, horizontal) = match self.padding {
            Padding::Symmetric(vertical, horizontal) => (Some(vertical), Some(horizontal)),
            Padding::Same => (None, None),
        };
        let refused = || TensorError::Window {
            operation,
            kernel: self.kernel,
            stride: self.stride,
            padding: (vertical.unwrap_or(0), horizontal.unwrap_or(0)),
            image,
        };
        let down = axis(self.kernel.0, self.stride.0, vertical, image.0, self.ceil).ok_or_else(refused)?;
        let across =
            axis(self.kernel.1, self.stride.1, horizontal, image.1, self.ceil).ok_or_else(refused)?;
        Ok(Placed { places: (down.0, across.0), before: (down.1, across.1), after: (down.2, across.2) })
    }
}

/// Places along one axis, and the pixels before and behind the image.
fn axis(
    kernel: usize,
    stride: usize,
    padding: Option<usize>,
    size: usize,
    ceil: bool,
) -> Option<(usize, usize, usize)> {
    if kernel == 0 || stride == 0 || size == 0 {
        return None;
    }
    let Some(padding) = padding else {
        let places = size.div_ceil(stride);
        let total = ((places - 1) * stride + kernel).saturating_sub(size);
        return Some((places, total / 2, total - total / 2));
    };
    let span = (size + 2 * padding).checked_sub(kernel)?;
    let count = if ceil { span.div_ceil(stride) } else { span / stride } + 1;
    // A place that begins in the padding behind the image would see nothing of it.
    let count = if ceil && (count - 1) * stride >= size + padding { count - 1 } else { count };
    Some((count, padding, padding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_is_that_of_tensorflow() {
        let sweep = Sweep { padding: Padding::Same, ..Sweep::square(3, 2, 0) };
        let even = sweep.on("a convolution", (224, 6)).unwrap();
        assert_eq!((even.places, even.before, even.after), ((112, 3), (0, 0), (1, 1)));
        let odd = sweep.on("a convolution", (7, 7)).unwrap();
        assert_eq!((odd.places, odd.before, odd.after), ((4, 4), (1, 1), (1, 1)));
    }

    #[test]
    fn torch_rounds_down_or_up_and_never_places_a_window_behind_the_image() {
        let places = |sweep: Sweep, side| sweep.on("pooling", (side, side)).map(|p| p.places.0).ok();
        assert_eq!(places(Sweep::square(3, 2, 1), 8), Some(4));
        assert_eq!(places(Sweep::square(3, 2, 0), 8), Some(3));
        assert_eq!(places(Sweep::square(3, 2, 0).rounded_up(), 8), Some(4));
        assert_eq!(places(Sweep::square(2, 3, 1).rounded_up(), 7), Some(3));
        assert_eq!(places(Sweep::square(3, 1, 0), 2), None);
    }
}
