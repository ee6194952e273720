//! Fetches weights: from the hub at one commit, or from an address whose name holds the beginning of its checksum.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::pins::Pins;
use super::{Asked, Home};
use crate::data::{DataError, HeldFolder, Hub, HubFile, Remote, download};
use crate::image::{Filter, Recipe};
use crate::run::error::RunError;
use crate::run::files;
use crate::run::watch::{Progress, Watch};

/// Files of a repository that say what its weights are for.
const BESIDE: [&str; 7] = [
    "config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
];
/// Weights in one file, the best first.
const WHOLE: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];
/// Weights in several.
const INDEX: &str = "model.safetensors.index.json";

/// Where files are asked for.
pub(crate) struct Server<'a> {
    /// The address of the hub.
    pub(crate) endpoint: &'a str,
    pub(crate) token: Option<String>,
    /// Whether no server is to be asked.
    pub(crate) offline: bool,
}

/// The value of a variable of the environment, where it has one.
fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// The hub's address: that of `HF_ENDPOINT`, or its own.
pub(crate) fn endpoint() -> String {
    set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_string())
}

impl<'a> Server<'a> {
    /// A server with the token of `HF_TOKEN`; none is asked where `offline`, or where `HF_HUB_OFFLINE` says so.
    pub(crate) fn of_environment(endpoint: &'a str, offline: bool) -> Server<'a> {
        let offline = offline || set("HF_HUB_OFFLINE").is_some_and(|value| value != "0");
        Server { endpoint, token: set("HF_TOKEN"), offline }
    }
}

/// Weights that are there.
pub(crate) struct Got {
    /// Their file.
    pub(crate) path: PathBuf,
    /// Their SHA-256.
    pub(crate) sha256: String,
    /// The commit that they are of, where the source has commits.
    pub(crate) commit: Option<String>,
    /// Whether nothing had to be fetched.
    pub(crate) there: bool,
}

/// Fetches weights into a folder, or finds them there as they were when they were first fetched.
///
/// # Errors
/// Weights that are not there without a server, a server that refuses or breaks off, or that has other files than those that
/// were pinned.
pub(crate) fn get(
    asked: &Asked,
    folder: &Path,
    from: Server<'_>,
    watch: &dyn Watch,
) -> Result<Got, RunError> {
    let pins = Pins::read(folder)?;
    if let Some(pins) = pins.as_ref()
        && pins.is_whole(folder)?
    {
        return Ok(got(folder, pins, true));
    }
    if from.offline {
        return Err(RunError::Request(format!(
            "the weights {} are not in {}, and --offline asks no server\nhint: fetch them once without --offline, or copy the folder from where they are",
            asked.source(),
            folder.display()
        )));
    }
    let held = files::hold(folder)?;
    let pins = match asked {
        Asked::Known(_, Home::Hub(repository, revision)) => {
            of_hub(&held, (repository, revision), asked.source(), pins, from, watch)?
        }
        Asked::Hub(repository, revision) => {
            of_hub(&held, (repository, revision), asked.source(), pins, from, watch)?
        }
        Asked::Known(name, home @ Home::Torch(..)) => of_address(&held, name, *home, watch)?,
    };
    Ok(got(folder, &pins, false))
}

fn got(folder: &Path, pins: &Pins, there: bool) -> Got {
    let sha256 = pins.files.get(&pins.weights).cloned().flatten().unwrap_or_default();
    Got { path: folder.join(&pins.weights), sha256, commit: pins.commit.clone(), there }
}

fn of_hub(
    held: &HeldFolder,
    (repository, revision): (&str, &str),
    source: String,
    pins: Option<Pins>,
    from: Server<'_>,
    watch: &dyn Watch,
) -> Result<Pins, RunError> {
    let hub = Hub::new(from.endpoint, from.token);
    let mut pins = match pins {
        Some(pins) => pins,
        None => {
            let found = hub.revision(repository, revision)?;
            let (weights, files) = wanted(&source, &found.files)?;
            let files = files.into_iter().map(|name| (name, None)).collect();
            Pins { source, commit: Some(found.commit), files, weights }
        }
    };
    let commit = pins.commit.clone().unwrap_or_else(|| revision.to_string());
    let names: Vec<String> = pins.files.keys().cloned().collect();
    // All checksums before the first byte: what is fetched later must be what was meant now.
    let mut files = Vec::new();
    for name in names {
        if pins.holds(held.path(), &name)? {
            continue;
        }
        let file = hub.file(repository, &commit, &name)?;
        let pinned = pins.files.get(&name).cloned().flatten();
        if let (Some(pinned), Some(now)) = (&pinned, &file.sha256) {
            same(&hub.address(repository, &commit, &name), pinned, now)?;
        }
        let file = HubFile { sha256: pinned.or(file.sha256), ..file };
        pins.files.insert(name.clone(), file.sha256.clone());
        files.push((name, file));
    }
    pins.write(held)?;
    for (name, file) in files {
        let path = held.path().join(&name);
        let sha256 = told(watch, &name, file.bytes, |progress| {
            hub.download((repository, &commit, &name), &file, &path, progress)
        })?;
        pins.files.insert(name, Some(sha256));
        pins.write(held)?;
    }
    Ok(pins)
}

fn same(url: &str, pinned: &str, now: &str) -> Result<(), RunError> {
    if pinned == now {
        return Ok(());
    }
    let what = format!(
        "its sha256 was {pinned} when it was first fetched and is {now} now\nhint: remove the folder of these weights if you trust the new file"
    );
    Err(RunError::Data(DataError::OtherFile { url: url.to_string(), what }))
}

/// The file of the weights among those of a repository, and all that are fetched.
fn wanted(source: &str, files: &[String]) -> Result<(String, Vec<String>), RunError> {
    let has = |name: &&str| files.iter().any(|file| file == name);
    let mut all: Vec<String> = BESIDE.iter().filter(|name| has(name)).map(ToString::to_string).collect();
    let weights = if let Some(whole) = WHOLE[..1].iter().find(|name| has(name)) {
        whole.to_string()
    } else if has(&INDEX) {
        let is_shard = |name: &&String| {
            let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
            plain && name.starts_with("model-") && name.ends_with(".safetensors")
        };
        all.extend(files.iter().filter(is_shard).cloned());
        INDEX.to_string()
    } else if let Some(whole) = WHOLE.iter().find(|name| has(name)) {
        whole.to_string()
    } else {
        return Err(RunError::Request(format!(
            "{source} holds no weights that are read, expected one of {}, {INDEX}",
            WHOLE.join(", ")
        )));
    };
    all.push(weights.clone());
    Ok((weights, all))
}

/// Weights at an address, and a configuration beside them that says what their publisher says elsewhere.
fn of_address(held: &HeldFolder, name: &str, home: Home, watch: &dyn Watch) -> Result<Pins, RunError> {
    let Home::Torch(url, side, crop, top1) = home else { unreachable!("asked for by address") };
    let file = url.rsplit('/').next().unwrap_or(url).to_string();
    let path = held.path().join(&file);
    let sha256 = told(watch, &file, None, |progress| {
        download(&Remote { url, bytes: None, sha256: None, token: None }, &path, progress)
    })?;
    let digits = file.trim_end_matches(".pth").rsplit('-').next().unwrap_or_default();
    if !sha256.starts_with(digits) {
        files::remove(&path)?;
        let what = format!("its sha256 is {sha256}, expected one that begins with {digits}");
        return Err(RunError::Data(DataError::OtherFile { url: url.to_string(), what }));
    }
    let card = json!({
        "architecture": name,
        "num_classes": 1000,
        "padding": "symmetric",
        "recipe": Recipe::imagenet(side, crop, Filter::Bilinear).to_string(),
        "trained_on": "imagenet-1k",
        "top1": top1.parse::<f64>().unwrap_or_default(),
        "licence": "bsd-3-clause",
        "source": url,
    });
    let card = serde_json::to_vec_pretty(&card).map_err(|error| RunError::Request(error.to_string()))?;
    let beside = format!("{}.json", file.trim_end_matches(".pth"));
    files::write_held(held, &[], &[(&beside, card.clone())])?;
    let files = [(file.clone(), Some(sha256)), (beside, Some(crate::episode::sha256(&card)))].into();
    let pins = Pins { source: url.to_string(), commit: None, files, weights: file };
    pins.write(held)?;
    Ok(pins)
}

/// Downloads with progress.
fn told(
    watch: &dyn Watch,
    name: &str,
    bytes: Option<u64>,
    fetch: impl FnOnce(&mut dyn FnMut(u64, Option<u64>)) -> Result<String, DataError>,
) -> Result<String, RunError> {
    let size = bytes.map_or("downloading".to_string(), |bytes| format!("downloading {bytes} bytes"));
    let progress = Progress::start(watch, name, &size, bytes.unwrap_or(0));
    let found = fetch(&mut |bytes, total| {
        watch.extend(total.unwrap_or(bytes));
        progress.reach(bytes);
    });
    Ok(found?)
}

#[cfg(test)]
mod tests;
