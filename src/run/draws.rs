//! The draw of a protocol: a file, the frozen one, or a fresh one from its seed.

use std::path::Path;

use crate::data::Store;
use crate::episode::{
    Draw, DrawText, Finding, Frozen, Maker, Naming, SampleError, Sampler, Severity, check, check_hash,
};
use crate::protocol::Protocol;
use crate::run::error::RunError;
use crate::run::rules::{Home, Rules};
use crate::vocab::ItemId;

/// A draw with the bytes that it is known by.
pub(crate) struct Dealer {
    pub(crate) draw: Draw,
    pub(crate) sha256: String,
    /// Its file; nothing where it was drawn in this run.
    pub(crate) file: Option<String>,
    /// The bytes, where they are to be written beside the results.
    pub(crate) fresh: Option<String>,
    /// Whether it says which items it was drawn from.
    pub(crate) names_items: bool,
    pub(crate) maker: Maker,
    /// That the bytes are not those that the protocol names.
    other_hash: Option<Finding>,
}

/// The episodes of a protocol that are evaluated: the first of its draw, or all.
pub(crate) fn draw(rules: &Rules, named: Option<&Path>, store: &Store) -> Result<Dealer, RunError> {
    let protocol = &rules.protocol;
    if named.is_none() && protocol.draw_sha256().is_none() {
        return fresh_of(protocol, store, protocol.evaluated());
    }
    let whole = whole(rules, named, store)?;
    let evaluated = protocol.evaluated() as usize;
    if evaluated >= whole.draw.len() || evaluated >= protocol.count() as usize {
        return Ok(whole);
    }
    let draw = whole.draw.part(0..evaluated);
    let DrawText { text, sha256 } = DrawText::of(&draw, store, Naming::Positions)?;
    Ok(Dealer { sha256, fresh: Some(text), draw, ..whole })
}

/// The draw of a protocol: the file that was named, else the frozen one, else a fresh one.
fn whole(rules: &Rules, named: Option<&Path>, store: &Store) -> Result<Dealer, RunError> {
    let protocol = &rules.protocol;
    let read = |bytes: &[u8], origin: String, maker: Maker| -> Result<Dealer, RunError> {
        let Frozen { draw, sha256, names_items } = Frozen::parse(bytes, &origin, store)?;
        let other_hash = check_hash(protocol, &sha256);
        Ok(Dealer { draw, sha256, file: Some(origin), fresh: None, names_items, maker, other_hash })
    };
    let from_file = |path: &str, maker: Maker| {
        let bytes = std::fs::read(path)
            .map_err(|source| crate::episode::DrawError::Unreadable { origin: path.to_string(), source })?;
        read(&bytes, path.to_string(), maker)
    };
    if let Some(path) = named {
        return from_file(&path.display().to_string(), Maker::Elsewhere);
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
fn frozen_by_hash(protocol: &Protocol, store: &Store) -> Result<Dealer, RunError> {
    let dealer = fresh(protocol, store)?;
    match protocol.draw_sha256() == Some(dealer.sha256.as_str()) {
        true => Ok(dealer),
        false => Err(RunError::NoDraw {
            protocol: protocol.name().to_string(),
            features: store.name().to_string(),
            found: dealer.sha256,
        }),
    }
}

/// A draw of a protocol, made anew from its seed.
pub(crate) fn fresh(protocol: &Protocol, store: &Store) -> Result<Dealer, RunError> {
    fresh_of(protocol, store, protocol.count())
}

/// The first so many episodes of a protocol, made anew from its seed.
pub(crate) fn fresh_of(protocol: &Protocol, store: &Store, count: u32) -> Result<Dealer, RunError> {
    let draw = Sampler::new(protocol, store.index()).and_then(|sampler| sampler.episodes(0..count));
    let draw = draw.map_err(|source| refused(protocol, store, source))?;
    let DrawText { text, sha256 } = DrawText::of(&draw, store, Naming::Positions)?;
    Ok(Dealer {
        draw,
        sha256,
        file: None,
        fresh: Some(text),
        names_items: true,
        maker: Maker::Sampler,
        other_hash: None,
    })
}

/// Why there is no draw: where nobody gave groups, items of equal features are what stands in the way.
fn refused(protocol: &Protocol, store: &Store, source: SampleError) -> RunError {
    let protocol = protocol.name().to_string();
    match (source, identical(store)) {
        (SampleError::Groups { .. }, Some(what)) => RunError::IdenticalRows {
            protocol,
            what,
            hint: "rows that are alike tell nothing of their class: look at how the features were made (texts of unknown \
                   words alone, a column that was lost), or leave repeated items out",
        },
        (source, _) => RunError::Sample { protocol, source },
    }
}

/// How many rows are bit for bit alike, and two of them by name; nothing where groups were given or none are alike.
fn identical(store: &Store) -> Option<String> {
    let pairs = store.duplicates();
    let (first, later) = *pairs.first().filter(|_| !store.has_groups())?;
    let of = |item: ItemId| {
        let index = store.index();
        let class = index.classes().iter().find(|class| class.items.contains(&item));
        let class = class.map_or("?", |class| class.name.as_str());
        let name = store.ids().map_or_else(|| item.0.to_string(), |ids| format!("`{}`", ids[item.index()]));
        format!("{name} of class {class}")
    };
    let two = format!("such as items {} and {}", of(first), of(later));
    let (alike, rows) = (pairs.len() + 1, store.rows());
    let features = store.name();
    Some(if alike == rows {
        format!("all {rows} rows of {features} are bit-identical, {two}")
    } else {
        format!("{} of {rows} rows of {features} are bit-identical to an earlier one, {two}", pairs.len())
    })
}

impl Dealer {
    /// The same episodes where items and classes have other numbers.
    pub(crate) fn with(&self, draw: Draw) -> Dealer {
        Dealer {
            draw,
            sha256: self.sha256.clone(),
            file: self.file.clone(),
            fresh: self.fresh.clone(),
            names_items: self.names_items,
            maker: self.maker,
            other_hash: self.other_hash.clone(),
        }
    }

    /// What it is called in messages.
    pub(crate) fn name(&self, protocol: &Protocol) -> String {
        self.file.clone().unwrap_or_else(|| format!("of protocol {}", protocol.name()))
    }

    /// Where it does not agree with its protocol and data, worst first.
    pub(crate) fn findings(&self, protocol: &Protocol, store: &Store) -> Vec<(Severity, Finding)> {
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
