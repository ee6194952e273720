//! Protocols by name: files, or those that ship with kshot.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::episode;
use crate::protocol::{Overrides, Protocol, ProtocolError, SHIPPED, ShippedProtocol};
use crate::results::{Request, Text};
use crate::run::error::RunError;

/// A protocol as it was named, with its text.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) protocol: Protocol,
    pub(crate) sha256: String,
    /// Where its draw is looked for, and the draw itself where the program holds it.
    pub(crate) home: Home,
}

/// Where the draw of a protocol is looked for.
#[derive(Clone)]
pub(crate) enum Home {
    /// In the folder `episodes` beside that of the protocol.
    Folder(PathBuf),
    /// In the program.
    Program(&'static ShippedProtocol),
}

/// Reads the text of a protocol from a file, or takes that of the one of this name that ships with kshot.
///
/// # Errors
/// Neither a file nor a shipped protocol, or a file that cannot be read.
pub fn read_protocol(named: &str) -> Result<Text, RunError> {
    let path = Path::new(named);
    let shipped = SHIPPED.iter().find(|s| s.name == named).filter(|_| !path.exists());
    let text = match shipped {
        Some(shipped) => shipped.text.to_string(),
        None => std::fs::read_to_string(path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => {
                let known: Vec<String> = SHIPPED.iter().map(|s| format!("`{}`", s.name)).collect();
                ProtocolError::Unknown { named: named.to_string(), known: known.join(", ") }
            }
            _ => ProtocolError::Unreadable { origin: named.to_string(), source },
        })?,
    };
    // What is recorded must do without the file of a class list.
    Ok(Text { origin: named.to_string(), text: Protocol::standalone(&text, named)? })
}

/// Checks the text of a protocol.
pub(crate) fn rules(written: &Text) -> Result<Rules, RunError> {
    let Text { origin, text } = written;
    let protocol = Protocol::parse(text, origin)?;
    let ours = |s: &&ShippedProtocol| s.name == *origin && (s.text == *text || frozen_by(s, &protocol));
    let shipped = SHIPPED.iter().find(ours);
    let home = match shipped {
        Some(shipped) => Home::Program(shipped),
        None => Home::Folder(Path::new(origin).parent().unwrap_or(Path::new("")).to_path_buf()),
    };
    Ok(Rules { protocol, sha256: episode::sha256(text.as_bytes()), home })
}

/// Reads and checks protocols by name or path.
pub(crate) fn named_rules(named: &[String]) -> Result<Vec<Rules>, RunError> {
    all_rules(&named.iter().map(|named| read_protocol(named)).collect::<Result<Vec<_>, _>>()?, None)
}

/// Whether a protocol has the frozen draw of one that ships.
fn frozen_by(shipped: &ShippedProtocol, protocol: &Protocol) -> bool {
    let own = Protocol::parse(shipped.text, shipped.name).ok();
    protocol.draw_sha256().is_some() && own.is_some_and(|own| own.draw_sha256() == protocol.draw_sha256())
}

/// The text of a protocol with some of its values replaced.
///
/// # Errors
/// A protocol with a frozen draw, or values that its rules refuse.
pub fn overridden(written: Text, overrides: &Overrides) -> Result<Text, RunError> {
    if overrides.is_empty() {
        return Ok(written);
    }
    let protocol = Protocol::parse(&written.text, &written.origin)?.with(overrides)?;
    Ok(Text { origin: written.origin, text: protocol.to_toml() })
}

/// Checks several protocols, which must have different names.
pub(crate) fn all_rules(written: &[Text], episodes: Option<u32>) -> Result<Vec<Rules>, RunError> {
    let mut all: Vec<Rules> = Vec::with_capacity(written.len());
    for text in written {
        let mut rules = rules(text)?;
        if episodes.is_some() {
            rules.protocol = rules.protocol.with(&Overrides { episodes, ..Overrides::default() })?;
        }
        if let Some(twin) = all.iter().find(|r| r.protocol.name() == rules.protocol.name()) {
            return Err(RunError::Request(format!(
                "protocol `{}` is given twice, a run holds each name once",
                twin.protocol.name()
            )));
        }
        all.push(rules);
    }
    Ok(all)
}

/// The names of the protocols of a request, which must be different.
///
/// # Errors
/// A protocol that is wrong, or given twice.
pub fn protocol_names(request: &Request) -> Result<Vec<String>, RunError> {
    Ok(all_rules(&request.protocols, request.episodes)?
        .iter()
        .map(|rules| rules.protocol.name().to_string())
        .collect())
}
