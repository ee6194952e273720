//! The embedded dataset `glyphs`: invented characters of two to four strokes, each drawn twenty times by an unsteady hand.
//!
//! Only additions, products, quotients and square roots are used, whose results IEEE 754 fixes: the pixels are the same
//! on every machine.

use rayon::prelude::*;

use super::kind::{Holds, Kind, Opens};
use crate::data::DataError;
use crate::data::{Parts, Store};
use crate::rng::{Purpose, Stream};
use crate::vocab::{Form, SawClasses, Split};

use crate::data::Provenance;

/// Height and width in pixels.
const SIDE: usize = 28;
const DRAWINGS: usize = 20;
const SEED: u64 = 28;
/// Straight pieces per stroke: at 28 pixels a longer list looks the same.
const PIECES: usize = 16;
const SPLITS: [(Split, usize); 3] = [(Split::Base, 100), (Split::Validation, 40), (Split::Novel, 60)];

type Point = [f64; 2];
/// A cubic Bézier curve in the unit square.
type Stroke = [Point; 4];

pub(super) const KIND: Kind = Kind {
    name: "glyphs",
    usage: "glyphs",
    about: "invented characters drawn at 28×28: 100 base, 40 validation and 60 novel classes of 20 drawings",
    holds: Holds::Images,
    opens: Opens::Made(|spec, keys| match keys {
        None => glyphs(),
        Some(_) => Err(DataError::Spec { spec: spec.to_string(), what: "`glyphs` has no keys".to_string() }),
    }),
};

pub(in crate::data) fn glyphs() -> Result<Store, DataError> {
    let splits: Vec<(String, Split)> = SPLITS
        .iter()
        .flat_map(|(split, count)| std::iter::repeat_n(*split, *count))
        .enumerate()
        .map(|(class, split)| (format!("glyph{class:03}"), split))
        .collect();
    let values: Vec<Vec<f32>> = (0..splits.len() as u32).into_par_iter().map(character).collect();
    let id =
        splits.iter().flat_map(|(name, _)| (0..DRAWINGS).map(move |number| format!("{name}/{number:02}")));
    let id = id.collect();
    let class = splits.iter().flat_map(|(name, _)| std::iter::repeat_n(name.clone(), DRAWINGS)).collect();
    Store::from_parts(Parts {
        name: "glyphs".to_string(),
        values: values.concat(),
        dim: SIDE * SIDE,
        class,
        id,
        splits: Some(splits),
        provenance: Provenance {
            backbone: "none".to_string(),
            trained_on: None,
            saw_classes: SawClasses::None,
            ..Provenance::default()
        },
        form: Form::Image { channels: 1, height: SIDE, width: SIDE },
        ..Parts::default()
    })
}

/// All drawings of a character: (drawings, pixels).
fn character(number: u32) -> Vec<f32> {
    let mut stream = Stream::new(SEED, Purpose::Dataset, number);
    let strokes: Vec<Stroke> = (0..2 + stream.below(3))
        .map(|_| [(); 4].map(|()| [between(&mut stream, 0.12, 0.88), between(&mut stream, 0.12, 0.88)]))
        .collect();
    (0..DRAWINGS).flat_map(|_| draw(&strokes, &mut stream)).collect()
}

fn between(stream: &mut Stream, low: f64, high: f64) -> f64 {
    low + (high - low) * stream.unit()
}

/// About a normal number: twelve uniform ones have variance one together, and need no logarithm.
fn wobble(stream: &mut Stream) -> f64 {
    (0..12).map(|_| stream.unit()).sum::<f64>() - 6.0
}

/// One drawing; ink is 1, paper 0.
fn draw(strokes: &[Stroke], stream: &mut Stream) -> Vec<f32> {
    let radius = between(stream, 0.8, 1.5);
    let hand = Hand::new(stream);
    let mut pixels = vec![0.0f32; SIDE * SIDE];
    for stroke in strokes {
        let points = stroke.map(|[x, y]| {
            hand.place([x + CONTROL * wobble(stream), y + CONTROL * wobble(stream)]).map(|c| c * SIDE as f64)
        });
        let mut from = points[0];
        for piece in 1..=PIECES {
            let to = bezier(&points, piece as f64 / PIECES as f64);
            line(&mut pixels, from, to, radius);
            from = to;
        }
    }
    pixels
}

/// How far control points stray from drawing to drawing, as a part of the side.
const CONTROL: f64 = 0.04;

/// How a whole drawing is turned, slanted, scaled and moved.
struct Hand {
    matrix: [[f64; 2]; 2],
    shift: Point,
}

impl Hand {
    fn new(stream: &mut Stream) -> Hand {
        // With t = tan(θ/2): cos θ = (1 − t²)/(1 + t²), sin θ = 2t/(1 + t²).
        let t = between(stream, -0.12, 0.12);
        let (cos, sin) = ((1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t));
        let (wide, high) = (between(stream, 0.8, 1.15), between(stream, 0.8, 1.15));
        let slant = between(stream, -0.2, 0.2);
        let shift = [between(stream, -0.09, 0.09), between(stream, -0.09, 0.09)];
        let matrix = [[cos * wide, (cos * slant - sin) * high], [sin * wide, (sin * slant + cos) * high]];
        Hand { matrix, shift }
    }

    /// Where a point of the unit square comes to lie; the centre only moves.
    fn place(&self, [x, y]: Point) -> Point {
        let (x, y) = (x - 0.5, y - 0.5);
        let row = |r: usize| self.matrix[r][0] * x + self.matrix[r][1] * y + 0.5 + self.shift[r];
        [row(0), row(1)]
    }
}

fn bezier(points: &Stroke, t: f64) -> Point {
    let s = 1.0 - t;
    let weights = [s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t];
    [0, 1].map(|axis| points.iter().zip(weights).map(|(point, weight)| weight * point[axis]).sum())
}

/// Draws a round-ended line: a pixel is as dark as its centre is deep in the line, over one pixel of edge.
fn line(pixels: &mut [f32], from: Point, to: Point, radius: f64) {
    let reach = radius + 0.5;
    let range = |axis: usize| {
        let low = (from[axis].min(to[axis]) - reach).floor().clamp(0.0, SIDE as f64) as usize;
        let high = (from[axis].max(to[axis]) + reach).ceil().clamp(0.0, SIDE as f64) as usize;
        low..high
    };
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let squared = dx * dx + dy * dy;
    for y in range(1) {
        for x in range(0) {
            let (px, py) = (x as f64 + 0.5 - from[0], y as f64 + 0.5 - from[1]);
            let along = if squared > 0.0 { ((px * dx + py * dy) / squared).clamp(0.0, 1.0) } else { 0.0 };
            let (ex, ey) = (px - along * dx, py - along * dy);
            let ink = (reach - (ex * ex + ey * ey).sqrt()).clamp(0.0, 1.0) as f32;
            let pixel = &mut pixels[y * SIDE + x];
            *pixel = pixel.max(ink);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::{nearest_mean_accuracy, numbers};
    use crate::data::store::scan::scan;

    #[test]
    fn glyphs_are_200_characters_of_20_drawings_with_ink_between_0_and_1() {
        let store = glyphs().unwrap();
        assert_eq!((store.rows(), store.form().to_string().as_str()), (4000, "image:1x28x28"));
        let index = store.index();
        assert_eq!(
            [Split::Base, Split::Validation, Split::Novel].map(|s| index.of_split(s).count()),
            [100, 40, 60]
        );
        assert!(index.classes().iter().all(|class| class.items.len() == 20));
        let pixels = numbers(&store);
        assert!(pixels.iter().all(|p| (0.0..=1.0).contains(p)));
        let ink: f32 = pixels.iter().sum::<f32>() / pixels.len() as f32;
        assert!((0.05..0.3).contains(&ink), "{ink}");
        assert!(store.warnings().is_empty());
        assert!(scan(store.values(), 4000, 784, None).unwrap().unwrap().duplicates.is_empty());
    }

    #[test]
    fn glyphs_do_not_depend_on_the_number_of_threads() {
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(numbers(&alone.install(glyphs).unwrap()), numbers(&glyphs().unwrap()));
    }

    #[test]
    fn raw_pixels_leave_room_for_learned_features() {
        let accuracy = nearest_mean_accuracy(&glyphs().unwrap(), 5, 1, 600);
        assert!((0.45..0.65).contains(&accuracy), "{accuracy}");
    }
}
