//! A picture of three channels with eight bits each.

/// Red, green and blue of every pixel, row by row from the top left.
#[derive(Clone, PartialEq, Eq)]
pub struct RgbImage {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl RgbImage {
    /// A picture of `pixels`, three bytes each; nothing where they are not as many as the sizes say, or none.
    ///
    /// ```
    /// use kshot::image::RgbImage;
    ///
    /// assert!(RgbImage::new(2, 1, vec![0; 6]).is_some());
    /// assert!(RgbImage::new(2, 1, vec![0; 5]).is_none() && RgbImage::new(0, 1, Vec::new()).is_none());
    /// ```
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Option<RgbImage> {
        let bytes = width.checked_mul(height)?.checked_mul(3)?;
        (bytes > 0 && bytes == pixels.len()).then_some(RgbImage { width, height, pixels })
    }

    /// Pixels of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Three bytes a pixel, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// One row, three bytes a pixel.
    pub(super) fn row(&self, y: usize) -> &[u8] {
        &self.pixels[y * self.width * 3..(y + 1) * self.width * 3]
    }
}

/// Its sizes alone: pixels are many.
impl std::fmt::Debug for RgbImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RgbImage({}×{})", self.width, self.height)
    }
}
