//! Which items features are of: hashes over what tells items apart, and nothing else.

use std::sync::{Mutex, OnceLock, PoisonError};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::content::{RowHash, features_sha256, hex, row_hash, row_hashes};
use super::store::Store;
use crate::data::DataError;
use crate::vocab::ItemId;

/// The identity of all items of a feature set.
///
/// The line of an item is `class \0 part \0 group \0 id`, ended by a line feed; what is absent is empty. Items without
/// ids are only themselves in that very file: the hash of their numbers stands in the place of the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// SHA-256 over the lines, sorted by id where items have ids: equal for the same items in whatever order.
    pub items_sha256: String,
    /// SHA-256 over the lines in item order.
    pub order_sha256: String,
}

/// Hashes that were computed once, shared by all clones of a feature set.
#[derive(Debug, Default)]
pub(in crate::data) struct Hashes {
    features: OnceLock<String>,
    marks: OnceLock<Marks>,
    identity: OnceLock<Identity>,
    /// Held while rows are hashed, so that nobody does it twice.
    at_work: Mutex<()>,
}

/// Eight bytes of a hash of each class and each item.
#[derive(Debug)]
pub(crate) struct Marks {
    /// Of the names of the classes.
    pub(crate) classes: Vec<u64>,
    /// Of each item's class and id, or of its class and row where it has no id: the same in whatever order items lie.
    pub(crate) items: Vec<u64>,
}

fn mark(class: &[u8], item: &[u8]) -> u64 {
    let bytes: [u8; 32] =
        Sha256::new().chain_update(class).chain_update([0]).chain_update(item).finalize().into();
    bytes.iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte))
}

/// Ids of items that have none but their rows: `row:0`, `row:1`, …
pub fn row_ids(rows: usize) -> Vec<String> {
    (0..rows).map(|row| format!("row:{row}")).collect()
}

impl Store {
    /// SHA-256 of the numbers, their shape and their type, in 64 hexadecimal digits: equal in every format, whatever the
    /// files are called and whatever is said of the items.
    ///
    /// It is that of the text `kshot features 1\nTYPE ROWS COLUMNS\n`, TYPE being `f2` for 16-bit floats and `f4` for all
    /// other numbers, which count as the 32-bit floats that they are read as; and of the SHA-256 (32 bytes each) of the
    /// rows, little-endian.
    ///
    /// # Errors
    /// When numbers that stay in their file cannot be read.
    pub fn features_sha256(&self) -> Result<String, DataError> {
        self.hashed(|hashes| hashes.features.get().cloned())
    }

    /// Marks of its classes and items, which whoever has their names can make.
    pub(crate) fn marks(&self) -> &Marks {
        self.hashes.marks.get_or_init(|| {
            let class_of = self.class_of();
            let name = |class: usize| self.index.classes()[class].name.as_bytes();
            let item = |row: usize| match &self.ids {
                Some(ids) => mark(name(class_of[row] as usize), ids[row].as_bytes()),
                None => mark(name(class_of[row] as usize), &(row as u64).to_le_bytes()),
            };
            Marks {
                classes: (0..self.index.classes().len()).map(|class| mark(name(class), &[])).collect(),
                items: (0..self.rows).into_par_iter().map(item).collect(),
            }
        })
    }

    /// What tells its items from others.
    ///
    /// With ids it is known at once; without them all numbers are hashed.
    ///
    /// # Errors
    /// When numbers that stay in their file cannot be read.
    pub fn identity(&self) -> Result<Identity, DataError> {
        match &self.ids {
            Some(ids) => Ok(self.hashes.identity.get_or_init(|| of_ids(self, ids)).clone()),
            None => self.hashed(|hashes| hashes.identity.get().cloned()),
        }
    }

    /// Of each of these items the first 16 bits of the SHA-256 of its line: enough to see that another one has taken
    /// its place.
    ///
    /// # Errors
    /// When numbers that stay in their file cannot be read.
    pub fn item_codes(&self, items: &[ItemId]) -> Result<Vec<u16>, DataError> {
        let class_of = self.class_of();
        let code = |item: &ItemId| {
            let mut hash = Sha256::new();
            let class = class_of[item.index()] as usize;
            let head = (class, self.index.part(*item).unwrap_or_default(), self.group(*item));
            match &self.ids {
                Some(ids) => line(self, head, ids[item.index()].as_bytes(), &mut hash),
                None => {
                    let row = row_hash(self, item.index()).map_err(|error| self.unreadable(error))?;
                    line(self, head, hex(row).as_bytes(), &mut hash);
                }
            }
            let digest = hash.finalize();
            Ok(u16::from_be_bytes([digest[0], digest[1]]))
        };
        items.par_iter().map(code).collect()
    }

    /// The name of the group that was given to an item; empty where none was.
    pub fn group(&self, item: ItemId) -> &str {
        self.groups.as_ref().map_or("", |groups| groups.name(item.index()))
    }

    /// SHA-256 of all that is said of the items: class, split, cluster, part, group and id of each, in item order.
    pub fn labels_sha256(&self) -> String {
        let class_of = self.class_of();
        let mut hash = Sha256::new();
        for (item, class) in (0..).map(ItemId).zip(class_of) {
            let of = &self.index.classes()[class as usize];
            let cluster = of.cluster.as_deref().unwrap_or_default();
            for text in [of.split.word(), cluster] {
                hash.update(text);
                hash.update([0]);
            }
            let head = (class as usize, self.index.part(item).unwrap_or_default(), self.group(item));
            let id = self.ids.as_ref().map_or("", |ids| &ids[item.index()]);
            line(self, head, id.as_bytes(), &mut hash);
        }
        hex(hash.finalize())
    }

    /// SHA-256 of everything: the numbers, and what is said of the items.
    ///
    /// # Errors
    /// When numbers that stay in their file cannot be read.
    pub fn data_sha256(&self) -> Result<String, DataError> {
        let both = format!("features {}\nlabels {}\n", self.features_sha256()?, self.labels_sha256());
        Ok(hex(Sha256::digest(both)))
    }

    /// What is known once all rows are hashed.
    fn hashed<T>(&self, known: impl Fn(&Hashes) -> Option<T>) -> Result<T, DataError> {
        loop {
            if let Some(known) = known(&self.hashes) {
                return Ok(known);
            }
            let _alone = self.hashes.at_work.lock().unwrap_or_else(PoisonError::into_inner);
            if self.hashes.features.get().is_none() {
                let rows = row_hashes(self).map_err(|error| self.unreadable(error))?;
                if self.ids.is_none() {
                    self.hashes.identity.get_or_init(|| of_content(self, &rows));
                }
                self.hashes.features.get_or_init(|| features_sha256(self, &rows));
            }
        }
    }

    /// By row, the place of its class.
    fn class_of(&self) -> Vec<u32> {
        let mut class_of = vec![0; self.rows];
        for (place, class) in (0..).zip(self.index.classes()) {
            class.items.iter().for_each(|item| class_of[item.index()] = place);
        }
        class_of
    }
}

/// Feeds the line of an item: class (its place), part, group, and what tells it from others of these.
fn line(store: &Store, (class, part, group): (usize, &str, &str), own: &[u8], hash: &mut Sha256) {
    for text in [store.index.classes()[class].name.as_str(), part, group] {
        hash.update(text);
        hash.update([0]);
    }
    hash.update(own);
    hash.update(b"\n");
}

/// The hash of the lines of these items, in this order.
fn of_lines<'a>(store: &Store, class_of: &[u32], items: impl Iterator<Item = (u32, &'a [u8])>) -> String {
    let mut hash = Sha256::new();
    for (row, own) in items {
        let item = ItemId(row);
        let head =
            (class_of[item.index()] as usize, store.index.part(item).unwrap_or_default(), store.group(item));
        line(store, head, own, &mut hash);
    }
    hex(hash.finalize())
}

fn of_ids(store: &Store, ids: &[String]) -> Identity {
    let class_of = store.class_of();
    let own = |row: u32| (row, ids[row as usize].as_bytes());
    let class = |row: u32| store.index.classes()[class_of[row as usize] as usize].name.as_str();
    let mut order: Vec<u32> = (0..store.rows as u32).collect();
    // An id may stand in several classes, and nowhere twice in one.
    order.par_sort_unstable_by_key(|row| (ids[*row as usize].as_str(), class(*row)));
    Identity {
        items_sha256: of_lines(store, &class_of, order.iter().map(|row| own(*row))),
        order_sha256: of_lines(store, &class_of, (0..store.rows as u32).map(own)),
    }
}

fn of_content(store: &Store, rows: &[RowHash]) -> Identity {
    let class_of = store.class_of();
    let digits: Vec<String> = rows.iter().map(hex).collect();
    let items = digits.iter().zip(0..).map(|(digits, row)| (row, digits.as_bytes()));
    let hash = of_lines(store, &class_of, items);
    Identity { items_sha256: hash.clone(), order_sha256: hash }
}

#[cfg(test)]
mod tests {
    use half::f16;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::data::fixtures::{Sample, archive, folder_with, open, sample};
    use crate::data::format::npy::tests::{array, text};
    use crate::data::{OpenOptions, Parts};

    /// The sample with its rows in another order.
    fn reordered(order: &[usize]) -> Sample {
        let of = |column: &[String]| order.iter().map(|row| column[*row].clone()).collect();
        let own = sample();
        Sample {
            values: order.iter().flat_map(|row| own.values[row * 2..row * 2 + 2].to_vec()).collect(),
            class: of(&own.class),
            part: of(&own.part),
            group: of(&own.group),
            id: of(&own.id),
            ..own
        }
    }

    #[test]
    fn equal_numbers_have_one_hash_in_every_format_and_in_the_file() {
        let place = tempfile::tempdir().unwrap();
        let own = sample();
        let folder = own.folder(place.path());
        let first = open(&folder).unwrap().features_sha256().unwrap();
        let on_disk = Store::open(&folder, &OpenOptions { resident: 0, ..OpenOptions::default() }).unwrap();
        assert_eq!(on_disk.features_sha256().unwrap(), first);
        for path in [own.csv(place.path()), own.npz(place.path(), true), own.safetensors(place.path())] {
            assert_eq!(open(&path).unwrap().features_sha256().unwrap(), first, "{}", path.display());
        }
        let mut rows = Sha256::new();
        rows.update("kshot features 1\nf4 6 2\n");
        for row in own.values.chunks_exact(2) {
            let bytes: Vec<u8> = row.iter().flat_map(|v| v.to_le_bytes()).collect();
            rows.update(Sha256::digest(bytes));
        }
        assert_eq!(first, hex(rows.finalize()));
        let mut other = own.clone();
        other.values[3] += 1.0;
        assert_ne!(open(&other.csv(place.path())).unwrap().features_sha256().unwrap(), first);
    }

    #[test]
    fn halves_count_as_halves_and_doubles_as_the_floats_that_they_are_read_as() {
        let own = sample();
        let encoded = |descr: &str, body: Vec<u8>| array(descr, "(6, 2)", false, &body);
        let floats = encoded("<f4", own.values.iter().flat_map(|v| v.to_le_bytes()).collect());
        let doubles = encoded("<f8", own.values.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect());
        let halves =
            encoded("<f2", own.values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect());
        let hash = |bytes: &[u8], resident| {
            let (_place, folder) = folder_with(&[("features.npy", bytes)]);
            let options = OpenOptions { resident, ..OpenOptions::default() };
            Store::open(&folder, &options).unwrap().features_sha256().unwrap()
        };
        assert_eq!(hash(&doubles, 1 << 20), hash(&floats, 1 << 20));
        assert_eq!(hash(&halves, 1 << 20), hash(&halves, 0));
        assert_ne!(hash(&halves, 0), hash(&floats, 0));
    }

    #[test]
    fn names_of_files_splits_and_provenance_are_no_content_and_do_not_touch_the_items() {
        let (_place, folder) = folder_with(&[("store.toml", b"backbone = \"a\"\n")]);
        let store = open(&folder).unwrap();
        let (content, items, all) =
            (store.features_sha256().unwrap(), store.identity().unwrap(), store.data_sha256().unwrap());
        std::fs::write(folder.join("store.toml"), "backbone = \"b\"\n").unwrap();
        let moved = folder.with_file_name("moved");
        std::fs::rename(&folder, &moved).unwrap();
        let store = open(&moved).unwrap();
        assert_eq!(store.features_sha256().unwrap(), content);
        assert_eq!((store.identity().unwrap(), store.data_sha256().unwrap()), (items.clone(), all.clone()));
        std::fs::write(moved.join("splits.csv"), "class,split\ncat,novel\nant,base\ndog,base\n").unwrap();
        let store = open(&moved).unwrap();
        assert_eq!((store.features_sha256().unwrap(), store.identity().unwrap()), (content, items));
        assert_ne!(store.data_sha256().unwrap(), all);
    }

    #[test]
    fn items_with_ids_are_the_same_in_whatever_order() {
        let place = tempfile::tempdir().unwrap();
        let identity = |sample: &Sample| open(&sample.csv(place.path())).unwrap().identity().unwrap();
        let first = identity(&sample());
        let mut lines: Vec<(&str, String)> = Vec::new();
        let own = sample();
        for row in 0..6 {
            let line =
                format!("{}\0{}\0{}\0{}\n", own.class[row], own.part[row], own.group[row], own.id[row]);
            lines.push((&own.id[row], line));
        }
        let in_order: String = lines.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(first.order_sha256, hex(Sha256::digest(in_order)));
        lines.sort();
        let sorted: String = lines.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(first.items_sha256, hex(Sha256::digest(sorted)));
        let shuffled = identity(&reordered(&[3, 0, 5, 2, 1, 4]));
        assert_eq!(shuffled.items_sha256, first.items_sha256);
        assert_ne!(shuffled.order_sha256, first.order_sha256);
        let mut other = sample();
        other.group[0] = "g".to_string();
        assert_ne!(identity(&other).items_sha256, first.items_sha256);
    }

    #[test]
    fn items_without_ids_are_themselves_by_their_numbers() {
        let of = |change: &dyn Fn(&mut Parts)| {
            let mut parts = Parts {
                name: "s".to_string(),
                values: vec![1.0, 2.0, 3.0],
                dim: 1,
                class: ["a", "b", "a"].map(String::from).to_vec(),
                ..Parts::default()
            };
            change(&mut parts);
            Store::from_parts(parts).unwrap()
        };
        let first = of(&|_| {}).identity().unwrap();
        let row =
            |class: &str, value: f32| format!("{class}\0\0\0{}\n", hex(Sha256::digest(value.to_le_bytes())));
        let lines = [row("a", 1.0), row("b", 2.0), row("a", 3.0)].concat();
        assert_eq!(first.items_sha256, hex(Sha256::digest(lines)));
        assert_eq!(first.items_sha256, first.order_sha256);
        assert_ne!(of(&|parts| parts.values[0] = 9.0).identity().unwrap(), first);
        assert_ne!(of(&|parts| parts.values.swap(0, 2)).identity().unwrap(), first);
        let code = u16::from_be_bytes(Sha256::digest(row("b", 2.0))[..2].try_into().unwrap());
        assert_eq!(of(&|_| {}).item_codes(&[ItemId(1)]).unwrap(), [code]);
    }

    #[test]
    fn an_id_that_two_items_of_a_class_share_is_refused_by_name() {
        let place = tempfile::tempdir().unwrap();
        let mut twice = sample();
        twice.id[4] = "b".to_string();
        let sentence = open(&twice.csv(place.path())).unwrap_err().to_string();
        assert!(
            sentence.ends_with(
                "store.csv: items 1 and 4 of class `cat` have the same id `b`\nhint: an id tells an item from all \
                 others of its class; leave the column out if there is none"
            ),
            "{sentence}"
        );
        // In another class it is another item.
        twice.id[4] = "a".to_string();
        assert!(open(&twice.csv(place.path())).is_ok());
    }

    #[test]
    fn an_item_without_id_among_others_is_called_by_its_row_and_ids_that_are_all_empty_are_none() {
        let place = tempfile::tempdir().unwrap();
        let mut some = sample();
        some.id[2] = String::new();
        assert_eq!(open(&some.csv(place.path())).unwrap().ids().unwrap()[2], "row:2");
        let features = ("features", crate::data::format::npy::tests::matrix(2, 1, &[1.0, 2.0]));
        let members = [features, ("class", text(&["a", "b"])), ("id", text(&["", ""]))];
        assert_eq!(open(&archive(place.path(), true, &members)).unwrap().ids(), None);
    }
}
