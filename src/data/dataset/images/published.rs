//! Where datasets of images are published.

/// A file of a dataset as its publisher has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedFile {
    /// Its path behind the base of the address.
    pub path: &'static str,
    /// Its size.
    pub bytes: Option<u64>,
    /// SHA-256 of its bytes in hexadecimal; nothing where nobody has made it known.
    pub sha256: Option<&'static str>,
}

impl PublishedFile {
    /// Its name, the last part of its path.
    pub fn name(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }
}

/// A dataset that can be downloaded.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// Its name, and that of its folder.
    pub name: &'static str,
    /// What all addresses begin with.
    pub base: &'static str,
    /// Its files.
    pub files: &'static [PublishedFile],
}

/// The datasets that can be downloaded from their publishers.
pub const PUBLISHED: &[Published] = &[Published {
    name: "omniglot",
    base: "https://raw.githubusercontent.com/brendenlake/omniglot/master/python",
    files: &[
        PublishedFile {
            path: "images_background.zip",
            bytes: Some(9_464_212),
            sha256: Some("ad41ab679c8b5d90b271ef46be6987cc81211774a695c29dcc5367b2b26ee640"),
        },
        PublishedFile {
            path: "images_evaluation.zip",
            bytes: Some(6_462_886),
            sha256: Some("1f61a8f3366785b057fc117d9228e78a16e3d976c8953b2a10fcc74cf0609cee"),
        },
        PublishedFile { path: "one-shot-classification/all_runs.zip", bytes: None, sha256: None },
    ],
}];
