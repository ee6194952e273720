//! Whether two feature sets are of the same items, so that one draw serves both.

use std::collections::HashSet;
use std::sync::Arc;

use super::draws::Dealer;
use super::error::RunError;
use super::features::Features;
use crate::data::Store;
use crate::episode::{DrawText, Frozen, Naming};
use crate::vocab::ItemId;

/// The draw of one feature set for another one of the same items.
///
/// # Errors
/// Other items.
pub(crate) fn shared_draw(
    first: &Features,
    other: &Features,
    dealer: &Arc<Dealer>,
) -> Result<Arc<Dealer>, RunError> {
    let (one, two) = (first.store.identity()?, other.store.identity()?);
    let refused =
        |what: String| RunError::OtherItems { one: first.name.clone(), other: other.name.clone(), what };
    if one.items_sha256 != two.items_sha256 {
        return Err(refused(first_difference(&first.store, &other.store)));
    }
    let names = |store: &Store| -> Vec<String> {
        store.index().classes().iter().map(|class| class.name.clone()).collect()
    };
    let ordered = one.order_sha256 == two.order_sha256;
    if ordered && names(&first.store) == names(&other.store) {
        return Ok(Arc::clone(dealer));
    }
    // Items or classes stand in another order, so that the same episodes have other numbers for them. Without ids the
    // order is a part of the identity, which is equal.
    let naming = if ordered { Naming::Positions } else { Naming::Ids };
    let text = DrawText::of(&dealer.draw, &first.store, naming)?.text;
    let read = Frozen::parse(text.as_bytes(), &first.name, &other.store)?;
    Ok(Arc::new(dealer.with(read.draw)))
}

/// The first item that is not the same in both, as a sentence.
fn first_difference(one: &Store, other: &Store) -> String {
    if one.rows() != other.rows() {
        return format!("{} items, and {}", one.rows(), other.rows());
    }
    if one.ids().is_none() || other.ids().is_none() {
        let named = "items without ids are only themselves in their own file";
        return format!("{named}; give every file the same ids, or name one --labels for all");
    }
    let (these, those) = (lines(one), lines(other));
    let without = |all: &[String], known: &[String]| {
        let known: HashSet<&String> = known.iter().collect();
        all.iter().find(|line| !known.contains(line)).cloned()
    };
    match (without(&these, &those), without(&those, &these)) {
        (Some(a), Some(b)) => format!("the first one has {a}, the second one {b}"),
        (Some(a), None) | (None, Some(a)) => format!("only one of them has {a}"),
        (None, None) => "their groups differ".to_string(),
    }
}

/// What each item is called, in item order.
fn lines(store: &Store) -> Vec<String> {
    let mut class = vec![""; store.rows()];
    for entry in store.index().classes() {
        entry.items.iter().for_each(|item| class[item.index()] = &entry.name);
    }
    let ids = store.ids().unwrap_or_default();
    let line = |row: usize| {
        let part =
            store.index().part(ItemId(row as u32)).map_or(String::new(), |part| format!(" of part {part}"));
        format!("item `{}` of class {}{part}", ids.get(row).map_or("", String::as_str), class[row])
    };
    (0..store.rows()).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Parts;

    fn set(name: &str, ids: &[&str], classes: &[&str]) -> Features {
        let text = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        let parts = Parts {
            name: name.to_string(),
            values: (0..ids.len()).map(|n| n as f32 * 0.5 + name.len() as f32).collect(),
            dim: 1,
            class: text(classes),
            id: text(ids),
            ..Parts::default()
        };
        Features::from_parts(parts).unwrap()
    }

    #[test]
    fn the_first_item_that_differs_is_named() {
        let one = set("one", &["a", "b", "c"], &["x", "x", "y"]);
        let other = set("three", &["a", "b", "d"], &["x", "x", "y"]);
        assert_eq!(
            first_difference(&one.store, &other.store),
            "the first one has item `c` of class y, the second one item `d` of class y"
        );
    }
}
