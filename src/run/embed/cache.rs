//! Feature stores that `evaluate` has made, kept for the next run.

use std::path::{Path, PathBuf};

use super::{Behind, How, Network};
use crate::data::{FOLDER_FILES, Precision, StoreWarning};
use crate::episode::sha256;
use crate::run::device::Device;
use crate::run::error::RunError;
use crate::run::files;
use crate::run::watch::Watch;

/// What the content of a cached store depends on beside its recipe; raised when the same recipe gives other features.
const FORMAT: &str = "kshot features 2";

/// The folder of the feature store of a dataset: made now, or when it was first asked for.
///
/// Its name ends in the hash of all that it depends on, so a changed text, weight or template makes another one.
pub(crate) fn store(
    network: &Network,
    dataset: &str,
    cache: Option<&Path>,
    device: Device,
    watch: &dyn Watch,
) -> Result<(PathBuf, Option<Behind>, Vec<StoreWarning>), RunError> {
    let plan = network.plan(dataset)?;
    let (behind, notes) = (plan.behind(), plan.notes());
    // A GPU's features differ in their last digits, and must not stand in for those of the processor.
    let made_on = if device == Device::Cpu { String::new() } else { format!("\n{}", device.name()) };
    let key = sha256(format!("{FORMAT}\n{}{made_on}", plan.recipe).as_bytes());
    let folder = cache.map_or_else(home, Path::to_path_buf).join(format!("{}-{}", plan.dataset, &key[..16]));
    // The features are written last: where they are, the store is whole.
    if !folder.join(FOLDER_FILES[0]).exists() {
        files::make_folder(&folder)?;
        plan.write(
            &folder,
            &How { precision: Precision::F32, device, shard: None, skip_broken: false, watch },
        )?;
    }
    Ok((folder, behind, notes))
}

/// `kshot` in the user's folder for caches.
pub(crate) fn home() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    let caches = caches.or_else(|| Some(set("HOME")?.join(".cache"))).unwrap_or_else(std::env::temp_dir);
    caches.join("kshot")
}
