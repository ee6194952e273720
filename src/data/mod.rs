//! Features with their items: reading, checking, identity, splits, transforms; and datasets of raw items.
//!
//! Features come in these formats, and [`Store::open`] tells them apart by name:
//!
//! * a folder with `features.npy` (items, dim; C order) and `items.csv` (one line per item: `class`, optional `part`,
//!   `group`, `id`); optional `splits.csv` (`class,split`, optional `cluster`), `store.toml` (`backbone`, `trained_on`,
//!   `saw_classes`, `saw_splits`, `form`, `weights_sha256`, `seed_train`, `truncated`, `preprocessing`, `[class_embeddings]`) and
//!   `class_embeddings.npy` (classes, class_dim; rows as in `splits.csv`) or `class_embeddings.csv` (`class`, and a number
//!   per class in every other column);
//! * `.npz`: arrays `features`, `class`, optional `classes` (names that numbers in `class` are places of), `part`, `group`,
//!   `id`, and with one row per class of `classes` `class_split` and `class_embeddings`;
//! * `.safetensors`: tensors `features`, `class` (whole numbers), optional `class_embeddings`; optional metadata `classes`
//!   (a JSON list of names), `splits` (a JSON object from class to split), `part`, `group`, `id` (JSON lists), and
//!   `backbone`, `trained_on`, `saw_classes`, `form`, `weights_sha256` as plain text;
//! * `.csv` and `.tsv`, or with the feature `parquet` `.parquet`, `.feather`, `.arrow` and folders of such: columns `class`,
//!   optional `split`, `part`, `group`, `id`; features are the columns that are asked for
//!   ([`OpenOptions::feature_columns`]), else one column of lists, else the columns of one numbered prefix, else all that are
//!   numbers and whose names do not say that they are none, in file order;
//! * `.npy` with labels in a file of their own ([`OpenOptions::labels`]).
//!
//! Features are 16-, 32- or 64-bit floats, bfloat16 (in `.safetensors`) or whole numbers, which must be exact as 32-bit
//! floats. In `.npz` and `.safetensors` features may be called `X` or `embeddings`, and classes `y`, `labels`, `label`,
//! `targets` or, with `categories` for their names, `codes`. Classes are texts, whole numbers, truth values, or pickled
//! objects that are such.
//!
//! Names of classes are compared in Unicode form NFC. Classes are ordered by first appearance among the items. Where splits are absent all classes are novel; a class of
//! split `oos` is out of scope, none of the task. Items of one non-empty `group` form a group, and so do items whose
//! features are equal, unless they are all zero.
//!
//! Items with an `id` are the same items in every feature set ([`Store::identity`]); without ids they are only themselves
//! in that very file. [`Store::features_sha256`] is over numbers alone.

mod class_name;
mod dataset;
mod error;
#[cfg(test)]
mod fixtures;
mod format;
mod held;
mod place;
mod store;

pub use dataset::{
    DATASETS, Dataset, Holds, Items, Kind, Photograph, RawItem, embedded, images, kind, open_dataset, pixels,
    text,
};
#[cfg(feature = "download")]
pub use dataset::{Hub, HubFile, Remote, Revision, download, file_sha256};
pub use error::{DataError, ItemName, Place};
pub use format::{EmbeddingSource, Provenance};
pub use held::HeldFolder;
pub(crate) use store::Marks;
pub use store::{
    Class, ClassEmbeddings, ClassIndex, FOLDER_FILES, FileStamp, Fingerprint, Identity, Leak, NearDuplicates,
    NewStore, OpenOptions, Parts, Precision, ReadRows, SeenItems, Store, StoreWarning, Transformed, Values,
    files_sha256, index, leaks, near_duplicates, row_ids, seen_items, transform,
};
