//! A folder that one run writes into at a time, and the files that grow there until they are whole.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

/// The file whose lock says that a run writes into its folder.
const LOCK: &str = ".kshot-lock";
/// How the names of growing files begin.
const GROWING: &str = ".kshot-growing-";

/// A folder that is this run's to write into, until it is dropped. The system lets go of it when the process dies.
#[derive(Debug)]
pub struct HeldFolder {
    folder: PathBuf,
    /// Folders that were made for it, the innermost first; they go again where nothing was written.
    made: Vec<PathBuf>,
    /// Absent where the file system knows no locks.
    _lock: Option<File>,
}

impl HeldFolder {
    /// Makes the folder and takes it, and removes what killed runs left growing there; `None` while another run has it.
    ///
    /// # Errors
    /// When the folder cannot be written, or its lock is a link to another place.
    pub fn take(folder: &Path) -> io::Result<Option<HeldFolder>> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let made: Vec<PathBuf> =
            folder.ancestors().take_while(|path| !path.exists()).map(Path::to_path_buf).collect();
        fs::create_dir_all(folder)?;
        let Some(lock) = locked(&folder.join(LOCK))? else { return Ok(None) };
        let held = HeldFolder { folder: folder.to_path_buf(), made, _lock: lock };
        held.clear()?;
        Ok(Some(held))
    }

    /// As [`HeldFolder::take`], but waits this long for another run to be done.
    ///
    /// # Errors
    /// As there.
    pub fn wait(folder: &Path, patience: Duration) -> io::Result<Option<HeldFolder>> {
        let start = Instant::now();
        loop {
            match HeldFolder::take(folder)? {
                None if start.elapsed() < patience => std::thread::sleep(Duration::from_millis(20)),
                taken => return Ok(taken),
            }
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Writes a file under a passing name; [`NamedTempFile::persist`] gives it its own.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn grown(&self, bytes: &[u8]) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(GROWING);
        // The rights that any new file would get: those of a temporary file would keep others from reading it.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(&self.folder)?;
        file.write_all(bytes)?;
        Ok(file)
    }

    /// Removes what killed runs left; nothing else can be growing here. A link goes itself, never what it leads to.
    fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if entry.file_name().to_string_lossy().starts_with(GROWING) && !folder {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for HeldFolder {
    fn drop(&mut self) {
        // Nobody is left to tell: a lock that stays is taken by the next run.
        let _ = fs::remove_file(self.folder.join(LOCK));
        for path in &self.made {
            // Fails, as it should, where something was written.
            let _ = fs::remove_dir(path);
        }
    }
}

/// The lock of a file, which is made; the outer `None` while another process has it, the inner one where there are no locks.
fn locked(path: &Path) -> io::Result<Option<Option<File>>> {
    loop {
        if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
            let what =
                format!("{} is no plain file, and the lock of the folder is to be one", path.display());
            return Err(io::Error::new(ErrorKind::InvalidInput, what));
        }
        let file = File::options().create(true).append(true).open(path)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => return Ok(Some(Some(file))),
            // Whoever held it has just removed it.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                return Ok(Some(None));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Whether the file is still the one of this path.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |found: io::Result<fs::Metadata>| found.ok().map(|found| (found.dev(), found.ino()));
    place(file.metadata()).is_some_and(|own| place(fs::symlink_metadata(path)) == Some(own))
}

/// Whether the file is still the one of this path: an open file cannot be removed here.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_folder_is_held_by_one_and_leaves_no_trace() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/b");
        let held = HeldFolder::take(&folder).unwrap().unwrap();
        assert!(HeldFolder::take(&folder).unwrap().is_none());
        assert!(HeldFolder::wait(&folder, Duration::from_millis(30)).unwrap().is_none());
        held.grown(b"whole").unwrap().persist(folder.join("file")).unwrap();
        drop(held);
        assert_eq!(names(&folder), ["file"]);
        let other = HeldFolder::take(&place.path().join("c/d")).unwrap().unwrap();
        drop(other);
        assert_eq!(names(place.path()), ["a"]);
    }

    #[test]
    fn what_a_killed_run_left_growing_is_cleared_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        for name in [LOCK, ".kshot-growing-x1", ".tmpother", "mine"] {
            fs::write(place.path().join(name), "").unwrap();
        }
        fs::create_dir(place.path().join(".kshot-growing-folder")).unwrap();
        drop(HeldFolder::take(place.path()).unwrap().unwrap());
        assert_eq!(names(place.path()), [".kshot-growing-folder", ".tmpother", "mine"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_nowhere() {
        let place = tempfile::tempdir().unwrap();
        let (precious, folder) = (place.path().join("precious"), place.path().join("out"));
        fs::write(&precious, "precious").unwrap();
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(&precious, folder.join(".kshot-growing-x")).unwrap();
        drop(HeldFolder::take(&folder).unwrap().unwrap());
        assert_eq!(names(&folder), Vec::<String>::new());
        std::os::unix::fs::symlink(place.path().join("new"), folder.join(LOCK)).unwrap();
        assert!(HeldFolder::take(&folder).unwrap_err().to_string().contains(".kshot-lock is no plain file"));
        assert_eq!(names(place.path()), ["out", "precious"]);
        assert_eq!(fs::read_to_string(&precious).unwrap(), "precious");
    }
}
