//! Weights from where they are published: fetched once, and pinned to what was fetched then.

#[cfg(feature = "download")]
mod fetch;
#[cfg(feature = "download")]
mod pins;
mod table;

use std::path::{Path, PathBuf};

use super::embed::cache;
use super::error::RunError;
use super::watch::Watch;
use crate::backbone::nets;
use crate::vocab::did_you_mean;
use crate::vocab::spec::Spec;

/// The key of a backbone's weights.
const WEIGHTS: &str = "weights";

#[cfg(feature = "download")]
pub(crate) use fetch::{Server, endpoint, get};
pub use table::{Home, KNOWN_WEIGHTS, KnownWeights};

/// Weights as they were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// By a name of [`KNOWN_WEIGHTS`].
    Known(&'static str, Home),
    /// A repository of the hub at a revision.
    Hub(String, String),
}

impl Asked {
    /// Reads `NAME`, `hf:OWNER/NAME` or `hf:OWNER/NAME@REVISION`.
    pub(crate) fn parse(text: &str) -> Result<Asked, RunError> {
        let Some(place) = text.strip_prefix("hf:") else {
            let known = KNOWN_WEIGHTS.iter().find(|known| known.name == text);
            return known.map(|known| Asked::Known(known.name, known.home)).ok_or_else(|| {
                let names = KNOWN_WEIGHTS.iter().map(|known| known.name);
                let near = did_you_mean(text, names);
                let hint = if near.is_empty() {
                    "\nhint: `kshot weights list` names those that are known, hf:OWNER/NAME takes others"
                        .to_string()
                } else {
                    near
                };
                RunError::Request(format!("no weights `{text}` are known{hint}"))
            });
        };
        let (repository, revision) = place.split_once('@').unwrap_or((place, "main"));
        let plain = |text: &str| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            !text.is_empty() && !text.starts_with('.') && text.bytes().all(allowed)
        };
        let parts: Vec<&str> = repository.split('/').collect();
        let revision_is_plain = revision.split('/').all(plain);
        if parts.len() != 2 || !parts.iter().all(|part| plain(part)) || !revision_is_plain {
            let text = format!("`{text}` is no repository, expected hf:OWNER/NAME or hf:OWNER/NAME@REVISION");
            return Err(RunError::Request(text));
        }
        Ok(Asked::Hub(repository.to_string(), revision.to_string()))
    }

    /// The folder that keeps them, below that of all caches.
    pub(crate) fn folder(&self, cache: Option<&Path>) -> PathBuf {
        let all = cache.map_or_else(cache::home, Path::to_path_buf).join("weights");
        match self {
            Asked::Known(name, _) => all.join(name),
            Asked::Hub(repository, revision) => {
                all.join(format!("{repository}@{revision}").replace('/', "--"))
            }
        }
    }

    /// Where they come from, in words.
    pub(crate) fn source(&self) -> String {
        match self {
            Asked::Known(_, Home::Hub(repository, revision)) => format!("hf:{repository}@{revision}"),
            Asked::Known(_, Home::Torch(url, ..)) => (*url).to_string(),
            Asked::Hub(repository, revision) => format!("hf:{repository}@{revision}"),
        }
    }
}

/// A backbone as it was asked for, with the place of its weights for `weights=hf:…`, which are fetched where they are not there yet:
/// the file, or for a sentence encoder the folder.
///
/// # Errors
/// As `get`; in a build that cannot download, weights that are not there.
pub(crate) fn local(text: &str, cache: Option<&Path>, watch: &dyn Watch) -> Result<String, RunError> {
    // What is no specification is told where it is read as one.
    let Ok(mut spec) = text.parse::<Spec>() else { return Ok(text.to_string()) };
    let Some(named) = spec.values.get(WEIGHTS).filter(|value| value.starts_with("hf:")) else {
        return Ok(text.to_string());
    };
    let asked = Asked::parse(named)?;
    let folder = asked.folder(cache);
    let file = file(&asked, &folder, watch)?;
    let place = if nets::kind(&spec.name).is_some() { file } else { folder };
    spec.values.insert(WEIGHTS.to_string(), place.display().to_string());
    Ok(spec.to_string())
}

#[cfg(feature = "download")]
fn file(asked: &Asked, folder: &Path, watch: &dyn Watch) -> Result<PathBuf, RunError> {
    let endpoint = endpoint();
    Ok(get(asked, folder, Server::of_environment(&endpoint, false), watch)?.path)
}

#[cfg(not(feature = "download"))]
fn file(asked: &Asked, folder: &Path, _: &dyn Watch) -> Result<PathBuf, RunError> {
    let files = ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"];
    let there = files.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    there.ok_or_else(|| {
        let (source, folder) = (asked.source(), folder.display());
        RunError::Request(format!(
            "the weights {source} are not in {folder}, and this build cannot download\nhint: build with --features download, or copy them there"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(not(feature = "download"))]
    fn weights_of_the_hub_are_those_in_the_cache() {
        use crate::run::watch::Silent;
        let place = tempfile::tempdir().unwrap();
        let local = |text: &str| local(text, Some(place.path()), &Silent);
        assert_eq!(local("resnet18:weights=w.pth").unwrap(), "resnet18:weights=w.pth");
        let missing = local("resnet18:weights=hf:me/net").unwrap_err().to_string();
        assert!(missing.contains("this build cannot download\nhint: "), "{missing}");
        let folder = place.path().join("weights/me--net@main");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("model.safetensors"), b"").unwrap();
        let file = format!("resnet18:cut=layer3,weights={}/model.safetensors", folder.display());
        assert_eq!(local("resnet18:weights=hf:me/net,cut=layer3").unwrap(), file);
        assert_eq!(local("bert:weights=hf:me/net").unwrap(), format!("bert:weights={}", folder.display()));
        assert!(local("resnet18:weights=hf:me").unwrap_err().to_string().contains("is no repository"));
    }

    #[test]
    fn weights_are_asked_for_by_name_or_by_repository() {
        let vgg = Asked::parse("vgg16").unwrap();
        assert_eq!(vgg, Asked::Known("vgg16", Home::Hub("timm/vgg16.tv_in1k", "main")));
        assert_eq!(vgg.folder(Some(Path::new("c"))), Path::new("c/weights/vgg16"));
        let own = Asked::parse("hf:me/net.v1@refs/pr/1").unwrap();
        assert_eq!(own.source(), "hf:me/net.v1@refs/pr/1");
        assert_eq!(own.folder(Some(Path::new("c"))), Path::new("c/weights/me--net.v1@refs--pr--1"));
        for wrong in ["hf:me", "hf:me/a/b", "hf:../x", "hf:me/..", "hf:me/n@", "hf:me/n@../x", "hf:m e/n"] {
            assert!(Asked::parse(wrong).unwrap_err().to_string().contains("is no repository"), "{wrong}");
        }
        let near = Asked::parse("vgg17").unwrap_err().to_string();
        assert!(near.starts_with("no weights `vgg17` are known\nhint: did you mean `vgg1"), "{near}");
    }
}
