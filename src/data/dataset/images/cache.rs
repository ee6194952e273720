//! Decoded pixels, kept as a feature set under the hash of what they were made of.

use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::Pictures;
use crate::data::format::written::Provenance;
use crate::data::growing;
use crate::data::store::save::{FOLDER_FILES, NewStore, Precision};
use crate::data::{DataError, Place};
use crate::data::{OpenOptions, Store};
use crate::vocab::SawClasses;

/// Raised when the same files give other pixels.
const FORMAT: &str = "kshot pixels 1";

/// The store of pixels that a recipe describes: opened where it is kept, else made by `read` and kept.
pub(super) fn store(
    cache: &Path,
    name: &str,
    recipe: &str,
    read: impl FnOnce() -> Result<Pictures, DataError>,
) -> Result<Store, DataError> {
    let hash: String = Sha256::digest(format!("{FORMAT}\n{recipe}"))
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let folder = cache.join(format!("{name}-{hash}"));
    // The pixels are written last: where they are, the store is whole.
    let made = !folder.join(FOLDER_FILES[0]).exists();
    if made {
        write(&folder, &read()?)?;
    }
    let mut store = Store::open(&folder, &OpenOptions::default()).map_err(|error| match made {
        false => error.in_cache(&folder),
        // What nobody can open is not to be kept.
        true => {
            let _ = std::fs::remove_dir_all(&folder);
            error
        }
    })?;
    store.name = name.to_string();
    Ok(store)
}

fn write(folder: &Path, pictures: &Pictures) -> Result<(), DataError> {
    let provenance =
        Provenance { backbone: "none".to_string(), saw_classes: SawClasses::None, ..Provenance::default() };
    let files = NewStore {
        features: &pictures.pixels,
        dim: pictures.form.dim().unwrap_or(1),
        precision: Precision::F16,
        classes: &pictures.classes,
        parts: None,
        ids: &pictures.ids,
        listed: &pictures.listed,
        class_embeddings: None,
        provenance: &provenance,
        form: pictures.form,
    }
    .files()?;
    let failed = |source| DataError::Unwritable { at: Place::file(folder), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    for (name, bytes) in files {
        let mut file = growing(folder).map_err(failed)?;
        file.write_all(&bytes).map_err(failed)?;
        file.persist(folder.join(name)).map_err(|error| failed(error.error))?;
    }
    Ok(())
}
