//! Protocols by name: files, or those that ship with kshot.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::episode;
use crate::protocol::{Protocol, ProtocolError, SHIPPED, ShippedProtocol};
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

/// Reads a protocol from a file, or takes the one of that name that ships with kshot.
pub(crate) fn rules(named: &str) -> Result<Rules, RunError> {
    let path = Path::new(named);
    let shipped = SHIPPED.iter().find(|s| s.name == named).filter(|_| !path.exists());
    let (text, home) = match shipped {
        Some(shipped) => (shipped.text.to_string(), Home::Program(shipped)),
        None => {
            let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
                ErrorKind::NotFound => {
                    let known: Vec<String> = SHIPPED.iter().map(|s| format!("`{}`", s.name)).collect();
                    ProtocolError::Unknown { named: named.to_string(), known: known.join(", ") }
                }
                _ => ProtocolError::Unreadable { origin: named.to_string(), source },
            })?;
            (text, Home::Folder(path.parent().unwrap_or(Path::new("")).to_path_buf()))
        }
    };
    let protocol = Protocol::parse(&text, named)?;
    Ok(Rules { protocol, sha256: episode::sha256(text.as_bytes()), home })
}

/// Reads several protocols, which must have different names.
pub(crate) fn all_rules(named: &[String]) -> Result<Vec<Rules>, RunError> {
    let mut all: Vec<Rules> = Vec::with_capacity(named.len());
    for name in named {
        let rules = rules(name)?;
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
