//! The names under which arrays of an archive are found: kshot's own, and those that people give them.

use crate::data::{DataError, Place};

/// Something that an archive may hold, with its names; the first is the one that messages say.
#[derive(Debug)]
pub(in crate::data) struct Known(pub &'static [&'static str]);

pub(super) const FEATURES: Known = Known(&["features", "X", "embeddings"]);
pub(super) const CLASS: Known = Known(&["class", "y", "labels", "label", "targets", "codes"]);
pub(super) const CLASSES: Known = Known(&["classes", "categories"]);
pub(super) const PART: Known = Known(&["part"]);
pub(super) const GROUP: Known = Known(&["group"]);
pub(super) const ID: Known = Known(&["id"]);
pub(super) const CLASS_SPLIT: Known = Known(&["class_split"]);
/// The second name is that of earlier files.
pub(super) const CLASS_EMBEDDINGS: Known = Known(&["class_embeddings", "class_vectors"]);

impl Known {
    /// The name that messages say.
    pub fn name(&self) -> &'static str {
        self.0[0]
    }

    /// Its name in an archive that has these; two of them would leave open which is meant.
    pub fn find<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        at: &Place,
    ) -> Result<Option<&'a str>, DataError> {
        let mut found: Option<&str> = None;
        for name in names.into_iter().filter(|name| self.0.contains(name)) {
            if let Some(other) = found.replace(name) {
                let (at, one, other) = (at.clone(), other.to_string(), name.to_string());
                return Err(DataError::NamedTwice { at, what: self.name(), one, other });
            }
        }
        Ok(found)
    }
}

/// A name that nothing known has.
pub(super) fn unknown<'a>(known: &[&Known], mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names.find(|name| !known.iter().any(|known| known.0.contains(name)))
}

/// Names for messages.
pub(super) fn listed(known: &[&Known]) -> String {
    known.iter().map(|known| format!("`{}`", known.name())).collect::<Vec<_>>().join(", ")
}
