//! A result in memory: pixels of channels, `stride` numbers from one pixel to the next.

use super::super::sizes::Size;

/// A result that is read.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub values: &'a [f32],
    pub offset: usize,
    pub stride: usize,
    pub batch: usize,
    pub size: Size,
}

impl<'a> View<'a> {
    /// The pixels of one image from its first on, as they lie.
    pub fn image(&self, number: usize) -> &'a [f32] {
        &self.values[self.offset + number * self.size.pixels() * self.stride..]
    }

    /// The channels of a pixel, counted over all images.
    pub fn pixel(&self, number: usize) -> &'a [f32] {
        &self.values[self.offset + number * self.stride..][..self.size.channels]
    }
}

/// A result that is written.
pub(super) struct ViewMut<'a> {
    pub values: &'a mut [f32],
    pub offset: usize,
    pub stride: usize,
    pub batch: usize,
    pub size: Size,
}

impl ViewMut<'_> {
    /// Pixels of all images.
    pub fn pixels(&self) -> usize {
        self.batch * self.size.pixels()
    }
}
