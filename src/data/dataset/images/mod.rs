//! Datasets of images: decoded one by one, or all of them into a feature set of pixels that is kept for the next time.
//!
//! Features of pixels have the form `image:CHANNELSxHEIGHTxWIDTH` and numbers in 0…1, so that everything that works on
//! features works on pixels too; a backbone makes features of them.

mod decode;
mod folder;
mod layout;
mod listed;
mod omniglot;
mod pixels;
mod published;
mod scale;
mod vinyals;

use std::path::Path;

use super::kind::{Holds, Opens, find};
use crate::data::{DataError, Store};

pub(super) use folder::{KIND as FOLDER, UNLABELLED as IMAGES};
pub(super) use listed::KIND as LISTED;
pub(super) use omniglot::{CHARACTERS as OMNIGLOT_CHARACTERS, KIND as OMNIGLOT};
pub use pixels::pixels;
pub use published::{PUBLISHED, Published, PublishedFile};

/// Opens a dataset of images as features of pixels; nothing where `spec` is none.
///
/// `spec` is `omniglot` or `omniglot-characters`, which are looked for in `omniglot` below the folder `data` or in the
/// path behind a colon, or `folder:PATH` with optional `,side=PIXELS`, `,channels=1|3` and `,max-pixels=N` behind. Decoded pixels are kept
/// below the folder `cache`, under the hash of what they were made of.
///
/// # Errors
/// When the dataset is not there, an image is broken or of another size, or the cache cannot be written.
pub fn named(spec: &str, data: &Path, cache: &Path) -> Result<Option<Store>, DataError> {
    match find(spec, data) {
        Some((kind, asked)) if kind.holds == Holds::Images => match kind.opens {
            Opens::Read { open, .. } => pixels(open(&asked)?.as_ref(), cache).map(Some),
            Opens::Made(_) => Ok(None),
        },
        _ => Ok(None),
    }
}
