//! Dealing: from frozen episodes to what a learner may see, and to the answers, which it may not.

use std::ops::Range;

use sha2::{Digest, Sha256};

use super::{Draw, Episode};
use crate::data::{self, Marks, Store};
use crate::rng::Stream;
use crate::tensor::{Backend, Labels, Rows, TensorError};
use crate::view::{self, Answers, Items, Support};
use crate::vocab::{Form, ItemId};

/// A batch of episodes of equal shape, dealt.
pub struct Dealt<D: Backend> {
    /// The labelled items; nothing at shot 0.
    pub support: Option<Support<D>>,
    /// The items to be labelled, in an order that tells nothing.
    pub query: Items<D>,
    /// Their labels.
    pub answers: Answers,
}

/// Which item stands where among the queries of a batch, for the record of single queries.
pub struct Order(Vec<Vec<(ItemId, u16)>>);

impl Order {
    /// The queries of these episodes in the order in which a learner meets them, shuffled by a key of the episode that no
    /// learner is given: the names of its classes and the identity of its items.
    ///
    /// The same items in another order, in another run, in a part or after a resume come in the same order.
    pub fn of(store: &Store, draw: &Draw, places: Range<usize>, seed: u64) -> Order {
        let (marks, secret) = (store.marks(), secret(seed));
        Order(
            places
                .map(|place| {
                    let episode = draw.episode(place);
                    let count = episode.all_query().len() + episode.oos().len();
                    let mut queries: Vec<(ItemId, u16)> = Vec::with_capacity(count);
                    for label in 0..episode.way() {
                        queries.extend(episode.query(label).iter().map(|item| (*item, label as u16)));
                    }
                    queries.extend(episode.oos().iter().map(|item| (*item, Answers::OUTSIDE)));
                    Stream::of_key(key(marks, &episode, secret)).shuffle(&mut queries);
                    queries
                })
                .collect(),
        )
    }

    /// The items of the batch's episode at `place`, in order.
    pub fn items(&self, place: usize) -> impl Iterator<Item = ItemId> + '_ {
        self.0[place].iter().map(|(item, _)| *item)
    }
}

/// What the keys of all episodes of a run begin with.
fn secret(seed: u64) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"kshot order of queries 2\0")
        .chain_update(seed.to_le_bytes())
        .finalize()
        .into()
}

/// The `secret` mixed with the marks of the classes and of one support item of each, and with the number of the episode. It
/// is known to whoever has the names, and to no learner: it meets numbers. An item of the support is among them, so that an
/// audit, which permutes answers, finds whoever knows the labels by the places of the queries.
fn key(marks: &Marks, episode: &Episode<'_>, mut secret: [u8; 32]) -> [u8; 32] {
    let mut mixed = 0u64;
    let mut mix = |mark: u64| mixed = (mixed.rotate_left(7) ^ mark).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for label in 0..episode.way() {
        mix(marks.classes[episode.class(label).index()]);
        mix(episode.support(label).first().map_or(0, |item| marks.items[item.index()]));
    }
    let own = mixed.to_le_bytes().into_iter().chain(episode.number().to_le_bytes());
    secret.iter_mut().zip(own).for_each(|(byte, own)| *byte ^= own);
    secret
}

/// Whether two episodes can stand in one batch: equal way, support and query size.
pub fn alike(draw: &Draw, a: usize, b: usize) -> bool {
    let shape = |place: usize| {
        let episode = draw.episode(place);
        let queries = episode.all_query().len() + episode.oos().len();
        (episode.way(), episode.all_support().len(), queries)
    };
    shape(a) == shape(b)
}

/// Deals the episodes at `places`, of which each class gives its first `shot` support items (all of them where nothing
/// is said), in the `order` of these places. Supports of unequal size are padded.
///
/// # Errors
/// When the episodes differ in way or number of queries, or the device fails.
pub fn deal<D: Backend>(
    device: &D,
    store: &D::Store,
    form: Form,
    draw: &Draw,
    places: Range<usize>,
    shot: Option<usize>,
    order: &Order,
) -> Result<Dealt<D>, TensorError> {
    let episodes = places.len();
    let way = places.clone().next().map_or(0, |place| draw.episode(place).way());
    let queries = order.0.first().map_or(0, Vec::len);
    let mut supports: Vec<Vec<(u32, u16)>> = Vec::with_capacity(episodes);
    for (place, order) in places.clone().zip(&order.0) {
        let episode = draw.episode(place);
        let differ =
            |what, expected, found| TensorError::Shape { operation: "a batch", what, expected, found };
        if episode.way() != way {
            return Err(differ("labels", way, episode.way()));
        }
        if order.len() != queries {
            return Err(differ("queries", queries, order.len()));
        }
        let mut support = Vec::with_capacity(episode.all_support().len());
        for label in 0..way {
            let items = episode.support(label);
            let taken = shot.map_or(items.len(), |shot| shot.min(items.len()));
            support.extend(items[..taken].iter().map(|item| (item.0, label as u16)));
        }
        supports.push(support);
    }
    let slots = supports.iter().map(Vec::len).max().unwrap_or(0);
    let support = if slots == 0 {
        None
    } else {
        let mut all: Vec<(u32, u16)> = Vec::with_capacity(episodes * slots);
        for support in &supports {
            all.extend_from_slice(support);
            all.resize(all.len() + slots - support.len(), (Rows::EMPTY, Labels::EMPTY));
        }
        let rows = Rows::new(episodes, slots, all.iter().map(|(row, _)| *row).collect())?;
        let labels = Labels::new(episodes, slots, way, all.iter().map(|(_, label)| *label).collect())?;
        Some(Support::new(device, store, rows, labels, form)?)
    };
    let (mut items, mut labels) =
        (Vec::with_capacity(episodes * queries), Vec::with_capacity(episodes * queries));
    for queries in &order.0 {
        items.extend(queries.iter().map(|(item, _)| item.0));
        labels.extend(queries.iter().map(|(_, label)| *label));
    }
    let rows = Rows::new(episodes, queries, items)?;
    Ok(Dealt {
        support,
        query: Items::new(device, store, rows, form),
        answers: Answers::new(episodes, queries, labels)?,
    })
}

/// Deals the class embeddings of the episodes at `places`, in the order of their labels; `vectors` has one per class.
///
/// # Errors
/// When the episodes differ in way, a class has no vector, or the device fails.
pub fn deal_class_embeddings<D: Backend>(
    device: &D,
    vectors: &data::ClassEmbeddings,
    draw: &Draw,
    places: Range<usize>,
) -> Result<view::ClassEmbeddings<D>, TensorError> {
    let (episodes, class_dim) = (places.len(), vectors.class_dim);
    let way = places.clone().next().map_or(0, |place| draw.episode(place).way());
    let mut values = Vec::with_capacity(episodes * way * class_dim);
    for class in places.flat_map(|place| draw.episode(place).classes()) {
        let at = class.index() * class_dim;
        let vector = vectors.rows.get(at..at + class_dim).ok_or(TensorError::Shape {
            operation: "dealing class embeddings",
            what: "classes",
            expected: class.index() + 1,
            found: vectors.rows.len() / class_dim.max(1),
        })?;
        values.extend_from_slice(vector);
    }
    view::ClassEmbeddings::new(device, (episodes, way, class_dim), values)
}
