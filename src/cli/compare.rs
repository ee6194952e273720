//! `kshot compare`: result folders in, verdicts out.

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::{Outcome, say};
use crate::metric::Metric;
use crate::report::compare::EquivalenceMargin;
use crate::report::ranks;
use crate::run::{Comparing, RunError, files};
use crate::scores::{Options, Ranking, Scores, Written};

const EXAMPLES: &str = "Examples:
  kshot compare results/quickstart
  kshot compare results/pixels results/conv4 --baseline pixels+prototypical --margin 1
  kshot compare results/quickstart --metric nll --margin 0.05 --out comparison-nll
  kshot compare results/open-set --metric auroc --margin 1 --out comparison-auroc
  kshot compare results/zero-shot --metric harmonic --margin 10%-of-error --out comparison-harmonic
  kshot compare --scores table.csv --out ranks
  kshot compare --scores mteb-results/ --score f1 --out ranks";

/// Compare methods on the episodes that they share: is the difference real?
///
/// Results are paired where items and draw are the same, whatever the features: also draws of other lengths, on their common
/// first episodes. Training seeds of one method are taken together.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Result folders of `kshot evaluate`.
    #[arg(required_unless_present = "scores", conflicts_with = "scores", value_name = "RESULTS")]
    results: Vec<PathBuf>,
    /// A table of scores that other tools made, instead of results: `dataset, method, draw, score` as .csv, .tsv or .jsonl
    /// (each also with .gz), .parquet where the build reads it, or a folder of MTEB results. Every data set is ranked, and
    /// adjacent ranks are tested.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["baseline", "metric", "margin"])]
    scores: Option<PathBuf>,
    /// The column of the score in --scores; by default `score`, else `accuracy`, else `correct`.
    #[arg(long, value_name = "COLUMN", requires = "scores")]
    score: Option<String>,
    /// Whether draw i of one method is draw i of the other ones in --scores; without it both answers are given, unless the file
    /// has a column `draw_sha256`.
    #[arg(long, value_name = "WHAT", requires = "scores")]
    paired: Option<Paired>,
    /// Write all pairs of methods of --scores, and not only neighbours in rank.
    #[arg(long, requires = "scores")]
    all_pairs: bool,
    /// Compare all methods with this one instead of all with all: its name in the table, FEATURES+LEARNER, or a learner
    /// (`name:key=value`) that only one method has.
    #[arg(long, value_name = "METHOD")]
    baseline: Option<String>,
    /// Metric with a value per episode, or over classes, where the results have it: accuracy, nll, auroc, class-accuracy,
    /// harmonic, … (see `kshot list metrics`).
    #[arg(long, value_name = "METRIC", default_value = "accuracy")]
    metric: Metric,
    /// Equivalence margin, the smallest difference that matters: points for accuracy and other rates, for nll and brier their
    /// own unit, or a share of the baseline's (without one the best method's) error, `10%-of-error`. Without it nothing is
    /// called equivalent.
    #[arg(long, value_name = "DIFFERENCE")]
    margin: Option<EquivalenceMargin>,
    /// Folder for comparison.csv, comparison.md, comparison.tex and, for several data sets, ranks.csv; with --scores for
    /// ranking.csv, pairs.csv, survival.csv, survival.svg, ranking.md and ranks.csv.
    #[arg(long, value_name = "DIR", default_value = "comparison")]
    out: PathBuf,
    /// Replace a comparison that --out already holds.
    #[arg(long)]
    overwrite: bool,
}

/// What the user knows of draws.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Paired {
    /// Draw i is the same for all methods.
    Draw,
    /// It is not.
    No,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    match &arguments.scores {
        Some(path) => rank(arguments, path),
        None => compare(arguments),
    }
}

/// Ranks the methods of a table of scores.
fn rank(arguments: &Arguments, path: &Path) -> Result<Outcome, CliError> {
    let names = ["ranking.csv", "pairs.csv", "survival.csv", "survival.svg", "ranking.md", "ranks.csv"];
    files::check_free(&arguments.out, &names, arguments.overwrite)?;
    let paired = arguments.paired.map(|paired| paired == Paired::Draw);
    let options = Options { score: arguments.score.clone(), paired };
    let ranking = Ranking::of(&Scores::checked(&Written::read(path)?, &options)?);
    let figure = ranks::figure(&ranking).map_err(|error| RunError::Page(error.into()))?;
    let mut written = vec![
        (names[0], ranks::standings(&ranking)),
        (names[1], ranks::pairs(&ranking, arguments.all_pairs)),
        (names[2], ranks::survival(&ranking)),
        (names[3], figure.file().into_bytes()),
        (names[4], ranks::markdown(&ranking).into_bytes()),
    ];
    written.extend(ranks::over_data_sets(&ranking).map(|ranks| (names[5], ranks)));
    files::write(&arguments.out, &names, &written)?;
    say(&format!("{}\nranking: {}\n", ranks::text(&ranking), arguments.out.display()))?;
    Ok(Outcome::Done)
}

/// Compares the methods of result folders.
fn compare(arguments: &Arguments) -> Result<Outcome, CliError> {
    let names = ["comparison.csv", "comparison.md", "comparison.tex", "ranks.csv"];
    files::check_free(&arguments.out, &names, arguments.overwrite)?;
    let mut comparing = Comparing::of(&arguments.results).metric(arguments.metric);
    if let Some(baseline) = &arguments.baseline {
        comparing = comparing.baseline(baseline);
    }
    if let Some(margin) = arguments.margin {
        comparing = comparing.margin(margin);
    }
    let comparison = comparing.run()?;
    let mut written = vec![
        (names[0], comparison.csv()),
        (names[1], comparison.markdown().into_bytes()),
        (names[2], comparison.latex().into_bytes()),
    ];
    written.extend(comparison.ranks_csv().map(|ranks| (names[3], ranks)));
    files::write(&arguments.out, &names, &written)?;
    say(&format!("{}\ncomparison: {}\n", comparison.text(), arguments.out.display()))?;
    Ok(Outcome::Done)
}
