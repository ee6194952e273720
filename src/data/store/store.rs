//! An open feature set: items, their classes, and where both come from.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::class_embeddings::ClassEmbeddings;
use super::identity::Hashes;
use super::index::ClassIndex;
use super::values::Values;
use super::warning::StoreWarning;
use crate::data::format::written::{NamedFile, Names, Provenance};
use crate::data::{DataError, Place};
use crate::vocab::{Form, ItemId};

/// A feature set that has passed every check.
///
/// All numbers are finite, every item has a class, every class has items and exactly one split. Of a store that was opened
/// with a split unseen, nothing is known about the numbers of its items.
#[derive(Clone, Debug)]
pub struct Store {
    pub(in crate::data) name: String,
    pub(in crate::data) path: Option<PathBuf>,
    pub(in crate::data) files: Vec<NamedFile>,
    pub(in crate::data) index: Arc<ClassIndex>,
    pub(in crate::data) rows: usize,
    pub(in crate::data) dim: usize,
    pub(in crate::data) form: Form,
    pub(in crate::data) values: Values,
    /// Whether the numbers are 16-bit floats.
    pub(in crate::data) half: bool,
    pub(in crate::data) provenance: Provenance,
    /// The groups that were given; those of the index also join items of equal features.
    pub(in crate::data) groups: Option<Arc<Names>>,
    pub(in crate::data) ids: Option<Vec<String>>,
    pub(in crate::data) class_embeddings: Option<ClassEmbeddings>,
    /// Rows that were not looked at, where there are any.
    pub(in crate::data) unseen: Option<Arc<[bool]>>,
    pub(in crate::data) duplicates: Vec<(ItemId, ItemId)>,
    pub(in crate::data) warnings: Vec<StoreWarning>,
    pub(in crate::data) hashes: Arc<Hashes>,
}

impl Store {
    /// The name: of the folder, of the file without its ending, or of the embedded dataset.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it was opened; absent for stores in memory.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Which items belong to which class.
    pub fn index(&self) -> &ClassIndex {
        &self.index
    }

    /// The number of items.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Numbers per item.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How the numbers of an item are laid out.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The features: (items, dim).
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Copies the features of one item; `out` has `dim` places.
    pub fn read_item(&self, item: ItemId, out: &mut [f32]) -> Result<(), DataError> {
        self.values.read_block(self.dim, item.index(), out).map_err(|error| self.unreadable(error))
    }

    /// Whether an item was left unseen when the store was opened: nothing is known of its numbers.
    pub fn is_unseen(&self, item: ItemId) -> bool {
        self.unseen.as_ref().is_some_and(|unseen| unseen[item.index()])
    }

    /// What made the features.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// The id of each item, where there are ids; no two items of one class share one.
    pub fn ids(&self) -> Option<&[String]> {
        self.ids.as_deref()
    }

    /// One vector per class, where the store has them.
    pub fn class_embeddings(&self) -> Option<&ClassEmbeddings> {
        self.class_embeddings.as_ref()
    }

    /// Items with equal features, as (first, later): each later item with the first of its set, in the order of the later ones.
    ///
    /// Items that are all zero are in none of the pairs.
    pub fn duplicates(&self) -> &[(ItemId, ItemId)] {
        &self.duplicates
    }

    /// Whether the items came with groups, beside those that equal features make.
    pub fn has_groups(&self) -> bool {
        self.groups.is_some()
    }

    /// What a reader of results should know of this store.
    pub fn warnings(&self) -> &[StoreWarning] {
        &self.warnings
    }

    /// The same store with sentences of the dataset that it was made of.
    pub(crate) fn with_notes(mut self, notes: Vec<StoreWarning>) -> Store {
        self.warnings.extend(notes);
        self
    }

    pub(crate) fn unreadable(&self, source: io::Error) -> DataError {
        let path = self.path.clone().unwrap_or_else(|| PathBuf::from(&self.name));
        DataError::Unreadable { at: Place::file(&path), source }
    }
}
