//! How features are opened.

use crate::vocab::Split;

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// Features of more bytes than this, in the type of their file, stay in the file and are read when needed (.npy,
    /// .safetensors and uncompressed .npz; the other forms are always read into memory).
    pub resident: u64,
    /// Items of classes of this split are not looked at: their numbers are neither checked, nor compared with others, nor
    /// used by a transform. For a selection, which must not see what will be reported.
    pub unseen: Option<Split>,
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions { resident: 768 << 20, unseen: None }
    }
}
