//! Which items belong to which class: all that a sampler may know of a dataset.

use std::collections::HashMap;

use crate::vocab::{ClassId, ItemId, Scope, Split};

/// One class of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name, unique in the dataset.
    pub name: String,
    /// The split it belongs to.
    pub split: Split,
    /// The cluster it belongs to (alphabet, domain, parent), where the dataset has such.
    pub cluster: Option<String>,
    /// Its items, in item order; a draw counts them from 0.
    pub items: Vec<ItemId>,
}

/// The classes of a dataset in the order of first appearance, with what a sampler needs to know of their items.
///
/// It holds no features: a sampler that sees only this cannot choose episodes by what items look like.
#[derive(Clone, Debug, Default)]
pub struct ClassIndex {
    classes: Vec<Class>,
    by_name: HashMap<String, ClassId>,
    part_names: Vec<String>,
    /// Per item, a place in `part_names`; empty where the dataset has no parts.
    part_of: Vec<u16>,
    /// Per item, the number of its group; empty where no item shares a group with another.
    group_of: Vec<u32>,
}

impl ClassIndex {
    /// An index of these classes. `part_of` and `group_of` hold one number per item, or nothing.
    pub fn new(
        classes: Vec<Class>,
        part_names: Vec<String>,
        part_of: Vec<u16>,
        group_of: Vec<u32>,
    ) -> ClassIndex {
        let by_name = classes.iter().zip(0..).map(|(c, i)| (c.name.clone(), ClassId(i))).collect();
        ClassIndex { classes, by_name, part_names, part_of, group_of }
    }

    /// The classes, in order of first appearance; a [`ClassId`] is a place in this list.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// One class.
    pub fn class(&self, id: ClassId) -> &Class {
        &self.classes[id.index()]
    }

    /// The class of a name.
    pub fn find(&self, name: &str) -> Option<ClassId> {
        self.by_name.get(name).copied()
    }

    /// The classes of a split, or of all that belong to the task, in order.
    pub fn of_split<S: Into<Scope>>(&self, split: S) -> impl Iterator<Item = ClassId> + use<'_, S> {
        let scope = split.into();
        self.classes.iter().zip(0..).filter(move |(c, _)| scope.holds(c.split)).map(|(_, i)| ClassId(i))
    }

    /// The names of the parts, in order of first appearance; empty where the dataset has none.
    pub fn part_names(&self) -> &[String] {
        &self.part_names
    }

    /// The part of an item, where the dataset has parts.
    pub fn part(&self, item: ItemId) -> Option<&str> {
        self.part_of.get(item.index()).map(|p| self.part_names[usize::from(*p)].as_str())
    }

    /// Whether any two items share a group.
    pub fn has_groups(&self) -> bool {
        !self.group_of.is_empty()
    }

    /// The group of an item (video, patient, bit-identical rows): items of one group never stand on both sides of an
    /// episode. An item alone in its group has its own row as group, where there are no groups at all.
    pub fn group(&self, item: ItemId) -> u32 {
        self.group_of.get(item.index()).copied().unwrap_or(item.0)
    }
}
