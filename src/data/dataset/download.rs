//! Files from the network: gone on with where they stopped, and checked before they get their names.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::http::{Response, StatusCode};

use crate::data::{DataError, Place};

/// How long a server may be silent; and in which time it must send [`LEAST`] bytes, or the last ones.
const PATIENCE: Duration = Duration::from_secs(30);
/// The least that arrives in [`PATIENCE`]: a server that sends a byte now and then would keep a run for ever.
const LEAST: u64 = 4096;
/// The most that is taken where nobody says how large a file is.
const MOST: u64 = 1 << 36;

/// What is to be fetched.
#[derive(Clone, Copy, Debug)]
pub struct Remote<'a> {
    /// The address.
    pub url: &'a str,
    /// The size that the file must have, where it is known.
    pub bytes: Option<u64>,
    /// The SHA-256 that the file must have, in lower-case hexadecimal, where it is known.
    pub sha256: Option<&'a str>,
    /// What the server is told of who asks; servers that it sends on to are not.
    pub token: Option<&'a str>,
}

/// Downloads a file to `path` and gives its SHA-256.
///
/// What arrives grows in a file `….part`, which stays after a break: the next call asks for the rest alone. `progress`
/// hears how many bytes are there, and of how many where that is known.
///
/// # Errors
/// When the server cannot be reached, refuses, falls silent, or sends more than the file has; when the disk cannot be written; and, with what arrived
/// thrown away, when size or SHA-256 are others.
pub fn download(
    remote: &Remote<'_>,
    path: &Path,
    progress: impl FnMut(u64, Option<u64>),
) -> Result<String, DataError> {
    within(PATIENCE, remote, path, progress)
}

/// As [`download`], with this patience.
fn within(
    patience: Duration,
    remote: &Remote<'_>,
    path: &Path,
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<String, DataError> {
    let part = PathBuf::from(format!("{}.part", path.display()));
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(patience))
        .timeout_recv_response(Some(patience))
        .build()
        .into();
    plain(&part)?;
    let mut arrived = Arrived::of(&part)?;
    let whole = remote.bytes.is_some_and(|bytes| arrived.bytes == bytes);
    if !whole {
        let mut response = ask(&agent, remote, arrived.bytes)?;
        // A server without ranges sends everything again, and one that has less than is there must.
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE || !goes_on(&response, arrived.bytes) {
            arrived = Arrived::default();
            if response.status() != StatusCode::OK {
                response = ask(&agent, remote, 0)?;
            }
        }
        if !response.status().is_success() {
            return Err(failed(remote, format!("the server answers {}", response.status())));
        }
        let total = response.body().content_length().map(|rest| arrived.bytes + rest);
        let total = remote.bytes.or(total);
        let most = total.unwrap_or(MOST);
        let body = Body { stream: response.into_body().into_reader(), patience, most };
        body.into_file(remote, &part, &mut arrived, |bytes| progress(bytes, total))?;
    }
    let (bytes, found) = (arrived.bytes, arrived.sha256());
    let size = remote.bytes.filter(|expected| *expected != bytes);
    let other = remote.sha256.filter(|expected| *expected != found);
    if size.is_some() || other.is_some() {
        std::fs::remove_file(&part).map_err(unwritable(&part))?;
        let what = match (other, size) {
            (Some(expected), _) => format!("its sha256 is {found}, expected {expected}"),
            (None, size) => format!("it has {bytes} bytes, expected {}", size.unwrap_or_default()),
        };
        return Err(DataError::OtherFile { url: remote.url.to_string(), what });
    }
    std::fs::rename(&part, path).map_err(unwritable(path))?;
    Ok(found)
}

/// The SHA-256 of a file, in the form in which [`download`] gives it.
///
/// # Errors
/// When it cannot be read.
pub fn file_sha256(path: &Path) -> Result<String, DataError> {
    Ok(Arrived::of(path)?.sha256())
}

/// Bytes that are there, and their hash so far.
#[derive(Default)]
struct Arrived {
    bytes: u64,
    hash: Sha256,
}

impl Arrived {
    /// The bytes of a file; none where there is no file.
    fn of(path: &Path) -> Result<Arrived, DataError> {
        let mut arrived = Arrived::default();
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(arrived),
            Err(error) => return Err(DataError::unreadable(path)(error)),
        };
        let mut block = vec![0; 1 << 16];
        loop {
            match file.read(&mut block).map_err(DataError::unreadable(path))? {
                0 => return Ok(arrived),
                read => arrived.push(&block[..read]),
            }
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
    }

    fn sha256(self) -> String {
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn failed(remote: &Remote<'_>, what: impl ToString) -> DataError {
    DataError::NotDownloaded { url: remote.url.to_string(), what: what.to_string() }
}

fn unwritable(path: &Path) -> impl Fn(io::Error) -> DataError + '_ {
    |source| DataError::Unwritable { at: Place::file(path), source }
}

fn ask(agent: &Agent, remote: &Remote<'_>, from: u64) -> Result<Response<ureq::Body>, DataError> {
    let mut request = agent.get(remote.url);
    if let Some(token) = remote.token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    if from > 0 {
        request = request.header("Range", format!("bytes={from}-"));
    }
    request.call().map_err(|error| failed(remote, error))
}

/// Removes what is no plain file: a link would have the bytes written to where it leads, and goes itself.
fn plain(part: &Path) -> Result<(), DataError> {
    match std::fs::symlink_metadata(part) {
        Ok(found) if !found.is_file() => std::fs::remove_file(part).map_err(unwritable(part)),
        _ => Ok(()),
    }
}

/// Whether a response holds the bytes from this place on.
fn goes_on(response: &Response<ureq::Body>, from: u64) -> bool {
    let range = response.headers().get("content-range").and_then(|range| range.to_str().ok());
    let start = range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse::<u64>().ok());
    match response.status() {
        StatusCode::PARTIAL_CONTENT => start == Some(from),
        StatusCode::OK => from == 0,
        _ => true,
    }
}

/// What a server sends, as it comes.
struct Body<R> {
    stream: R,
    patience: Duration,
    /// Bytes of the whole file, of which some may be there.
    most: u64,
}

impl<R: Read + Send + 'static> Body<R> {
    /// Adds what comes to a file, until the server is done.
    fn into_file(
        self,
        remote: &Remote<'_>,
        part: &Path,
        arrived: &mut Arrived,
        mut progress: impl FnMut(u64),
    ) -> Result<(), DataError> {
        let (patience, most) = (self.patience, self.most);
        let mut file = match arrived.bytes {
            0 => File::create(part),
            _ => OpenOptions::new().append(true).open(part),
        }
        .map_err(unwritable(part))?;
        let silent = || failed(remote, format!("the server fell silent for {} s", patience.as_secs_f64()));
        let blocks = self.blocks().map_err(|error| failed(remote, error))?;
        let (mut since, mut before) = (Instant::now(), arrived.bytes);
        loop {
            let block = match blocks.recv_timeout(patience) {
                Ok(Ok(block)) if block.is_empty() => return file.flush().map_err(unwritable(part)),
                Ok(Ok(block)) => block,
                Ok(Err(error)) => return Err(failed(remote, error)),
                Err(_) => return Err(silent()),
            };
            if arrived.bytes + block.len() as u64 > most {
                let what = format!("it goes on after {most} bytes, where it should end");
                std::fs::remove_file(part).map_err(unwritable(part))?;
                return Err(DataError::OtherFile { url: remote.url.to_string(), what });
            }
            file.write_all(&block).map_err(unwritable(part))?;
            arrived.push(&block);
            progress(arrived.bytes);
            if since.elapsed() >= patience {
                if arrived.bytes - before < LEAST {
                    return Err(silent());
                }
                (since, before) = (Instant::now(), arrived.bytes);
            }
        }
    }

    /// The blocks that come, read beside, because a read cannot be told to end; the last one is empty.
    fn blocks(mut self) -> io::Result<Receiver<io::Result<Vec<u8>>>> {
        let (send, blocks) = sync_channel(4);
        std::thread::Builder::new().spawn(move || {
            let mut block = vec![0; 1 << 16];
            loop {
                let read = match self.stream.read(&mut block) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read,
                };
                let ends = !matches!(read, Ok(1..));
                if send.send(read.map(|read| block[..read].to_vec())).is_err() || ends {
                    return;
                }
            }
        })?;
        Ok(blocks)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::{TcpListener, TcpStream};
    use std::sync::{Arc, Mutex};

    use super::*;

    /// How a server behaves.
    #[derive(Clone, Copy, PartialEq)]
    enum Manner {
        /// Sends what it is asked for.
        Ranges,
        /// Knows no ranges.
        Whole,
        /// Breaks off after so many bytes of its first answer.
        BreaksAfter(usize),
        /// Has no such file.
        NotFound,
        /// Sends so many bytes and falls silent.
        SilentAfter(usize),
        /// Sends without end, and says no size.
        Endless,
    }

    /// A server of one file, and the ranges that it was asked for.
    fn serve(content: &'static [u8], manner: Manner) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/file.zip", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                answer(stream.unwrap(), content, manner, number == 0, &log);
            }
        });
        (url, asked)
    }

    fn answer(mut stream: TcpStream, content: &[u8], manner: Manner, first: bool, log: &Mutex<Vec<String>>) {
        let mut range = String::new();
        for line in BufReader::new(stream.try_clone().unwrap()).lines() {
            let line = line.unwrap();
            if line.is_empty() {
                break;
            }
            if let Some(asked) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
                range = asked.to_string();
            }
        }
        log.lock().unwrap().push(range.clone());
        let from = range.trim_end_matches('-').parse::<usize>().unwrap_or(0);
        let (status, more, body) = match manner {
            Manner::NotFound => ("404 Not Found", String::new(), &b"no"[..]),
            Manner::Ranges | Manner::BreaksAfter(_) if from > content.len() => {
                ("416 Range Not Satisfiable", String::new(), &b""[..])
            }
            Manner::Ranges | Manner::BreaksAfter(_) if from > 0 => {
                let range =
                    format!("Content-Range: bytes {from}-{}/{}\r\n", content.len() - 1, content.len());
                ("206 Partial Content", range, &content[from..])
            }
            _ => ("200 OK", String::new(), content),
        };
        if manner == Manner::Endless {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n").unwrap();
            while stream.write_all(&[b'x'; 1024]).is_ok() {}
            return;
        }
        let sent = match manner {
            Manner::SilentAfter(bytes) => &body[..bytes],
            Manner::BreaksAfter(bytes) if first => &body[..bytes],
            _ => body,
        };
        let head =
            format!("HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(sent).unwrap();
        if matches!(manner, Manner::SilentAfter(_)) {
            std::thread::sleep(Duration::from_secs(5));
        }
    }

    const CONTENT: &[u8] = b"twenty bytes of file";

    fn sha256() -> String {
        let mut arrived = Arrived::default();
        arrived.push(CONTENT);
        arrived.sha256()
    }

    fn fetch(url: &str, path: &Path) -> Result<String, DataError> {
        let sha256 = sha256();
        download(&Remote { url, bytes: Some(20), sha256: Some(&sha256), token: None }, path, |_, _| {})
    }

    #[test]
    fn a_file_arrives_whole_with_its_hash_and_its_progress() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file.zip");
        let (url, asked) = serve(CONTENT, Manner::Ranges);
        let mut told = Vec::new();
        let remote = Remote { url: &url, bytes: None, sha256: None, token: None };
        let found = download(&remote, &path, |bytes, total| told.push((bytes, total))).unwrap();
        assert_eq!((found, told.last()), (sha256(), Some(&(20, Some(20)))));
        assert_eq!(std::fs::read(&path).unwrap(), CONTENT);
        assert_eq!(*asked.lock().unwrap(), [""]);
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_download_that_broke_off_goes_on_where_it_stopped() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file.zip");
        let (url, asked) = serve(CONTENT, Manner::BreaksAfter(7));
        let broken = fetch(&url, &path).unwrap_err();
        assert!(matches!(broken, DataError::NotDownloaded { .. }), "{broken}");
        assert!(!path.exists());
        fetch(&url, &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), CONTENT);
        assert_eq!(*asked.lock().unwrap(), ["", "7-"]);
    }

    #[test]
    fn a_server_without_ranges_or_with_a_shorter_file_is_asked_for_everything() {
        for (manner, left) in [(Manner::Whole, &b"old"[..]), (Manner::Ranges, &[b'x'; 30][..])] {
            let place = tempfile::tempdir().unwrap();
            let path = place.path().join("file.zip");
            std::fs::write(place.path().join("file.zip.part"), left).unwrap();
            let (url, _) = serve(CONTENT, manner);
            fetch(&url, &path).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), CONTENT);
        }
    }

    #[test]
    fn another_file_is_refused_and_not_kept() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file.zip");
        let (url, _) = serve(b"twenty other bytes!!", Manner::Ranges);
        let told = fetch(&url, &path).unwrap_err().to_string();
        assert!(
            told.starts_with(&format!(
                "{url} is another file than the one that is published: its sha256 is "
            ))
        );
        let shorter = Remote { url: &url, bytes: Some(21), sha256: None, token: None };
        let told = download(&shorter, &path, |_, _| {}).unwrap_err().to_string();
        assert!(told.contains("it has 20 bytes, expected 21"), "{told}");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_server_that_falls_silent_or_never_ends_is_left() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file.zip");
        let (url, _) = serve(CONTENT, Manner::SilentAfter(3));
        let remote = Remote { url: &url, bytes: Some(20), sha256: None, token: None };
        let told = within(Duration::from_millis(200), &remote, &path, |_, _| {}).unwrap_err().to_string();
        assert!(told.contains("the server fell silent for 0.2 s"), "{told}");
        // What had arrived is kept.
        assert_eq!(std::fs::read(place.path().join("file.zip.part")).unwrap(), &CONTENT[..3]);
        std::fs::remove_file(place.path().join("file.zip.part")).unwrap();
        let (url, _) = serve(CONTENT, Manner::Endless);
        let remote = Remote { url: &url, bytes: Some(20), sha256: None, token: None };
        let told = download(&remote, &path, |_, _| {}).unwrap_err().to_string();
        assert!(told.contains("it goes on after 20 bytes, where it should end"), "{told}");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_what_arrived_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let (path, precious) = (place.path().join("file.zip"), place.path().join("precious"));
        std::fs::write(&precious, "precious").unwrap();
        std::os::unix::fs::symlink(&precious, place.path().join("file.zip.part")).unwrap();
        let (url, _) = serve(CONTENT, Manner::Ranges);
        fetch(&url, &path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), CONTENT);
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious");
    }

    #[test]
    fn a_server_that_is_not_there_or_refuses_is_one_sentence() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file.zip");
        let (url, _) = serve(CONTENT, Manner::NotFound);
        let told = fetch(&url, &path).unwrap_err().to_string();
        assert!(
            told.starts_with(&format!("cannot download {url}: the server answers 404 Not Found\nhint: "))
        );
        // A port that was just free: nobody listens there.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let told = fetch(&format!("http://127.0.0.1:{port}/file.zip"), &path).unwrap_err().to_string();
        assert!(told.starts_with("cannot download http://127.0.0.1:"), "{told}");
    }
}
