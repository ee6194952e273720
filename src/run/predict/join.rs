//! Feature sets put together: the support and what is asked, or a support and classes that are added to it.

use std::collections::{HashMap, HashSet};

use crate::data::{ClassEmbeddings, Parts, Store, row_ids};
use crate::run::error::RunError;
use crate::vocab::{ClassId, Split};

/// The class of items that are asked; no class of a support is called so.
const ASKED: &str = "\u{1}asked";

/// The items of a support and, behind them, those that are asked: these are of one class, out of scope. Without `base` of its own, a
/// support that must have some is its own.
pub(super) fn with_items(support: &Store, asked: &Store, own_base: bool) -> Result<Store, RunError> {
    fits(support, asked)?;
    let mut parts = parts(support)?;
    if own_base {
        parts.splits.iter_mut().flatten().for_each(|(_, split)| *split = Split::Base);
    }
    append_values(&mut parts.values, asked)?;
    parts.class.extend(std::iter::repeat_n(ASKED.to_string(), asked.rows()));
    parts.splits.get_or_insert_default().push((ASKED.to_string(), Split::Oos));
    if !parts.part.is_empty() {
        parts.part.extend(std::iter::repeat_n(ASKED.to_string(), asked.rows()));
    }
    // Ids tell items of one class apart, and the items of two files may share them.
    parts.id.clear();
    if let Some(embeddings) = &mut parts.class_embeddings {
        let mut rows = embeddings.rows.to_vec();
        rows.resize(rows.len() + embeddings.class_dim, 0.0);
        embeddings.rows = rows.into();
    }
    Ok(Store::from_parts(parts)?)
}

/// The same items with all classes as base classes, for a transform that asks for such.
pub(super) fn as_base(support: &Store) -> Result<Store, RunError> {
    let mut parts = parts(support)?;
    parts.splits.iter_mut().flatten().for_each(|(_, split)| *split = Split::Base);
    Ok(Store::from_parts(parts)?)
}

/// A support with the classes of another one behind its own; a class that both have gets the items of both.
///
/// # Errors
/// Items of other sizes or networks, or a class that is of one split here and of another there.
pub(super) fn with_classes(support: &Store, more: &Store) -> Result<Store, RunError> {
    fits(support, more)?;
    let (mut all, more) = (parts(support)?, parts(more)?);
    let splits = all.splits.get_or_insert_default();
    let own: HashMap<String, Split> = splits.iter().cloned().collect();
    let mut added = Vec::new();
    for (place, (class, split)) in more.splits.iter().flatten().enumerate() {
        match own.get(class) {
            Some(other) if other != split => {
                return Err(RunError::Request(format!(
                    "class `{class}` is of split {other} in the support and of split {split} in what is added\nhint: give it the same split in both"
                )));
            }
            Some(_) => {}
            None => {
                splits.push((class.clone(), *split));
                added.push(place);
            }
        }
    }
    all.class_embeddings = match (all.class_embeddings.take(), &more.class_embeddings) {
        (Some(own), Some(theirs)) if own.class_dim == theirs.class_dim => {
            let of = |place: &usize| &theirs.rows[place * theirs.class_dim..][..theirs.class_dim];
            let rows = own.rows.iter().chain(added.iter().flat_map(of)).copied().collect::<Vec<f32>>();
            Some(ClassEmbeddings { rows: rows.into(), class_dim: own.class_dim })
        }
        _ => None,
    };
    if all.part.is_empty() != more.part.is_empty() {
        // Parts of some items alone would hold the others out of every fit.
        all.part.clear();
    } else {
        all.part.extend(more.part);
    }
    all.values.extend(more.values);
    all.class.extend(more.class);
    let taken: HashSet<String> = all.id.iter().cloned().collect();
    let (name, other) = (&all.name, &more.name);
    let renamed = |id: String| {
        if !taken.contains(&id) {
            return id;
        }
        let prefix = if name == other { "added" } else { other.as_str() };
        (1..).map(|n| format!("{prefix}{n}/{id}")).find(|id| !taken.contains(id)).unwrap_or(id)
    };
    let ids: Vec<String> = more.id.into_iter().map(renamed).collect();
    all.id.extend(ids);
    Ok(Store::from_parts(all)?)
}

/// Fails unless two feature sets hold the same numbers of their items.
fn fits(support: &Store, other: &Store) -> Result<(), RunError> {
    let (own, found) = (support.provenance(), other.provenance());
    if support.dim() != other.dim() || support.form() != other.form() {
        let what = |store: &Store| format!("`{}` holds {} numbers of an item", store.name(), store.dim());
        return Err(RunError::Request(format!(
            "{}, {}: they were not made in one way\nhint: make both with the same --backbone",
            what(support),
            what(other)
        )));
    }
    let known = own.weights_sha256.is_some() && found.weights_sha256.is_some();
    if known && (&own.weights_sha256, &own.preprocessing) != (&found.weights_sha256, &found.preprocessing) {
        return Err(RunError::Request(format!(
            "`{}` was made by {} with other weights or preprocessing than `{}` was by {}\nhint: make both with the same --backbone and weights",
            other.name(),
            found.backbone,
            support.name(),
            own.backbone
        )));
    }
    Ok(())
}

/// What a store is made of.
pub(super) fn parts(store: &Store) -> Result<Parts, RunError> {
    let index = store.index();
    let mut class = vec![String::new(); store.rows()];
    for own in index.classes() {
        own.items.iter().for_each(|item| class[item.index()].clone_from(&own.name));
    }
    let splits = (0..index.classes().len() as u32).map(|c| index.class(ClassId(c)));
    let part = |item: u32| index.part(crate::vocab::ItemId(item)).unwrap_or_default().to_string();
    let mut values = Vec::new();
    append_values(&mut values, store)?;
    Ok(Parts {
        name: store.name().to_string(),
        values,
        dim: store.dim(),
        class,
        splits: Some(splits.map(|class| (class.name.clone(), class.split)).collect()),
        part: match index.part_names().is_empty() {
            true => Vec::new(),
            false => (0..store.rows() as u32).map(part).collect(),
        },
        id: store.ids().map_or_else(|| row_ids(store.rows()), <[String]>::to_vec),
        class_embeddings: store.class_embeddings().cloned(),
        provenance: store.provenance().clone(),
        form: store.form(),
        ..Parts::default()
    })
}

fn append_values(values: &mut Vec<f32>, store: &Store) -> Result<(), RunError> {
    let start = values.len();
    values.resize(start + store.rows() * store.dim(), 0.0);
    let read = store.values().read_block(store.dim(), 0, &mut values[start..]);
    read.map_err(|error| RunError::Data(store.unreadable(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(name: &str, values: &[f32], class: &[&str]) -> Store {
        Store::from_parts(Parts {
            name: name.to_string(),
            values: values.to_vec(),
            dim: 1,
            class: class.iter().map(ToString::to_string).collect(),
            id: row_ids(class.len()),
            ..Parts::default()
        })
        .unwrap()
    }

    #[test]
    fn what_is_asked_lies_behind_the_support_and_is_out_of_scope() {
        let support = store("s", &[1.0, 2.0, 3.0], &["a", "b", "a"]);
        let joined = with_items(&support, &store("q", &[9.0, 8.0], &["x", "y"]), false).unwrap();
        assert_eq!((joined.rows(), joined.index().classes().len()), (5, 3));
        let asked = joined.index().find(ASKED).unwrap();
        assert_eq!(joined.index().class(asked).split, Split::Oos);
        assert_eq!(joined.index().class(asked).items.iter().map(|i| i.0).collect::<Vec<_>>(), [3, 4]);
        let based = with_items(&support, &store("q", &[9.0], &["x"]), true).unwrap();
        assert_eq!(based.index().of_split(Split::Base).count(), 2);
    }

    #[test]
    fn classes_are_added_and_items_of_one_class_keep_different_ids() {
        let support = store("s", &[1.0, 2.0], &["a", "b"]);
        let more = with_classes(&support, &store("t", &[3.0, 4.0], &["b", "c"])).unwrap();
        let names: Vec<&str> = more.index().classes().iter().map(|c| c.name.as_str()).collect();
        assert_eq!((names, more.rows()), (vec!["a", "b", "c"], 4));
        assert_eq!(more.ids().unwrap(), ["row:0", "row:1", "t1/row:0", "t1/row:1"]);
        let wide = Store::from_parts(Parts {
            name: "w".to_string(),
            values: vec![0.0; 2],
            dim: 2,
            class: vec!["a".to_string()],
            ..Parts::default()
        })
        .unwrap();
        let said = with_classes(&support, &wide).unwrap_err().to_string();
        assert!(said.starts_with("`s` holds 1 numbers of an item, `w` holds 2 numbers of an item"), "{said}");
    }
}
