//! `kshot weights`: pre-trained weights from their publishers.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::error::CliError;
use super::{Outcome, say};
use crate::run::weights::{Asked, KNOWN_WEIGHTS};

const EXAMPLES: &str = "Examples:
  kshot weights list
  kshot weights get resnet50
  kshot weights get hf:timm/resnet50.a1_in1k --cache weights
  HF_TOKEN=… kshot weights get hf:me/private@v2
  kshot weights get vgg16 --offline";

/// List pre-trained weights that are known by name, or fetch some.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the weights that are known by name, with where they come from.
    List,
    /// Fetch weights once; later calls find them, checked against what was fetched first.
    Get(Get),
}

#[derive(Args)]
struct Get {
    /// A name of `kshot weights list`, hf:OWNER/NAME or hf:OWNER/NAME@REVISION. A token is taken from HF_TOKEN, another
    /// hub than huggingface.co from HF_ENDPOINT.
    weights: String,
    /// Folder below which weights are kept. Default: `kshot` in XDG_CACHE_HOME or ~/.cache.
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Ask no server: find what was fetched before, or fail.
    #[arg(long)]
    offline: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    match &arguments.action {
        Action::List => {
            let line = |name: &str| match Asked::parse(name) {
                Ok(asked) => format!("{name:<20} {}\n", asked.source()),
                Err(_) => String::new(),
            };
            say(&KNOWN_WEIGHTS.iter().map(|known| line(known.name)).collect::<String>())?;
        }
        Action::Get(asked) => get(asked)?,
    }
    Ok(Outcome::Done)
}

#[cfg(not(feature = "download"))]
fn get(asked: &Get) -> Result<(), CliError> {
    let weights = Asked::parse(&asked.weights)?;
    let wish = if asked.offline { " and cannot check what was fetched" } else { "" };
    Err(CliError::request(format!(
        "this build cannot download{wish}\nhint: build with --features download, or fetch {} into {}",
        weights.source(),
        weights.folder(asked.cache.as_deref()).display()
    )))
}

#[cfg(feature = "download")]
fn get(asked: &Get) -> Result<(), CliError> {
    use super::progress::Terminal;
    use crate::run::weights::{Server, endpoint, get};

    let endpoint = endpoint();
    let weights = Asked::parse(&asked.weights)?;
    let folder = weights.folder(asked.cache.as_deref());
    let from = Server::of_environment(&endpoint, asked.offline);
    let got = get(&weights, &folder, from, &Terminal::default())?;
    let commit = got.commit.map_or(String::new(), |commit| format!(", commit {commit}"));
    let state = if got.there { "there already" } else { "fetched" };
    say(&format!("{}: {state}{commit}, sha256 {}\n", got.path.display(), got.sha256))?;
    Ok(())
}
