//! Datasets that are made, not read, so that the first command needs nothing.

use super::items::{Dataset, Items, RawItem};
use super::kind::{Opens, kind};
use crate::data::{DataError, Store, row_ids};
use crate::vocab::{Form, ItemId};

/// The embedded dataset of a specification: `glyphs`, `gaussian` or `gaussian:key=value,…`.
///
/// Nothing where the name before the colon is not that of an embedded dataset; an error where its keys are wrong.
pub fn embedded(spec: &str) -> Option<Result<Store, DataError>> {
    match kind(spec)?.opens {
        Opens::Made(make) => Some(make(spec, spec.split_once(':').map(|(_, keys)| keys))),
        Opens::Read { .. } => None,
    }
}

/// An embedded dataset, item by item.
pub(super) struct Made {
    store: Store,
    items: Items,
    recipe: String,
}

impl Made {
    pub fn new(store: Store) -> Result<Made, DataError> {
        let index = store.index();
        let mut classes = vec![String::new(); store.rows()];
        for class in index.classes() {
            class.items.iter().for_each(|item| classes[item.index()].clone_from(&class.name));
        }
        let listed = index.classes().iter().map(|c| (c.name.clone(), c.split, c.cluster.clone())).collect();
        let ids = store.ids().map_or_else(|| row_ids(store.rows()), <[String]>::to_vec);
        let items = Items { ids, classes, parts: None, groups: None, listed };
        Ok(Made { items, recipe: store.data_sha256()?, store })
    }
}

impl Dataset for Made {
    fn name(&self) -> &str {
        self.store.name()
    }

    fn items(&self) -> Result<&Items, DataError> {
        Ok(&self.items)
    }

    fn read(&self, item: usize) -> Result<RawItem, DataError> {
        let mut numbers = vec![0.0; self.store.dim()];
        self.store.read_item(ItemId(item as u32), &mut numbers)?;
        Ok(match self.store.form() {
            form @ Form::Image { .. } => RawItem::Image { form, pixels: numbers },
            _ => RawItem::Vector(numbers),
        })
    }

    fn recipe(&self) -> Result<String, DataError> {
        Ok(self.recipe.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::DATASETS;
    use super::*;

    #[test]
    fn every_embedded_dataset_opens_by_its_name() {
        for kind in DATASETS.iter().filter(|kind| kind.is_made()) {
            assert_eq!(embedded(kind.name).unwrap().unwrap().name(), kind.name);
        }
        assert!(embedded("features.npz").is_none() && embedded("omniglot").is_none());
        let error = embedded("glyphs:seed=2").unwrap().unwrap_err();
        assert!(error.is_request());
        assert_eq!(error.to_string(), "dataset `glyphs:seed=2`: `glyphs` has no keys");
    }

    #[test]
    fn an_item_of_an_embedded_dataset_is_its_row_with_its_id_and_class() {
        let store = embedded("glyphs").unwrap().unwrap();
        let made = Made::new(store.clone()).unwrap();
        let items = made.items().unwrap();
        assert_eq!((items.ids[21].as_str(), items.classes[21].as_str()), ("glyph001/01", "glyph001"));
        let mut row = vec![0.0; 784];
        store.read_item(ItemId(21), &mut row).unwrap();
        assert_eq!(made.read(21).unwrap(), RawItem::Image { form: store.form(), pixels: row });
    }
}
