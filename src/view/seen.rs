//! What is given once, before any episode, to learners that are fitted on seen classes.

use crate::tensor::{HostRows, TensorError};

/// The seen classes: features of some of their items, a label per item, and a vector per class.
///
/// Plain data on the host, with no way to any other item or class: what is fitted from it cannot have looked at the
/// vectors of unseen classes or at novel features. Seen classes are base classes, and validation classes where the novel
/// ones are evaluated; items that are held out for generalised evaluation are not among the items.
#[derive(Clone)]
pub struct Seen {
    rows: HostRows,
    items: Vec<u32>,
    labels: Vec<u32>,
    vectors: Vec<f32>,
    class_dim: usize,
    base: Vec<bool>,
    /// Validation classes that serve a choice of parameters and are no part of what is fitted.
    aside: Option<Box<Seen>>,
}

impl Seen {
    /// The items at these rows of a store with the labels of their classes; `vectors` (classes × class_dim) and `base`
    /// (classes: whether it is a base class) in the order of the labels.
    ///
    /// # Errors
    /// When sizes do not agree, a label has no class, or a row does not exist.
    pub fn new(
        rows: HostRows,
        items: Vec<u32>,
        labels: Vec<u32>,
        vectors: Vec<f32>,
        class_dim: usize,
        base: Vec<bool>,
    ) -> Result<Seen, TensorError> {
        let same = |what, expected, found| {
            if expected == found {
                return Ok(());
            }
            Err(TensorError::Shape { operation: "the seen classes", what, expected, found })
        };
        same("labels", items.len(), labels.len())?;
        same("numbers of class embeddings", base.len() * class_dim, vectors.len())?;
        if let Some(item) = items.iter().find(|item| **item as usize >= rows.count()) {
            return Err(TensorError::NoSuchItem { item: *item as usize, rows: rows.count() });
        }
        if let Some(label) = labels.iter().find(|label| **label as usize >= base.len()) {
            same("classes", *label as usize + 1, base.len())?;
        }
        Ok(Seen { rows, items, labels, vectors, class_dim, base, aside: None })
    }

    /// Seen classes from plain numbers: `features` (items × dim), all classes base classes.
    ///
    /// # Errors
    /// When a feature is NaN or infinite, or sizes do not agree.
    pub fn dense(
        dim: usize,
        features: Vec<f32>,
        labels: Vec<u32>,
        class_dim: usize,
        vectors: Vec<f32>,
    ) -> Result<Seen, TensorError> {
        let classes = vectors.len().checked_div(class_dim).unwrap_or(0);
        let rows = HostRows::dense(features, dim)?;
        let items = (0..rows.count() as u32).collect();
        Seen::new(rows, items, labels, vectors, class_dim, vec![true; classes])
    }

    /// The same with the validation classes of `aside` to choose parameters by, which a fit on all seen classes then leaves
    /// out: what is fitted is the map that a fit on base and validation classes would choose, without the latter.
    #[must_use]
    pub fn choosing_by(self, aside: Seen) -> Seen {
        Seen { aside: Some(Box::new(aside)), ..self }
    }

    /// How many items there are.
    pub fn count(&self) -> usize {
        self.items.len()
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.base.len()
    }

    /// Numbers per item.
    pub fn dim(&self) -> usize {
        self.rows.dim()
    }

    /// Numbers per class embedding.
    pub fn class_dim(&self) -> usize {
        self.class_dim
    }

    /// The label of each item.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// The vectors: (classes, class_dim), row after row.
    pub fn vectors(&self) -> &[f32] {
        &self.vectors
    }

    /// The vector of one class.
    pub fn vector(&self, label: usize) -> &[f32] {
        &self.vectors[label * self.class_dim..(label + 1) * self.class_dim]
    }

    /// Copies the features of the item at `place` into `out` (dim).
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn read(&self, place: usize, out: &mut [f32]) -> Result<(), TensorError> {
        self.rows.read(self.items[place] as usize, out)
    }

    /// The base classes alone (`true`) or the validation classes alone, with labels of their own; nothing where there
    /// are none. To choose parameters: fit on the first, score the second, then fit again on all.
    pub fn part(&self, base: bool) -> Option<Seen> {
        if let Some(aside) = self.aside.as_ref().filter(|_| !base) {
            return aside.part(false);
        }
        let kept: Vec<usize> = (0..self.classes()).filter(|label| self.base[*label] == base).collect();
        let mut renamed = vec![u32::MAX; self.classes()];
        kept.iter().zip(0..).for_each(|(label, new)| renamed[*label] = new);
        let of_kept = |(_, label): &(&u32, &u32)| renamed[**label as usize] != u32::MAX;
        let (items, labels) = self
            .items
            .iter()
            .zip(&self.labels)
            .filter(of_kept)
            .map(|(item, label)| (*item, renamed[*label as usize]))
            .unzip();
        (!kept.is_empty()).then(|| Seen {
            rows: self.rows.clone(),
            items,
            labels,
            vectors: kept.iter().flat_map(|label| self.vector(*label)).copied().collect(),
            class_dim: self.class_dim,
            base: vec![base; kept.len()],
            aside: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_holds_its_own_items_classes_and_vectors() {
        let rows = HostRows::dense((0..8).map(|i| i as f32).collect(), 1).unwrap();
        let base = vec![true, false, true];
        let seen = Seen::new(rows, vec![7, 1, 5, 3], vec![0, 1, 2, 2], vec![0.5, 1.5, 2.5], 1, base).unwrap();
        let (base, validation) = (seen.part(true).unwrap(), seen.part(false).unwrap());
        assert_eq!((base.classes(), base.labels(), base.vectors()), (2, &[0, 1, 1][..], &[0.5, 2.5][..]));
        let mut item = [0.0];
        base.read(1, &mut item).unwrap();
        assert_eq!((item, validation.count(), validation.vector(0)), ([5.0], 1, &[1.5][..]));
        assert!(base.part(false).is_none());
    }

    #[test]
    fn sizes_that_do_not_agree_are_refused() {
        assert!(Seen::dense(1, vec![1.0, 2.0], vec![0], 1, vec![0.0]).is_err());
        assert!(Seen::dense(1, vec![1.0], vec![1], 1, vec![0.0]).is_err());
        assert!(Seen::dense(1, vec![f32::NAN], vec![0], 1, vec![0.0]).is_err());
    }
    #[test]
    fn classes_that_stand_aside_choose_and_are_not_fitted() {
        let seen = |base: bool| {
            let rows = HostRows::dense(vec![0.0, 1.0, 2.0], 1).unwrap();
            let items = if base { vec![0, 1] } else { vec![2] };
            Seen::new(rows, items.clone(), vec![0; items.len()], vec![7.0], 1, vec![base]).unwrap()
        };
        let both = seen(true).choosing_by(seen(false));
        let counts = (both.count(), both.part(true).unwrap().count(), both.part(false).unwrap().count());
        assert_eq!(counts, (2, 2, 1));
    }
}
