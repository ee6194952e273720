//! Weights from where they are published: fetched once, and pinned to what was fetched then.

#[cfg(feature = "download")]
mod fetch;
#[cfg(feature = "download")]
mod pins;
mod table;

use std::path::{Path, PathBuf};

use super::embed::cache;
use super::error::RunError;
use crate::vocab::did_you_mean;

#[cfg(feature = "download")]
pub(crate) use fetch::{Server, get};
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

#[cfg(test)]
mod tests {
    use super::*;

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
