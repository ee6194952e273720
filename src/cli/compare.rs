//! `kshot compare`: result folders in, verdicts out.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::{Outcome, say};
use crate::metric::Metric;
use crate::report::compare::EquivalenceMargin;
use crate::run::{Comparing, files};

const EXAMPLES: &str = "Examples:
  kshot compare results/quickstart
  kshot compare results/pixels results/conv4 --baseline pixels+prototypical --margin 1
  kshot compare results/quickstart --metric nll --margin 0.05 --out comparison-nll
  kshot compare results/open-set --metric auroc --margin 1 --out comparison-auroc
  kshot compare results/zero-shot --metric harmonic --margin 10%-of-error --out comparison-harmonic";

/// Compare methods on the episodes that they share: is the difference real?
///
/// Results are paired where items and draw are the same, whatever the features: also draws of other lengths, on their common
/// first episodes. Training seeds of one method are taken together.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Result folders of `kshot evaluate`.
    #[arg(required = true, value_name = "RESULTS")]
    results: Vec<PathBuf>,
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
    /// Folder for comparison.csv, comparison.md, comparison.tex and, for several data sets, ranks.csv.
    #[arg(long, value_name = "DIR", default_value = "comparison")]
    out: PathBuf,
    /// Replace a comparison that --out already holds.
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
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
