//! Datasets and feature sets: reading, checking, splitting, transforming, fingerprinting.
//!
//! A store has one of these forms, and [`Store::open`] tells them apart by name:
//!
//! * a folder with `features.npy` (items, dim; f16, f32 or f64, C order) and `items.csv` (one line per item: `class`,
//!   optional `part`, `group`, `id`); optional `splits.csv` (`class,split`, optional `cluster`), `store.toml` (`backbone`,
//!   `trained_on`, `saw_classes`, `saw_splits`, `form`, `weights_sha256`, `seed_train`, `truncated`, `[class_embeddings]`) and `class_embeddings.npy` (classes, side; rows as in `splits.csv`)
//!   or `class_embeddings.csv` (`class`, and a number per class in every other column);
//! * `.npz`: arrays `features`, `class` (text, or codes into `classes`), optional `part`, `group`, `id`, and with one row
//!   per class `class_split` and `class_embeddings`;
//! * `.safetensors`: tensors `features`, `class` (I64), optional `class_embeddings`; metadata `classes` (a JSON list of
//!   names), optional `splits` (a JSON object from class to split), `part`, `group`, `id` (JSON lists), and the keys of
//!   `store.toml` as plain text;
//! * `.csv`, or `.parquet` with the feature `parquet`: columns `class`, optional `split`, `part`, `group`, `id`; every
//!   other column is a feature, in file order.
//!
//! Classes are ordered by first appearance among the items. Where splits are absent all classes are novel; a
//! class of split `oos` is out of scope, none of the task. Items of one
//! non-empty `group` form a group, and so do items whose features are equal, unless they are all zero.

mod dataset;
mod error;
#[cfg(test)]
mod fixtures;
mod format;
mod growing;
mod place;
mod store;

pub use dataset::{
    DATASETS, Dataset, Holds, Items, Kind, RawItem, embedded, images, kind, open_dataset, pixels, text,
};
#[cfg(feature = "download")]
pub use dataset::{Remote, download, file_sha256};
pub use error::{DataError, ItemName, Place};
pub use format::{EmbeddingSource, Provenance};
pub use growing::growing;
pub use store::{
    Class, ClassEmbeddings, ClassIndex, FOLDER_FILES, FileStamp, Fingerprint, Identity, NearDuplicates,
    NewStore, OpenOptions, Parts, Precision, ReadRows, SeenItems, Store, StoreWarning, Transformed, Values,
    files_sha256, index, near_duplicates, row_ids, seen_items, transform,
};
