//! The table on the screen: methods down, shots across, with margins of error for these and for new classes side by side.

use std::collections::{BTreeMap, BTreeSet};

use super::grid::Grid;
use super::names::{seedless, without_seed};
use crate::metric::Metric;
use crate::results::{Selection, Size, SummaryRow};
use crate::stats::{self, Interval, IntervalMethod, Population};
use crate::vocab::{Setting, counted};

/// Methods by shots for one metric, a table per protocol and data set. No cell is marked as best: that would be a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview(Vec<Grid>);

/// Stands where a method has no value.
const ABSENT: &str = "–";

/// Columns of the screen that are left to the names of methods.
const NAMES: usize = 28;
/// Columns of the screen that the values take.
const VALUES: usize = 80 - NAMES;

/// The tables on the screen: accuracy, and beside it what was asked of queries of no class of the task.
pub fn overviews(rows: &[SummaryRow]) -> Vec<Overview> {
    let has = |metric: &Metric| rows.iter().any(|row| row.measured.metric == *metric);
    let with_accuracy: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row.measured.metric == Metric::ACCURACY)
        .map(|row| row.table.protocol.as_str())
        .collect();
    // Class accuracy heads protocols that ask for no other.
    let headless = |row: &&SummaryRow| {
        row.measured.metric == Metric::CLASS_ACCURACY && !with_accuracy.contains(row.table.protocol.as_str())
    };
    let mut tables = Vec::new();
    if has(&Metric::ACCURACY) {
        tables.push(Overview::of(rows, Metric::ACCURACY));
    }
    let of_classes: Vec<SummaryRow> = rows.iter().filter(headless).cloned().collect();
    if !of_classes.is_empty() {
        tables.push(Overview::of(&of_classes, Metric::CLASS_ACCURACY));
    }
    let others = [
        Metric::SEEN,
        Metric::UNSEEN,
        Metric::HARMONIC,
        Metric::AUSUC,
        Metric::AUROC,
        Metric::IN_SCOPE_ACCURACY_AT_95,
        Metric::OOS_RECALL,
    ];
    tables.extend(others.iter().filter(|metric| has(metric)).map(|metric| Overview::of(rows, *metric)));
    tables
}

impl Overview {
    /// The overview of one metric; rows of other metrics are passed over. Methods keep the order of the rows.
    pub fn of(rows: &[SummaryRow], metric: Metric) -> Overview {
        let rows: Vec<&SummaryRow> = rows.iter().filter(|row| row.measured.metric == metric).collect();
        let mut sets: Vec<(&str, &str)> = Vec::new();
        for row in &rows {
            let set = (row.table.protocol.as_str(), row.table.dataset.as_str());
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        let of_set = |(protocol, dataset): (&str, &str)| {
            let of =
                rows.iter().filter(|row| (&*row.table.protocol, &*row.table.dataset) == (protocol, dataset));
            of_set(&of.copied().collect::<Vec<_>>(), metric)
        };
        Overview(sets.into_iter().flat_map(of_set).collect())
    }

    /// Aligned plain text, line ends included.
    pub fn text(&self) -> String {
        self.0.iter().map(Grid::text).collect::<Vec<_>>().join("\n")
    }

    /// Markdown tables, line ends included.
    pub fn markdown(&self) -> String {
        self.0.iter().map(Grid::markdown).collect::<Vec<_>>().join("\n")
    }

    /// Its tables.
    pub fn grids(&self) -> &[Grid] {
        &self.0
    }
}

/// The tables of one protocol and data set: as many shots in each as the screen has room for.
fn of_set(rows: &[&SummaryRow], metric: Metric) -> Vec<Grid> {
    let shots: BTreeSet<Size> = rows.iter().map(|row| row.table.shot).collect();
    let shots: Vec<Size> = shots.into_iter().collect();
    let margins = Margins::of(rows);
    let several = shots.len() > 1;
    let width: usize =
        margins.head(metric, several.then_some(shots[0])).iter().map(|head| head.chars().count() + 2).sum();
    let mut methods: Vec<Method<'_>> = Vec::new();
    for row in rows {
        let method = Method::of(row);
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    let mut grids: Vec<Grid> = shots
        .chunks((VALUES / width.max(1)).max(1))
        .map(|shots| {
            let mut lines = vec![vec!["method".to_string()]];
            lines[0].extend(shots.iter().flat_map(|shot| margins.head(metric, several.then_some(*shot))));
            for method in &methods {
                let mut line = vec![method.shown(&methods)];
                line.extend(shots.iter().flat_map(|shot| {
                    let of: Vec<&SummaryRow> =
                        rows.iter().copied().filter(|row| method.has(row, *shot)).collect();
                    margins.cells(&of)
                }));
                lines.push(line);
            }
            lines.extend(seed_means(rows, &methods, shots, &margins));
            Grid { title: title(rows, metric), lines, left: 1, notes: Vec::new() }
        })
        .collect();
    if let Some(last) = grids.last_mut() {
        last.notes = notes(rows, &margins, &methods);
    }
    grids
}

/// What a table shows, in a line.
fn title(rows: &[&SummaryRow], metric: Metric) -> String {
    let first = &rows[0];
    let shots: BTreeSet<Size> = rows.iter().map(|row| row.table.shot).collect();
    let shot = if shots.len() == 1 { format!(", {}", shot_words(first.table.shot)) } else { String::new() };
    let unit = if metric.is_rate() { " in percent" } else { "" };
    let sizes: BTreeSet<(usize, usize)> = rows.iter().map(|row| (row.episodes, row.classes)).collect();
    let sizes: Vec<String> = sizes
        .into_iter()
        .map(|(episodes, classes)| {
            let episodes = counted(episodes as u64, "episode", "episodes");
            format!("{episodes}, {}", counted(classes as u64, "class", "classes"))
        })
        .collect();
    format!("{}{shot}, {}: {metric}{unit}, {}", first.table.protocol, first.table.dataset, sizes.join(" or "))
}

/// Which margins any row has.
struct Margins {
    these: bool,
    new: bool,
}

impl Margins {
    fn of(rows: &[&SummaryRow]) -> Margins {
        let has =
            |population| rows.iter().any(|row| row.measured.interval.is_some_and(|(of, _)| of == population));
        Margins { these: has(Population::Sampler), new: has(Population::Classes) }
    }

    /// The heads of one shot; of a metric where there is only one shot.
    fn head(&self, metric: Metric, shot: Option<Size>) -> Vec<String> {
        let classes = if shot.is_some() { "" } else { " classes" };
        let margins = [(self.these, "± these"), (self.new, "± new")];
        let value = shot.map_or(metric.to_string(), shot_words);
        let margins = margins.into_iter().filter(|(has, _)| *has).map(|(_, head)| format!("{head}{classes}"));
        std::iter::once(value).chain(margins).collect()
    }

    /// The cells of the rows of one method and shot: value and margins.
    fn cells(&self, rows: &[&SummaryRow]) -> Vec<String> {
        let margin = |population| {
            let interval =
                rows.iter().find_map(|row| row.measured.interval.filter(|(of, _)| *of == population));
            let arms = |(_, interval): (Population, Interval)| {
                interval.arms(rows[0].measured.value, |arm| number(rows[0], arm))
            };
            interval.map_or(ABSENT.to_string(), arms)
        };
        let value = rows.first().map_or(ABSENT.to_string(), |row| number(row, row.measured.value));
        let margins = [(self.these, Population::Sampler), (self.new, Population::Classes)];
        let margins = margins.into_iter().filter(|(has, _)| *has).map(|(_, population)| margin(population));
        std::iter::once(value).chain(margins).collect()
    }
}

/// A number as it is shown: rates in percent.
fn number(row: &SummaryRow, value: f64) -> String {
    if row.measured.metric.is_rate() { format!("{:.2}", value * 100.0) } else { format!("{value:.4}") }
}

/// What tells the rows of one line from those of others.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Method<'a> {
    name: &'a str,
    seed_train: Option<u64>,
    selection: Selection,
    setting: Setting,
    parameters: &'a BTreeMap<String, String>,
}

impl<'a> Method<'a> {
    fn of(row: &'a SummaryRow) -> Method<'a> {
        let table = &row.table;
        Method {
            name: &table.method,
            seed_train: table.seed_train,
            selection: table.selection,
            setting: table.setting,
            parameters: &table.parameters,
        }
    }

    fn has(&self, row: &SummaryRow, shot: Size) -> bool {
        Method::of(row) == *self && row.table.shot == shot
    }

    /// Its name, with the training seed where others differ in it, and with where its values come from, unless they are
    /// defaults.
    fn shown(&self, all: &[Method<'_>]) -> String {
        let others = || all.iter().filter(|other| other.name == self.name && *other != self);
        let network = self.seed_train.filter(|_| others().any(|other| other.seed_train != self.seed_train));
        let own = self.parameters.get("seed");
        let own = own.filter(|_| others().any(|other| other.parameters.get("seed") != own));
        let seeds: Vec<String> =
            network.map(|seed| seed.to_string()).into_iter().chain(own.cloned()).collect();
        let seeds = if seeds.is_empty() { String::new() } else { format!(" (seed {})", seeds.join("/")) };
        // A method that saw all queries at once is not compared with others as if it had not.
        let setting = if self.setting == Setting::Transductive { " (transductive)" } else { "" };
        labelled(&format!("{}{seeds}{setting}", self.name), self.selection)
    }
}

/// A name with where its values come from, unless they are defaults.
fn labelled(name: &str, selection: Selection) -> String {
    match selection {
        Selection::Default => name.to_string(),
        selection => format!("{name} ({})", selection.word()),
    }
}

/// A method but for its seeds: name, other parameters, and the word of its selection.
type Seedless = (String, BTreeMap<String, String>, &'static str);

/// A line for every method of which others differ in a seed alone: the mean over seeds.
fn seed_means(
    rows: &[&SummaryRow],
    methods: &[Method<'_>],
    shots: &[Size],
    margins: &Margins,
) -> Vec<Vec<String>> {
    let mean = |members: &Vec<Method<'_>>, shot: Size| {
        let value =
            |member: &Method<'_>| rows.iter().find(|row| member.has(row, shot)).map(|row| row.measured.value);
        let values: Option<Vec<f64>> = members.iter().map(value).collect();
        let mean = values.and_then(|values| stats::mean(&values));
        let mut cells = vec![mean.map_or(ABSENT.to_string(), |mean| number(rows[0], mean))];
        cells.resize(1 + usize::from(margins.these) + usize::from(margins.new), ABSENT.to_string());
        cells
    };
    let line = |members: Vec<Method<'_>>| {
        let name = without_seed(members[0].name);
        let title = format!("{}, mean over {} seeds", labelled(&name, members[0].selection), members.len());
        std::iter::once(title).chain(shots.iter().flat_map(|shot| mean(&members, *shot))).collect()
    };
    trained_often(methods).into_iter().map(line).collect()
}

/// Methods that differ in their seeds alone, where there are several.
fn trained_often<'a>(methods: &[Method<'a>]) -> Vec<Vec<Method<'a>>> {
    let mut groups: BTreeMap<Seedless, Vec<Method<'a>>> = BTreeMap::new();
    let has_seed =
        |method: &&Method<'_>| method.seed_train.is_some() || method.parameters.contains_key("seed");
    for method in methods.iter().filter(has_seed) {
        let key = (without_seed(method.name), seedless(method.parameters), method.selection.word());
        groups.entry(key).or_default().push(*method);
    }
    groups.into_values().filter(|members| members.len() > 1).collect()
}

fn shot_words(shot: Size) -> String {
    match shot {
        Size::Number(number) => format!("{number}-shot"),
        other => format!("{other} shots"),
    }
}

fn notes(rows: &[&SummaryRow], margins: &Margins, methods: &[Method<'_>]) -> Vec<String> {
    let mut notes = Vec::new();
    let intervals = || rows.iter().filter_map(|row| row.measured.interval);
    let levels: BTreeSet<String> =
        intervals().map(|(_, interval)| format!("{} %", (interval.level * 1e6).round() / 1e4)).collect();
    let levels: Vec<String> = levels.into_iter().collect();
    if margins.these || margins.new {
        let items = if intervals().any(|(of, _)| of == Population::Items) {
            ", and new items (open), because no item repeats"
        } else {
            ""
        };
        let these = format!("these classes: {}{items}", Population::Sampler.meaning());
        let new = if margins.new { "; new classes: others of their kind" } else { "" };
        notes.push(format!("± margin of error ({} CI); {these}{new}", levels.join(" or ")));
    }
    if rows.iter().any(|row| row.table.sequential) {
        notes.push(
            "episodes were drawn until the margin for these classes was narrow (sequential)".to_string(),
        );
    }
    if !trained_often(methods).is_empty() {
        notes.push("`kshot compare` gives the margin of a mean over seeds, for new seeds too".to_string());
    }
    notes.extend(uneven(rows));
    notes.extend(without_spread(rows));
    notes
}

/// What a margin is made of where there is hardly any spread.
fn without_spread(rows: &[&SummaryRow]) -> Option<String> {
    let quiet = rows.iter().any(|row| row.measured.method == Some(IntervalMethod::ClopperPearson));
    quiet.then(|| {
        "where all episodes or classes agree, or nearly all, a margin is the share of others that so many do not rule out \
         (Clopper and Pearson)"
            .to_string()
    })
}

/// That an interval reaches farther on one side.
fn uneven(rows: &[&SummaryRow]) -> Option<String> {
    let of = |row: &&&SummaryRow| {
        let measured = &row.measured;
        let arms =
            measured.interval.map(|(_, interval)| interval.arms(measured.value, |arm| number(row, arm)));
        arms.is_some_and(|arms| arms.contains('+'))
    };
    rows.iter().find(of)?;
    Some(
        "−a +b: the interval reaches a below and b above, because few classes are far from the rest"
            .to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Measured, Table};
    use crate::vocab::{SawClasses, Setting};

    fn row(protocol: &str, shot: Size, learner: &str, seed: Option<&str>, value: f64) -> SummaryRow {
        let parameters = seed.map(|seed| ("seed".to_string(), seed.to_string()));
        SummaryRow {
            table: Table {
                protocol: protocol.to_string(),
                version: 1,
                learner: learner.to_string(),
                parameters: parameters.into_iter().collect(),
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
                method: format!("f+{learner}{}", seed.map_or(String::new(), |seed| format!(":seed={seed}"))),
                device: "cpu".to_string(),
                draw_sha256: "d".to_string(),
                items_sha256: String::new(),
            },
            episodes: 600,
            classes: 60,
            measured: Measured::plain(Metric::ACCURACY, value),
            features_sha256: "f".to_string(),
        }
    }

    /// A row for each margin.
    fn with(row: &SummaryRow, margins: &[(Population, f64)]) -> Vec<SummaryRow> {
        let with = |(population, half): &(Population, f64)| {
            let value = row.measured.value;
            let interval = Interval { low: value - half, high: value + half, level: 0.95 };
            let (interval, method) = (Some((*population, interval)), Some(IntervalMethod::StudentT));
            let measured = Measured { interval, method, ..row.measured };
            SummaryRow { measured, ..row.clone() }
        };
        margins.iter().map(with).collect()
    }

    const ONE: Size = Size::Number(1);

    #[test]
    fn margins_for_these_and_for_new_classes_stand_side_by_side() {
        let both = [(Population::Sampler, 0.01), (Population::Classes, 0.05)];
        let mut rows = with(&row("p", ONE, "k-nn", None, 0.5), &both);
        rows.extend(with(&row("p", ONE, "prototypical", None, 0.625), &both[..1]));
        let expected = "\
p, 1-shot, d: accuracy in percent, 600 episodes, 60 classes
method          accuracy  ± these classes  ± new classes
f+k-nn             50.00             1.00           5.00
f+prototypical     62.50             1.00              –

± margin of error (95 % CI); these classes: these classes and items (closed); new classes: others of their kind
";
        let overview = Overview::of(&rows, Metric::ACCURACY);
        assert_eq!(overview.text(), expected);
        assert!(
            overview.markdown().contains("| f+k-nn | 50.00 | 1.00 | 5.00 |\n"),
            "{}",
            overview.markdown()
        );
    }

    #[test]
    fn shots_stand_side_by_side_where_the_screen_has_room_and_protocols_have_tables_of_their_own() {
        let both = [(Population::Sampler, 0.01), (Population::Classes, 0.05)];
        let mut rows = Vec::new();
        for shot in [1, 5, 20] {
            rows.extend(with(&row("curve", Size::Number(shot), "k-nn", None, 0.5), &both));
        }
        rows.push(row("whole", ONE, "k-nn", None, 1.0));
        let expected = "\
curve, d: accuracy in percent, 600 episodes, 60 classes
method  1-shot  ± these  ± new  5-shot  ± these  ± new
f+k-nn   50.00     1.00   5.00   50.00     1.00   5.00

curve, d: accuracy in percent, 600 episodes, 60 classes
method  20-shot  ± these  ± new
f+k-nn    50.00     1.00   5.00

± margin of error (95 % CI); these classes: these classes and items (closed); new classes: others of their kind

whole, 1-shot, d: accuracy in percent, 600 episodes, 60 classes
method  accuracy
f+k-nn    100.00
";
        assert_eq!(Overview::of(&rows, Metric::ACCURACY).text(), expected);
    }

    #[test]
    fn an_interval_that_was_waited_for_says_so_and_new_items_are_named_where_no_item_repeats() {
        let all = [(Population::Sampler, 0.01), (Population::Items, 0.01)];
        let mut rows = with(&row("p", ONE, "k-nn", None, 0.5), &all);
        rows[0].table.sequential = true;
        let text = Overview::of(&rows, Metric::ACCURACY).text();
        assert!(text.contains("(closed), and new items (open), because no item repeats\n"), "{text}");
        assert!(
            text.ends_with("drawn until the margin for these classes was narrow (sequential)\n"),
            "{text}"
        );
    }

    #[test]
    fn a_margin_of_zero_says_what_it_does_not_mean() {
        let estimate = stats::of_mean_within(&[1.0; 600], Metric::ACCURACY.range()).unwrap();
        let measured = Measured::of(Metric::ACCURACY, Population::Sampler, &estimate, 0.95).unwrap();
        let rows = [SummaryRow { measured, ..row("p", ONE, "k-nn", None, 1.0) }];
        let text = Overview::of(&rows, Metric::ACCURACY).text();
        assert!(text.contains("−0.61 +0.00"), "{text}");
        assert!(text.ends_with(
            "a margin is the share of others that so many do not rule out (Clopper and Pearson)\n"
        ));
    }

    #[test]
    fn methods_that_differ_in_their_seed_alone_get_a_line_with_their_mean() {
        let rows = [("0", 0.5), ("1", 0.6), ("2", 0.7)]
            .map(|(seed, value)| row("curve", ONE, "ale", Some(seed), value));
        let text = Overview::of(&rows, Metric::ACCURACY).text();
        assert_eq!(text.lines().nth(5), Some("f+ale, mean over 3 seeds     60.00"), "{text}");
        assert!(text.contains("`kshot compare` gives the margin"));
        assert!(!Overview::of(&rows[..1], Metric::ACCURACY).text().contains("mean over"));
        let mut trained = rows;
        for (seed, row) in (4..).zip(&mut trained) {
            row.table.method = "f+ale".to_string();
            row.table.parameters.clear();
            row.table.seed_train = Some(seed);
        }
        let text = Overview::of(&trained, Metric::ACCURACY).text();
        assert!(text.contains("\nf+ale (seed 5)               60.00\n"), "{text}");
        assert_eq!(text.lines().nth(5), Some("f+ale, mean over 3 seeds     60.00"), "{text}");
    }

    #[test]
    fn a_likelihood_is_not_shown_in_percent() {
        let mut rows = with(&row("p", ONE, "k-nn", None, 0.5), &[(Population::Sampler, 0.01)]);
        rows[0].measured.metric = Metric::NLL;
        let text = Overview::of(&rows, Metric::NLL).text();
        assert!(text.contains("d: nll, 600 episodes"), "{text}");
        assert!(text.contains("\nf+k-nn  0.5000           0.0100\n"), "{text}");
        assert_eq!(Overview::of(&rows, Metric::ACCURACY).text(), "");
    }
}
