//! Decoded pixels of all images of a dataset, kept as a feature set under the hash of what they were made of.

use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::data::dataset::items::{Dataset, Items, RawItem};
use crate::data::format::written::Provenance;
use crate::data::store::save::{FOLDER_FILES, NewStore, Precision};
use crate::data::{DataError, HeldFolder, OpenOptions, Place, Store, StoreWarning};
use crate::vocab::{Form, SawClasses};

/// How long another run may take to write its files.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Raised when the same files give other pixels.
const FORMAT: &str = "kshot pixels 2";

/// The pixels of a dataset of images as features: opened where they are kept below `cache`, else made and kept there.
///
/// # Errors
/// When an item is no image, is broken or of another size than the first, or the cache cannot be written.
pub fn pixels(dataset: &dyn Dataset, cache: &Path) -> Result<Store, DataError> {
    let (name, recipe) = (dataset.name(), dataset.recipe()?);
    let hash: String = Sha256::digest(format!("{FORMAT}\n{recipe}"))
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let folder = cache.join(format!("{name}-{hash}"));
    // The pixels are written last: where they are, the store is whole.
    let made = !folder.join(FOLDER_FILES[0]).exists();
    if made {
        let pictures = Pictures::of(dataset)?;
        let precision = if dataset.is_deep() { Precision::F32 } else { Precision::F16 };
        write(&folder, dataset.items()?, &pictures, precision)?;
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
    store.warnings.extend(dataset.notes().iter().cloned().map(StoreWarning::Note));
    Ok(store)
}

/// All images of a dataset, of one form.
#[derive(Debug)]
pub(super) struct Pictures {
    pub form: Form,
    /// Item after item, channel by channel, row by row.
    pub pixels: Vec<f32>,
}

impl Pictures {
    /// Reads every image. Where some have colour, grey ones get it.
    pub fn of(dataset: &dyn Dataset) -> Result<Pictures, DataError> {
        let images: Vec<(Form, Vec<f32>)> = (0..dataset.items()?.ids.len())
            .into_par_iter()
            .map(|item| image(dataset, item))
            .collect::<Result<_, _>>()?;
        let Some((first, _)) = images.first() else {
            return Err(DataError::NoItems { at: Place::file(dataset.name().as_ref()) });
        };
        let (_, height, width) = size(*first);
        let channels = images.iter().map(|(form, _)| size(*form).0).max().unwrap_or(1);
        let mut pixels = Vec::with_capacity(images.len() * channels * height * width);
        for (item, (form, values)) in images.iter().enumerate() {
            let (own, found) = (size(*form).0, (size(*form).1, size(*form).2));
            if found != (height, width) {
                let (at, first) = (Place::file(&dataset.place(item)), dataset.place(0));
                return Err(DataError::ImageSize { at, found, expected: (height, width), first });
            }
            (0..channels / own).for_each(|_| pixels.extend_from_slice(values));
        }
        Ok(Pictures { form: Form::Image { channels, height, width }, pixels })
    }
}

fn image(dataset: &dyn Dataset, item: usize) -> Result<(Form, Vec<f32>), DataError> {
    match dataset.read(item)? {
        RawItem::Image { form, pixels } => Ok((form, pixels)),
        _ => {
            let what = format!("item {item} is no image");
            Err(DataError::Spec { spec: dataset.name().to_string(), what })
        }
    }
}

/// Channels, height and width.
fn size(form: Form) -> (usize, usize, usize) {
    match form {
        Form::Image { channels, height, width } => (channels, height, width),
        _ => (1, 1, form.dim().unwrap_or(1)),
    }
}

fn write(folder: &Path, items: &Items, pictures: &Pictures, precision: Precision) -> Result<(), DataError> {
    let provenance =
        Provenance { backbone: "none".to_string(), saw_classes: SawClasses::None, ..Provenance::default() };
    let files = NewStore {
        features: &pictures.pixels,
        dim: pictures.form.dim().unwrap_or(1),
        precision,
        classes: &items.classes,
        parts: items.parts.as_deref(),
        groups: items.groups.as_deref(),
        ids: &items.ids,
        listed: &items.listed,
        class_embeddings: None,
        provenance: &provenance,
        form: pictures.form,
    }
    .files()?;
    let failed = |source| DataError::Unwritable { at: Place::file(folder), source };
    // Others that decode the same images write the same bytes.
    let held = HeldFolder::wait(folder, PATIENCE).map_err(failed)?;
    let held = held.ok_or_else(|| failed(std::io::ErrorKind::ResourceBusy.into()))?;
    for (name, bytes) in files {
        let file = held.grown(&bytes).map_err(failed)?;
        file.persist(folder.join(name)).map_err(|error| failed(error.error))?;
    }
    Ok(())
}
