//! Images laid out so that the windows of a convolution are runs of numbers: padded with zeros, or unfolded where the
//! runs would be short.

use super::product::Windows;
use super::window::Window;

/// A run shorter than this is not worth the bookkeeping; such windows are copied one by one.
const SHORT: usize = 16;

/// Pixels that are multiplied at a time: small images are taken several together.
const PIXELS: usize = 192;

/// The layout of frames for images of one size.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    height: usize,
    width: usize,
    channels: usize,
    window: Window,
    /// Places of the window (vertical, horizontal).
    pub places: (usize, usize),
    unfolded: bool,
    /// Numbers of the frame of one image.
    size: usize,
    /// Images of a unit.
    pub unit: usize,
    bases: Vec<usize>,
    offsets: Vec<usize>,
    run: usize,
    /// Channels that one window sees.
    group: usize,
}

impl Layout {
    /// Frames of images (height, width, channels) for a window with `places`; its channels lie in `groups`.
    pub fn new(
        (height, width, channels): (usize, usize, usize),
        window: Window,
        places: (usize, usize),
        groups: usize,
    ) -> Layout {
        let unfolded = groups == 1 && window.kernel.1 * channels < SHORT;
        Layout::build((height, width, channels), window, places, groups, unfolded)
    }

    fn build(
        (height, width, channels): (usize, usize, usize),
        window: Window,
        places: (usize, usize),
        groups: usize,
        unfolded: bool,
    ) -> Layout {
        let (kernel, stride, padding) = (window.kernel, window.stride, window.padding);
        let group = channels / groups;
        let unit = (PIXELS / (places.0 * places.1)).max(1);
        let whole = kernel.0 * kernel.1 * channels;
        let row = (width + 2 * padding.1) * channels;
        let size = if unfolded { places.0 * places.1 * whole } else { (height + 2 * padding.0) * row };
        let mut bases = Vec::with_capacity(unit * places.0 * places.1);
        for image in 0..unit {
            for place in 0..places.0 * places.1 {
                let (y, x) = (place / places.1, place % places.1);
                let inside = y * stride.0 * row + x * stride.1 * channels;
                bases.push(image * size + if unfolded { place * whole } else { inside });
            }
        }
        let (offsets, run) = if unfolded {
            (vec![0], whole)
        } else if groups == 1 {
            ((0..kernel.0).map(|y| y * row).collect(), kernel.1 * channels)
        } else {
            let taps = (0..kernel.0).flat_map(|y| (0..kernel.1).map(move |x| y * row + x * channels));
            (taps.collect(), group)
        };
        Layout { height, width, channels, window, places, unfolded, size, unit, bases, offsets, run, group }
    }

    /// Places of the window on one image.
    pub fn pixels(&self) -> usize {
        self.places.0 * self.places.1
    }

    /// Numbers of one image.
    pub fn image(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Numbers of a window that one group of filters sees.
    pub fn inner(&self) -> usize {
        self.offsets.len() * self.run
    }

    /// A workspace for the frames of a unit, all zero.
    pub fn frames(&self) -> Vec<f32> {
        vec![0.0; self.unit * self.size]
    }

    /// Lays out at most a unit of images; what lies beyond their edges stays as it is.
    pub fn fill(&self, images: &[f32], frames: &mut [f32]) {
        for (image, frame) in images.chunks_exact(self.image()).zip(frames.chunks_exact_mut(self.size)) {
            if self.unfolded {
                self.unfold(image, frame);
            } else {
                let row = (self.width + 2 * self.window.padding.1) * self.channels;
                let first = self.window.padding.0 * row + self.window.padding.1 * self.channels;
                let lines =
                    frame[first..].chunks_mut(row).zip(image.chunks_exact(self.width * self.channels));
                lines.for_each(|(to, from)| to[..from.len()].copy_from_slice(from));
            }
        }
    }

    fn unfold(&self, image: &[f32], frame: &mut [f32]) {
        let Window { kernel, stride, padding, .. } = self.window;
        let run = kernel.1 * self.channels;
        for (place, window) in frame.chunks_exact_mut(kernel.0 * run).enumerate() {
            let (top, left) = (place / self.places.1 * stride.0, place % self.places.1 * stride.1);
            for (dy, line) in window.chunks_exact_mut(run).enumerate() {
                let y = (top + dy).wrapping_sub(padding.0);
                if y >= self.height {
                    continue;
                }
                // The part of the run that lies on the image.
                let low = padding.1.saturating_sub(left).min(kernel.1);
                let high = (self.width + padding.1).saturating_sub(left).clamp(low, kernel.1);
                if high == low {
                    continue;
                }
                let from = (y * self.width + left + low).saturating_sub(padding.1) * self.channels;
                let count = (high - low) * self.channels;
                line[low * self.channels..][..count].copy_from_slice(&image[from..][..count]);
            }
        }
    }

    /// The windows of `group` on the first `images` images of a unit.
    pub fn windows<'a>(&'a self, frames: &'a [f32], images: usize, group: usize) -> Windows<'a> {
        Windows {
            frame: &frames[group * self.group..],
            bases: &self.bases[..images * self.pixels()],
            offsets: &self.offsets,
            run: self.run,
        }
    }
}

/// Where the gradient of a convolution's result goes so that a convolution of it, with the filters rotated by half a turn, is the
/// gradient of the images.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    pub layout: Layout,
    places: (usize, usize),
    window: Window,
    channels: usize,
}

impl Spread {
    /// For images of `image` (height, width), results of `places` × `channels` and filters in `groups`.
    pub fn new(
        image: (usize, usize),
        window: Window,
        places: (usize, usize),
        channels: usize,
        groups: usize,
    ) -> Spread {
        let sizes = (image.0 + window.kernel.0 - 1, image.1 + window.kernel.1 - 1, channels);
        let plain = Window { stride: (1, 1), padding: (0, 0), ..window };
        // Gradients are written to their places one by one, which an unfolded frame has not.
        let layout = Layout::build(sizes, plain, image, groups, false);
        Spread { layout, places, window, channels }
    }

    /// Calls `at` for each place that touches the image, with its number on the image and where it lies in the frame.
    pub fn each(&self, mut at: impl FnMut(usize, usize)) {
        let Window { kernel, stride, padding, .. } = self.window;
        for y in 0..self.places.0 {
            // Filters that lie in the padding alone touch nothing.
            let row = (y * stride.0 + kernel.0 - 1).wrapping_sub(padding.0);
            for x in 0..self.places.1 {
                let column = (x * stride.1 + kernel.1 - 1).wrapping_sub(padding.1);
                if row < self.layout.height && column < self.layout.width {
                    at(y * self.places.1 + x, (row * self.layout.width + column) * self.channels);
                }
            }
        }
    }

    /// Numbers of the frame of one image.
    pub fn size(&self) -> usize {
        self.layout.size
    }

    /// Spreads the gradients of at most a unit of images, (places, channels) each.
    pub fn fill(&self, gradients: &[f32], frames: &mut [f32]) {
        let (channels, whole) = (self.channels, self.places.0 * self.places.1 * self.channels);
        for (gradient, frame) in gradients.chunks_exact(whole).zip(frames.chunks_exact_mut(self.size())) {
            self.each(|place, at| {
                frame[at..at + channels].copy_from_slice(&gradient[place * channels..][..channels]);
            });
        }
    }
}
