//! `kshot sample`: freezes the draw of a protocol.

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::flags::{InputFlags, OverrideFlags};
use super::progress::Terminal;
use super::{Outcome, say, tell};
use crate::episode::{DrawText, Naming};
use crate::run::features::FeatureSets;
use crate::run::rules::all_rules;
use crate::run::{RunError, draws, files};

const EXAMPLES: &str = "Examples:
  kshot sample quickstart --out episodes
  kshot sample mine.toml --features features/
  kshot sample mine.toml --features features/ --ids --out draws";

/// Draw the episodes of protocols and freeze them as CSV files.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Protocol files, or names of shipped protocols.
    #[arg(required = true, value_name = "PROTOCOL")]
    protocols: Vec<String>,
    /// Folder that gets one file NAME.csv per protocol.
    #[arg(long, value_name = "DIR", default_value = "episodes")]
    out: PathBuf,
    /// Name items by ids instead of by their places, so that the draw holds for the same items in any order.
    #[arg(long)]
    ids: bool,
    /// Replace draws that differ.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    overrides: OverrideFlags,
    #[command(flatten)]
    pub(super) inputs: InputFlags,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    let watch = Terminal::default();
    let mut sets =
        FeatureSets::new(&arguments.inputs.inputs(), Vec::new(), arguments.inputs.device.chosen()?, &watch)?
            .for_draws();
    let texts = arguments.overrides.protocols(&arguments.protocols)?;
    for rules in all_rules(&texts, arguments.overrides.episodes)? {
        let protocol = &rules.protocol;
        let store = sets.only(protocol)?.store;
        let dealer = draws::fresh(protocol, &store)?;
        let path = arguments.out.join(format!("{}.csv", protocol.name()));
        let text = if arguments.ids {
            DrawText::of(&dealer.draw, &store, Naming::Ids).map_err(RunError::from)?.text
        } else {
            dealer.fresh.unwrap_or_default()
        };
        let state = freeze(&path, text.as_bytes(), arguments.overwrite)?;
        say(&format!(
            "{}: {} episodes, {state}\nsha256 = \"{}\"\n",
            path.display(),
            dealer.draw.len(),
            dealer.sha256
        ))?;
        if let Some(named) = protocol.draw_sha256().filter(|named| *named != dealer.sha256) {
            tell(&format!("warning: protocol {} names sha256 {named}", protocol.name()));
        }
    }
    Ok(Outcome::Done)
}

/// Writes a draw, whole or not at all, unless another one is there.
fn freeze(path: &Path, bytes: &[u8], overwrite: bool) -> Result<&'static str, CliError> {
    let failed = |source| RunError::Write { path: path.to_path_buf(), source };
    match std::fs::read(path) {
        Ok(there) if there == bytes => return Ok("unchanged"),
        Ok(_) if !overwrite => {
            return Err(CliError::request(format!(
                "{} holds another draw\nhint: give --overwrite, or another folder with --out",
                path.display()
            )));
        }
        _ => {}
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    if let Some(there) = folder.ancestors().find(|folder| folder.exists()).filter(|there| !there.is_dir()) {
        return Err(CliError::request(format!(
            "{} is not a folder, draws need one\nhint: name another folder with --out",
            there.display()
        )));
    }
    let held = files::wait(folder)?;
    let file = held.grown(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok("written")
}
