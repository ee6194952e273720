//! Journals that are written, killed, read and written on.

use super::*;
use crate::results::journal::binary::tests::chunk;
use crate::results::run_key::tests::run_key;

fn replayed(journal: &Journal) -> Vec<Chunk> {
    let mut all = Vec::new();
    journal
        .replay(0, |chunk| {
            all.push(chunk);
            Ok::<(), ResultsError>(())
        })
        .unwrap();
    all
}

fn written(path: &Path) -> Journal {
    let mut journal = Journal::begin(path, &run_key()).unwrap();
    journal.chunk(0, &chunk(0, 3)).unwrap();
    journal.features("f", "abc").unwrap();
    journal.chunk(0, &chunk(3, 4)).unwrap();
    journal
}

#[test]
fn a_journal_gives_back_what_it_took_in_while_open_and_when_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = written(&path);
    let expected = [chunk(0, 3), chunk(3, 4)];
    assert_eq!(replayed(&journal), expected);
    let read = Journal::read(&path).unwrap().unwrap();
    assert_eq!((read.run_key(), read.episodes(0), read.torn_at()), (&run_key(), 7, None));
    assert_eq!(read.fingerprints()["f"], "abc");
    assert_eq!(replayed(&read), expected);
}

#[test]
fn a_journal_torn_at_any_byte_goes_on_behind_its_last_whole_stretch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    written(&path);
    let whole = std::fs::read(&path).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        let Some(read) = Journal::read(&path).unwrap() else {
            seen.insert(None);
            continue;
        };
        let done = read.episodes(0);
        seen.insert(Some(done));
        let mut journal = read.go_on().unwrap();
        journal.chunk(0, &chunk(done, 2)).unwrap();
        let mut expected = [chunk(0, 3)][..usize::from(done >= 3)].to_vec();
        expected.push(chunk(done, 2));
        assert_eq!(replayed(&Journal::read(&path).unwrap().unwrap()), expected, "{length}");
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [None, Some(0), Some(3)]);
}

#[test]
fn a_stretch_that_does_not_follow_is_not_taken_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    for wrong in [chunk(4, 1), chunk(2, 1), chunk(3, 18)] {
        let mut journal = Journal::begin(&path, &run_key()).unwrap();
        journal.chunk(0, &chunk(0, 3)).unwrap();
        journal.chunk(0, &wrong).unwrap();
        let read = Journal::read(&path).unwrap().unwrap();
        assert_eq!((read.episodes(0), read.torn_at().is_some()), (3, true));
    }
}

#[test]
fn what_is_no_journal_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    assert!(Journal::read(&path).unwrap().is_none());
    std::fs::write(&path, "kshot journal 1\nand something else").unwrap();
    assert!(Journal::read(&path).unwrap().is_none());
}
