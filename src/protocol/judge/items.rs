//! The rules of the table `[data]`: which classes and items.

use super::classes::classes;
use super::sizes::Sizes;
use crate::protocol::place::Check;
use crate::protocol::written::WrittenData;
use crate::protocol::{Parts, ProtocolError, Query, Shot};
use crate::vocab::{Duplicates, Scope, Split};

/// The classes and items that make episodes, each allowed alone.
pub(super) struct Items {
    pub dataset: Option<String>,
    pub split: Scope,
    pub classes: Option<Vec<String>>,
    pub parts: Option<Parts>,
    pub seen_part: Option<String>,
    pub duplicates: Duplicates,
}

impl Items {
    /// The classes and items that are written.
    pub fn of(check: &Check<'_>, data: &WrittenData) -> Result<Items, ProtocolError> {
        Ok(Items {
            dataset: data.dataset.as_ref().map(|name| check.filled("dataset", name)).transpose()?,
            split: data.split.as_ref().map_or(Ok(Scope::One(Split::Novel)), |split| check.word(split))?,
            classes: data.classes.as_ref().map(|written| classes(check, written)).transpose()?,
            parts: parts(check, data)?,
            seen_part: data.seen_part.as_ref().map(|part| check.filled("seen_part", part)).transpose()?,
            duplicates: data.duplicates.as_ref().map_or(Ok(Duplicates::Warn), |word| check.word(word))?,
        })
    }

    /// Whether the seen classes go together with the sizes and the split.
    pub fn suit(&self, check: &Check<'_>, data: &WrittenData, sizes: &Sizes) -> Result<(), ProtocolError> {
        let Some(written) = &data.seen_part else { return Ok(()) };
        let suits = sizes.has_known_way()
            && matches!(sizes.query, Query::PerClass(_) | Query::All)
            && sizes.shot == Shot::Nested(vec![0])
            && sizes.repeat
            && self.parts.is_none();
        if !suits {
            let rule = "`seen_part` needs `shot` 0, `way` a number or \"all\", `query` a number or \"all\", `repeat` \
                        true and no other part";
            return Err(check.together(written, rule));
        }
        if self.split == Split::Base || self.split == Scope::All {
            let rule = "`seen_part` needs split \"validation\" or \"novel\": no split is seen before base or all classes";
            return Err(check.together(written, rule));
        }
        Ok(())
    }
}

/// The parts of supports and queries: both or none.
fn parts(check: &Check<'_>, data: &WrittenData) -> Result<Option<Parts>, ProtocolError> {
    match (&data.support_part, &data.query_part) {
        (Some(support), Some(query)) => {
            let support = check.filled("support_part", support)?;
            Ok(Some(Parts { support, query: check.filled("query_part", query)? }))
        }
        (None, None) => Ok(None),
        (Some(one), None) | (None, Some(one)) => {
            Err(check.together(one, "`support_part` and `query_part` must be given together"))
        }
    }
}
