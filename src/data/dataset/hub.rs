//! The Hugging Face hub, or a server that behaves like it: what a repository holds, and files with their checksums.
//!
//! Reference: the hub's documentation, "Hub API Endpoints"; `huggingface_hub/file_download.py` for the headers.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;
use ureq::http::{HeaderMap, StatusCode};

use super::download::{Remote, download};
use crate::data::DataError;

/// How long the hub may be silent.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of a listing.
const LARGEST_LISTING: u64 = 1 << 24;

/// A hub, and who asks it.
#[derive(Clone, Debug)]
pub struct Hub {
    endpoint: String,
    token: Option<String>,
    agent: Agent,
}

/// A state of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its commit.
    pub commit: String,
    /// The paths of its files.
    pub files: Vec<String>,
}

/// A file of a repository, as the hub's headers tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubFile {
    /// Its size.
    pub bytes: Option<u64>,
    /// SHA-256 of its bytes; only large files have it.
    pub sha256: Option<String>,
}

#[derive(Deserialize)]
struct Listing {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
}

impl Hub {
    /// A hub by its address, such as `https://huggingface.co`.
    pub fn new(endpoint: &str, token: Option<String>) -> Hub {
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_recv_body(Some(PATIENCE))
            // The checksum stands in the answer of the hub, not of the server that it sends on to.
            .max_redirects(0)
            .build()
            .into();
        Hub { endpoint: endpoint.trim_end_matches('/').to_string(), token, agent }
    }

    /// What a repository holds at a branch, tag or commit.
    ///
    /// # Errors
    /// When the hub cannot be reached, or has no such repository or revision for who asks.
    pub fn revision(&self, repository: &str, revision: &str) -> Result<Revision, DataError> {
        let url = format!("{}/api/models/{repository}/revision/{revision}", self.endpoint);
        let mut request = self.agent.get(&url);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let mut response = request.call().map_err(|error| unreached(&url, error))?;
        self.accepted(&url, response.status())?;
        let text = response.body_mut().with_config().limit(LARGEST_LISTING).read_to_string();
        let text = text.map_err(|error| unreached(&url, error))?;
        let listing: Listing = serde_json::from_str(&text)
            .map_err(|error| refused(&url, format!("no listing of a repository: {error}")))?;
        let files = listing.siblings.into_iter().map(|sibling| sibling.rfilename).collect();
        Ok(Revision { commit: listing.sha, files })
    }

    /// The size and checksum of a file at a commit.
    ///
    /// # Errors
    /// As [`Hub::revision`].
    pub fn file(&self, repository: &str, commit: &str, name: &str) -> Result<HubFile, DataError> {
        let url = self.address(repository, commit, name);
        let mut request = self.agent.head(&url);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let response = request.call().map_err(|error| unreached(&url, error))?;
        self.accepted(&url, response.status())?;
        let text = |name: &str| header(response.headers(), name);
        let sent_on = response.status().is_redirection();
        let length = if sent_on { None } else { text("content-length") };
        let bytes = text("x-linked-size").or(length).and_then(|size| size.parse().ok());
        let is_sha256 = |tag: &String| tag.len() == 64 && tag.bytes().all(|b| b.is_ascii_hexdigit());
        let sha256 = text("x-linked-etag").filter(is_sha256).map(|tag| tag.to_ascii_lowercase());
        Ok(HubFile { bytes, sha256 })
    }

    /// Downloads a file at a commit and gives its SHA-256; what has arrived of an earlier download is gone on with.
    ///
    /// # Errors
    /// As [`download`].
    pub fn download(
        &self,
        (repository, commit, name): (&str, &str, &str),
        file: &HubFile,
        path: &Path,
        progress: impl FnMut(u64, Option<u64>),
    ) -> Result<String, DataError> {
        let url = self.address(repository, commit, name);
        let (sha256, token) = (file.sha256.as_deref(), self.token.as_deref());
        download(&Remote { url: &url, bytes: file.bytes, sha256, token }, path, progress)
    }

    /// The address of a file.
    pub fn address(&self, repository: &str, commit: &str, name: &str) -> String {
        format!("{}/{repository}/resolve/{commit}/{name}", self.endpoint)
    }

    fn accepted(&self, url: &str, status: StatusCode) -> Result<(), DataError> {
        let what = match (status.as_u16(), &self.token) {
            (200..=399, _) => return Ok(()),
            (401, None) => {
                "the hub answers 401: there is no such repository, or it is not public\nhint: check the name; for a repository of yours put its token into HF_TOKEN"
            }
            (401, Some(_)) => {
                "the hub answers 401: the token in HF_TOKEN is not accepted\nhint: make a new one, or unset it for public repositories"
            }
            (403, _) => {
                "the hub answers 403: its owner asks for something first\nhint: open the page of the repository, accept its terms, and put your token into HF_TOKEN"
            }
            (404, _) => {
                "the hub answers 404: no such repository, revision or file\nhint: write hf:OWNER/NAME or hf:OWNER/NAME@REVISION"
            }
            _ => return Err(unreached(url, format!("the server answers {status}"))),
        };
        Err(refused(url, what))
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    Some(value.trim_start_matches("W/").trim_matches('"').to_string())
}

fn refused(url: &str, what: impl ToString) -> DataError {
    DataError::HubRefuses { url: url.to_string(), what: what.to_string() }
}

fn unreached(url: &str, what: impl ToString) -> DataError {
    DataError::NotDownloaded { url: url.to_string(), what: what.to_string() }
}
