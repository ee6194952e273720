//! Frames: pieces of a file that are there whole or not at all.
//!
//! A frame is its length, a hash of its bytes, and the bytes. A process that is killed leaves a torn frame at the end at
//! most, because each is handed to the system at once; the hash also finds what a machine without power left behind.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use twox_hash::XxHash64;

/// How the file begins; the number is that of the form.
const MARK: &[u8] = b"kshot journal 4\n";

/// Bytes of the length and the hash before a frame.
const HEAD: usize = 4 + 8;

/// Begins a file.
pub(super) fn begin(file: &mut File) -> io::Result<()> {
    file.write_all(MARK)
}

/// Appends a frame, in one step.
pub(super) fn append(file: &mut File, content: &[u8]) -> io::Result<()> {
    let length = u32::try_from(content.len())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "a frame of 4 GiB or more"))?;
    let mut bytes = Vec::with_capacity(HEAD + content.len());
    bytes.extend(length.to_le_bytes());
    bytes.extend(XxHash64::oneshot(0, content).to_le_bytes());
    bytes.extend(content);
    file.write_all(&bytes)
}

/// The frames of a file, one after another.
pub(super) struct Frames {
    file: BufReader<File>,
    /// Where the next frame begins.
    place: u64,
    length: u64,
}

impl Frames {
    /// The frames of a file; nothing where it is no journal.
    pub fn open(path: &Path) -> io::Result<Option<Frames>> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut frames = Frames { file: BufReader::with_capacity(1 << 18, file), place: 0, length };
        let mut mark = [0; MARK.len()];
        if length < MARK.len() as u64 {
            return Ok(None);
        }
        frames.file.read_exact(&mut mark)?;
        frames.place = MARK.len() as u64;
        Ok((mark == MARK).then_some(frames))
    }

    /// Goes on with the frame that begins here.
    pub fn seek(&mut self, place: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(place))?;
        self.place = place;
        Ok(())
    }

    /// Where the next frame begins.
    pub fn place(&self) -> u64 {
        self.place
    }

    /// Whether all bytes of the file have been read.
    pub fn at_end(&self) -> bool {
        self.place == self.length
    }

    /// The next frame; nothing at the end, and where what follows is torn.
    pub fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let left = self.length - self.place;
        if left < HEAD as u64 {
            return Ok(None);
        }
        let (mut length, mut hash) = ([0; 4], [0; 8]);
        self.file.read_exact(&mut length)?;
        self.file.read_exact(&mut hash)?;
        let length = u32::from_le_bytes(length);
        if u64::from(length) > left - HEAD as u64 {
            return Ok(None);
        }
        let mut content = vec![0; length as usize];
        self.file.read_exact(&mut content)?;
        if XxHash64::oneshot(0, &content).to_le_bytes() != hash {
            return Ok(None);
        }
        self.place += HEAD as u64 + u64::from(length);
        Ok(Some(content))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(contents: &[&[u8]]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames");
        let mut file = File::create(&path).unwrap();
        begin(&mut file).unwrap();
        contents.iter().for_each(|content| append(&mut file, content).unwrap());
        (folder, path)
    }

    fn all(path: &Path) -> Vec<Vec<u8>> {
        let mut frames = Frames::open(path).unwrap().unwrap();
        std::iter::from_fn(|| frames.next().unwrap()).collect()
    }

    #[test]
    fn frames_come_back_in_order_and_from_any_place() {
        let (_folder, path) = written(&[b"one", b"", b"three"]);
        assert_eq!(all(&path), [b"one".as_slice(), b"", b"three"]);
        let mut frames = Frames::open(&path).unwrap().unwrap();
        frames.next().unwrap();
        let second = frames.place();
        while frames.next().unwrap().is_some() {}
        assert!(frames.at_end());
        frames.seek(second).unwrap();
        assert_eq!((frames.next().unwrap(), frames.next().unwrap()), (Some(vec![]), Some(b"three".to_vec())));
    }

    #[test]
    fn a_tail_torn_at_any_byte_is_dropped_and_the_rest_is_there() {
        let (_folder, path) = written(&[b"one", b"two"]);
        let whole = std::fs::read(&path).unwrap();
        for length in MARK.len()..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let expected: &[&[u8]] = if length < whole.len() - 3 - HEAD { &[] } else { &[b"one"] };
            assert_eq!(all(&path), expected, "{length}");
        }
        std::fs::write(&path, &whole[..MARK.len() - 1]).unwrap();
        assert!(Frames::open(&path).unwrap().is_none());
    }

    #[test]
    fn a_changed_byte_is_found() {
        let (_folder, path) = written(&[b"one", b"two"]);
        let whole = std::fs::read(&path).unwrap();
        for place in MARK.len()..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            std::fs::write(&path, changed).unwrap();
            assert!(all(&path).len() < 2, "{place}");
        }
    }
}
