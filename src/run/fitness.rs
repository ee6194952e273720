//! Whether protocol, draw and features go together.

use crate::data::{self, Leak, Store, StoreWarning};
use crate::episode::{Draw, Finding, Maker, Severity};
use crate::protocol::Protocol;
use crate::results::Warning;
use crate::run::draws::Dealer;
use crate::run::error::RunError;
use crate::vocab::{ItemId, Scope, Split};

/// Refuses a draw that does not fit; what may pass comes back as warnings.
pub(crate) fn checked(
    protocol: &Protocol,
    dealer: &Dealer,
    store: &Store,
    near: Option<f32>,
) -> Result<Vec<Warning>, RunError> {
    let mut warnings = Vec::new();
    if dealer.maker == Maker::Elsewhere && !dealer.names_items {
        warnings.push(Warning::DrawWithoutItems { draw: dealer.name(protocol) });
    }
    for (severity, finding) in dealer.findings(protocol, store) {
        let draw = dealer.name(protocol);
        match (severity, &finding) {
            (Severity::Refused, _) => return Err(RunError::Finding { draw, finding }),
            (Severity::Warning, Finding::Duplicate { .. }) => {
                let (episodes, of) = (finding.episodes() as u64, dealer.draw.len() as u64);
                warnings.push(Warning::Duplicates { draw, episodes, of, groups: store.has_groups() });
            }
            (Severity::Warning, _) => {
                warnings.push(Warning::OtherDraw { draw, finding: finding.to_string() });
            }
        }
    }
    if let Some(threshold) = near {
        let sentences = near_duplicates(protocol, &dealer.draw, store, threshold)?;
        if let Some(sentence) = sentences.into_iter().next() {
            return Err(RunError::NearDuplicate(sentence));
        }
    }
    Ok(warnings)
}

/// What the store itself gives reason to warn of.
pub(crate) fn of_store(store: &Store) -> impl Iterator<Item = Warning> {
    let features = || store.name().to_string();
    store.warnings().iter().filter_map(move |warning| match warning {
        StoreWarning::ZeroRows { count } => {
            Some(Warning::ZeroRows { features: features(), rows: *count as u64 })
        }
        StoreWarning::Truncated { count } => Some(Warning::Cut { features: features(), items: *count }),
        StoreWarning::ZeroEmbeddings { count } => {
            Some(Warning::ZeroVectors { features: features(), classes: *count as u64 })
        }
        StoreWarning::Note(_) | StoreWarning::ColumnsLeftOut { .. } | StoreWarning::AlikeNames { .. } => {
            Some(Warning::Features { features: features(), finding: warning.to_string() })
        }
        StoreWarning::IdenticalRows { .. } => None,
    })
}

/// What is worth a look in a feature set before anything is evaluated: what its reader warns of, and features that are
/// functions of the class or of the row.
///
/// # Errors
/// When the features cannot be read.
pub(crate) fn said_of(store: &Store) -> Result<Vec<String>, RunError> {
    let mut said: Vec<String> = of_store(store).map(|warning| warning.to_string()).collect();
    let found = data::leaks(store).map_err(|error| store.unreadable(error))?;
    for kind in [Leak::Class, Leak::Row] {
        let columns: Vec<usize> = found.iter().filter(|(_, leak)| *leak == kind).map(|(c, _)| *c).collect();
        match columns.as_slice() {
            [] => {}
            [one] => said.push(format!("{}: feature {one} (counted from 0) is {kind}", store.name())),
            [first, ..] => said.push(format!(
                "{}: {} features, the first of them {first} (counted from 0), are {kind}",
                store.name(),
                columns.len()
            )),
        }
    }
    Ok(said)
}

/// Whether items of the evaluated classes are bit for bit items of classes that learners are fitted on, or that the features
/// were centred by.
pub(crate) fn shared_with_seen(protocol: &Protocol, store: &Store) -> Option<Warning> {
    let index = store.index();
    let mut split_of = vec![Split::Novel; store.rows()];
    for class in index.classes() {
        class.items.iter().for_each(|item| split_of[item.index()] = class.split);
    }
    let seen = |item: ItemId| protocol.split().sees(split_of[item.index()]);
    let evaluated = |item: ItemId| protocol.split().holds(split_of[item.index()]);
    let shared = |(a, b): &&(ItemId, ItemId)| (seen(*a) && evaluated(*b)) || (evaluated(*a) && seen(*b));
    let items = store.duplicates().iter().filter(shared).count() as u64;
    let (protocol, features) = (protocol.name().to_string(), store.name().to_string());
    (items > 0).then_some(Warning::SharedWithSeen { protocol, features, items })
}

/// Near-duplicates across support and query of an episode, and across base classes and those of the draw: a sentence
/// for each kind that occurs.
pub(crate) fn near_duplicates(
    protocol: &Protocol,
    draw: &Draw,
    store: &Store,
    threshold: f32,
) -> Result<Vec<String>, RunError> {
    let index = store.index();
    let class_of = |item: ItemId| {
        let class = index.classes().iter().find(|c| c.items.contains(&item));
        class.map_or("?", |c| c.name.as_str()).to_string()
    };
    let mut sentences = Vec::new();
    let mut first = None;
    let mut count = 0;
    for episode in draw.episodes() {
        let near = data::near_duplicates(store, episode.all_support(), episode.all_query(), threshold)?;
        count += near.total;
        if let (None, Some(pair)) = (&first, near.pairs.first()) {
            first = Some((episode.number(), *pair));
        }
    }
    if let Some((episode, (a, b, cosine))) = first {
        sentences.push(format!(
            "episode {episode} holds near-duplicates in support and query: items {} and {} of classes {} and {} have cosine {cosine:.6} ({count} such pairs)",
            a.0, b.0, class_of(a), class_of(b)
        ));
    }
    if !protocol.split().holds(Split::Base) {
        let of = |scope: Scope| -> Vec<ItemId> {
            index.of_split(scope).flat_map(|class| index.class(class).items.iter().copied()).collect()
        };
        let near = data::near_duplicates(store, &of(Split::Base.into()), &of(protocol.split()), threshold)?;
        if let Some((a, b, cosine)) = near.pairs.first() {
            sentences.push(format!(
                "base and {} classes hold near-duplicates: items {} and {} of classes {} and {} have cosine {cosine:.6} ({} such pairs)",
                protocol.split(), a.0, b.0, class_of(*a), class_of(*b), near.total
            ));
        }
    }
    Ok(sentences)
}
