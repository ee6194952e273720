//! Files from the network: gone on with where they stopped, and checked before they get their names.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::http::{Response, StatusCode};

use crate::data::{DataError, Place};

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is to be fetched.
#[derive(Clone, Copy, Debug)]
pub struct Remote<'a> {
    /// The address.
    pub url: &'a str,
    /// The size that the file must have, where it is known.
    pub bytes: Option<u64>,
    /// The SHA-256 that the file must have, in lower-case hexadecimal, where it is known.
    pub sha256: Option<&'a str>,
}

/// Downloads a file to `path` and gives its SHA-256.
///
/// What arrives grows in a file `….part`, which stays after a break: the next call asks for the rest alone. `progress`
/// hears how many bytes are there, and of how many where that is known.
///
/// # Errors
/// When the server cannot be reached, refuses, or falls silent; when the disk cannot be written; and, with what arrived
/// thrown away, when size or SHA-256 are others.
pub fn download(
    remote: &Remote<'_>,
    path: &Path,
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<String, DataError> {
    let part = PathBuf::from(format!("{}.part", path.display()));
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .build()
        .into();
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
        receive(&mut response, remote, &part, &mut arrived, |bytes| progress(bytes, total))?;
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
    if from > 0 {
        request = request.header("Range", format!("bytes={from}-"));
    }
    request.call().map_err(|error| failed(remote, error))
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

fn receive(
    response: &mut Response<ureq::Body>,
    remote: &Remote<'_>,
    part: &Path,
    arrived: &mut Arrived,
    mut progress: impl FnMut(u64),
) -> Result<(), DataError> {
    let mut file = match arrived.bytes {
        0 => File::create(part),
        _ => OpenOptions::new().append(true).open(part),
    }
    .map_err(unwritable(part))?;
    let mut body = response.body_mut().as_reader();
    let mut block = vec![0; 1 << 16];
    loop {
        let read = match body.read(&mut block) {
            Ok(0) => return file.flush().map_err(unwritable(part)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(remote, error)),
        };
        file.write_all(&block[..read]).map_err(unwritable(part))?;
        arrived.push(&block[..read]);
        progress(arrived.bytes);
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
        let sent = match manner {
            Manner::BreaksAfter(bytes) if first => &body[..bytes],
            _ => body,
        };
        let head =
            format!("HTTP/1.1 {status}\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(sent).unwrap();
    }

    const CONTENT: &[u8] = b"twenty bytes of file";

    fn sha256() -> String {
        let mut arrived = Arrived::default();
        arrived.push(CONTENT);
        arrived.sha256()
    }

    fn fetch(url: &str, path: &Path) -> Result<String, DataError> {
        let sha256 = sha256();
        download(&Remote { url, bytes: Some(20), sha256: Some(&sha256) }, path, |_, _| {})
    }

    #[test]
    fn a_file_arrives_whole_with_its_hash_and_its_progress() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file.zip");
        let (url, asked) = serve(CONTENT, Manner::Ranges);
        let mut told = Vec::new();
        let remote = Remote { url: &url, bytes: None, sha256: None };
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
        let shorter = Remote { url: &url, bytes: Some(21), sha256: None };
        let told = download(&shorter, &path, |_, _| {}).unwrap_err().to_string();
        assert!(told.contains("it has 20 bytes, expected 21"), "{told}");
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
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
