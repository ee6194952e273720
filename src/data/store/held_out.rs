//! Which items of a seen class a fit may see, and which are held out for generalised evaluation.

use super::index::ClassIndex;
use crate::vocab::{ClassId, ItemId};

/// The items of one seen class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenItems {
    /// Those that a fit may see.
    pub fitted: Vec<ItemId>,
    /// Those that no fit may see.
    pub held_out: Vec<ItemId>,
}

/// Where a dataset has parts, the items of `part` are held out; else the last ⌊n/5⌋ of a class in item order.
///
/// ```
/// use kshot::data::{Class, ClassIndex, seen_items};
/// use kshot::vocab::{ClassId, ItemId, Split};
/// let items = (0..11).map(ItemId).collect();
/// let class = Class { name: "cat".to_string(), split: Split::Base, cluster: None, items };
/// let index = ClassIndex::new(vec![class], vec![], vec![], vec![]);
/// assert_eq!(seen_items(&index, ClassId(0), "test").held_out, [ItemId(9), ItemId(10)]);
/// ```
pub fn seen_items(index: &ClassIndex, class: ClassId, part: &str) -> SeenItems {
    let items = &index.class(class).items;
    if index.part_names().is_empty() {
        let (fitted, held_out) = items.split_at(items.len() - items.len() / 5);
        return SeenItems { fitted: fitted.to_vec(), held_out: held_out.to_vec() };
    }
    let (held_out, fitted) = items.iter().partition(|item| index.part(**item) == Some(part));
    SeenItems { fitted, held_out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Class;
    use crate::vocab::Split;

    #[test]
    fn where_there_are_parts_the_named_one_is_held_out() {
        let items = (0..6).map(ItemId).collect();
        let class = Class { name: "a".to_string(), split: Split::Base, cluster: None, items };
        let parts = ["train", "test"].map(String::from).to_vec();
        let index = ClassIndex::new(vec![class], parts, vec![0, 1, 0, 0, 1, 0], vec![]);
        let found = seen_items(&index, ClassId(0), "test");
        assert_eq!(found.held_out, [ItemId(1), ItemId(4)]);
        assert_eq!(found.fitted, [0, 2, 3, 5].map(ItemId));
        assert_eq!(seen_items(&index, ClassId(0), "val").held_out, []);
    }
}
