//! Files that appear under their names only when they are complete.

use std::io::Write;
use std::path::Path;

use super::error::RunError;
use crate::data::growing;

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

/// Writes files into a folder, which is made; files of these names that are not written now are removed.
pub(crate) fn write(folder: &Path, names: &[&str], files: &[(&str, Vec<u8>)]) -> Result<(), RunError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| RunError::Write { path, source }
    };
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    for name in names.iter().filter(|name| !files.iter().any(|(written, _)| written == *name)) {
        let path = folder.join(name);
        if path.exists() {
            std::fs::remove_file(&path).map_err(failed(&path))?;
        }
    }
    for (name, bytes) in files {
        let path = folder.join(name);
        let mut file = growing(folder).map_err(failed(&path))?;
        file.write_all(bytes).map_err(failed(&path))?;
        file.persist(&path).map_err(|error| failed(&path)(error.error))?;
    }
    Ok(())
}

/// Makes a folder that files are to be written into.
pub(crate) fn make_folder(folder: &Path) -> Result<(), RunError> {
    if let Some(there) = folder.ancestors().find(|folder| folder.exists()).filter(|there| !there.is_dir()) {
        return Err(RunError::Request(format!(
            "{} is not a folder, files are to be written into one\nhint: name another folder",
            there.display()
        )));
    }
    let failed = |source| RunError::Write { path: folder.to_path_buf(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    // Found out before the work and not after it.
    growing(folder).map(drop).map_err(failed)
}

/// Writes files that belong together: the last of them is taken away first and appears last, so that a folder which
/// holds it is whole. Files of `names` that are not written are removed.
pub(crate) fn write_together(
    folder: &Path,
    names: &[&str],
    files: &[(&'static str, Vec<u8>)],
) -> Result<(), RunError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| RunError::Write { path, source }
    };
    let mut written = Vec::with_capacity(files.len());
    for (name, bytes) in files {
        let path = folder.join(name);
        let mut file = growing(folder).map_err(failed(&path))?;
        file.write_all(bytes).map_err(failed(&path))?;
        written.push((path, file));
    }
    let last = files.last().map(|(name, _)| *name);
    let left = names.iter().filter(|name| Some(**name) == last || !files.iter().any(|(n, _)| n == *name));
    for path in left.map(|name| folder.join(name)).filter(|path| path.exists()) {
        std::fs::remove_file(&path).map_err(failed(&path))?;
    }
    for (path, file) in written {
        file.persist(&path).map_err(|error| failed(&path)(error.error))?;
    }
    Ok(())
}
