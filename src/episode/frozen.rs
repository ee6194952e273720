//! Draws with the items that they were drawn from: written with their hashes, and refused where the items are others.

use std::path::Path;

use super::draw::Draw;
use super::flaw::{DrawError, Flaw, Otherwise};
use super::head::{Head, Naming};
use super::naming::Words;
use super::read::Reading;
use super::write::{Names, rows, sha256};
use crate::data::Store;
use crate::vocab::ItemId;

/// A draw that was read with the features that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The episodes.
    pub draw: Draw,
    /// The hash by which results name the draw, see [`super::draw_sha256`].
    pub sha256: String,
    /// Whether the file says which items it was drawn from; else nothing shows that these are the same.
    pub names_items: bool,
}

/// The text of a draw's file and the hash by which results name the draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawText {
    /// The text.
    pub text: String,
    /// The hash, see [`super::draw_sha256`].
    pub sha256: String,
}

impl Frozen {
    /// Reads a draw's file for these features.
    ///
    /// # Errors
    /// As [`Frozen::parse`], or the file cannot be read.
    pub fn read(path: impl AsRef<Path>, store: &Store) -> Result<Frozen, DrawError> {
        let origin = path.as_ref().display().to_string();
        match std::fs::read(&path) {
            Ok(bytes) => Frozen::parse(&bytes, &origin, store),
            Err(source) => Err(DrawError::Unreadable { origin, source }),
        }
    }

    /// Reads the bytes of a draw's file for these features; `origin` names it in errors.
    ///
    /// # Errors
    /// A line breaks a rule, or the features are of other items than the draw, or of the same in another order where it
    /// counts them by position.
    pub fn parse(bytes: &[u8], origin: &str, store: &Store) -> Result<Frozen, DrawError> {
        let flawed = |(line, flaw)| DrawError::Flawed { origin: origin.to_string(), line, flaw };
        let head = Head::read(bytes).map_err(flawed)?;
        let words = match (head.naming, store.ids()) {
            (Naming::Positions, _) => Words::Positions,
            (Naming::Ids, Some(ids)) => Words::of_ids(store.index(), ids),
            (Naming::Ids, None) => {
                return Err(flawed((1, Flaw::NoIds { features: store.name().to_string() })));
            }
        };
        let mut reading = Reading::new(store.index(), words);
        let read = reading.all(bytes);
        read.map_err(|flaw| flawed((reading.line, flaw)))?;
        let draw = reading.draw;
        let sha256 = head.draw_sha256(&bytes[head.length..]);
        let names_items = head.items_sha256.is_some() || head.order_sha256.is_some();
        if names_items && !same_items(&head, store)? {
            return Err(other_items(origin, &head, &draw, store)?);
        }
        Ok(Frozen { draw, sha256, names_items })
    }
}

impl DrawText {
    /// A draw as its file, with the hashes of the items of these features at its head.
    ///
    /// # Errors
    /// Ids are asked for and the features have none, or numbers cannot be read that stand for ids.
    pub fn of(draw: &Draw, store: &Store, naming: Naming) -> Result<DrawText, DrawError> {
        let identity = store.identity()?;
        let mut head = Head {
            naming,
            items_sha256: Some(identity.items_sha256),
            codes: store.item_codes(&mentioned(draw, store))?,
            ..Head::default()
        };
        let body = draw.to_csv(store.index());
        let sha256 = sha256(body.as_bytes());
        let body = match (naming, store.ids()) {
            (Naming::Positions, _) => {
                head.order_sha256 = Some(identity.order_sha256);
                body
            }
            (Naming::Ids, None) => return Err(DrawError::NoIds { features: store.name().to_string() }),
            (Naming::Ids, Some(ids)) => {
                let body = draw.to_text(store.index(), &Names::Ids(ids));
                head.same_as = Some((sha256.clone(), super::write::sha256(body.as_bytes())));
                body
            }
        };
        Ok(DrawText { text: head.text() + &body, sha256 })
    }
}

/// Whether features are of the items that a draw was made of: in the same order, where it counts by position.
fn same_items(head: &Head, store: &Store) -> Result<bool, DrawError> {
    let identity = store.identity()?;
    let equal = |asked: &Option<String>, found: &str| asked.as_ref().is_none_or(|asked| asked == found);
    let ordered = head.naming == Naming::Ids || equal(&head.order_sha256, &identity.order_sha256);
    Ok(ordered && equal(&head.items_sha256, &identity.items_sha256))
}

/// Which item is another one, where the draw names it.
fn other_items(origin: &str, head: &Head, draw: &Draw, store: &Store) -> Result<DrawError, DrawError> {
    let identity = store.identity()?;
    let reordered = head.items_sha256.as_ref() == Some(&identity.items_sha256);
    let items = mentioned(draw, store);
    let codes = store.item_codes(&items)?;
    let other = items.iter().zip(codes).zip(&head.codes).find(|((_, found), asked)| found != *asked);
    let first = other.map(|((item, _), _)| {
        let index = store.index();
        let class = index.classes().iter().find(|class| class.items.binary_search(item).is_ok());
        let place = class.and_then(|class| class.items.binary_search(item).ok()).unwrap_or_default();
        Otherwise {
            class: class.map_or_else(String::new, |class| class.name.clone()),
            place,
            id: store.ids().map(|ids| ids[item.index()].clone()),
        }
    });
    let (origin, features) = (origin.to_string(), store.name().to_string());
    Ok(match reordered {
        true => DrawError::OtherOrder { origin, features, first },
        false => {
            let asked = head.items_sha256.clone().or_else(|| head.order_sha256.clone()).unwrap_or_default();
            let has_ids = store.ids().is_some();
            DrawError::OtherItems { origin, features, first, asked, found: identity.items_sha256, has_ids }
        }
    })
}

/// The items of a draw, each once, in the order in which its file first names them.
fn mentioned(draw: &Draw, store: &Store) -> Vec<ItemId> {
    let mut seen = vec![false; rows(store.index())];
    let mut items = Vec::new();
    let mut name = |of: &[ItemId]| {
        items.extend(of.iter().filter(|item| !std::mem::replace(&mut seen[item.index()], true)));
    };
    for episode in draw.episodes() {
        for label in 0..episode.way() {
            name(episode.support(label));
            name(episode.query(label));
        }
        name(episode.oos());
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Parts;
    use crate::vocab::Split;

    /// Two classes of three items, with their ids; the numbers follow the ids.
    fn store(rows: &[(&str, &str)], ids: bool) -> Store {
        let number = |(class, id): &(&str, &str)| class.len() as f32 + id.bytes().map(f32::from).sum::<f32>();
        let classes = ["owl", "wren"].map(|class| (class.to_string(), Split::Novel));
        Store::from_parts(Parts {
            name: "birds".to_string(),
            values: rows.iter().map(number).collect(),
            dim: 1,
            class: rows.iter().map(|(class, _)| class.to_string()).collect(),
            splits: Some(classes.to_vec()),
            id: if ids { rows.iter().map(|(_, id)| id.to_string()).collect() } else { Vec::new() },
            ..Parts::default()
        })
        .unwrap()
    }

    const ROWS: [(&str, &str); 6] =
        [("owl", "a b"), ("owl", "c"), ("owl", "d%"), ("wren", "x"), ("wren", "y"), ("wren", "z")];

    /// The same rows, two of them exchanged.
    fn shuffled() -> [(&'static str, &'static str); 6] {
        let mut rows = ROWS;
        rows.swap(0, 2);
        rows.swap(3, 1);
        rows
    }

    const BODY: &str = "episode,label,class,support,query\n0,0,wren,2,0\n0,1,owl,0,2 1\n";

    fn draw() -> Draw {
        Draw::parse(BODY.as_bytes(), "d.csv", store(&ROWS, true).index()).unwrap()
    }

    fn names(draw: &Draw, store: &Store) -> String {
        let ids = store.ids().unwrap();
        let of = |items: &[ItemId]| items.iter().map(|item| ids[item.index()].clone()).collect::<Vec<_>>();
        let episode = draw.episode(0);
        let labels = (0..2).map(|l| format!("{:?} {:?}", of(episode.support(l)), of(episode.query(l))));
        labels.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_draw_by_position_is_read_with_its_items_and_refused_where_they_are_reordered() {
        let own = store(&ROWS, true);
        let DrawText { text, sha256: hash } = DrawText::of(&draw(), &own, Naming::Positions).unwrap();
        assert!(text.ends_with(BODY) && text.starts_with("# items_sha256 = "));
        assert_eq!(hash, sha256(BODY.as_bytes()));
        let read = Frozen::parse(text.as_bytes(), "d.csv", &own).unwrap();
        assert_eq!(read, Frozen { draw: draw(), sha256: hash, names_items: true });
        let error = Frozen::parse(text.as_bytes(), "d.csv", &store(&shuffled(), true)).unwrap_err();
        let sentence = "d.csv: the items of features `birds` stand in another order than those that it was drawn from; \
                        the first that differs is item 0 of class `owl`, here `d%`\nhint: ";
        assert!(error.to_string().starts_with(sentence), "{error}");
    }

    #[test]
    fn a_draw_by_ids_names_the_same_items_in_any_order_under_the_same_hash() {
        let own = store(&ROWS, true);
        let DrawText { text, sha256: hash } = DrawText::of(&draw(), &own, Naming::Ids).unwrap();
        assert!(text.ends_with("0,0,wren,z,x\n0,1,owl,a%20b,d%25 c\n"), "{text}");
        for other in [&own, &store(&shuffled(), true)] {
            let read = Frozen::parse(text.as_bytes(), "d.csv", other).unwrap();
            assert_eq!(names(&read.draw, other), names(&draw(), &own));
            assert_eq!((read.sha256.as_str(), read.names_items), (hash.as_str(), true));
        }
        assert_eq!(hash, DrawText::of(&draw(), &own, Naming::Positions).unwrap().sha256);
    }

    #[test]
    fn other_items_are_refused_by_the_first_that_differs() {
        let own = store(&ROWS, true);
        let mut rows = ROWS;
        rows[2].1 = "e";
        let other = store(&rows, true);
        for (naming, told) in [
            (
                Naming::Positions,
                "d.csv: the items of features `birds` are not those that it was drawn from; the first that differs is item 2 of class `owl`, here `e` (items_sha256 ",
            ),
            (Naming::Ids, "d.csv line 8: class owl has no item `d%`, query names it\nhint: "),
        ] {
            let text = DrawText::of(&draw(), &own, naming).unwrap().text;
            let error = Frozen::parse(text.as_bytes(), "d.csv", &other).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
        // An item more, which the draw does not name.
        let more = [ROWS.as_slice(), &[("wren", "new")]].concat();
        let text = DrawText::of(&draw(), &own, Naming::Positions).unwrap().text;
        let error = Frozen::parse(text.as_bytes(), "d.csv", &store(&more, true)).unwrap_err().to_string();
        assert!(
            error.contains("; they differ in items that the draw does not name (items_sha256 "),
            "{error}"
        );
    }

    #[test]
    fn items_without_ids_are_known_by_their_numbers_and_cannot_be_named() {
        let own = store(&ROWS, false);
        let text = DrawText::of(&draw(), &own, Naming::Positions).unwrap().text;
        assert!(Frozen::parse(text.as_bytes(), "d.csv", &own).is_ok());
        let error =
            Frozen::parse(text.as_bytes(), "d.csv", &store(&shuffled(), false)).unwrap_err().to_string();
        assert!(
            error.contains("is item 0 of class `owl` (items_sha256 ") && error.contains("a column `id`"),
            "{error}"
        );
        let error = DrawText::of(&draw(), &own, Naming::Ids).unwrap_err().to_string();
        assert!(
            error.starts_with("the items of features `birds` have no ids, --ids names items by them\nhint: ")
        );
        let by_ids = DrawText::of(&draw(), &store(&ROWS, true), Naming::Ids).unwrap().text;
        let error = Frozen::parse(by_ids.as_bytes(), "d.csv", &own).unwrap_err().to_string();
        let sentence =
            "d.csv line 1: the draw names items by ids, and those of features `birds` have none\nhint: ";
        assert!(error.starts_with(sentence), "{error}");
    }

    #[test]
    fn a_draw_that_does_not_say_its_items_is_read_and_says_so() {
        let read = Frozen::parse(BODY.as_bytes(), "d.csv", &store(&shuffled(), true)).unwrap();
        assert!(!read.names_items && read.sha256 == sha256(BODY.as_bytes()));
    }
}
