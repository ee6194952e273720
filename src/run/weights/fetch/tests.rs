//! Against a server that behaves like the hub: a listing, headers with checksums, redirects to another server, ranges, tokens.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;
use crate::episode::sha256;
use crate::run::watch::Silent;

const WEIGHTS: &[u8] = b"the weights of a small network";
const CONFIG: &[u8] = br#"{"architecture": "small"}"#;

/// What a server does otherwise than the hub.
#[derive(Clone, Copy, Default)]
struct Manner {
    /// Repositories are not public.
    private: bool,
    /// The first download breaks off after so many bytes.
    breaks_after: Option<usize>,
    /// Its weights have changed, and their checksum with them.
    changed: bool,
    /// It sends other bytes than those of the checksum.
    lies: bool,
    /// It says another length than it sends.
    wrong_length: bool,
}

/// The requests of a server: method, path, range, and whether a token came along.
type Log = Arc<Mutex<Vec<(String, String, String, bool)>>>;

fn serve(manner: Manner) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let log = Log::default();
    let (own, kept) = (endpoint.clone(), log.clone());
    std::thread::spawn(move || {
        let mut sent = 0;
        for stream in listener.incoming() {
            answer(stream.unwrap(), &own, manner, &mut sent, &kept);
        }
    });
    (endpoint, log)
}

fn answer(mut stream: TcpStream, endpoint: &str, manner: Manner, sent: &mut usize, log: &Log) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let (method, path) = first.split_once(' ').unwrap();
    let path = path.split(' ').next().unwrap().to_string();
    let (mut range, mut token) = (String::new(), false);
    for line in lines.take_while(|line| !line.is_empty()) {
        let line = line.to_ascii_lowercase();
        if let Some(asked) = line.strip_prefix("range: bytes=") {
            range = asked.to_string();
        }
        token |= line == "authorization: bearer secret";
    }
    log.lock().unwrap().push((method.to_string(), path.clone(), range.clone(), token));
    let weights: Vec<u8> =
        if manner.changed { WEIGHTS.iter().rev().copied().collect() } else { WEIGHTS.to_vec() };
    let mut reply = |status: &str, more: &str, body: &[u8], length: usize| {
        let head =
            format!("HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        if method != "HEAD" {
            stream.write_all(body).unwrap();
        }
    };
    if manner.private && !token && !path.starts_with("/cdn/") {
        return reply("401 Unauthorized", "", b"", 0);
    }
    match path.as_str() {
        "/api/models/me/net/revision/main" => {
            let listing = br#"{"sha": "abc123", "siblings": [{"rfilename": "README.md"}, {"rfilename": "config.json"}, {"rfilename": "model.safetensors"}]}"#;
            reply("200 OK", "", listing, listing.len());
        }
        "/api/models/me/empty/revision/main" => {
            let listing = br#"{"sha": "abc", "siblings": [{"rfilename": "README.md"}]}"#;
            reply("200 OK", "", listing, listing.len());
        }
        "/me/net/resolve/abc123/config.json" => reply("200 OK", "ETag: \"1234\"\r\n", CONFIG, CONFIG.len()),
        "/me/net/resolve/abc123/model.safetensors" => {
            let (etag, size) = (sha256(&weights), weights.len() + usize::from(manner.wrong_length));
            let more = format!(
                "Location: {endpoint}/cdn/x\r\nX-Linked-ETag: \"{etag}\"\r\nX-Linked-Size: {size}\r\nX-Repo-Commit: abc123\r\n"
            );
            reply("302 Found", &more, b"", 0);
        }
        "/cdn/x" => {
            *sent += 1;
            let body = if manner.lies { vec![b'x'; weights.len()] } else { weights };
            let from: usize = range.trim_end_matches('-').parse().unwrap_or(0);
            let rest = &body[from.min(body.len())..];
            let kept = manner.breaks_after.filter(|_| *sent == 1).map_or(rest, |bytes| &rest[..bytes]);
            let more = format!("Content-Range: bytes {from}-{}/{}\r\n", body.len() - 1, body.len());
            match from {
                0 => reply("200 OK", "", kept, rest.len()),
                _ => reply("206 Partial Content", &more, kept, rest.len()),
            }
        }
        _ => reply("404 Not Found", "", b"", 0),
    }
}

fn fetch(endpoint: &str, token: Option<&str>, offline: bool, folder: &Path) -> Result<Got, String> {
    let asked = Asked::parse("hf:me/net").unwrap();
    let from = Server { endpoint, token: token.map(String::from), offline };
    get(&asked, folder, from, &Silent).map_err(|error| error.to_string())
}

#[test]
fn weights_arrive_with_their_configuration_and_are_not_asked_for_again() {
    let place = tempfile::tempdir().unwrap();
    let (endpoint, log) = serve(Manner::default());
    let got = fetch(&endpoint, Some("secret"), false, place.path()).unwrap();
    assert_eq!((got.sha256, got.commit.as_deref(), got.there), (sha256(WEIGHTS), Some("abc123"), false));
    assert_eq!(std::fs::read(&got.path).unwrap(), WEIGHTS);
    assert_eq!(std::fs::read(place.path().join("config.json")).unwrap(), CONFIG);
    // The token goes to the hub, and not to the server that it sends on to.
    let asked = std::mem::take(&mut *log.lock().unwrap());
    assert!(asked.iter().all(|(_, path, _, token)| *token != path.starts_with("/cdn/")), "{asked:?}");
    assert!(asked.iter().all(|(_, path, _, _)| !path.contains("README")));
    for offline in [false, true] {
        assert!(fetch(&endpoint, None, offline, place.path()).unwrap().there);
    }
    assert!(log.lock().unwrap().is_empty());
}

#[test]
fn a_download_that_broke_off_goes_on_at_the_same_commit() {
    let place = tempfile::tempdir().unwrap();
    let (endpoint, log) = serve(Manner { breaks_after: Some(7), ..Manner::default() });
    let said = fetch(&endpoint, None, false, place.path()).err().unwrap();
    assert!(said.starts_with("cannot download "), "{said}");
    let got = fetch(&endpoint, None, false, place.path()).unwrap();
    assert_eq!(std::fs::read(&got.path).unwrap(), WEIGHTS);
    let asked = log.lock().unwrap();
    let listings = asked.iter().filter(|(_, path, _, _)| path.starts_with("/api/")).count();
    assert_eq!((listings, asked.last().unwrap().2.as_str()), (1, "7-"));
}

#[test]
fn what_changes_after_the_first_time_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let (endpoint, _) = serve(Manner::default());
    let got = fetch(&endpoint, None, false, place.path()).unwrap();
    std::fs::write(&got.path, b"something else").unwrap();
    let (changed, _) = serve(Manner { changed: true, ..Manner::default() });
    let said = fetch(&changed, None, false, place.path()).err().unwrap();
    assert!(
        said.contains(&format!("its sha256 was {} when it was first fetched", sha256(WEIGHTS))),
        "{said}"
    );
    // From the hub as it was, the file is made whole again.
    let got = fetch(&endpoint, None, false, place.path()).unwrap();
    assert_eq!(std::fs::read(&got.path).unwrap(), WEIGHTS);
}

#[test]
fn other_bytes_and_other_lengths_are_not_kept() {
    for manner in
        [Manner { lies: true, ..Manner::default() }, Manner { wrong_length: true, ..Manner::default() }]
    {
        let place = tempfile::tempdir().unwrap();
        let (endpoint, _) = serve(manner);
        let said = fetch(&endpoint, None, false, place.path()).err().unwrap();
        assert!(said.contains("is another file than the one that is published"), "{said}");
        assert!(!place.path().join("model.safetensors").exists());
    }
}

#[test]
fn what_the_hub_refuses_is_one_sentence_with_the_way_on() {
    let place = tempfile::tempdir().unwrap();
    let (private, _) = serve(Manner { private: true, ..Manner::default() });
    let said = fetch(&private, None, false, place.path()).err().unwrap();
    assert!(said.contains("the hub answers 401: there is no such repository, or it is not public"), "{said}");
    let said = fetch(&private, Some("wrong"), false, place.path()).err().unwrap();
    assert!(said.contains("the token in HF_TOKEN is not accepted"), "{said}");
    assert!(fetch(&private, Some("secret"), false, place.path()).is_ok());

    let other = tempfile::tempdir().unwrap();
    let said = fetch(&private, None, true, other.path()).err().unwrap();
    assert!(said.contains("and --offline asks no server"), "{said}");
    let (endpoint, _) = serve(Manner::default());
    let ask = |text: &str| {
        let from = Server { endpoint: &endpoint, token: None, offline: false };
        get(&Asked::parse(text).unwrap(), other.path(), from, &Silent).err().unwrap().to_string()
    };
    assert!(ask("hf:me/none").contains("the hub answers 404: no such repository, revision or file"));
    assert!(ask("hf:me/net@v9").contains("the hub answers 404"));
    assert!(ask("hf:me/empty").starts_with("hf:me/empty@main holds no weights that are read"));
}

#[test]
fn shards_are_fetched_with_their_index() {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (weights, files) = wanted(
        "s",
        &names(&[
            "config.json",
            INDEX,
            "model-00001-of-2.safetensors",
            "model-../x.safetensors",
            "pytorch_model.bin",
        ]),
    )
    .unwrap();
    assert_eq!(weights, INDEX);
    assert_eq!(files, names(&["config.json", "model-00001-of-2.safetensors", INDEX]));
}
