//! A ranking on the screen and in Markdown.

use crate::report::Grid;
use crate::scores::{RankedSet, Ranking, Rule, Share};

/// Methods of a data set that are shown; all of them stand in `ranking.csv`.
const SHOWN: usize = 10;
/// Data sets that are shown one by one.
const SETS: usize = 3;

/// What is printed.
pub fn text(ranking: &Ranking) -> String {
    grids(ranking).iter().map(Grid::text).collect::<Vec<_>>().join("\n")
}

/// `ranking.md`.
pub fn markdown(ranking: &Ranking) -> String {
    let tables: Vec<String> = grids(ranking).iter().map(Grid::markdown).collect();
    format!("# Which ranks are real\n\n{}", tables.join("\n"))
}

fn grids(ranking: &Ranking) -> Vec<Grid> {
    let sets = ranking.data_sets.iter().take(SETS).map(|set| standings(ranking, set));
    let mut grids: Vec<Grid> = sets.collect();
    grids.extend(across(ranking));
    grids.push(survival(ranking));
    grids
}

fn standings(ranking: &Ranking, set: &RankedSet) -> Grid {
    let mut head = ["rank", "method", &ranking.column, "±"].map(str::to_string).to_vec();
    for rule in &ranking.rules {
        head.push(format!("ranks, {}", rule.word()));
    }
    let percent = |value: f64| format!("{:.2}", value / set.point);
    let mut lines = vec![head];
    for method in set.methods.iter().take(SHOWN) {
        let mut line = vec![
            method.rank.to_string(),
            method.name.clone(),
            percent(method.mean),
            method.margin.map_or("–".to_string(), percent),
        ];
        line.extend(method.places.iter().map(|place| match place.low == place.high {
            true => place.low.to_string(),
            false => format!("{}–{}", place.low, place.high),
        }));
        lines.push(line);
    }
    let more = set.methods.len().saturating_sub(SHOWN);
    let mut notes = Vec::new();
    if more > 0 {
        notes.push(format!("{more} more methods are in ranking.csv"));
    }
    let title = format!("{}: {} in percent, {} methods", set.name, ranking.column, set.methods.len());
    Grid { title, lines, left: 2, notes }
}

fn across(ranking: &Ranking) -> Option<Grid> {
    let across = ranking.across.as_ref()?;
    let mut lines = vec![["method", "mean rank", "Borda"].map(str::to_string).to_vec()];
    for method in across.methods.iter().take(SHOWN) {
        lines.push(vec![
            method.name.clone(),
            format!("{:.2}", method.mean_rank),
            format!("{:.1}", method.borda),
        ]);
    }
    let note = match (across.critical_difference, across.p) {
        (Some(difference), Some(p)) => format!(
            "mean ranks further apart than {difference:.2} differ (Nemenyi); Friedman's test, Iman and Davenport: p = {p:.3}"
        ),
        _ => "too few data sets or methods for a test of ranks, which needs more than 10 of the ones and 5 of the others".to_string(),
    };
    let title = format!("{} methods over {} data sets", across.methods.len(), across.data_sets);
    Some(Grid { title, lines, left: 1, notes: vec![note] })
}

fn survival(ranking: &Ranking) -> Grid {
    let head = ["draws compared", "adjacent ranks", "gaps of 2 points or less", "top ten"];
    let mut lines = vec![head.map(str::to_string).to_vec()];
    for found in &ranking.survival {
        let rule = format!("{}{}", found.rule.word(), if found.holm { ", Holm" } else { "" });
        lines.push([found.adjacent, found.small_gaps, found.top_ten].iter().fold(
            vec![rule],
            |mut line, share| {
                line.push(cell(*share));
                line
            },
        ));
    }
    let sets = ranking.data_sets.len();
    let mut notes = vec![
        "a share says how many differ significantly (5 %): neighbours in rank, pairs of methods whose means are at most two \
         points apart, and members of a top ten from the eleventh"
            .to_string(),
        "ranks: where a method can stand, by Holm over all pairs of the data set".to_string(),
    ];
    if ranking.rules.len() > 1 {
        notes.push(
            "nothing in the file says that draw i is the same draw for all methods: `unpaired` is what it supports, `paired` \
             what it would support if that is so (--paired draw)"
                .to_string(),
        );
    }
    notes.push(noises(ranking));
    notes.extend(ranking.notes.iter().cloned());
    Grid {
        title: format!("What survives, over {sets} data set{}", if sets == 1 { "" } else { "s" }),
        lines,
        left: 1,
        notes,
    }
}

/// Which noises the file can speak of.
fn noises(ranking: &Ranking) -> String {
    let mut draws: Vec<usize> =
        ranking.data_sets.iter().flat_map(|set| &set.methods).map(|method| method.draws).collect();
    draws.sort_unstable();
    let few = draws.get(draws.len() / 2).copied().unwrap_or(0);
    let exact = ranking.rules.contains(&Rule::Paired).then(|| {
        let least = crate::stats::least_p(few);
        format!("; t-tests take scores of draws for normal: with {few} draws no test of signs gives p below {least:.3}")
    });
    let exact = exact.filter(|_| few <= 12).unwrap_or_default();
    match ranking.queries {
        true => format!("intervals hold for other draws and other queries of these data sets{exact}"),
        false => format!(
            "intervals hold for other draws and these very test items: how much other test items would change is not in the file{exact}"
        ),
    }
}

fn cell(share: Share) -> String {
    match share.value() {
        Some(value) => format!("{:.0} % of {}", 100.0 * value, share.of),
        None => "–".to_string(),
    }
}
