//! Datasets and feature stores: reading, checking, splitting, transforming, fingerprinting.
//!
//! A store has one of these forms, and [`Store::open`] tells them apart by name:
//!
//! * a folder with `features.npy` (items, dim; f16, f32 or f64, C order) and `items.csv` (one line per item: `class`,
//!   optional `part`, `group`, `id`); optional `splits.csv` (`class,split`, optional `cluster`), `store.toml` (`backbone`,
//!   `trained_on`, `saw_classes`, `saw_splits`, `form`, `weights_sha256`, `seed_train`, `cut`, `[class_vectors]`) and `class_vectors.npy` (classes, side; rows as in `splits.csv`)
//!   or `class_vectors.csv` (`class`, and a number per class in every other column);
//! * `.npz`: arrays `features`, `class` (text, or codes into `classes`), optional `part`, `group`, `id`, and with one row
//!   per class `class_split` and `class_vectors`;
//! * `.safetensors`: tensors `features`, `class` (I64), optional `class_vectors`; metadata `classes` (a JSON list of
//!   names), optional `splits` (a JSON object from class to split), `part`, `group`, `id` (JSON lists), and the keys of
//!   `store.toml` as plain text;
//! * `.csv`, or `.parquet` with the feature `parquet`: columns `class`, optional `split`, `part`, `group`, `id`; every
//!   other column is a feature, in file order.
//!
//! Classes are ordered by first appearance among the items. Where splits are absent all classes are novel; a
//! class of split `outside` is none of the task. Items of one
//! non-empty `group` form a group, and so do items whose features are equal, unless they are all zero.

mod check;
#[cfg(feature = "parquet")]
mod columns;
#[cfg(feature = "download")]
mod download;
mod embedded;
mod error;
mod fingerprint;
#[cfg(test)]
mod fixtures;
mod folder;
mod gaussian;
mod glyphs;
mod growing;
mod header;
mod held_out;
pub mod images;
pub mod index;
mod lines;
mod near;
mod npy;
mod npz;
mod place;
mod save;
mod scan;
mod splits;
mod stamp;
mod store;
mod table;
mod tensors;
pub mod text;
mod transform;
mod values;
mod vectors;
mod warning;
mod written;

#[cfg(feature = "download")]
pub use download::{Remote, download, file_sha256};
pub use embedded::{EMBEDDED, embedded};
pub use error::{DataError, ItemName, Place};
pub use fingerprint::{Fingerprint, files_sha256};
pub use growing::growing;
pub use held_out::{SeenItems, seen_items};
pub use index::{Class, ClassIndex};
pub use near::{NearDuplicates, near_duplicates};
pub use save::{FOLDER_FILES, NewStore, Precision};
pub use stamp::FileStamp;
pub use store::{ClassVectors, OpenOptions, Parts, Store};
pub use transform::{Transformed, transform};
pub use values::{ReadRows, Values};
pub use warning::StoreWarning;
pub use written::{Provenance, VectorSource};
