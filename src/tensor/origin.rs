//! Origins: what the points of an episode have in common, taken off before anything is multiplied.
//!
//! An inner product in single precision keeps seven digits. Where all points of an episode lie far from zero and near each
//! other, as with one large constant column, the common part takes them all: `‖x − c‖² = ‖x‖² − 2·x·c + ‖c‖²` is then the
//! small difference of large numbers. Seen from a point in their midst, the same formula keeps its digits.

use std::sync::Arc;

use super::kernel;

/// Points count as near each other where the sum of their squared distances from their mean is below this share of the
/// sum of their squared norms: what a product loses then is still a few parts in 100,000.
const SHARE: f64 = 1.0 / 256.0;

/// Whether points lie far from zero and near each other: the sum of their squared norms, and of that of their mean, once
/// for each.
pub(super) fn near(total: f64, common: f64) -> bool {
    total - common < SHARE * total
}

/// One point per episode from which its rows are seen, or none where they lie well around zero.
#[derive(Clone)]
pub struct Origins {
    dim: usize,
    /// (episodes, dim), zeros where there is none.
    points: Arc<[f32]>,
    moved: Arc<[bool]>,
}

impl Origins {
    /// The means of each episode's `points` (episodes × count × dim), where these lie far from zero and near each other;
    /// points that are zero are no part of it. Nothing where no episode has one. And the squared norms of the points
    /// (episodes × count), which are computed on the way.
    pub(super) fn and_norms(
        points: &[f32],
        (episodes, count, dim): (usize, usize, usize),
    ) -> (Option<Origins>, Vec<f32>) {
        let mut norms = vec![0.0; episodes * count];
        let mut sum = vec![0.0; dim];
        let mut origins: Option<Vec<f32>> = None;
        let mut moved = vec![false; episodes];
        for episode in 0..episodes {
            let own = &points[episode * count * dim..(episode + 1) * count * dim];
            let norms = &mut norms[episode * count..(episode + 1) * count];
            let squared = kernel::norms_and_sum(own, dim, norms, &mut sum);
            let total: f32 = norms.iter().sum();
            let filled = norms.iter().filter(|norm| **norm > 0.0).count();
            let share = 1.0 / filled.max(1) as f32;
            if filled > 1 && near(f64::from(total), f64::from(squared * share)) {
                moved[episode] = true;
                let all = origins.get_or_insert_with(|| vec![0.0; episodes * dim]);
                let origin = &mut all[episode * dim..(episode + 1) * dim];
                origin.iter_mut().zip(&sum).for_each(|(o, s)| *o = s * share);
            }
        }
        (origins.map(|points| Origins { dim, points: points.into(), moved: moved.into() }), norms)
    }

    /// From one point for each of some episodes (episode, point).
    pub(super) fn of_some(episodes: usize, dim: usize, some: &[(usize, Vec<f32>)]) -> Option<Origins> {
        if some.is_empty() {
            return None;
        }
        let (mut points, mut moved) = (vec![0.0; episodes * dim], vec![false; episodes]);
        for (episode, point) in some {
            points[episode * dim..(episode + 1) * dim].copy_from_slice(point);
            moved[*episode] = true;
        }
        Some(Origins { dim, points: points.into(), moved: moved.into() })
    }

    /// Numbers of a point.
    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    /// Episodes.
    pub(super) fn episodes(&self) -> usize {
        self.moved.len()
    }

    /// All points (episodes × dim), zeros where there is none.
    pub(super) fn points(&self) -> &[f32] {
        &self.points
    }

    /// The point of an episode, where it has one.
    pub(super) fn of_episode(&self, episode: usize) -> Option<&[f32]> {
        self.moved[episode].then(|| &self.points[episode * self.dim..(episode + 1) * self.dim])
    }

    /// Subtracts each episode's point from its `rows` (episodes × count × dim).
    pub(super) fn take_off(&self, rows: &mut [f32]) {
        let size = rows.len().checked_div(self.episodes()).unwrap_or(0);
        for (episode, rows) in rows.chunks_exact_mut(size.max(1)).enumerate() {
            if let Some(origin) = self.of_episode(episode) {
                rows.chunks_exact_mut(self.dim.max(1)).for_each(|row| subtract(row, origin));
            }
        }
    }
}

/// `row − origin`, in place.
pub(super) fn subtract(row: &mut [f32], origin: &[f32]) {
    row.iter_mut().zip(origin).for_each(|(x, o)| *x -= o);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_far_from_zero_and_near_each_other_have_an_origin_in_their_midst() {
        let near = [1000.0, 1.0, 1000.0, 3.0, 0.0, 0.0];
        let around = [1.0, 1.0, -1.0, 2.0, 0.0, 1.0];
        let points: Vec<f32> = near.into_iter().chain(around).collect();
        let (origins, norms) = Origins::and_norms(&points, (2, 3, 2));
        let origins = origins.unwrap();
        assert_eq!(origins.of_episode(0), Some(&[1000.0, 2.0][..]), "the point of zeros is no part of it");
        assert_eq!(origins.of_episode(1), None);
        assert_eq!(norms[1..], [1_000_009.0, 0.0, 2.0, 5.0, 1.0]);
        let mut rows = points.clone();
        origins.take_off(&mut rows);
        assert_eq!(rows[..4], [0.0, -1.0, 0.0, 1.0]);
        assert_eq!(rows[6..], around);
        assert!(Origins::and_norms(&around, (1, 3, 2)).0.is_none());
        assert!(Origins::and_norms(&near[..2], (1, 1, 2)).0.is_none(), "one point has no neighbours");
    }
}
