//! The tables of a run for people, one per metric that heads its protocols.

use std::collections::BTreeSet;

use super::Overview;
use crate::metric::Metric;
use crate::results::SummaryRow;

/// Metrics that have a table of their own beside accuracy, where a run has them.
const OTHERS: [Metric; 7] = [
    Metric::SEEN,
    Metric::UNSEEN,
    Metric::HARMONIC,
    Metric::AUSUC,
    Metric::AUROC,
    Metric::IN_SCOPE_ACCURACY_AT_95,
    Metric::OOS_RECALL,
];

/// The tables of a run: accuracy, class accuracy of protocols that ask for no other, and what is told of seen and unseen
/// classes and of out-of-scope queries.
pub fn overviews(rows: &[SummaryRow]) -> String {
    let of = |metric: Metric| rows.iter().filter(move |row| row.measured.metric == metric);
    let with_accuracy: BTreeSet<&str> = of(Metric::ACCURACY).map(|row| row.table.protocol.as_str()).collect();
    let headless = |row: &&SummaryRow| !with_accuracy.contains(row.table.protocol.as_str());
    let by_class: Vec<SummaryRow> = of(Metric::CLASS_ACCURACY).filter(headless).cloned().collect();
    let mut tables = Vec::new();
    if !with_accuracy.is_empty() {
        tables.push(Overview::of(rows, Metric::ACCURACY));
    }
    if !by_class.is_empty() {
        tables.push(Overview::of(&by_class, Metric::CLASS_ACCURACY));
    }
    let there = OTHERS.into_iter().filter(|metric| of(*metric).next().is_some());
    tables.extend(there.map(|metric| Overview::of(rows, metric)));
    tables.iter().map(Overview::text).collect::<Vec<_>>().join("\n")
}
