//! The journal of a run: what it depends on, and every chunk of episodes as soon as all learners have answered it.
//!
//! A run that was killed goes on from it, and parts of an evaluation are joined from it. Nothing waits for the disk:
//! what the system has taken outlives the process, and a torn end is recognised and dropped.

mod binary;
mod frame;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::ResultsError;
use super::chunk::Chunk;
use super::run_key::RunKey;
use frame::Frames;

/// The first byte of a frame says what it is.
const KEY: u8 = 0;
const CHUNK: u8 = 1;
const FEATURES: u8 = 2;

/// Bytes before the chunk itself: kind, protocol, first episode, number of episodes.
const CHUNK_HEAD: usize = 1 + 4 + 4 + 4;

/// A journal, open at its end.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// Absent for one that is only read.
    file: Option<File>,
    key: RunKey,
    /// Per protocol, the place of its first chunk and the episodes that it holds.
    chapters: Vec<Chapter>,
    fingerprints: BTreeMap<String, String>,
    /// Where the last whole frame ends.
    end: u64,
    /// Whether there is something behind it.
    torn: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Chapter {
    place: Option<u64>,
    episodes: u32,
}

impl Journal {
    /// Begins a journal with what the run depends on.
    pub(super) fn begin(path: &Path, key: &RunKey) -> Result<Journal, ResultsError> {
        let mut content = vec![KEY];
        serde_json::to_writer(&mut content, key)?;
        let begun = File::create(path).and_then(|mut file| {
            frame::begin(&mut file)?;
            frame::append(&mut file, &content)?;
            let end = file.metadata()?.len();
            Ok((file, end))
        });
        let (file, end) = begun.map_err(ResultsError::file("write", path))?;
        Ok(Journal {
            path: path.to_path_buf(),
            file: Some(file),
            key: key.clone(),
            chapters: vec![Chapter::default(); key.protocols.len()],
            fingerprints: BTreeMap::new(),
            end,
            torn: false,
        })
    }

    /// Reads a journal, as far as it is whole; nothing where it is none, or does not say what it depends on.
    pub(super) fn read(path: &Path) -> Result<Option<Journal>, ResultsError> {
        let failed = || ResultsError::file("read", path);
        let mut frames = match Frames::open(path) {
            Ok(Some(frames)) => frames,
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed()(error)),
        };
        let head = frames.next().map_err(failed())?;
        let Some(key) = head.as_deref().and_then(|content| content.strip_prefix(&[KEY])) else {
            return Ok(None);
        };
        let Ok(key) = serde_json::from_slice::<RunKey>(key) else {
            return Ok(None);
        };
        let mut journal = Journal {
            path: path.to_path_buf(),
            file: None,
            chapters: vec![Chapter::default(); key.protocols.len()],
            key,
            fingerprints: BTreeMap::new(),
            end: frames.place(),
            torn: false,
        };
        while let Some(content) = frames.next().map_err(failed())? {
            if !journal.note(&content) {
                break;
            }
            journal.end = frames.place();
        }
        journal.torn = !frames.at_end() || journal.end != frames.place();
        Ok(Some(journal))
    }

    /// Opens a journal that was read for more, without what is torn at its end.
    pub(super) fn go_on(mut self) -> Result<Journal, ResultsError> {
        let opened = OpenOptions::new().append(true).open(&self.path);
        let file = opened.and_then(|file| file.set_len(self.end).map(|()| file));
        self.file = Some(file.map_err(ResultsError::file("write", &self.path))?);
        self.torn = false;
        Ok(self)
    }

    /// Takes notice of a frame that begins where the last one ended; false where it does not continue the journal.
    fn note(&mut self, content: &[u8]) -> bool {
        match content.first() {
            Some(&CHUNK) => {
                let Some([protocol, first, episodes]) = chunk_head(content) else {
                    return false;
                };
                let (Some(chapter), Some(key)) =
                    (self.chapters.get_mut(protocol as usize), self.key.protocols.get(protocol as usize))
                else {
                    return false;
                };
                if first != key.first + chapter.episodes || episodes > key.episodes - chapter.episodes {
                    return false;
                }
                chapter.place.get_or_insert(self.end);
                chapter.episodes += episodes;
                true
            }
            Some(&FEATURES) => match serde_json::from_slice::<(String, String)>(&content[1..]) {
                Ok((name, hash)) => {
                    self.fingerprints.insert(name, hash);
                    true
                }
                Err(_) => false,
            },
            _ => false,
        }
    }

    fn append(&mut self, content: &[u8]) -> Result<(), ResultsError> {
        let Some(file) = &mut self.file else {
            return Err(ResultsError::file("write", &self.path)(io::ErrorKind::ReadOnlyFilesystem.into()));
        };
        let appended = frame::append(file, content).and_then(|()| file.metadata());
        let length = appended.map_err(ResultsError::file("write", &self.path))?.len();
        self.note(content);
        self.end = length;
        Ok(())
    }

    /// Takes the next chunk of a protocol in.
    ///
    /// # Errors
    /// A disk that is full.
    pub fn chunk(&mut self, protocol: usize, chunk: &Chunk) -> Result<(), ResultsError> {
        let mut content = vec![CHUNK];
        for number in [protocol as u32, chunk.first, chunk.episodes] {
            content.extend(number.to_le_bytes());
        }
        binary::write(chunk, &mut content);
        self.append(&content)
    }

    /// Takes the hash of a feature store in.
    ///
    /// # Errors
    /// A disk that is full.
    pub fn features(&mut self, name: &str, sha256: &str) -> Result<(), ResultsError> {
        if self.fingerprints.get(name).is_some_and(|known| known == sha256) {
            return Ok(());
        }
        let mut content = vec![FEATURES];
        serde_json::to_writer(&mut content, &(name, sha256))?;
        self.append(&content)
    }

    /// Gives back every chunk of a protocol, in order, as far as `take` wants them.
    ///
    /// # Errors
    /// Those of `take`, and a file that cannot be read or was changed meanwhile.
    pub fn replay<E: From<ResultsError>>(
        &self,
        protocol: usize,
        mut take: impl FnMut(Chunk) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(place) = self.chapters[protocol].place else {
            return Ok(());
        };
        let failed = || ResultsError::file("read", &self.path);
        let damaged = |at: u64| ResultsError::Damaged { path: self.path.clone(), at };
        let frames = Frames::open(&self.path).map_err(failed())?;
        let mut frames = frames.ok_or_else(|| damaged(0))?;
        frames.seek(place).map_err(failed())?;
        let mut left = self.chapters[protocol].episodes;
        while left > 0 {
            let at = frames.place();
            let content = frames.next().map_err(failed())?.ok_or_else(|| damaged(at))?;
            if content.first() == Some(&CHUNK) {
                let chunk = binary::read(&content[CHUNK_HEAD..]).filter(|s| s.episodes <= left);
                let chunk = chunk.ok_or_else(|| damaged(at))?;
                left -= chunk.episodes;
                take(chunk)?;
            }
        }
        Ok(())
    }

    /// What the run depends on.
    pub fn run_key(&self) -> &RunKey {
        &self.key
    }

    /// Episodes of a protocol that it holds.
    pub fn episodes(&self, protocol: usize) -> u32 {
        self.chapters[protocol].episodes
    }

    /// Episodes of all protocols that it holds.
    pub fn all_episodes(&self) -> u64 {
        self.chapters.iter().map(|chapter| u64::from(chapter.episodes)).sum()
    }

    /// SHA-256 of the feature stores, as far as it was known, by their names.
    pub fn fingerprints(&self) -> &BTreeMap<String, String> {
        &self.fingerprints
    }

    /// Where the last whole frame ends, if there is something behind it.
    pub(super) fn torn_at(&self) -> Option<u64> {
        self.torn.then_some(self.end)
    }
}

fn chunk_head(content: &[u8]) -> Option<[u32; 3]> {
    let numbers = content.get(1..CHUNK_HEAD)?;
    let number = |place: usize| {
        let bytes = numbers.get(4 * place..4 * place + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    Some([number(0)?, number(1)?, number(2)?])
}

#[cfg(test)]
mod tests;
