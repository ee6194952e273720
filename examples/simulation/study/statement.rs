//! What the study showed, in words: the paragraph of README.md.

use super::cells::{Ask, Cell};

/// The cells that do not hold what was asked of them, by the beginnings of part and measure, with the reason.
pub const MISSED: [(&str, Ask, &str, &str); 10] = [
    ("few hard (20 %), 5 of 20", Ask::Width, "", "skewness of few classes is hardly known"),
    ("few hard (10 %), 5 of 20", Ask::Share, "", "12 % of pools hold no hard class"),
    ("few hard (10 %), 5 of 20", Ask::Width, ACCURACY, "the same"),
    ("normal, 19 of 20", Ask::Share, DIFFERENCE, NOISE),
    ("normal, 19 of 20", Ask::Width, DIFFERENCE, "the same"),
    ("skewed, 19 of 20", Ask::Share, DIFFERENCE, NOISE),
    ("skewed, 19 of 20", Ask::Width, DIFFERENCE, "the same"),
    ("confusable pairs, 5 of 20", Ask::Share, "", "the jackknife counts interactions twice"),
    ("confusable pairs, 5 of 20", Ask::Width, "", "the same"),
    ("new classes, 20 characters", Ask::Width, DIFFERENCE, "the same"),
];

const ACCURACY: &str = "classes interval covers an accuracy";
const DIFFERENCE: &str = "classes interval covers a difference";
const NOISE: &str = "episodes hide what single classes do, and the uncorrected jackknife stands";

/// Whether a cell is known not to hold.
pub fn is_missed(part: &str, cell: &Cell) -> bool {
    MISSED
        .iter()
        .any(|(name, ask, measure, _)| part == *name && cell.ask == *ask && cell.measure.starts_with(measure))
}

/// Lines are broken here.
const WIDTH: usize = 128;

/// The paragraph, from the part, measure and value of every row of the table.
pub fn statement(rows: &[[String; 3]]) -> String {
    let of = |wanted: &dyn Fn(&str, &str) -> bool| {
        let rows = rows.iter().filter(|[part, measure, _]| wanted(part, measure));
        let values = rows.filter_map(|row| row[2].parse::<f64>().ok());
        values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let covers = |measure: &str| measure.starts_with("classes interval covers");
    let exception = |part: &str| MISSED.iter().any(|(name, ask, ..)| *name == part && *ask == Ask::Share);
    let percent = |(low, high): (f64, f64)| format!("{:.1} to {:.1} %", low * 100.0, high * 100.0);
    let made =
        of(&|part, measure| covers(measure) && !part.starts_with("new classes, 20 int") && !exception(part));
    let real = of(&|part, measure| covers(measure) && part.contains("intents"));
    let sampler = of(&|_, measure| measure.starts_with("SAMPLER interval covers an accuracy"));
    let widths =
        of(&|part, measure| measure.starts_with("width") && !MISSED.iter().any(|(name, ..)| *name == part));
    let missed = MISSED.iter().map(|(part, ask, measure, why)| {
        let range = of(&|name, of| name == *part && of.starts_with(&format!("{}{measure}", ask.lead())));
        match ask {
            Ask::Share => format!("{part}: {} ({why})", percent(range)),
            Ask::Width => format!("{part}: {:.2} to {:.2} times as wide ({why})", range.0, range.1),
        }
    });
    let missed: Vec<String> = missed.collect();
    let exceptions =
        if missed.is_empty() { String::new() } else { format!(" Exceptions: {}.", missed.join("; ")) };
    wrapped(&format!(
        "In the study, the 95 % interval for new classes covers the truth in {} of repetitions in made worlds and for \
         characters of Omniglot, and in {} for intents of CLINC150, at a median width of {:.2} to {:.2} times that of an \
         oracle; the interval for these classes alone does so in {}.{exceptions}",
        percent(made),
        percent(real),
        widths.0,
        widths.1,
        percent(sampler)
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
