//! From a store as written to one that cannot be wrong.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::class_embeddings::ClassEmbeddings;
use super::index::{Class, ClassIndex};
use super::scan::{Scan, groups, scan};
use super::store::Store;
use super::values::Element;
use super::warning::StoreWarning;
use crate::data::class_name::{Places, alike};
use crate::data::format::written::{Features, Labels, Listing, Names, Written};
use crate::data::{DataError, ItemName, Place, Provenance};
use crate::vocab::{ItemId, Split};

/// Checks features and builds their index; one pass over all numbers but those of the `unseen` split.
pub(in crate::data) fn check(
    written: Written,
    mut labels: Labels,
    unseen: Option<Split>,
) -> Result<Store, DataError> {
    let Features { rows, dim, .. } = written.features;
    size(&written.features)?;
    row_counts(&written.features, &labels)?;
    name_all(&mut labels.id);
    names(&labels)?;
    if let Some(needs) = written.form.dim().filter(|needs| *needs != dim) {
        let at = written.features.at.clone();
        return Err(DataError::FormAndDim { at, form: written.form, needs, dim });
    }
    let classes = classes(&labels.class, labels.listing.as_ref())?;
    ids(&labels, &classes)?;
    let class_embeddings = class_embeddings(&written, &classes)?;
    let unseen = unseen.and_then(|split| rows_of(&classes, split, rows));
    let scanned = scanned(&written.features, &labels, unseen.as_deref())?;
    let named = labels.group.as_ref().map(|g| (g.of.as_slice(), g.names.as_slice()));
    let group_of = groups(rows, named, &scanned.duplicates);
    let mut warnings = warnings(&labels, &scanned, &written.provenance);
    warnings.extend(class_embeddings.as_ref().and_then(StoreWarning::of_embeddings));
    let (part_names, part_of) = match labels.part {
        None => (Vec::new(), Vec::new()),
        Some(part) => (part.names, part.of.iter().map(|p| *p as u16).collect()),
    };
    Ok(Store {
        name: written.name,
        path: written.path,
        files: written.files,
        index: Arc::new(ClassIndex::new(classes, part_names, part_of, group_of)),
        rows,
        dim,
        form: written.form,
        half: written.features.element == Element::F16,
        values: written.features.values,
        provenance: written.provenance,
        groups: labels.group.map(Arc::new),
        ids: labels.id,
        class_embeddings,
        unseen,
        duplicates: scanned.duplicates,
        warnings,
        hashes: Arc::default(),
    })
}

/// There are items, and not too many, with numbers.
fn size(Features { at, rows, dim, .. }: &Features) -> Result<(), DataError> {
    let (at, most) = (at.clone(), u32::MAX as usize);
    match (*rows, *dim) {
        (0, _) => Err(DataError::NoItems { at }),
        (_, 0) => Err(DataError::NoFeatures { at }),
        (found, _) if found > most => Err(DataError::TooMany { at, what: "items", found, most }),
        _ => Ok(()),
    }
}

/// Looks at all numbers, which must be finite.
fn scanned(features: &Features, labels: &Labels, unseen: Option<&[bool]>) -> Result<Scan, DataError> {
    let Features { at, values, element, rows, dim } = features;
    let read = scan(values, *rows, *dim, unseen);
    let scanned = read.map_err(|source| DataError::Unreadable { at: at.clone(), source })?;
    scanned.map_err(|bad| DataError::NotFinite {
        at: at.clone(),
        item: item_name(labels, bad.row),
        column: bad.column.to_string(),
        found: match (element.little_endian(), bad.value.is_nan()) {
            (Element::Int { .. }, _) => "a whole number that 32 bits cannot hold".to_string(),
            (_, true) => "NaN".to_string(),
            (Element::F64, false) => "a number beyond 32 bits".to_string(),
            (_, false) => bad.value.to_string(),
        },
    })
}

fn warnings(labels: &Labels, scanned: &Scan, provenance: &Provenance) -> Vec<StoreWarning> {
    let mut warnings = Vec::new();
    let mut alike = alike(labels.class.names.iter().map(String::as_str)).into_iter();
    if let Some(pair) = alike.next() {
        warnings.push(StoreWarning::AlikeNames { count: 1 + alike.count(), pair });
    }
    if scanned.zero_rows > 0 {
        warnings.push(StoreWarning::ZeroRows { count: scanned.zero_rows });
    }
    if !scanned.duplicates.is_empty() {
        let class = |item: ItemId| labels.class.of[item.index()];
        let across = scanned.duplicates.iter().filter(|(a, b)| class(*a) != class(*b)).count();
        warnings.push(StoreWarning::IdenticalRows { count: scanned.duplicates.len(), across });
    }
    if provenance.truncated > 0 {
        warnings.push(StoreWarning::Truncated { count: provenance.truncated });
    }
    warnings
}

/// By row, whether its class is of this split; nothing where no class is.
fn rows_of(classes: &[Class], split: Split, rows: usize) -> Option<Arc<[bool]>> {
    let mut of_split = vec![false; rows];
    for item in classes.iter().filter(|class| class.split == split).flat_map(|class| &class.items) {
        of_split[item.index()] = true;
    }
    of_split.contains(&true).then(|| of_split.into())
}

fn item_name(labels: &Labels, row: usize) -> Box<ItemName> {
    Box::new(ItemName {
        row,
        class: labels.class.name(row).to_string(),
        id: labels.id.as_ref().map(|id| id[row].clone()),
    })
}

/// Every column has one entry per item.
fn row_counts(features: &Features, labels: &Labels) -> Result<(), DataError> {
    let column = |name: &str| match &labels.at.member {
        None => Place { line: None, ..labels.at.clone() },
        Some(_) if name == "class" => labels.at.clone(),
        Some(_) => Place::member(&labels.at.path, name),
    };
    let counts = [
        (Some(labels.class.of.len()), "class"),
        (labels.part.as_ref().map(|p| p.of.len()), "part"),
        (labels.group.as_ref().map(|g| g.of.len()), "group"),
        (labels.id.as_ref().map(Vec::len), "id"),
    ];
    for (count, name) in counts {
        if let Some(found) = count.filter(|count| *count != features.rows) {
            let (expected, against) = (features.rows, features.at.to_string());
            return Err(DataError::RowCount { at: column(name), found, expected, against });
        }
    }
    Ok(())
}

/// Classes and parts have names, and there are not too many of them.
fn names(labels: &Labels) -> Result<(), DataError> {
    let at = || labels.at.clone();
    for (names, column) in [(Some(&labels.class), "class"), (labels.part.as_ref(), "part")] {
        let Some(names) = names else { continue };
        let empty = names.names.iter().position(String::is_empty);
        let row = empty.and_then(|empty| names.of.iter().position(|n| *n as usize == empty));
        if let Some(row) = row {
            return Err(DataError::EmptyName { at: at(), row, column });
        }
    }
    match labels.part.as_ref().map(|part| part.names.len()) {
        Some(found) if found > PARTS => {
            Err(DataError::TooMany { at: at(), what: "parts", found, most: PARTS })
        }
        _ => Ok(()),
    }
}

/// Ids that are all empty are none; among others an item without one is called by its row.
fn name_all(ids: &mut Option<Vec<String>>) {
    if ids.as_ref().is_some_and(|ids| ids.iter().all(String::is_empty)) {
        *ids = None;
    }
    for (row, id) in ids.iter_mut().flatten().enumerate().filter(|(_, id)| id.is_empty()) {
        *id = format!("row:{row}");
    }
}

/// No id stands twice in a class.
fn ids(labels: &Labels, classes: &[Class]) -> Result<(), DataError> {
    let Some(ids) = &labels.id else { return Ok(()) };
    classes.par_iter().try_for_each(|class| {
        let mut first = HashMap::with_capacity(class.items.len());
        for item in &class.items {
            let id = &ids[item.index()];
            if let Some(earlier) = first.insert(id, *item) {
                return Err(DataError::IdTwice {
                    at: Place { line: None, ..labels.at.clone() },
                    class: class.name.clone(),
                    id: id.clone(),
                    rows: (earlier.index(), item.index()),
                });
            }
        }
        Ok(())
    })
}

/// Part numbers have 16 bits: a part is a side of a dataset, such as train and test, not a property of an item.
const PARTS: usize = 1 << 16;

fn classes(class: &Names, listing: Option<&Listing>) -> Result<Vec<Class>, DataError> {
    let mut counts = vec![0; class.names.len()];
    class.of.iter().for_each(|c| counts[*c as usize] += 1);
    let mut classes: Vec<Class> = class
        .names
        .iter()
        .zip(counts)
        .map(|(name, count)| Class {
            name: name.clone(),
            split: Split::Novel,
            cluster: None,
            items: Vec::with_capacity(count),
        })
        .collect();
    for (c, row) in class.of.iter().zip(0..) {
        classes[*c as usize].items.push(ItemId(row));
    }
    let Some(listing) = listing else { return Ok(classes) };

    let places = Places::of(class.names.iter().map(String::as_str));
    let mut listed: Vec<Option<Split>> = vec![None; classes.len()];
    let mut unknown = None;
    for entry in &listing.classes {
        let at = || Place { line: entry.line, ..listing.at.clone() };
        let class = || entry.class.clone();
        let Some(place) = places.find(&entry.class) else {
            let alike = places.alike(&entry.class);
            unknown.get_or_insert_with(|| DataError::without_items(at(), &entry.class, alike));
            continue;
        };
        match listed[place].replace(entry.split) {
            None => {}
            Some(first) if first == entry.split => {
                return Err(DataError::ClassTwice { at: at(), class: class() });
            }
            Some(first) => {
                return Err(DataError::ClassInTwoSplits {
                    at: at(),
                    class: class(),
                    first,
                    second: entry.split,
                });
            }
        }
        classes[place].split = entry.split;
        classes[place].cluster.clone_from(&entry.cluster);
    }
    if let Some(error) = unknown {
        return Err(error);
    }
    match listed.iter().position(Option::is_none) {
        Some(place) => {
            Err(DataError::ClassWithoutSplit { at: listing.at.clone(), class: classes[place].name.clone() })
        }
        None => Ok(classes),
    }
}

/// The class embeddings in the order of the classes; written, they stand in the order that their file says.
fn class_embeddings(written: &Written, classes: &[Class]) -> Result<Option<ClassEmbeddings>, DataError> {
    let Some(matrix) = &written.class_embeddings else { return Ok(None) };
    let at = || matrix.at.clone();
    if matrix.class_dim == 0 {
        return Err(DataError::EmptyEmbeddings { at: at() });
    }
    let Some((place, order)) = &matrix.order else {
        return Err(DataError::EmbeddingsWithoutOrder { at: at(), rows: matrix.rows });
    };
    if matrix.rows != order.len() {
        let (found, expected, against) = (matrix.rows, order.len(), place.to_string());
        return Err(DataError::RowCount { at: at(), found, expected, against });
    }
    let places = Places::of(order.iter().map(String::as_str));
    let mut rows = Vec::with_capacity(matrix.values.len());
    for class in classes {
        let row = places.find(&class.name).ok_or_else(|| {
            DataError::without_embedding(place.clone(), &class.name, places.alike(&class.name))
        })?;
        let vector = &matrix.values[row * matrix.class_dim..(row + 1) * matrix.class_dim];
        if let Some(column) = vector.iter().position(|v| !v.is_finite()) {
            let (class, found) = (class.name.clone(), vector[column]);
            return Err(DataError::EmbeddingNotFinite { at: at(), class, column, found });
        }
        rows.extend_from_slice(vector);
    }
    Ok(Some(ClassEmbeddings { rows: rows.into(), class_dim: matrix.class_dim }))
}
