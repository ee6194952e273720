//! Datasets of images: decoded once, in parallel, into a feature set of pixels that is kept for the next time.
//!
//! A store of pixels has the form `image:CHANNELSxHEIGHTxWIDTH` and numbers in 0…1, so that everything that works on
//! features works on pixels too; a backbone makes features of it.

mod cache;
mod decode;
mod folder;
mod omniglot;
mod published;
mod scale;
mod vinyals;

use std::path::{Path, PathBuf};

use crate::data::DataError;
use crate::data::Store;
use crate::vocab::{Form, Split};

pub use published::{PUBLISHED, Published, PublishedFile};

/// The datasets of images, with a line on each.
pub const IMAGE_DATASETS: &[(&str, &str)] = &[
    (
        "omniglot",
        "1,623 characters of 50 alphabets at 28×28, four rotations as classes (Lake et al. 2015, splits of Vinyals et \
         al. 2016, or of splits/vinyals); images_background.zip and images_evaluation.zip, by `kshot data get omniglot`",
    ),
    ("omniglot-characters", "the same without rotations: each character is one class"),
    (
        "folder",
        "any images: a folder per class, optional splits.csv or folders base, validation, novel; write \
         folder:DIR, or folder:DIR,side=84 to scale them",
    ),
];

/// Images with their classes, in item order.
#[derive(Clone, Debug)]
struct Pictures {
    /// Item after item, channel by channel, row by row.
    pixels: Vec<f32>,
    form: Form,
    /// The class of each item.
    classes: Vec<String>,
    /// What each item is called.
    ids: Vec<String>,
    /// Every class with its split and cluster, in order.
    listed: Vec<(String, Split, Option<String>)>,
}

/// Opens a dataset of images as a store of pixels; nothing where `spec` is none.
///
/// `spec` is `omniglot` or `omniglot-characters`, which are looked for in `omniglot` below the folder `data` or in the
/// path behind a colon, or `folder:PATH` with optional `,side=PIXELS` and `,channels=1|3` behind. Decoded pixels are kept below the folder `cache`, under the hash of what
/// they were made of.
///
/// # Errors
/// When the dataset is not there, an image is broken or of another size, or the cache cannot be written.
pub fn named(spec: &str, data: &Path, cache: &Path) -> Result<Option<Store>, DataError> {
    let (kind, rest) = spec.split_once(':').map_or((spec, None), |(kind, rest)| (kind, Some(rest)));
    match (kind, rest) {
        ("omniglot" | "omniglot-characters", path) => {
            let named = path.is_some();
            let path = path.map_or_else(|| data.join("omniglot"), PathBuf::from);
            if !path.exists() {
                return Err(match named {
                    true => DataError::NoFolder { spec: spec.to_string(), path },
                    false => DataError::NoDataset { name: kind.to_string(), path },
                });
            }
            let source = omniglot::Source::open(&path, kind == "omniglot")?;
            cache::store(cache, kind, &source.recipe()?, || source.read()).map(Some)
        }
        ("folder", Some(rest)) => {
            let source = folder::Source::open(spec, rest)?;
            cache::store(cache, source.name(), &source.recipe()?, || source.read()).map(Some)
        }
        _ => Ok(None),
    }
}
