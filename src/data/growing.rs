//! A file that grows under a passing name until it is whole.

use std::path::Path;

/// A file in `folder` with the rights that any new file would get: those of a temporary file would keep others from
/// reading it.
///
/// # Errors
/// When the folder cannot be written.
pub fn growing(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}
