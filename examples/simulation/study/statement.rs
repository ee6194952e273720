//! What the study showed, in words: the paragraph of README.md.

use super::cells::{Ask, Cell};

/// The cells that do not hold what was asked of them: part, what was asked, a piece of the measure, and the reason.
pub const MISSED: [(&str, Ask, &str, &str); 13] = [
    ("few hard (10 %), 5 of 20", Ask::Share, "", "12 % of pools hold no hard class"),
    ("few hard (10 %), 5 of 20", Ask::Width, ACCURACY, SKEWED),
    ("few hard (20 %), 5 of 20", Ask::Width, "", SKEWED),
    ("normal, 19 of 20", Ask::Share, DIFFERENCE, NOISE),
    ("normal, 19 of 20", Ask::Width, DIFFERENCE, NOISE),
    ("skewed, 19 of 20", Ask::Share, DIFFERENCE, NOISE),
    ("skewed, 19 of 20", Ask::Width, DIFFERENCE, NOISE),
    ("confusable pairs, 5 of 20", Ask::Share, "", TWICE),
    ("confusable pairs, 5 of 20", Ask::Width, "", TWICE),
    ("new classes, 20 characters", Ask::Width, DIFFERENCE, TWICE),
    (INTENTS, Ask::Share, " − ", NOISE),
    (INTENTS, Ask::Width, " − ", NOISE),
    (INTENTS, Ask::Width, "accuracy of", SKEWED),
];

const INTENTS: &str = "new classes, 20 intents of CLINC150";
const ACCURACY: &str = "covers an accuracy";
const DIFFERENCE: &str = "covers a difference";
const NOISE: &str = "episodes hide what single classes do";
const SKEWED: &str = "few classes tell little of skewness";
const TWICE: &str = "the jackknife counts interactions twice";

/// Whether a cell is known not to hold.
pub fn is_missed(part: &str, cell: &Cell) -> bool {
    MISSED
        .iter()
        .any(|(name, ask, piece, _)| part == *name && cell.ask == *ask && cell.measure.contains(piece))
}

/// Lines are broken here.
const WIDTH: usize = 128;
/// How wide an interval may be beside an oracle's.
const WIDEST: f64 = 1.25;

/// The paragraph, from the part, measure and value of every row of the table.
pub fn statement(rows: &[[String; 3]]) -> String {
    let values = |wanted: &dyn Fn(&str, &str) -> bool| -> Vec<f64> {
        let rows = rows.iter().filter(|[part, measure, _]| wanted(part, measure));
        rows.filter_map(|row| row[2].parse().ok()).filter(|value: &f64| value.is_finite()).collect()
    };
    let percent = |values: Vec<f64>| {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        format!("{:.1} to {:.1} %", low * 100.0, high * 100.0)
    };
    let covers = |measure: &str| measure.starts_with("classes interval covers");
    let missed = || MISSED.iter().filter(|(part, ask, ..)| *ask == Ask::Share && *part != INTENTS);
    let made = percent(values(&|part, measure| {
        let real = part == INTENTS || part.ends_with("characters");
        let excepted = missed().any(|(name, _, piece, _)| part == *name && measure.contains(piece));
        covers(measure) && !real && !excepted
    }));
    let characters = percent(values(&|part, measure| covers(measure) && part.ends_with("characters")));
    let intents = |difference| {
        percent(values(&|part, measure| {
            covers(measure) && part == INTENTS && measure.contains(" − ") == difference
        }))
    };
    let widths = values(&|_, measure| measure.starts_with("width"));
    let narrow = widths.iter().filter(|width| **width <= WIDEST).count();
    let sampler = percent(values(&|_, measure| measure.starts_with("SAMPLER interval covers an accuracy")));
    let exceptions: Vec<String> = missed()
        .map(|(part, _, piece, why)| {
            let found =
                percent(values(&|name, measure| name == *part && covers(measure) && measure.contains(piece)));
            format!("{part}, {found}, because {why}")
        })
        .collect();
    wrapped(&format!(
        "In this study the 95 % interval for new classes covers the truth in {made} of repetitions in made worlds, in \
         {characters} for characters of Omniglot, and for pools of 20 intents of CLINC150 in {} for the accuracy of six \
         learners and in {} for their differences. {narrow} of {} median widths are within {WIDEST} times that of an oracle \
         which knows the variance. The interval for these classes alone covers the truth about new ones in {sampler}. \
         Exceptions: {}.",
        intents(false),
        intents(true),
        widths.len(),
        exceptions.join("; ")
    ))
}

fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is a first line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= WIDTH {
            last.push_str(&format!(" {word}"));
        } else {
            lines.push(word.to_string());
        }
    }
    lines.join("\n") + "\n"
}
