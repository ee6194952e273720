//! The hidden folder where results grow, and the step in which they get their final names.

use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::ResultsError;
use super::journal::Journal;

/// Its name inside the results folder: on the same file system, so that a rename moves no bytes.
const FOLDER: &str = ".kshot-partial";

/// The names that a results folder is known by; `run.json` comes last because it says that the rest is there.
pub(super) const RESULT_FILES: [&str; 13] = [
    "outcomes.csv",
    "episodes.csv",
    "temperature_scaled.csv",
    "bins.csv",
    "open_set.csv",
    "queries.csv",
    "queries.parquet",
    "clusters.csv",
    "seen.csv",
    "seen_unseen_curve.csv",
    "summary.csv",
    PART_FILE,
    RUN_RECORD,
];

/// The outcomes of a part of an evaluation.
pub(super) const PART_FILE: &str = "outcomes.part";

/// The journal of the run, in the staging folder.
const JOURNAL: &str = "journal";

/// The record of the run.
pub(super) const RUN_RECORD: &str = "run.json";

/// What a run does with the journal of a killed run that it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOver {
    /// Nothing: it says so and ends.
    Refuse,
    /// It begins anew.
    Drop,
    /// It goes on where the killed run stood; where there is no journal, it begins anew.
    GoOn,
}

/// A staging folder that belongs to this run alone; it is removed when dropped, unless it holds a journal to be kept.
#[derive(Debug)]
pub(super) struct Staging {
    out: PathBuf,
    folder: PathBuf,
    /// The folders that did not exist before, the results folder first.
    made: Vec<PathBuf>,
    overwrite: bool,
    /// The journal of a killed run, to be gone on with.
    left: Option<Journal>,
    keep: bool,
    /// Held while the run lives; the system lets go of it when the process dies, so a killed run blocks nobody.
    _lock: File,
}

impl Staging {
    /// Makes the results folder and the staging folder in it, and clears what a killed run left there, except a journal
    /// that is to be gone on with: then [`Staging::take_journal`] does.
    ///
    /// # Errors
    /// A path that cannot be written, results that may not be overwritten, another run that is writing there, or a journal
    /// that nobody said what to do with.
    pub(super) fn open(out: &Path, overwrite: bool, left_over: LeftOver) -> Result<Staging, ResultsError> {
        let mut made: Vec<PathBuf> = out.ancestors().map(Path::to_path_buf).collect();
        made.retain(|path| !path.as_os_str().is_empty());
        let there = made.iter().position(|path| path.exists()).unwrap_or(made.len());
        if let Some(path) = made.get(there).filter(|path| !path.is_dir()) {
            return Err(ResultsError::NotAFolder { path: path.clone() });
        }
        made.truncate(there);
        let folder = out.join(FOLDER);
        no_link(&folder)?;
        // A run that was killed while files got their names is done with those: without the record they are nothing.
        let half_published = left_over == LeftOver::GoOn
            && Journal::read(&folder.join(JOURNAL))?.is_some()
            && !out.join(RUN_RECORD).exists();
        let overwrite = overwrite || half_published;
        fs::create_dir_all(out).map_err(ResultsError::file("make the folder", out))?;
        for name in RESULT_FILES {
            check_free(out, name, overwrite)?;
        }
        fs::create_dir_all(&folder).map_err(ResultsError::file("make the folder", &folder))?;
        let lock_path = folder.join("lock");
        no_link(&lock_path)?;
        no_link(&folder.join(JOURNAL))?;
        let lock = File::options().create(true).append(true).open(&lock_path);
        let lock = lock.map_err(ResultsError::file("write", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ResultsError::Busy { folder: out.to_path_buf() }),
            // Some network file systems know no locks; the rest works without.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(ResultsError::file("lock", &lock_path)(error)),
        }
        let left = Journal::read(&folder.join(JOURNAL))?.filter(|journal| journal.all_episodes() > 0);
        if let Some(journal) = left.as_ref().filter(|_| left_over == LeftOver::Refuse) {
            let episodes = journal.all_episodes();
            return Err(ResultsError::LeftOver { folder: out.to_path_buf(), episodes });
        }
        let left = left.filter(|_| left_over == LeftOver::GoOn);
        let keep = left.is_some();
        let staging = Staging { out: out.to_path_buf(), folder, made, overwrite, left, keep, _lock: lock };
        if !keep {
            staging.clear(&["lock"])?;
        }
        Ok(staging)
    }

    /// The journal that a killed run left.
    pub(super) fn left(&self) -> Option<&Journal> {
        self.left.as_ref()
    }

    /// Takes the journal that a killed run left, to be written on, and clears what else it left.
    pub(super) fn take_journal(&mut self) -> Result<Option<Journal>, ResultsError> {
        let Some(journal) = self.left.take() else {
            return Ok(None);
        };
        self.clear(&["lock", JOURNAL])?;
        journal.go_on().map(Some)
    }

    /// Where the journal of this run grows.
    pub(super) fn journal_path(&self) -> PathBuf {
        self.path(JOURNAL)
    }

    /// Has the journal stay when the run fails.
    pub(super) fn keep_journal(&mut self) {
        self.keep = true;
    }

    /// Makes the journal a file to be published.
    pub(super) fn journal_to_part(&self) -> Result<(), ResultsError> {
        let path = self.path(PART_FILE);
        fs::copy(self.journal_path(), &path).map(|_| ()).map_err(ResultsError::file("write", &path))
    }

    fn clear(&self, kept: &[&str]) -> Result<(), ResultsError> {
        let entries = fs::read_dir(&self.folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        for entry in entries.map_err(ResultsError::file("clear", &self.folder))? {
            let path = entry.path();
            if !kept.iter().any(|name| entry.file_name() == *name) {
                let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let removed = if folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
                removed.map_err(ResultsError::file("clear", &path))?;
            }
        }
        Ok(())
    }

    /// The results folder.
    pub(super) fn out(&self) -> &Path {
        &self.out
    }

    /// Where a file of this name grows.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Refuses a name that is taken in the results folder and may not be overwritten.
    pub(super) fn check_free(&self, name: &str) -> Result<(), ResultsError> {
        check_free(&self.out, name, self.overwrite)
    }

    /// Gives the files their final names, the last one last, after all of them are safely on the disk.
    ///
    /// Files of the run that is overwritten go first, those that this run does not write among them.
    pub(super) fn publish(mut self, names: &[String]) -> Result<(), ResultsError> {
        for name in names {
            let path = self.path(name);
            let synced = File::open(&path).and_then(|file| file.sync_all());
            synced.map_err(ResultsError::file("write", &path))?;
        }
        let earlier = files_of_run(&self.out.join(RUN_RECORD));
        for name in RESULT_FILES.iter().rev().copied().chain(earlier.iter().map(String::as_str)) {
            let path = self.out.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(ResultsError::file("replace", &path)(error));
                }
                _ => {}
            }
        }
        for name in names {
            let path = self.out.join(name);
            fs::rename(self.path(name), &path).map_err(ResultsError::file("write", &path))?;
        }
        self.keep = false;
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.keep {
            return;
        }
        // Nobody is left to tell: the next run clears what stays.
        let _ = fs::remove_dir_all(&self.folder);
        for path in &self.made {
            // Fails, as it should, where there are results in it.
            let _ = fs::remove_dir(path);
        }
    }
}

/// Whether a run left a journal in a results folder, or is writing one there.
pub(super) fn has_journal(out: &Path) -> bool {
    out.join(FOLDER).join(JOURNAL).exists()
}

/// Whether a killed run left a journal in a results folder.
pub fn was_killed(out: &Path) -> bool {
    let lock = File::open(out.join(FOLDER).join("lock"));
    has_journal(out) && lock.is_ok_and(|lock| !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Refuses what leads to another place: nothing outside the results folder is written or removed.
fn no_link(path: &Path) -> Result<(), ResultsError> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => Err(ResultsError::Link { path: path.to_path_buf() }),
        _ => Ok(()),
    }
}

fn check_free(out: &Path, name: &str, overwrite: bool) -> Result<(), ResultsError> {
    let path = out.join(name);
    match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(ResultsError::file("read", &path)(error)),
        Ok(found) if found.is_dir() => Err(ResultsError::InTheWay { path }),
        Ok(_) if overwrite => Ok(()),
        Ok(_) => Err(ResultsError::Occupied { folder: out.to_path_buf(), file: name.to_string() }),
    }
}

/// The files that an earlier run lists as its own; a record that cannot be read lists none.
fn files_of_run(record: &Path) -> Vec<String> {
    let read = || -> Option<Vec<String>> {
        let record: serde_json::Value = serde_json::from_slice(&fs::read(record).ok()?).ok()?;
        let names = record.get("files")?.as_object()?.keys();
        // A name and nothing else: a record must not be able to remove what lies outside its folder.
        let plain = |name: &&String| !name.contains(['/', '\\']) && *name != "." && *name != "..";
        Some(names.filter(plain).cloned().collect())
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(out: &Path, overwrite: bool) -> Result<Staging, ResultsError> {
        Staging::open(out, overwrite, if overwrite { LeftOver::Drop } else { LeftOver::Refuse })
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn publish(out: &Path, overwrite: bool, files: &[(&str, &str)]) {
        let staging = open(out, overwrite).unwrap();
        for (name, content) in files {
            fs::write(staging.path(name), content).unwrap();
        }
        staging.publish(&files.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>()).unwrap();
    }

    #[test]
    fn files_appear_only_when_published_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("a").join("b");
        let staging = open(&out, false).unwrap();
        fs::write(staging.path("summary.csv"), "rows").unwrap();
        assert_eq!(names(&out), [FOLDER]);
        staging.publish(&["summary.csv".to_string()]).unwrap();
        assert_eq!(names(&out), ["summary.csv"]);
    }

    #[test]
    fn a_run_that_fails_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let staging = open(&folder.path().join("results").join("out"), false).unwrap();
        fs::write(staging.path("summary.csv"), "half a r").unwrap();
        drop(staging);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn results_of_another_run_are_refused_and_replaced_on_demand() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        fs::write(out.join("notes.txt"), "mine").unwrap();
        publish(
            out,
            false,
            &[("queries.csv", "old"), ("draw.csv", "old"), ("run.json", r#"{"files":{"draw.csv":"hash"}}"#)],
        );
        let error = open(out, false).unwrap_err().to_string();
        assert!(error.contains("already holds results of another run (queries.csv)\nhint: "), "{error}");
        publish(out, true, &[("summary.csv", "new"), ("run.json", "{}")]);
        assert_eq!(names(out), ["notes.txt", "run.json", "summary.csv"]);
    }

    #[test]
    fn a_record_cannot_remove_what_lies_outside_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("precious"), "").unwrap();
        let out = folder.path().join("out");
        publish(&out, false, &[("run.json", r#"{"files":{"../precious":"", "..":"", ".":""}}"#)]);
        publish(&out, true, &[("run.json", "{}")]);
        assert!(folder.path().join("precious").exists());
    }

    #[test]
    fn a_second_run_into_the_same_folder_is_refused_while_the_first_lives() {
        let folder = tempfile::tempdir().unwrap();
        let first = open(folder.path(), false).unwrap();
        let error = open(folder.path(), true).unwrap_err().to_string();
        assert!(error.starts_with("another run is writing results into "), "{error}");
        drop(first);
        open(folder.path(), false).unwrap();
    }

    #[test]
    fn what_a_killed_run_left_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let stale = folder.path().join(FOLDER);
        fs::create_dir_all(stale.join("deep")).unwrap();
        fs::write(stale.join("outcomes-3"), "half a r").unwrap();
        let staging = open(folder.path(), false).unwrap();
        assert_eq!(names(&staging.folder), ["lock"]);
    }

    #[cfg(unix)]
    #[test]
    fn nothing_outside_the_results_folder_is_written_or_removed() {
        use std::os::unix::fs::symlink;
        let place = tempfile::tempdir().unwrap();
        let elsewhere = place.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        for name in ["precious", "lock", JOURNAL] {
            fs::write(elsewhere.join(name), "precious").unwrap();
        }
        let whole = names(&elsewhere);
        // The staging folder is a link to a folder; then its lock, and its journal, to a file that is not there.
        for (number, name) in ["", "lock", JOURNAL].into_iter().enumerate() {
            let out = place.path().join(format!("out{number}"));
            fs::create_dir(&out).unwrap();
            if name.is_empty() {
                symlink(&elsewhere, out.join(FOLDER)).unwrap();
            } else {
                fs::create_dir(out.join(FOLDER)).unwrap();
                symlink(elsewhere.join("new"), out.join(FOLDER).join(name)).unwrap();
            }
            for left_over in [LeftOver::Refuse, LeftOver::Drop, LeftOver::GoOn] {
                let error = Staging::open(&out, true, left_over).unwrap_err().to_string();
                assert!(error.contains("is a link, and runs write into their own folder alone"), "{error}");
            }
        }
        // What a killed run left is removed, and a link there goes itself.
        let out = place.path().join("out");
        fs::create_dir_all(out.join(FOLDER)).unwrap();
        symlink(&elsewhere, out.join(FOLDER).join("deep")).unwrap();
        symlink(elsewhere.join("precious"), out.join("summary.csv")).unwrap();
        publish(&out, true, &[("summary.csv", "new"), ("run.json", "{}")]);
        assert_eq!(names(&elsewhere), whole);
        assert_eq!(fs::read_to_string(elsewhere.join("precious")).unwrap(), "precious");
        assert_eq!(fs::read_to_string(out.join("summary.csv")).unwrap(), "new");
    }

    #[test]
    fn paths_that_cannot_hold_results_fail_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = open(&file.join("out"), false).unwrap_err().to_string();
        let sentence = format!("{} is not a folder, results need one\nhint: ", file.display());
        assert!(error.starts_with(&sentence), "{error}");
        let out = folder.path().join("out");
        fs::create_dir_all(out.join("summary.csv")).unwrap();
        let error = open(&out, true).unwrap_err().to_string();
        assert!(error.ends_with("is in the way of a result file of this name and is not a file"), "{error}");
    }
}
