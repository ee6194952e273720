//! Features with their items: opened, checked, transformed, fingerprinted, written.

pub(in crate::data) mod check;
mod class_embeddings;
mod content;
mod fingerprint;
mod held_out;
pub(in crate::data) mod identity;
pub mod index;
mod leak;
mod near;
mod open;
pub(in crate::data) mod options;
pub(in crate::data) mod save;
pub(in crate::data) mod scan;
mod stamp;
#[expect(clippy::module_inception, reason = "the room is named for what the file holds")]
mod store;
mod transform;
pub(in crate::data) mod values;
mod warning;

pub use class_embeddings::ClassEmbeddings;
pub use fingerprint::{Fingerprint, files_sha256};
pub use held_out::{SeenItems, seen_items};
pub(crate) use identity::Marks;
pub use identity::{Identity, row_ids};
pub use index::{Class, ClassIndex};
pub(in crate::data) use leak::ordered_columns;
pub use leak::{Leak, leaks};
pub use near::{NearDuplicates, near_duplicates};
pub use open::Parts;
pub use options::OpenOptions;
pub use save::{FOLDER_FILES, NewStore, Precision};
pub use stamp::FileStamp;
pub use store::Store;
pub use transform::{Transformed, transform};
pub use values::{ReadRows, Values};
pub use warning::StoreWarning;
