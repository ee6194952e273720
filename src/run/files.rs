//! Files that appear under their names only when they are complete.

use std::io;
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

use super::error::RunError;
use crate::data::HeldFolder;

/// How long another run may take to write its files.
const PATIENCE: Duration = Duration::from_secs(30);

/// Refuses a folder that holds a file of one of these names, unless it may be overwritten.
pub(crate) fn check_free(folder: &Path, names: &[&str], overwrite: bool) -> Result<(), RunError> {
    match names.iter().find(|name| !overwrite && folder.join(name).exists()) {
        None => Ok(()),
        Some(name) => Err(RunError::Request(format!(
            "{} is there already\nhint: name another place, or give --overwrite",
            folder.join(name).display()
        ))),
    }
}

/// Takes a folder for as long as a run lasts, so that no other one writes into it.
pub(crate) fn hold(folder: &Path) -> Result<HeldFolder, RunError> {
    check_folder(folder)?;
    held(folder, HeldFolder::take(folder))
}

/// Takes a folder for as long as its files are written.
pub(crate) fn wait(folder: &Path) -> Result<HeldFolder, RunError> {
    check_folder(folder)?;
    held(folder, HeldFolder::wait(folder, PATIENCE))
}

fn held(folder: &Path, taken: io::Result<Option<HeldFolder>>) -> Result<HeldFolder, RunError> {
    taken.map_err(failed(folder))?.ok_or_else(|| {
        RunError::Request(format!(
            "another run is writing into {}\nhint: wait for it to end, or name another folder",
            folder.display()
        ))
    })
}

pub(crate) fn failed(path: &Path) -> impl Fn(io::Error) -> RunError {
    let path = path.to_path_buf();
    move |source| RunError::Write { path: path.clone(), source }
}

/// Writes files into a folder, which is made; files of these names that are not written now are removed.
pub(crate) fn write(folder: &Path, names: &[&str], files: &[(&str, Vec<u8>)]) -> Result<(), RunError> {
    write_held(&wait(folder)?, names, files)
}

/// As [`write`], into a folder that is held.
pub(crate) fn write_held(
    folder: &HeldFolder,
    names: &[&str],
    files: &[(&str, Vec<u8>)],
) -> Result<(), RunError> {
    for name in names.iter().filter(|name| !files.iter().any(|(written, _)| written == *name)) {
        remove(&folder.path().join(name))?;
    }
    for (name, bytes) in files {
        let path = folder.path().join(name);
        let file = folder.grown(bytes).map_err(failed(&path))?;
        file.persist(&path).map_err(|error| failed(&path)(error.error))?;
    }
    Ok(())
}

/// Removes a file, or a link and not what it leads to.
pub(crate) fn remove(path: &Path) -> Result<(), RunError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path)(error)),
        _ => Ok(()),
    }
}

/// Makes a folder that files are to be written into.
pub(crate) fn make_folder(folder: &Path) -> Result<(), RunError> {
    check_folder(folder)?;
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    // Found out before the work and not after it.
    wait(folder).map(drop)
}

fn check_folder(folder: &Path) -> Result<(), RunError> {
    if let Some(there) = folder.ancestors().find(|folder| folder.exists()).filter(|there| !there.is_dir()) {
        return Err(RunError::Request(format!(
            "{} is not a folder, files are to be written into one\nhint: name another folder",
            there.display()
        )));
    }
    Ok(())
}

/// Writes files that belong together: the last of them is taken away first and appears last, so that a folder which
/// holds it is whole. Files of `names` that are not written are removed.
pub(crate) fn write_together(
    folder: &Path,
    names: &[&str],
    files: &[(&'static str, Vec<u8>)],
) -> Result<(), RunError> {
    let held = wait(folder)?;
    let mut written = Vec::with_capacity(files.len());
    for (name, bytes) in files {
        written.push((*name, held.grown(bytes).map_err(failed(&folder.join(name)))?));
    }
    persist_together(&held, names, written)
}

/// As [`write_together`], for files that have grown in a folder that is held.
pub(crate) fn persist_together(
    held: &HeldFolder,
    names: &[&str],
    files: Vec<(&'static str, NamedTempFile)>,
) -> Result<(), RunError> {
    let folder = held.path();
    let last = files.last().map(|(name, _)| *name);
    let left = names.iter().filter(|name| Some(**name) == last || !files.iter().any(|(n, _)| n == *name));
    for path in left.map(|name| folder.join(name)) {
        remove(&path)?;
    }
    for (name, file) in files {
        let path = folder.join(name);
        file.persist(&path).map_err(|error| failed(&path)(error.error))?;
    }
    Ok(())
}
