//! The paper that plots are drawn on: one width, one font, and colours that follow the reader's light or dark page.

use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoDrawingArea, RGBColor, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, TextStyle};

/// Width in pixels. A phone shows it at three quarters, where the text is still readable.
pub(super) const WIDTH: u32 = 480;

/// Height of text in pixels.
pub(super) const TEXT: u32 = 14;

/// Text and points.
pub(super) const INK: RGBColor = RGBColor(0x1b, 0x1b, 0x1b);
/// Axis labels.
pub(super) const MUTED: RGBColor = RGBColor(0x59, 0x59, 0x59);
/// Grid lines.
pub(super) const GRID: RGBColor = RGBColor(0xd9, 0xd9, 0xd9);

/// Colours of learners, after Okabe and Ito (2008) and darkened where they were too pale for a thin line.
const SERIES: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xa3, 0x50, 0x7f),
    RGBColor(0xb3, 0x78, 0x00),
    RGBColor(0x2e, 0x8b, 0xc0),
    RGBColor(0x6b, 0x6b, 0x6b),
];

/// The colour of a learner.
pub(super) fn colour(place: usize) -> RGBColor {
    SERIES[place % SERIES.len()]
}

/// A drawn plot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plot {
    /// Its name as a file, without ending.
    pub name: String,
    /// What it shows, for those who cannot see it.
    pub label: String,
    /// The drawing, with colours for a white page.
    svg: String,
}

/// A plot could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw {name}: {message}")]
pub struct PlotError {
    /// The plot.
    pub name: String,
    /// What the plotting library said.
    pub message: String,
}

/// The drawing area of a plot.
pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws a plot of this height.
pub(super) fn draw(
    name: &str,
    label: String,
    height: u32,
    paint: impl FnOnce(&Area<'_>) -> Result<(), String>,
) -> Result<Plot, PlotError> {
    let mut svg = String::new();
    let painted = {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        paint(&area).and_then(|()| area.present().map_err(|error| error.to_string()))
    };
    match painted {
        Ok(()) => Ok(Plot { name: name.to_string(), label, svg }),
        Err(message) => Err(PlotError { name: name.to_string(), message }),
    }
}

/// Text set to the left of, at, or to the right of a point, at its middle height.
pub(super) fn style(colour: RGBColor, horizontal: HPos) -> TextStyle<'static> {
    ("sans-serif", TEXT).into_font().color(&colour.to_rgba()).pos(Pos::new(horizontal, VPos::Center))
}

/// A text that fits into a line, with an ellipsis where it was longer.
pub(super) fn fitting(text: &str) -> String {
    const MOST: usize = 56;
    if text.chars().count() <= MOST {
        return text.to_string();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

impl Plot {
    /// As a part of a page, with colours that follow it.
    pub(super) fn inline(&self) -> String {
        let mut svg = self.svg.clone();
        let names = [("ink", INK), ("muted", MUTED), ("grid", GRID)];
        let names = names.map(|(name, colour)| (name.to_string(), colour)).into_iter();
        for (name, colour) in names.chain((0..SERIES.len()).map(|place| (format!("s{place}"), SERIES[place])))
        {
            let RGBColor(r, g, b) = colour;
            svg = svg.replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), &format!("\"var(--{name})\""));
        }
        svg
    }

    /// As a file of its own, for a white page.
    pub fn file(&self) -> String {
        format!("{}\n", self.labelled(&self.svg).trim_end())
    }

    /// The page's form, with its label.
    pub(super) fn figure(&self) -> String {
        self.labelled(&self.inline())
    }

    fn labelled(&self, svg: &str) -> String {
        let label = super::text::escaped(&self.label);
        svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{label}\" "), 1)
    }
}
