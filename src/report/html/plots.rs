//! Which plots a page has, and what they are made of.

use std::collections::BTreeMap;

use super::canvas::{Plot, PlotError};
use super::charts::{Frame, Histogram, IntervalRow, Learner, Series, histograms, intervals, lines, points};
use super::{Comparison, Group};
use crate::metric::Metric;
use crate::report::compare::Inference;
use crate::results::{Measured, ReadTable, Size};
use crate::stats::{self, Population};

/// Classes shown at either end.
const ENDS: usize = 5;
/// Bins of the distribution of episodes, at most.
const BINS: u32 = 20;

type Drawn = Result<Vec<(Plot, String)>, PlotError>;

/// The plots of one protocol, shot and data set, with their captions.
pub(super) fn of_group(group: &Group<'_>, comparison: Option<&Comparison>) -> Drawn {
    let mut drawn = vec![accuracy(group)?];
    if let Some(comparison) = comparison {
        drawn.extend(differences(group, comparison)?);
    }
    drawn.push(spread(group)?);
    drawn.push(classes(group)?);
    drawn.extend(reliability(group)?);
    Ok(drawn)
}

fn frame<'a>(group: &Group<'_>, name: &'a mut String, kind: &str, label: String, axis: &'a str) -> Frame<'a> {
    *name = format!("{}-{kind}", group.slug);
    Frame { name, label, axis }
}

fn accuracy(group: &Group<'_>) -> Result<(Plot, String), PlotError> {
    let row = |label: &String, value: f64, measured: &[Measured]| IntervalRow {
        label: label.clone(),
        value: 100.0 * value,
        inner: ends(measured, Population::Sampler),
        outer: ends(measured, Population::Classes),
    };
    // A comparison has a row per method, its training seeds taken together.
    let block = group.block.filter(|block| block.lacking.is_empty());
    let mut rows: Vec<IntervalRow> = match block {
        Some(block) => block.methods.iter().map(|of| row(&of.name, of.value, &of.intervals)).collect(),
        None => group.tables.iter().map(|(name, read)| row(name, mean(read), &read.measured)).collect(),
    };
    rows.sort_by(|a, b| b.value.total_cmp(&a.value));
    let label = format!("Accuracy of {} methods with intervals, {}", rows.len(), group.title);
    let mut name = String::new();
    let plot = intervals(&frame(group, &mut name, "accuracy", label, "accuracy in percent"), &rows, None)?;
    let thin = rows.iter().any(|row| row.outer.is_some());
    let thin = if thin { format!("; thin: for {}", new(group)) } else { String::new() };
    let caption = format!(
        "Accuracy with 95 % confidence intervals. Thick: for these classes and items (closed){thin}. Overlapping \
         intervals say little about a difference: see the pairs."
    );
    Ok((plot, caption))
}

/// What the thin intervals are about.
fn new(group: &Group<'_>) -> &'static str {
    if group.tables[0].1.dealt.is_clustered() { "new clusters" } else { "new classes" }
}

fn mean(read: &ReadTable) -> f64 {
    read.values(Metric::ACCURACY).and_then(|values| stats::mean(&values)).unwrap_or(0.0)
}

fn ends(measured: &[Measured], population: Population) -> Option<(f64, f64)> {
    let accuracy = measured.iter().filter(|measured| measured.metric == Metric::ACCURACY);
    let mut intervals = accuracy.filter_map(|measured| measured.interval);
    let (_, interval) = intervals.find(|(of, _)| *of == population)?;
    Some((100.0 * interval.low, 100.0 * interval.high))
}

/// Differences from the baseline, or from the best where there is none.
fn differences(group: &Group<'_>, comparison: &Comparison) -> Drawn {
    let Some(block) = group.block.filter(|block| !block.pairs.is_empty()) else {
        return Ok(Vec::new());
    };
    let (scale, unit) = if comparison.metric == Metric::ACCURACY { (100.0, " in points") } else { (1.0, "") };
    // Without a baseline the pairs of the best come as best − other and are turned round.
    let sign = if comparison.baseline.is_some() { scale } else { -scale };
    let turned = |inference: Option<&Inference>| {
        let interval = inference?.interval;
        let (a, b) = (interval.low * sign, interval.high * sign);
        Some((a.min(b), a.max(b)))
    };
    let mut rows = Vec::new();
    for pair in block.pairs.iter().filter(|pair| comparison.baseline.is_some() || pair.a == 0) {
        let other = if comparison.baseline.is_some() { pair.a } else { pair.b };
        rows.push(IntervalRow {
            label: block.methods[other].name.clone(),
            value: pair.difference * sign,
            inner: turned(pair.inference(Population::Sampler)),
            outer: turned(pair.inference(Population::Classes)),
        });
    }
    rows.sort_by(|a, b| b.value.total_cmp(&a.value));
    let baseline = comparison.baseline.clone().unwrap_or_else(|| block.methods[0].name.clone());
    let label = format!("Paired differences from {baseline}, {}", group.title);
    let axis = format!("{} − that of {baseline}{unit}", comparison.metric);
    let mut name = String::new();
    let plot = intervals(&frame(group, &mut name, "differences", label, &axis), &rows, Some(0.0))?;
    let thin = rows.iter().any(|row| row.outer.is_some());
    let thin = if thin { format!("; thin: for {}", new(group)) } else { String::new() };
    let caption = format!(
        "Paired differences from {baseline}. Thick: interval for these classes and items (closed){thin}."
    );
    Ok(vec![(plot, caption)])
}

fn spread(group: &Group<'_>) -> Result<(Plot, String), PlotError> {
    let mut rows = Vec::new();
    for (name, read) in &group.tables {
        rows.push(Histogram { label: name.clone(), bars: bars(read), mean: 100.0 * mean(read) });
    }
    rows.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    let label = format!("Distribution of episode accuracies, {}", group.title);
    let mut name = String::new();
    let frame = frame(group, &mut name, "episodes", label, "accuracy of an episode in percent");
    Ok((
        histograms(&frame, &rows)?,
        "Distribution of episode accuracies; the line is their mean.".to_string(),
    ))
}

/// The shares of episodes by accuracy: from, to (in percent) and share.
///
/// Accuracies are counts over counts. Where all episodes have as many queries, every bin holds as many of the possible
/// counts, because bins of equal width would show peaks that are not there.
pub(super) fn bars(read: &ReadTable) -> Vec<(f64, f64, f64)> {
    let most = read.total.iter().copied().max().unwrap_or(0);
    let even = read.total.iter().all(|total| *total == most);
    let (counts, of) = if even { (most + 1, most) } else { (BINS, BINS) };
    let (width, shift) = (counts.div_ceil(BINS + 1).max(1), if even { 0.5 } else { 0.0 });
    let mut shares = vec![0.0; counts.div_ceil(width) as usize];
    for (correct, total) in read.correct.iter().zip(&read.total) {
        let place = if even { *correct } else { (correct * BINS / total).min(BINS - 1) };
        shares[(place / width) as usize] += 1.0 / read.correct.len() as f64;
    }
    let at = |place: usize| {
        let edge = 100.0 * (place as f64 * f64::from(width) - shift) / f64::from(of.max(1));
        edge.clamp(0.0, 100.0)
    };
    shares.into_iter().enumerate().map(|(place, share)| (at(place), at(place + 1), share)).collect()
}

/// The learners of a group, with their marks.
fn learners<'a>(group: &'a Group<'_>) -> impl Iterator<Item = (Learner, &'a ReadTable)> {
    let tables = group.tables.iter().zip(&group.marks);
    tables.map(|((name, read), mark)| (Learner { mark: *mark, label: name.clone() }, *read))
}

fn classes(group: &Group<'_>) -> Result<(Plot, String), PlotError> {
    let names = &group.tables[0].1.dealt.classes;
    let value = |read: &ReadTable, class: usize| {
        let (correct, total) = read.by_class.get(class).copied().unwrap_or((0, 0));
        (total > 0).then(|| 100.0 * correct as f64 / total as f64)
    };
    let mut rows: Vec<(f64, String, Vec<Option<f64>>)> = Vec::new();
    for (class, name) in names.iter().enumerate() {
        let values: Vec<Option<f64>> = group.tables.iter().map(|(_, read)| value(read, class)).collect();
        let known: Vec<f64> = values.iter().copied().flatten().collect();
        if let Some(mean) = stats::mean(&known) {
            rows.push((mean, name.clone(), values));
        }
    }
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all = rows.len();
    if all > 2 * ENDS {
        rows.drain(ENDS..all - ENDS);
    }
    let caption = if all > 2 * ENDS {
        format!("The {ENDS} hardest and the {ENDS} easiest of {all} classes.")
    } else {
        format!("All {all} classes, the hardest on top.")
    };
    let rows: Vec<(String, Vec<Option<f64>>)> =
        rows.into_iter().map(|(_, name, values)| (name, values)).collect();
    let series: Vec<Learner> = learners(group).map(|(learner, _)| learner).collect();
    let label = format!("Hardest and easiest classes, {}", group.title);
    let mut name = String::new();
    let frame = frame(group, &mut name, "classes", label, "accuracy of a class in percent");
    Ok((points(&frame, &series, &rows)?, caption))
}

fn reliability(group: &Group<'_>) -> Drawn {
    let series: Vec<Series> = learners(group)
        .filter(|(_, read)| !read.bins.is_empty())
        .map(|(learner, read)| Series {
            learner,
            points: read
                .bins
                .iter()
                .map(|bin| (100.0 * bin.confidence, 100.0 * bin.correct as f64 / bin.count as f64))
                .collect(),
        })
        .collect();
    if series.is_empty() {
        return Ok(Vec::new());
    }
    let ticks: Vec<(f64, String)> = (0..=5).map(|n| (f64::from(n) * 20.0, format!("{}", n * 20))).collect();
    let label = format!("Reliability diagram, {}", group.title);
    let mut name = String::new();
    let frame = frame(group, &mut name, "reliability", label, "predicted probability in percent");
    let plot = lines(&frame, &series, &ticks, (0.0, 100.0), "correct in percent", true)?;
    let caption = "Reliability: how often a prediction is correct against its predicted probability, in 15 bins of equal \
                   mass. On the diagonal predictions are calibrated.";
    Ok(vec![(plot, caption.to_string())])
}

/// Accuracy against shots, one plot for every protocol and data set with several shots.
pub(super) fn curves(groups: &[Group<'_>]) -> Drawn {
    let mut sets: BTreeMap<(&str, &str), Vec<&Group<'_>>> = BTreeMap::new();
    for group in groups {
        let read = group.tables[0].1;
        sets.entry((&read.table.protocol, &read.table.dataset)).or_default().push(group);
    }
    let mut drawn = Vec::new();
    for ((protocol, _), groups) in sets {
        let mut shots: Vec<u32> = groups.iter().filter_map(|group| shot(group)).collect();
        shots.sort_unstable();
        if shots.len() < 2 {
            continue;
        }
        let mut series: Vec<Series> = Vec::new();
        for group in &groups {
            let Some(shot) = shot(group) else { continue };
            for (learner, read) in learners(group) {
                let point = (place(shot, &shots), 100.0 * mean(read));
                match series.iter_mut().find(|series| series.learner.mark == learner.mark) {
                    Some(series) => series.points.push(point),
                    None => series.push(Series { learner, points: vec![point] }),
                }
            }
        }
        series.iter_mut().for_each(|series| series.points.sort_by(|a, b| a.0.total_cmp(&b.0)));
        let ticks: Vec<(f64, String)> = shots.iter().map(|s| (place(*s, &shots), s.to_string())).collect();
        let values = || series.iter().flat_map(|series| &series.points).map(|(_, value)| *value);
        let (low, high) = (values().fold(100.0, f64::min), values().fold(0.0, f64::max));
        let range = ((low - 5.0).max(0.0), (high + 5.0).min(100.0));
        let slug: String =
            protocol.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let name = format!("{:02}-{slug}-shots", drawn.len() + 1);
        let label = format!("Accuracy against shots, {protocol}");
        let frame = Frame { name: &name, label, axis: "shots per class" };
        let plot = lines(&frame, &series, &ticks, range, "accuracy in percent", false)?;
        let zero = if shots[0] == 0 { " Zero stands one step left of the first shot." } else { "" };
        drawn.push((plot, format!("{protocol}: accuracy against shots, on a logarithmic axis.{zero}")));
    }
    Ok(drawn)
}

fn shot(group: &Group<'_>) -> Option<u32> {
    match group.tables[0].1.table.shot {
        Size::Number(shot) => Some(shot),
        Size::Varied | Size::All => None,
    }
}

/// The place of a number of shots on the axis: its logarithm, and for zero one doubling before the least.
fn place(shot: u32, shots: &[u32]) -> f64 {
    let least = shots.iter().copied().find(|shot| *shot > 0).unwrap_or(1);
    if shot == 0 { f64::from(least).log2() - 1.0 } else { f64::from(shot).log2() }
}
