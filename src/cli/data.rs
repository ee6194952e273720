//! `kshot data`: datasets from their publishers.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::error::CliError;
use super::{Outcome, say};
use crate::data::images::{PUBLISHED, Published};
use crate::run::embed::data_folder;

const EXAMPLES: &str = "Examples:
  kshot data list
  kshot data get omniglot --data data
  kshot data get omniglot --from https://mirror.example.org/omniglot";

/// List the datasets that their publishers offer, or download one.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the datasets that can be downloaded, and which of their files are there.
    List {
        /// Folder of datasets. Default: KSHOT_DATA, else `data`.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Download a dataset; what has arrived of a download that broke off is kept, and the next one goes on with it.
    Get(Get),
}

#[derive(Args)]
struct Get {
    /// Name of the dataset.
    dataset: String,
    /// Folder of datasets, in which it gets a folder of its own. Default: KSHOT_DATA, else `data`.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address of a mirror, in place of the publisher's; the files must be the same.
    #[arg(long, value_name = "URL", value_parser = address)]
    from: Option<String>,
    /// Replace files that are there and are other ones.
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<Outcome, CliError> {
    match &arguments.action {
        Action::List { data } => say(&list(&data_folder(data.as_deref())))?,
        Action::Get(asked) => {
            let dataset =
                PUBLISHED.iter().find(|dataset| dataset.name == asked.dataset).ok_or_else(|| {
                    let known: Vec<String> = PUBLISHED.iter().map(|d| format!("`{}`", d.name)).collect();
                    CliError::request(format!(
                        "no dataset `{}` can be downloaded, expected one of {}",
                        asked.dataset,
                        known.join(", ")
                    ))
                })?;
            get(dataset, asked, &data_folder(asked.data.as_deref()).join(dataset.name))?;
        }
    }
    Ok(Outcome::Done)
}

/// Reads an address.
fn address(text: &str) -> Result<String, String> {
    let rest = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    match rest
        .filter(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace))
    {
        Some(_) => Ok(text.to_string()),
        None => Err("must be an address that begins with http:// or https://".to_string()),
    }
}

fn list(data: &Path) -> String {
    let of = |dataset: &Published| {
        let folder = data.join(dataset.name);
        let mut text = format!("{} from {}\n", dataset.name, dataset.base);
        for file in dataset.files {
            let path = folder.join(file.name());
            let size = file.bytes.map_or(String::new(), |bytes| format!(", {:.1} MB", bytes as f64 / 1e6));
            let state = if path.exists() { "there" } else { "not there" };
            text += &format!("    {}{size}: {state}\n", path.display());
        }
        text
    };
    PUBLISHED.iter().map(of).collect()
}

#[cfg(not(feature = "download"))]
fn get(dataset: &Published, _: &Get, folder: &Path) -> Result<(), CliError> {
    let names: Vec<&str> = dataset.files.iter().map(|file| file.path).collect();
    Err(CliError::request(format!(
        "this build cannot download\nhint: build with --features download, or fetch {} from {} into {}",
        names.join(", "),
        dataset.base,
        folder.display()
    )))
}

#[cfg(feature = "download")]
fn get(dataset: &Published, asked: &Get, folder: &Path) -> Result<(), CliError> {
    use super::progress::Terminal;
    use crate::data::{Remote, download, file_sha256};
    use crate::run::files;
    use crate::run::watch::{Stage, Watch};

    files::make_folder(folder)?;
    let base = asked.from.as_deref().unwrap_or(dataset.base).trim_end_matches('/');
    for file in dataset.files {
        let path = folder.join(file.name());
        if path.exists() && !asked.overwrite {
            let found = file_sha256(&path)?;
            if file.sha256.is_some_and(|expected| expected != found) {
                return Err(CliError::request(format!(
                    "{} is there and is not the file that is published\nhint: name another folder with --data, or give --overwrite",
                    path.display()
                )));
            }
            say(&format!("{}: there already\n", path.display()))?;
            continue;
        }
        let url = format!("{base}/{}", file.path);
        let remote = Remote { url: &url, bytes: file.bytes, sha256: file.sha256, token: None };
        let watch = Terminal::default();
        let size = file.bytes.map_or("downloading".to_string(), |bytes| format!("downloading {bytes} bytes"));
        watch.begin(&Stage { name: file.name(), size: &size, steps: file.bytes.unwrap_or(0), done: 0 });
        let downloaded = download(&remote, &path, |bytes, total| {
            watch.extend(total.unwrap_or(bytes));
            watch.reach(bytes);
        });
        watch.end();
        let sha256 = downloaded?;
        let checked = match file.sha256 {
            Some(_) => "downloaded and checked".to_string(),
            None => format!("downloaded; its publisher's checksum is not known, sha256 {sha256}"),
        };
        say(&format!("{}: {checked}\n", path.display()))?;
    }
    Ok(())
}
