//! Formats of features: each is a file of this folder and a line of [`FORMATS`].

mod bare;
#[cfg(feature = "parquet")]
mod batches;
mod class_embeddings;
mod column;
pub(in crate::data) mod cut;
pub(in crate::data) mod feature_columns;
pub(in crate::data) mod folder;
pub(in crate::data) mod header;
pub(in crate::data) mod labels;
pub(in crate::data) mod lines;
mod mat;
mod names;
pub(in crate::data) mod npy;
mod npz;
mod pairs;
mod parquet;
mod pickle;
#[cfg(feature = "parquet")]
mod published;
mod shards;
pub(in crate::data) mod splits;
pub(in crate::data) mod table;
mod tensors;
pub(in crate::data) mod written;
mod zero_shot;

use std::path::Path;

use self::written::Written;
use crate::data::{DataError, OpenOptions, dataset};

pub use written::{EmbeddingSource, Provenance};

/// Reads one format of features.
pub(in crate::data) trait Reader: Sync {
    /// The extension of its files; nothing for a folder.
    fn extension(&self) -> Option<&'static str>;

    /// What the format looks like, for hints: `a folder with …`, `a .npz file`.
    fn about(&self) -> &'static str;

    /// Whether the features at this path stand in columns that have names.
    fn has_columns(&self, _: &Path) -> bool {
        false
    }

    /// Reads what the files say. The path is a folder, or a file that is not empty.
    ///
    /// # Errors
    /// A file that is broken, lacks something or holds what nobody reads.
    fn read(&self, path: &Path, options: &OpenOptions) -> Result<Written, DataError>;
}

/// The formats that are read.
pub(in crate::data) const FORMATS: &[&dyn Reader] = &[
    &folder::Folder,
    &npz::Npz,
    &tensors::Safetensors,
    &table::Csv,
    &table::Tsv,
    &parquet::Parquet,
    &parquet::Arrow("feather"),
    &parquet::Arrow("arrow"),
    &zero_shot::Mat,
    &bare::Npy,
];

/// The reader of a folder, or of a file by its extension.
pub(in crate::data) fn reader(path: &Path, is_folder: bool) -> Option<&'static dyn Reader> {
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    let asked = if is_folder { None } else { Some(extension?) };
    FORMATS.iter().copied().find(|format| format.extension() == asked.as_deref())
}

/// What features may be, as a hint says it.
pub(in crate::data) fn known() -> String {
    let formats: Vec<&str> = FORMATS.iter().map(|format| format.about()).collect();
    let made = dataset::DATASETS.iter().filter(|kind| kind.is_made());
    let embedded: Vec<String> = made.map(|kind| format!("`{}`", kind.name)).collect();
    format!("features are {}, or an embedded dataset: {}", formats.join(", "), embedded.join(", "))
}
