//! From names and paths on the command line to protocols, feature stores and draws.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::cache;
use super::device::Device;
use super::error::CliError;
use super::network::{Network, data_folder};
use crate::data::{self, OpenOptions, Store, images};
use crate::episode::{self, Draw, Finding, Maker, Sampler, Severity, check, check_hash};
use crate::protocol::{Protocol, ProtocolError, SHIPPED, ShippedProtocol};
use crate::vocab::Split;

/// A protocol as it was named, with its text.
pub(super) struct Rules {
    pub(super) protocol: Protocol,
    pub(super) sha256: String,
    /// Where its draw is looked for, and the draw itself where the program holds it.
    home: Home,
}

enum Home {
    Folder(PathBuf),
    Program(&'static ShippedProtocol),
}

/// Reads a protocol from a file, or takes the one of that name that ships with kshot.
pub(super) fn rules(named: &str) -> Result<Rules, CliError> {
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
pub(super) fn all_rules(named: &[String]) -> Result<Vec<Rules>, CliError> {
    let mut all: Vec<Rules> = Vec::with_capacity(named.len());
    for name in named {
        let rules = rules(name)?;
        if let Some(twin) = all.iter().find(|r| r.protocol.name() == rules.protocol.name()) {
            return Err(CliError::Request(format!(
                "protocol `{}` is given twice, a run holds each name once",
                twin.protocol.name()
            )));
        }
        all.push(rules);
    }
    Ok(all)
}

/// The features of a run, opened once however many protocols use them.
pub(super) struct Stores {
    features: Option<String>,
    options: OpenOptions,
    /// Where datasets are looked for by name.
    data: PathBuf,
    /// What makes features of datasets, and where they are kept.
    network: Option<(Network, Option<PathBuf>, Device)>,
    open: Vec<(String, Store)>,
}

impl Stores {
    pub(super) fn new(features: Option<String>, memory: Option<u64>) -> Stores {
        let default = OpenOptions::default();
        let options = OpenOptions { resident: memory.unwrap_or(default.resident), ..default };
        Stores { features, options, data: data_folder(None), network: None, open: Vec::new() }
    }

    /// The same, with datasets looked for in this folder.
    pub(super) fn in_folder(self, data: PathBuf) -> Stores {
        Stores { data, ..self }
    }

    /// Has features made of datasets by a network, and kept in a folder.
    pub(super) fn made_by(&mut self, network: Network, cache: Option<PathBuf>, device: Device) {
        self.network = Some((network, cache, device));
    }

    /// The same, with the items of a split left unseen in every store that is opened from now on.
    pub(super) fn without(self, split: Split) -> Stores {
        Stores { options: OpenOptions { unseen: Some(split), ..self.options }, ..self }
    }

    /// The store of a protocol: the one that was named, else the dataset of the protocol.
    pub(super) fn of(&mut self, protocol: &Protocol) -> Result<Store, CliError> {
        let Some(named) = self.features.clone().or_else(|| protocol.dataset().map(String::from)) else {
            return Err(CliError::Request(format!(
                "protocol `{}` is for any feature store, but none is named\nhint: add --features PATH (or `glyphs`)",
                protocol.name()
            )));
        };
        if let Some((_, store)) = self.open.iter().find(|(name, _)| *name == named) {
            return Ok(store.clone());
        }
        if let Some((network, cache, device)) = &self.network {
            let folder = cache::store(network, &named, cache.as_deref(), *device)?;
            let store = Store::open(&folder, &self.options).map_err(|error| error.in_cache(&folder))?;
            self.open.push((named, store.clone()));
            return Ok(store);
        }
        // A folder of that name is meant only where it was asked for, and not where a protocol names its dataset.
        let images = match self.features.is_some() && Path::new(&named).exists() {
            true => None,
            false => images::named(&named, &self.data, &cache::home())?,
        };
        let store = match data::embedded(&named).transpose()?.or(images) {
            Some(store) => store,
            None if data::text::is_named(&named) => {
                return Err(CliError::Request(format!(
                    "`{named}` is a dataset of texts, and no network is named that makes features of them\nhint: add --backbone bert --weights FOLDER, or make them once with `kshot embed`"
                )));
            }
            None if self.features.is_none() => {
                return Err(CliError::Request(format!(
                    "protocol `{}` is for dataset `{named}`, which is not embedded\nhint: name its features with --features PATH, or make them with --backbone",
                    protocol.name()
                )));
            }
            None => Store::open(&named, &self.options)?,
        };
        self.open.push((named, store.clone()));
        Ok(store)
    }
}

/// A draw with the bytes that it is known by.
pub(super) struct Dealer {
    pub(super) draw: Draw,
    pub(super) sha256: String,
    /// Its file; nothing where it was drawn in this run.
    pub(super) file: Option<String>,
    /// The bytes, where they are to be written beside the results.
    pub(super) fresh: Option<String>,
    maker: Maker,
    /// That the bytes are not those that the protocol names.
    other_hash: Option<Finding>,
}

/// The episodes that a protocol evaluates, of the file that was named, else of the frozen draw, else of a fresh one.
pub(super) fn draw(rules: &Rules, named: Option<&str>, store: &Store) -> Result<Dealer, CliError> {
    let dealer = whole_draw(rules, named, store)?;
    Ok(match rules.protocol.first() {
        Some(first) if dealer.draw.len() > first as usize => dealer.first(first, store),
        _ => dealer,
    })
}

/// The draw itself, held against its hash.
fn whole_draw(rules: &Rules, named: Option<&str>, store: &Store) -> Result<Dealer, CliError> {
    let (protocol, index) = (&rules.protocol, store.index());
    let read = |bytes: &[u8], origin: String, maker: Maker| -> Result<Dealer, CliError> {
        let draw = Draw::parse(bytes, &origin, index)?;
        let sha256 = episode::sha256(bytes);
        let other_hash = check_hash(protocol, bytes);
        Ok(Dealer { draw, sha256, file: Some(origin), fresh: None, maker, other_hash })
    };
    let from_file = |path: &str, maker: Maker| {
        let bytes = std::fs::read(path)
            .map_err(|source| crate::episode::DrawError::Unreadable { origin: path.to_string(), source })?;
        read(&bytes, path.to_string(), maker)
    };
    if let Some(path) = named {
        return from_file(path, Maker::Elsewhere);
    }
    if protocol.draw_sha256().is_some() {
        return match &rules.home {
            Home::Program(shipped) => match shipped.draw {
                Some(draw) => read(draw.as_bytes(), format!("{}.csv", shipped.name), Maker::Sampler),
                None => frozen_by_hash(protocol, store),
            },
            Home::Folder(folder) => {
                let name = format!("{}.csv", protocol.name());
                let beside = folder.join("../episodes").join(&name);
                let here = Path::new("episodes").join(&name);
                let found = [&beside, &here].into_iter().find(|path| path.exists()).cloned();
                match found {
                    Some(path) => from_file(&path.display().to_string(), Maker::Sampler),
                    None => frozen_by_hash(protocol, store),
                }
            }
        };
    }
    fresh(protocol, store)
}

/// The draw that a protocol knows by its hash alone: made anew, and refused where it is another one.
fn frozen_by_hash(protocol: &Protocol, store: &Store) -> Result<Dealer, CliError> {
    let dealer = fresh(protocol, store)?;
    match protocol.draw_sha256() == Some(dealer.sha256.as_str()) {
        true => Ok(dealer),
        false => Err(CliError::NoDraw {
            protocol: protocol.name().to_string(),
            features: store.name().to_string(),
            found: dealer.sha256,
        }),
    }
}

/// A draw of a protocol, made anew from its seed.
pub(super) fn fresh(protocol: &Protocol, store: &Store) -> Result<Dealer, CliError> {
    fresh_of(protocol, store, protocol.count())
}

/// The first so many episodes of a protocol, made anew from its seed.
pub(super) fn fresh_of(protocol: &Protocol, store: &Store, count: u32) -> Result<Dealer, CliError> {
    let draw = Sampler::new(protocol, store.index()).and_then(|sampler| sampler.episodes(0..count));
    let draw = draw.map_err(|source| CliError::Sample { protocol: protocol.name().to_string(), source })?;
    let text = draw.to_csv(store.index());
    let sha256 = episode::sha256(text.as_bytes());
    Ok(Dealer { draw, sha256, file: None, fresh: Some(text), maker: Maker::Sampler, other_hash: None })
}

impl Dealer {
    /// Its first so many episodes, which are a draw of their own.
    fn first(self, count: u32, store: &Store) -> Dealer {
        let draw = self.draw.first(count as usize);
        let text = draw.to_csv(store.index());
        let sha256 = episode::sha256(text.as_bytes());
        Dealer { draw, sha256, file: None, fresh: Some(text), ..self }
    }

    /// What it is called in messages.
    pub(super) fn name(&self, protocol: &Protocol) -> String {
        self.file.clone().unwrap_or_else(|| format!("of protocol {}", protocol.name()))
    }

    /// Where it does not agree with its protocol and data, worst first.
    pub(super) fn findings(&self, protocol: &Protocol, store: &Store) -> Vec<(Severity, Finding)> {
        let mut findings: Vec<(Severity, Finding)> = self
            .other_hash
            .iter()
            .cloned()
            .chain(check(protocol, &self.draw, store.index()))
            .map(|finding| (finding.severity(protocol, self.maker), finding))
            .collect();
        findings.sort_by_key(|(severity, _)| *severity == Severity::Warning);
        findings
    }
}

/// Reads a whole number in a range, both ends included.
pub(super) fn whole(low: usize, high: usize) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| (low..=high).contains(number));
        number.ok_or_else(|| format!("must be a whole number from {low} to {high}"))
    }
}

/// Reads a size in bytes: a number with K, M, G or T (powers of 1024), or nothing, behind it.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let power = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 1,
        "M" | "MB" | "MIB" => 2,
        "G" | "GB" | "GIB" => 3,
        "T" | "TB" | "TIB" => 4,
        _ => return Err("must be a number of bytes, such as 512M or 8G".to_string()),
    };
    let number: u64 =
        digits.parse().map_err(|_| "must be a number of bytes, such as 512M or 8G".to_string())?;
    number.checked_mul(1 << (10 * power)).ok_or_else(|| "is too large".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(bytes("512"), Ok(512));
        assert_eq!(bytes("8G"), Ok(8 << 30));
        assert_eq!(bytes("768MiB"), Ok(768 << 20));
        assert!(bytes("8X").is_err() && bytes("").is_err() && bytes("99999999T").is_err());
    }
}
