//! How a window moves over an image, and how large the result is.

use crate::tensor::error::{TensorError, same};

/// Sizes of images: (batch, height, width, channels).
pub(super) type Shape = (usize, usize, usize, usize);

/// A window that moves over an image, as (vertical, horizontal) sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width in pixels.
    pub kernel: (usize, usize),
    /// Pixels from one place to the next.
    pub stride: (usize, usize),
    /// Pixels that the image is thought to have beyond each edge.
    pub padding: (usize, usize),
    /// Whether a last place that only partly lies on the image counts (rounding up), as torch's `ceil_mode`.
    pub ceil: bool,
}

impl Window {
    /// A square window that moves by its own side, without padding: the usual pooling.
    pub fn tiles(side: usize) -> Window {
        Window { kernel: (side, side), stride: (side, side), padding: (0, 0), ceil: false }
    }

    /// A window as large as an image of `image` (height, width) pixels, with one place on it.
    pub fn whole(image: (usize, usize)) -> Window {
        Window { kernel: image, stride: (1, 1), padding: (0, 0), ceil: false }
    }

    /// A square window that moves by `stride` over an image with `padding`.
    pub fn square(side: usize, stride: usize, padding: usize) -> Window {
        Window { kernel: (side, side), stride: (stride, stride), padding: (padding, padding), ceil: false }
    }

    /// Places of the window over an image of `image` (height, width) pixels.
    ///
    /// # Errors
    /// When a size is zero, or the window does not fit onto the padded image even once.
    pub fn places(
        &self,
        operation: &'static str,
        image: (usize, usize),
    ) -> Result<(usize, usize), TensorError> {
        let axis = |kernel, stride, padding, size| {
            places(kernel, stride, padding, size, self.ceil).ok_or(TensorError::Window {
                operation,
                kernel: self.kernel,
                stride: self.stride,
                padding: self.padding,
                image,
            })
        };
        let height = axis(self.kernel.0, self.stride.0, self.padding.0, image.0)?;
        Ok((height, axis(self.kernel.1, self.stride.1, self.padding.1, image.1)?))
    }
}

fn places(kernel: usize, stride: usize, padding: usize, size: usize, ceil: bool) -> Option<usize> {
    let span = (size + 2 * padding).checked_sub(kernel)?;
    if kernel == 0 || stride == 0 || size == 0 {
        return None;
    }
    let count = if ceil { span.div_ceil(stride) } else { span / stride } + 1;
    // A place that begins in the padding behind the image would see nothing of it.
    Some(if ceil && (count - 1) * stride >= size + padding { count - 1 } else { count })
}

/// Fails unless there is at least one image and one channel.
pub(super) fn filled(operation: &'static str, shape: Shape) -> Result<(), TensorError> {
    same(operation, "at least this many images", 1, shape.0.min(1))?;
    same(operation, "at least this many channels", 1, shape.3.min(1))
}

/// How the filters of a convolution move and which channels each sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Pixels from one place to the next (vertical, horizontal).
    pub stride: (usize, usize),
    /// Zeros beyond each edge (vertical, horizontal).
    pub padding: (usize, usize),
    /// Groups of channels that do not see each other; divides the channels in and out.
    pub groups: usize,
}

impl Convolution {
    /// Filters that move by one pixel over an image with `padding` zeros around it.
    pub fn padded(padding: usize) -> Convolution {
        Convolution { stride: (1, 1), padding: (padding, padding), groups: 1 }
    }

    /// The window of filters of these sizes.
    pub(super) fn window(&self, kernel: (usize, usize)) -> Window {
        Window { kernel, stride: self.stride, padding: self.padding, ceil: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_places_is_that_of_torch() {
        let of = |window: Window, side| window.places("pooling", (side, side)).map(|p| p.0).ok();
        assert_eq!(of(Window::tiles(2), 7), Some(3));
        assert_eq!(of(Window { ceil: true, ..Window::tiles(2) }, 7), Some(4));
        assert_eq!(of(Window::square(3, 1, 1), 7), Some(7));
        assert_eq!(of(Window::square(3, 2, 1), 8), Some(4));
        // A fourth place would begin behind the image.
        assert_eq!(of(Window { ceil: true, ..Window::square(2, 3, 1) }, 7), Some(3));
        assert_eq!((of(Window::tiles(3), 2), of(Window::square(2, 0, 0), 4)), (None, None));
    }

    #[test]
    fn a_window_that_does_not_fit_is_one_sentence() {
        let error = Window::tiles(3).places("max pooling", (2, 5)).unwrap_err();
        let text = "max pooling with a window of 3×3, stride 3×3 and padding 0×0 does not fit an image of 2×5 pixels";
        assert_eq!(error.to_string(), text);
    }
}
