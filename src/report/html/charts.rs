//! The four kinds of plot: rows of intervals, rows of histograms, rows of points, and lines.

use plotters::element::EmptyElement;
use plotters::prelude::{
    ChartBuilder, Circle, Cross, LineSeries, PathElement, Polygon, Rectangle, Text, TriangleMarker,
};
use plotters::style::text_anchor::HPos;
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle};

use super::canvas::{Area, GRID, INK, MUTED, Plot, PlotError, TEXT, WIDTH, colour, draw, fitting, style};

/// Height of the axis and its label.
const AXIS: u32 = 48;
/// Height of a line of the legend.
const LINE: u32 = 22;
/// Space at the sides, wide enough for half a tick label.
const SIDE: u32 = 22;

/// A value with a wide mark and a narrow one around it.
pub(in crate::report) struct IntervalRow {
    pub label: String,
    pub value: f64,
    /// The thick line.
    pub inner: Option<(f64, f64)>,
    /// The thin line.
    pub outer: Option<(f64, f64)>,
}

/// A learner in a legend; the same mark everywhere on a page.
#[derive(Clone)]
pub(super) struct Learner {
    pub mark: usize,
    pub label: String,
}

/// A row of a histogram: bars from a left to a right end with a share, and a line at the mean.
pub(super) struct Histogram {
    pub label: String,
    pub bars: Vec<(f64, f64, f64)>,
    pub mean: f64,
}

/// A learner's line or points.
pub(super) struct Series {
    pub learner: Learner,
    pub points: Vec<(f64, f64)>,
}

/// What a plot is called, and what stands at its axis.
pub(in crate::report) struct Frame<'a> {
    pub name: &'a str,
    pub label: String,
    pub axis: &'a str,
}

/// Rows of intervals, the first on top, with a line at `mark`.
pub(in crate::report) fn intervals(
    frame: &Frame<'_>,
    rows: &[IntervalRow],
    mark: Option<f64>,
) -> Result<Plot, PlotError> {
    const ROW: u32 = 42;
    let ends = rows.iter().flat_map(|row| {
        let pair = |ends: Option<(f64, f64)>| ends.map_or([row.value; 2], |(low, high)| [low, high]);
        pair(row.inner).into_iter().chain(pair(row.outer))
    });
    let range = padded(ends.chain(mark));
    let height = rows.len() as u32 * ROW + AXIS;
    draw(frame.name, frame.label.clone(), height, |area| {
        rowed(area, frame.axis, range, rows.len(), |chart, row_top| {
            let mut marks = Vec::new();
            if let Some(mark) = mark {
                marks.push(PathElement::new(
                    vec![(mark, 0.0), (mark, rows.len() as f64)],
                    INK.stroke_width(1),
                ));
            }
            for (place, row) in rows.iter().enumerate() {
                let middle = row_top(place) + 0.72;
                for (ends, width) in [(row.outer, 2), (row.inner, 6)] {
                    if let Some((low, high)) = ends {
                        let line = vec![(low, middle), (high, middle)];
                        marks.push(PathElement::new(line, colour(0).stroke_width(width)));
                    }
                }
            }
            chart.draw_series(marks).map_err(|error| error.to_string())?;
            let points = rows.iter().enumerate();
            let points =
                points.map(|(place, row)| Circle::new((row.value, row_top(place) + 0.72), 4, INK.filled()));
            chart.draw_series(points).map_err(|error| error.to_string())?;
            let labels = rows.iter().enumerate().map(|(place, row)| {
                Text::new(fitting(&row.label), (range.0, row_top(place) + 0.3), style(INK, HPos::Left))
            });
            chart.draw_series(labels).map_err(|error| error.to_string())?;
            Ok(())
        })
    })
}

/// Rows of histograms over 0…100.
pub(super) fn histograms(frame: &Frame<'_>, rows: &[Histogram]) -> Result<Plot, PlotError> {
    const ROW: u32 = 66;
    let shares = rows.iter().flat_map(|row| &row.bars).map(|(_, _, share)| *share);
    let top = shares.fold(f64::MIN_POSITIVE, f64::max);
    let height = rows.len() as u32 * ROW + AXIS;
    draw(frame.name, frame.label.clone(), height, |area| {
        rowed(area, frame.axis, (0.0, 100.0), rows.len(), |chart, row_top| {
            for (place, Histogram { label, bars, mean }) in rows.iter().enumerate() {
                let base = row_top(place) + 0.98;
                let bars = bars.iter().filter(|(_, _, share)| *share > 0.0).map(|(left, right, share)| {
                    let right = right - (right - left) * 0.08;
                    Rectangle::new([(*left, base), (right, base - share / top * 0.6)], colour(0).filled())
                });
                chart.draw_series(bars).map_err(|error| error.to_string())?;
                let line = vec![(*mean, base), (*mean, base - 0.66)];
                let parts = [PathElement::new(line, INK.stroke_width(2))];
                chart.draw_series(parts).map_err(|error| error.to_string())?;
                let text = Text::new(fitting(label), (0.0, row_top(place) + 0.15), style(INK, HPos::Left));
                chart.draw_series([text]).map_err(|error| error.to_string())?;
            }
            Ok(())
        })
    })
}

/// Rows of points, one per series: each row is a label and a value per series.
pub(super) fn points(
    frame: &Frame<'_>,
    series: &[Learner],
    rows: &[(String, Vec<Option<f64>>)],
) -> Result<Plot, PlotError> {
    const ROW: u32 = 42;
    let height = rows.len() as u32 * ROW + AXIS + legend_height(series);
    draw(frame.name, frame.label.clone(), height, |area| {
        let (plot, below) = area.split_vertically(height - legend_height(series));
        rowed(&plot, frame.axis, (0.0, 100.0), rows.len(), |chart, row_top| {
            for (place, (label, values)) in rows.iter().enumerate() {
                let middle = row_top(place) + 0.72;
                let known = || values.iter().zip(series).filter_map(|(value, of)| Some((of.mark, (*value)?)));
                let low = known().map(|(_, value)| value).fold(f64::INFINITY, f64::min);
                let high = known().map(|(_, value)| value).fold(f64::NEG_INFINITY, f64::max);
                if low < high {
                    let line = PathElement::new(vec![(low, middle), (high, middle)], MUTED.stroke_width(1));
                    chart.draw_series([line]).map_err(|error| error.to_string())?;
                }
                for (which, value) in known() {
                    marker(chart, which, (value, middle))?;
                }
                let text = Text::new(fitting(label), (0.0, row_top(place) + 0.28), style(INK, HPos::Left));
                chart.draw_series([text]).map_err(|error| error.to_string())?;
            }
            Ok(())
        })?;
        legend(&below, series)
    })
}

/// Lines with markers; `ticks` are the places of the horizontal axis and what stands there.
pub(super) fn lines(
    frame: &Frame<'_>,
    series: &[Series],
    ticks: &[(f64, String)],
    vertical: (f64, f64),
    y_axis: &str,
    diagonal: bool,
) -> Result<Plot, PlotError> {
    let names: Vec<Learner> = series.iter().map(|series| series.learner.clone()).collect();
    let height = 340 + legend_height(&names);
    draw(frame.name, frame.label.clone(), height, |area| {
        let (plot, below) = area.split_vertically(340);
        let (first, last) = (ticks.first().map_or(0.0, |t| t.0), ticks.last().map_or(1.0, |t| t.0));
        let room = if diagonal { 0.0 } else { (last - first).max(0.5) * 0.04 };
        let mut chart = ChartBuilder::on(&plot)
            .margin_right(SIDE)
            .margin_top(12)
            .x_label_area_size(AXIS)
            .y_label_area_size(56)
            .build_cartesian_2d(first - room..last + room, vertical.0..vertical.1)
            .map_err(|error| error.to_string())?;
        chart
            .configure_mesh()
            .bold_line_style(GRID.stroke_width(1))
            .light_line_style(RGBColor(0, 0, 0).mix(0.0))
            .axis_style(MUTED.stroke_width(1))
            .disable_x_mesh()
            .x_labels(0)
            .y_labels(6)
            .y_label_formatter(&|value| format!("{value:.0}"))
            .label_style(("sans-serif", TEXT).into_font().color(&MUTED.to_rgba()))
            .x_desc(frame.axis)
            .y_desc(y_axis)
            .draw()
            .map_err(|error| error.to_string())?;
        // The library chooses round places of its own, and shots are not round on a logarithmic axis.
        for (place, text) in ticks {
            let line =
                PathElement::new(vec![(*place, vertical.0), (*place, vertical.1)], GRID.stroke_width(1));
            chart.draw_series([line]).map_err(|error| error.to_string())?;
            let text = Text::new(text.clone(), (0, 14), style(MUTED, HPos::Center));
            let label = EmptyElement::at((*place, vertical.0)) + text;
            chart.draw_series([label]).map_err(|error| error.to_string())?;
        }
        if diagonal {
            let line = PathElement::new(vec![(0.0, 0.0), (100.0, 100.0)], MUTED.stroke_width(1));
            chart.draw_series([line]).map_err(|error| error.to_string())?;
        }
        for series in series {
            let which = series.learner.mark;
            let line = LineSeries::new(series.points.iter().copied(), colour(which).stroke_width(2));
            chart.draw_series(line).map_err(|error| error.to_string())?;
            for point in &series.points {
                marker(&mut chart, which, *point)?;
            }
        }
        legend(&below, &names)
    })
}

type RowedChart<'a, 'b> = plotters::chart::ChartContext<
    'a,
    plotters::prelude::SVGBackend<'b>,
    plotters::prelude::Cartesian2d<
        plotters::coord::types::RangedCoordf64,
        plotters::coord::types::RangedCoordf64,
    >,
>;

/// A chart of rows: a horizontal axis at the bottom, no vertical one. `paint` gets the top of each row.
fn rowed<'a, 'b>(
    area: &'a Area<'b>,
    axis: &str,
    range: (f64, f64),
    rows: usize,
    paint: impl FnOnce(&mut RowedChart<'a, 'b>, &dyn Fn(usize) -> f64) -> Result<(), String>,
) -> Result<(), String> {
    let mut chart = ChartBuilder::on(area)
        .margin_left(SIDE)
        .margin_right(SIDE)
        .x_label_area_size(AXIS)
        .build_cartesian_2d(range.0..range.1, rows as f64..0.0)
        .map_err(|error| error.to_string())?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .bold_line_style(GRID.stroke_width(1))
        .light_line_style(RGBColor(0, 0, 0).mix(0.0))
        .axis_style(MUTED.stroke_width(1))
        .x_labels(6)
        .x_label_formatter(&|value| tick(*value, range))
        .label_style(("sans-serif", TEXT).into_font().color(&MUTED.to_rgba()))
        .x_desc(axis)
        .draw()
        .map_err(|error| error.to_string())?;
    paint(&mut chart, &|place| place as f64)
}

/// A number at an axis, with as many digits as the width of the axis needs.
fn tick(value: f64, range: (f64, f64)) -> String {
    let digits = if range.1 - range.0 > 4.0 {
        0
    } else if range.1 - range.0 > 0.4 {
        1
    } else {
        3
    };
    let text = format!("{value:.digits$}");
    if text.trim_start_matches('-').chars().all(|c| matches!(c, '0' | '.')) {
        return "0".to_string();
    }
    text.replace('-', "−")
}

/// The range of these values, with room at both ends.
fn padded(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    let room = ((high - low) * 0.06).max(1e-3);
    (low - room, high + room)
}

/// The mark of a learner: colour and shape together, so that neither is needed alone.
fn marker<'a, DB, CT>(
    chart: &mut plotters::chart::ChartContext<'a, DB, CT>,
    which: usize,
    at: (f64, f64),
) -> Result<(), String>
where
    DB: plotters::prelude::DrawingBackend + 'a,
    CT: plotters::coord::CoordTranslate<From = (f64, f64)>,
{
    let filled: ShapeStyle = colour(which).filled();
    let drawn = match which % 4 {
        0 => chart.draw_series([Circle::new(at, 5, filled)]).map(drop),
        1 => chart.draw_series([TriangleMarker::new(at, 6, filled)]).map(drop),
        2 => chart.draw_series([Cross::new(at, 5, colour(which).stroke_width(3))]).map(drop),
        _ => chart.draw_series([Circle::new(at, 5, colour(which).stroke_width(3))]).map(drop),
    };
    drawn.map_err(|error| error.to_string())
}

fn legend_height(series: &[Learner]) -> u32 {
    if series.len() < 2 { 0 } else { series.len().div_ceil(2) as u32 * LINE + 8 }
}

/// Two columns of colour, shape and name.
fn legend(area: &Area<'_>, series: &[Learner]) -> Result<(), String> {
    if series.len() < 2 {
        return Ok(());
    }
    for (place, Learner { mark: which, label: name }) in series.iter().enumerate() {
        let (x, y) = ((place % 2) as i32 * (WIDTH as i32 / 2) + 16, (place / 2) as i32 * LINE as i32 + 12);
        let which = *which;
        let filled: ShapeStyle = colour(which).filled();
        let drawn = match which % 4 {
            0 => area.draw(&Circle::new((x, y), 5, filled)),
            1 => area.draw(&Polygon::new(vec![(x - 6, y + 5), (x + 6, y + 5), (x, y - 6)], filled)),
            2 => area.draw(&Cross::new((x, y), 5, colour(which).stroke_width(3))),
            _ => area.draw(&Circle::new((x, y), 5, colour(which).stroke_width(3))),
        };
        drawn.map_err(|error| error.to_string())?;
        let shown: String = if name.chars().count() > 26 {
            name.chars().take(25).chain(['…']).collect()
        } else {
            name.clone()
        };
        area.draw(&Text::new(shown, (x + 12, y), style(INK, HPos::Left)))
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}
