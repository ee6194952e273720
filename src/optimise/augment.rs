//! Images changed at random while training: moved, turned, cropped, mirrored, in one resampling.

use serde::Deserialize;

use crate::rng::Stream;

/// How far images are changed; everything is zero where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Moved by up to so many pixels along each axis.
    pub shift: f64,
    /// Turned by up to so many degrees either way.
    pub rotate: f64,
    /// Cropped to a square part whose side is this share of the whole or more, then stretched; 0 or 1 for none.
    pub crop: f64,
    /// Mirrored left to right every other time.
    pub flip: bool,
}

impl Augmentation {
    /// Whether nothing is changed.
    pub fn is_none(&self) -> bool {
        *self == Augmentation { crop: self.crop, ..Augmentation::default() } && !self.crops()
    }

    fn crops(&self) -> bool {
        self.crop > 0.0 && self.crop < 1.0
    }

    /// As text, for the metadata of weights.
    pub fn text(&self) -> String {
        if self.is_none() {
            return "none".to_string();
        }
        format!("shift={},rotate={},crop={},flip={}", self.shift, self.rotate, self.crop, self.flip)
    }

    /// Changes an image of `channels` planes (height, width); what comes from beyond its edges is zero.
    pub fn apply(
        &self,
        stream: &mut Stream,
        image: &mut [f32],
        (height, width): (usize, usize),
        scratch: &mut Vec<f32>,
    ) {
        if self.is_none() {
            return;
        }
        let mut either = |most: f64| most * (2.0 * stream.unit() - 1.0);
        let (dx, dy, angle) = (either(self.shift), either(self.shift), either(self.rotate).to_radians());
        let scale = if self.crops() { self.crop + (1.0 - self.crop) * stream.unit() } else { 1.0 };
        // A crop may lie anywhere on the image.
        let offset = |stream: &mut Stream, size: usize| (stream.unit() - 0.5) * (1.0 - scale) * size as f64;
        let centre = if self.crops() { (offset(stream, width), offset(stream, height)) } else { (0.0, 0.0) };
        let mirror = if self.flip && stream.below(2) == 1 { -1.0 } else { 1.0 };
        let (sin, cos) = (angle.sin() * scale, angle.cos() * scale);
        let (middle_x, middle_y) = ((width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0);
        scratch.clear();
        scratch.extend_from_slice(image);
        let pixels = height * width;
        for (plane, from) in image.chunks_exact_mut(pixels).zip(scratch.chunks_exact(pixels)) {
            for (place, out) in plane.iter_mut().enumerate() {
                let (x, y) = ((place % width) as f64 - middle_x, (place / width) as f64 - middle_y);
                let from_x = mirror * (cos * x - sin * y) + middle_x + centre.0 - dx;
                let from_y = sin * x + cos * y + middle_y + centre.1 - dy;
                *out = sample(from, (height, width), from_x, from_y);
            }
        }
    }
}

/// The image between its pixels, linear along both axes, zero beyond its edges.
fn sample(image: &[f32], (height, width): (usize, usize), x: f64, y: f64) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (right_share, low_share) = ((x - left) as f32, (y - top) as f32);
    let pixel = |x: f64, y: f64| {
        let inside = x >= 0.0 && y >= 0.0 && x < width as f64 && y < height as f64;
        if inside { image[y as usize * width + x as usize] } else { 0.0 }
    };
    let row = |y: f64| (1.0 - right_share) * pixel(left, y) + right_share * pixel(left + 1.0, y);
    (1.0 - low_share) * row(top) + low_share * row(top + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    fn changed(augmentation: Augmentation, number: u32) -> Vec<f32> {
        let mut image: Vec<f32> = (0..25).map(|i| i as f32).collect();
        let mut stream = Stream::new(1, Purpose::Training, number);
        augmentation.apply(&mut stream, &mut image, (5, 5), &mut Vec::new());
        image
    }

    #[test]
    fn nothing_asked_changes_nothing() {
        let none = Augmentation::default();
        assert_eq!((none.text().as_str(), changed(none, 0)), ("none", (0..25).map(|i| i as f32).collect()));
        assert!(Augmentation { crop: 1.0, ..none }.is_none());
    }

    #[test]
    fn a_mirrored_image_is_mirrored_and_its_centre_stays_when_turned() {
        let flip = Augmentation { flip: true, ..Augmentation::default() };
        let mirrored: Vec<f32> = (0..25).map(|i| (i / 5 * 5 + 4 - i % 5) as f32).collect();
        let plain: Vec<f32> = (0..25).map(|i| i as f32).collect();
        let found: Vec<bool> = (0..20).map(|n| changed(flip, n) == mirrored).collect();
        assert!(found.contains(&true) && (0..20).any(|n| changed(flip, n) == plain));
        let turned = changed(Augmentation { rotate: 30.0, ..Augmentation::default() }, 3);
        assert!((turned[12] - 12.0).abs() < 1e-4 && turned != plain);
    }

    #[test]
    fn a_shift_moves_ink_and_brings_in_paper() {
        let shifted = changed(Augmentation { shift: 2.0, ..Augmentation::default() }, 5);
        assert!(shifted.iter().filter(|p| **p == 0.0).count() >= 5);
        let cropped = changed(Augmentation { crop: 0.5, ..Augmentation::default() }, 5);
        assert!(cropped.iter().all(|p| (0.0..=24.0).contains(p)));
    }
}
