//! `kshot report`: result folders in, one page out.

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::{Outcome, say};
use crate::report::compare::EquivalenceMargin;
#[cfg(feature = "plots-png")]
use crate::report::html::PageError;
use crate::report::html::Plot;
#[cfg(feature = "plots-png")]
use crate::run::RunError;
use crate::run::{Comparing, files};

const EXAMPLES: &str = "Examples:
  kshot report results/quickstart --out report.html
  kshot report results/mine results/theirs --baseline pixels+prototypical --out report.html --plots plots
  kshot report results/mine --features my-features --out report.html   # pictures, after evaluate --queries";

/// Make one page of results that opens anywhere: tables, plots, and what can be claimed.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Result folders of `kshot evaluate`.
    #[arg(required = true, value_name = "RESULTS")]
    results: Vec<PathBuf>,
    /// Page to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Method from which the differences are taken: its name in the table, FEATURES+LEARNER, or a learner
    /// (`name:key=value`) that only one method has. Default: all pairs, shown from the best.
    #[arg(long, value_name = "METHOD")]
    baseline: Option<String>,
    /// Equivalence margin, the smallest difference that matters, in points of accuracy, or as `10%-of-error`. Without it
    /// nothing is called equivalent.
    #[arg(long, value_name = "POINTS")]
    margin: Option<EquivalenceMargin>,
    /// Also write every plot into this folder, as SVG and, where kshot is built with the feature plots-png, as PNG.
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Feature store or embedded dataset of the results, for pictures of a hard episode; needs queries.csv and images.
    /// Default: where the run found it, if it is still there.
    #[arg(long, value_name = "PATH")]
    features: Option<String>,
    /// Replace the page where it is there already.
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    let (folder, name) = place(&arguments.out)?;
    files::check_free(&folder, &[name], arguments.overwrite)?;
    let mut comparing = Comparing::of(&arguments.results);
    if let Some(baseline) = &arguments.baseline {
        comparing = comparing.baseline(baseline);
    }
    if let Some(margin) = arguments.margin {
        comparing = comparing.margin(margin);
    }
    let page = comparing.page(arguments.features.as_deref())?;
    let drawn = arguments.plots.as_deref().map(|plots| drawn(plots, &page.plots, arguments.overwrite));
    let drawn = drawn.transpose()?;
    files::write(&folder, &[], &[(name, page.html.into_bytes())])?;
    let mut said = format!("report: {}\n", arguments.out.display());
    if let (Some(plots), Some(drawn)) = (&arguments.plots, drawn) {
        let named: Vec<(&str, Vec<u8>)> =
            drawn.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
        files::write(plots, &[], &named)?;
        said.push_str(&format!("plots: {} in {}{WITHOUT_PNG}\n", page.plots.len(), plots.display()));
    }
    say(&said)?;
    Ok(Outcome::Done)
}

/// The folder and the name of a file.
fn place(path: &Path) -> Result<(PathBuf, &str), CliError> {
    let name = path.file_name().and_then(|name| name.to_str()).filter(|_| !path.is_dir());
    let name =
        name.ok_or_else(|| CliError::request(format!("--out must name a file, got {}", path.display())))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok((folder.unwrap_or(Path::new(".")).to_path_buf(), name))
}

/// Said where plots come as SVG alone.
const WITHOUT_PNG: &str = if cfg!(feature = "plots-png") {
    ""
} else {
    " (SVG alone: PNG needs a build with --features plots-png)"
};

/// The plots as files of a folder that has room for them.
fn drawn(folder: &Path, plots: &[Plot], overwrite: bool) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    let mut files = Vec::new();
    for plot in plots {
        files.push((format!("{}.svg", plot.name), plot.file().into_bytes()));
        #[cfg(feature = "plots-png")]
        files.push((
            format!("{}.png", plot.name),
            plot.png().map_err(PageError::from).map_err(RunError::from)?,
        ));
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    files::check_free(folder, &names, overwrite)?;
    Ok(files)
}
