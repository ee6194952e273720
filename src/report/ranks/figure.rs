//! survival.svg: what survives of the rankings, as a figure.

use crate::report::html::charts::{Frame, IntervalRow, intervals};
use crate::report::html::{Plot, PlotError};
use crate::scores::{Ranking, Share, Survival};

/// Draws the shares of adjacent ranks, small gaps and top tens that differ significantly, a row a rule.
///
/// # Errors
/// What the plotting library says.
pub fn figure(ranking: &Ranking) -> Result<Plot, PlotError> {
    type Kind = (&'static str, fn(&Survival) -> Share);
    const KINDS: [Kind; 3] = [
        ("adjacent ranks", |found| found.adjacent),
        ("gaps of 2 points or less", |found| found.small_gaps),
        ("top ten", |found| found.top_ten),
    ];
    let mut rows = Vec::new();
    for (name, share) in KINDS {
        for found in &ranking.survival {
            let Some(value) = share(found).value() else { continue };
            let holm = if found.holm { ", Holm" } else { "" };
            let label = format!("{name}: {}{holm}", found.rule.word());
            // A bar from nothing to the share.
            rows.push(IntervalRow {
                label,
                value: 100.0 * value,
                inner: Some((0.0, 100.0 * value)),
                outer: None,
            });
        }
    }
    let label = format!("Shares of ranks that differ significantly, {} data sets", ranking.data_sets.len());
    let frame = Frame { name: "survival", label, axis: "significantly different, in percent" };
    intervals(&frame, &rows, None)
}
