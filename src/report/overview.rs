//! The table on the screen: learners down, protocols across.

use std::collections::{BTreeMap, BTreeSet};

use super::grid::Grid;
use super::names::display_names;
use crate::metric::Metric;
use crate::results::{Selection, Size, SummaryRow};
use crate::stats::Population;
use crate::vocab::counted;

/// Learners by protocols for one metric. No cell is marked as best: that would be a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview(Grid);

/// Stands where a learner has no value.
const ABSENT: &str = "–";

impl Overview {
    /// The overview of one metric; rows of other metrics are passed over. Learners and protocols keep the order of the rows.
    pub fn of(rows: &[SummaryRow], metric: Metric) -> Overview {
        let rows: Vec<&SummaryRow> = rows.iter().filter(|row| row.measured.metric == metric).collect();
        let (mut learners, mut columns) = (Vec::new(), Vec::new());
        for row in &rows {
            let (learner, column) = (learner(row), column(row));
            if !learners.contains(&learner) {
                learners.push(learner);
            }
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns.sort();

        let mut lines = vec![vec!["learner".to_string()]];
        lines[0].extend(columns.iter().map(|(protocol, shot)| {
            let several = columns.iter().filter(|(p, _)| p == protocol).count() > 1;
            if several { format!("{protocol} {}", shot_words(*shot)) } else { protocol.to_string() }
        }));
        let names = display_names(rows.iter().map(|row| (row.table.learner.as_str(), &row.table.parameters)));
        for known in &learners {
            let name = names.get(&(known.0, known.1)).cloned().unwrap_or_default();
            let mut line = vec![labelled(name, known.2)];
            line.extend(columns.iter().map(|wanted| {
                let row = rows.iter().find(|row| learner(row) == *known && column(row) == *wanted);
                row.map_or(ABSENT.to_string(), |row| cell(row))
            }));
            lines.push(line);
        }
        lines.extend(seed_means(&rows, &learners, &columns));
        Overview(Grid { title: String::new(), lines, left: 1, notes: notes(&rows, metric) })
    }

    /// Aligned plain text, line ends included.
    pub fn text(&self) -> String {
        self.0.text()
    }

    /// A Markdown table, line ends included.
    pub fn markdown(&self) -> String {
        self.0.markdown()
    }

    /// Its cells.
    pub fn grid(&self) -> &Grid {
        &self.0
    }
}

/// A learner of a table but for its seed: name, the word of its selection, other parameters.
type Kin<'a> = (&'a str, &'a str, BTreeMap<String, String>);

/// Their selection, and the parameters of each.
type Seeds<'a> = (Selection, Vec<&'a BTreeMap<String, String>>);

/// A line for every learner that differs from others in its parameter `seed` alone: the mean over seeds.
fn seed_means(rows: &[&SummaryRow], learners: &[Known<'_>], columns: &[(&str, Size)]) -> Vec<Vec<String>> {
    let mut groups: BTreeMap<Kin<'_>, Seeds<'_>> = BTreeMap::new();
    for (name, parameters, selection) in learners.iter().filter(|known| known.1.contains_key("seed")) {
        let mut others = (*parameters).clone();
        others.remove("seed");
        let key = (*name, selection.word(), others);
        groups.entry(key).or_insert_with(|| (*selection, Vec::new())).1.push(parameters);
    }
    let several = groups.iter().filter(|(_, (_, members))| members.len() > 1);
    let names = display_names(several.clone().map(|((name, _, others), _)| (*name, others)));
    several
        .map(|((name, _, others), (selection, members))| {
            let shown = labelled(names.get(&(*name, others)).cloned().unwrap_or_default(), *selection);
            let mean = |wanted: &(&str, Size)| {
                let of = |row: &&&SummaryRow| {
                    let known = learner(row);
                    column(row) == *wanted
                        && (known.0, known.2) == (*name, *selection)
                        && members.contains(&known.1)
                };
                // One row per member, whatever its intervals.
                let mut values: BTreeMap<&BTreeMap<String, String>, f64> = BTreeMap::new();
                for row in rows.iter().filter(of) {
                    values.insert(learner(row).1, row.measured.value);
                }
                let (scale, digits) = rows.first().map_or((1.0, 4), |row| form(row));
                match values.len() == members.len() {
                    true => {
                        format!("{:.digits$}", values.values().sum::<f64>() / values.len() as f64 * scale)
                    }
                    false => ABSENT.to_string(),
                }
            };
            let title = format!("{shown}, mean over {} seeds", members.len());
            std::iter::once(title).chain(columns.iter().map(mean)).collect()
        })
        .collect()
}

/// The factor and the digits of a metric's cells.
fn form(row: &SummaryRow) -> (f64, usize) {
    if row.measured.metric.is_rate() { (100.0, 2) } else { (1.0, 4) }
}

/// A learner of a table: name, parameters, and where these come from.
type Known<'a> = (&'a str, &'a BTreeMap<String, String>, Selection);

fn learner(row: &SummaryRow) -> Known<'_> {
    (&row.table.learner, &row.table.parameters, row.table.selection)
}

/// A name with where its values come from, unless they are defaults.
fn labelled(name: String, selection: Selection) -> String {
    match selection {
        Selection::Default => name,
        selection => format!("{name} ({})", selection.word()),
    }
}

fn column(row: &SummaryRow) -> (&str, Size) {
    (&row.table.protocol, row.table.shot)
}

fn shot_words(shot: Size) -> String {
    match shot {
        Size::Number(number) => format!("{number}-shot"),
        other => format!("{other} shots"),
    }
}

fn cell(row: &SummaryRow) -> String {
    let (scale, digits) = form(row);
    let value = format!("{:.digits$}", row.measured.value * scale);
    match row.measured.interval {
        Some((_, interval)) => format!("{value} ± {:.digits$}", interval.half_width() * scale),
        None => value,
    }
}

fn notes(rows: &[&SummaryRow], metric: Metric) -> Vec<String> {
    let mut notes = vec![if metric.is_rate() { format!("{metric} in percent") } else { metric.to_string() }];
    let kinds: BTreeSet<(Population, String, bool)> = rows
        .iter()
        .filter_map(|row| row.measured.interval.map(|interval| (interval, row.table.sequential)))
        .filter(|((population, _), _)| *population == Population::Sampler)
        .map(|((population, interval), sequential)| {
            (population, format!("{} %", (interval.level * 1e6).round() / 1e4), sequential)
        })
        .collect();
    for (population, level, sequential) in kinds {
        let waited = if sequential { "; sequential: drawn until it was narrow" } else { "" };
        notes.push(format!("± half of the {level} {population} interval: {}{waited}", population.meaning()));
    }
    let draws: BTreeSet<(&str, usize, usize)> =
        rows.iter().map(|row| (row.table.protocol.as_str(), row.episodes, row.classes)).collect();
    for (protocol, episodes, classes) in draws {
        let episodes = counted(episodes as u64, "episode", "episodes");
        notes.push(format!("{protocol}: {episodes}, {}", counted(classes as u64, "class", "classes")));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Measured, Table};
    use crate::stats::Interval;
    use crate::vocab::{SawClasses, Setting};

    fn row(
        protocol: &str,
        shot: Size,
        learner: &str,
        parameters: &[(&str, &str)],
        value: f64,
        half: f64,
    ) -> SummaryRow {
        let parameters = parameters.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let interval = Interval { low: value - half, high: value + half, level: 0.95 };
        SummaryRow {
            table: Table {
                protocol: protocol.to_string(),
                version: 1,
                learner: learner.to_string(),
                parameters,
                selection: Selection::Default,
                setting: Setting::Inductive,
                backbone: None,
                saw_classes: SawClasses::Unknown,
                way: Size::Number(5),
                shot,
                query: Size::Number(15),
                repeat: true,
                clusters: None,
                seen: None,
                metrics: vec![Metric::ACCURACY],
                level: 0.95,
                sequential: false,
                seed: 7,
                features: "f".to_string(),
                dataset: "d".to_string(),
                seed_train: None,
                method: format!("f+{learner}"),
                device: "cpu".to_string(),
                draw_sha256: "d".to_string(),
                items_sha256: String::new(),
            },
            episodes: if half > 0.0 { 600 } else { 1 },
            classes: 60,
            measured: Measured {
                metric: Metric::ACCURACY,
                value,
                interval: (half > 0.0).then_some((Population::Sampler, interval)),
            },
            features_sha256: "f".to_string(),
        }
    }

    fn rows() -> Vec<SummaryRow> {
        let (one, five) = (Size::Number(1), Size::Number(5));
        let centre = [("distance", "euclidean")];
        vec![
            row("curve", one, "k-nn", &[("k", "1"), ("transform", "none")], 0.5, 0.01),
            row("curve", five, "k-nn", &[("k", "1"), ("transform", "none")], 0.65123, 0.009),
            row("curve", five, "k-nn", &[("k", "3"), ("transform", "none")], 0.7, 0.0098765),
            row("curve", one, "prototypical", &centre, 0.625, 0.0125),
            row("whole", Size::Number(1), "prototypical", &centre, 1.0, 0.0),
        ]
    }

    #[test]
    fn the_text_is_aligned_and_says_what_the_interval_is() {
        let expected = "\
learner       curve 1-shot  curve 5-shot   whole
k-nn:k=1      50.00 ± 1.00  65.12 ± 0.90       –
k-nn:k=3                 –  70.00 ± 0.99       –
prototypical  62.50 ± 1.25             –  100.00

accuracy in percent
± half of the 95 % sampler interval: these classes and items
curve: 600 episodes, 60 classes
whole: 1 episode, 60 classes
";
        assert_eq!(Overview::of(&rows(), Metric::ACCURACY).text(), expected);
    }

    #[test]
    fn an_interval_that_was_waited_for_says_so() {
        let mut rows = rows();
        rows.truncate(1);
        rows[0].table.sequential = true;
        rows[0].classes = 1;
        let text = Overview::of(&rows, Metric::ACCURACY).text();
        let note = "interval: these classes and items; sequential: drawn until it was narrow\ncurve: 600 episodes, 1 class\n";
        assert!(text.ends_with(note), "{text}");
    }

    #[test]
    fn learners_that_differ_in_their_seed_alone_get_a_line_with_their_mean() {
        let one = Size::Number(1);
        let rows = [("0", 0.5), ("1", 0.6), ("2", 0.7)]
            .map(|(seed, value)| row("curve", one, "ale", &[("lr", "1"), ("seed", seed)], value, 0.0));
        let text = Overview::of(&rows, Metric::ACCURACY).text();
        let last = text.lines().nth(4).unwrap();
        assert_eq!(last, "ale, mean over 3 seeds  60.00");
        assert!(!Overview::of(&rows[..1], Metric::ACCURACY).text().contains("mean over"));
    }

    #[test]
    fn markdown_has_the_same_cells() {
        let expected = "\
| learner | curve |
| :--- | ---: |
| k-nn | 65.12 ± 0.90 |

accuracy in percent\u{20}\u{20}
± half of the 95 % sampler interval: these classes and items\u{20}\u{20}
curve: 600 episodes, 60 classes
";
        assert_eq!(Overview::of(&rows()[1..2], Metric::ACCURACY).markdown(), expected);
    }

    #[test]
    fn a_likelihood_is_not_shown_in_percent() {
        let mut rows = rows();
        rows.truncate(1);
        rows[0].measured.metric = Metric::NLL;
        let text = Overview::of(&rows, Metric::NLL).text();
        assert!(text.starts_with("learner            curve\nk-nn     0.5000 ± 0.0100\n\nnll\n"), "{text}");
    }

    #[test]
    fn a_metric_that_nobody_has_gives_an_empty_table() {
        assert_eq!(Overview::of(&rows(), Metric::NLL).text(), "learner\n\nnll\n");
    }
}
