//! ESZSL, "An embarrassingly simple approach to zero-shot learning" (Romera-Paredes and Torr 2015, ICML).
//!
//! A map `V` (dim, class_dim) with scores `xᵀ·V·s`, the least-squares fit of targets 1 for the class of an item and −1 for all
//! others, with penalties γ on `V·Sᵀ`, λ on `Xᵀ·V` and γ·λ on `V`. It has a closed form (eq. 12):
//! `V = (XᵀX + γI)⁻¹ · XᵀYS · (SᵀS + λI)⁻¹` with items `X` (items, dim), targets `Y` (items, classes) and class embeddings `S`
//! (classes, class_dim). All in double precision; nothing of `X` is kept but sums.
//!
//! γ and λ are chosen as in the paper (section 4.1): fitted on base classes, the pair of powers of ten with the best accuracy on
//! validation classes, averaged over these; then fitted again on all seen classes. Where there are no validation classes both are 1.

use std::ops::RangeInclusive;

use super::class_sums::{ClassSums, scatter};
use super::{Fit, Fitted, LearnError, Learner, Parameter, Registry, Scale, Signature};
use crate::learner::bilinear::Bilinear;
use crate::tensor::matrix::Matrix;
use crate::tensor::{Backend, SpanOps};
use crate::view::Seen;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "bilinear map in closed form (Romera-Paredes and Torr 2015)";
    let mut eszsl = Signature::new("eszsl", about);
    let meaning = "penalty on the side of the features; 0: chosen on validation classes";
    let gamma = Parameter::real("gamma", 0.0, 0.0, 1e6, meaning);
    let gamma = eszsl.parameter(gamma.search(Scale::Log, 1e-2, 1e4));
    let meaning = "penalty on the side of the class embeddings; 0: chosen on validation classes";
    let lambda = Parameter::real("lambda", 0.0, 0.0, 1e6, meaning);
    let lambda = eszsl.parameter(lambda.search(Scale::Log, 1e-3, 1e3));
    list.add(eszsl, move |p| {
        let given = |value: f64| Some(value).filter(|value| *value > 0.0);
        Ok(Learner::unfitted(Eszsl { gamma: given(p[gamma]), lambda: given(p[lambda]) }))
    });
}

/// Penalties that are tried, and what is used where there are no validation classes.
const POWERS: RangeInclusive<i32> = -3..=5;
const UNCHOSEN: f64 = 1.0;

/// Penalties, where they are given.
struct Eszsl {
    gamma: Option<f64>,
    lambda: Option<f64>,
}

impl<D: Backend> Fit<D> for Eszsl {
    fn fit(&self, seen: &Seen, _: &D) -> Result<Fitted<D>, LearnError> {
        let (penalties, chosen) = self.choose(seen)?;
        let map = Sums::of(seen)?.map(penalties)?.to_f32(); // (class_dim, dim)
        let shape = (seen.class_dim(), seen.dim());
        let fitted = Fitted::zero_shot(move |device| Bilinear::place(device, shape, &map, false));
        Ok(match chosen {
            true => fitted.with_choice("gamma", penalties.0).with_choice("lambda", penalties.1),
            false => fitted,
        })
    }
}

impl Eszsl {
    /// γ and λ, and whether validation classes have chosen one of them.
    fn choose(&self, seen: &Seen) -> Result<((f64, f64), bool), LearnError> {
        let open = self.gamma.is_none() || self.lambda.is_none();
        let (Some(base), Some(validation), true) = (seen.part(true), seen.part(false), open) else {
            return Ok(((self.gamma.unwrap_or(UNCHOSEN), self.lambda.unwrap_or(UNCHOSEN)), false));
        };
        let grid = |given: Option<f64>| match given {
            Some(value) => vec![value],
            None => POWERS.map(|power| 10f64.powi(power)).collect(),
        };
        let (sums, others) = (Sums::of(&base)?, Others::of(&validation)?);
        let mut best: Option<((f64, f64), f64)> = None;
        for gamma in grid(self.gamma) {
            let left = sums.left(gamma)?;
            for lambda in grid(self.lambda) {
                let accuracy = others.accuracy(&sums.right(&left, lambda)?)?;
                if best.is_none_or(|(_, known)| accuracy > known) {
                    best = Some(((gamma, lambda), accuracy));
                }
            }
        }
        Ok(best.map_or(((UNCHOSEN, UNCHOSEN), false), |(penalties, _)| (penalties, true)))
    }
}

/// What the closed form needs of seen classes.
struct Sums {
    /// `XᵀX` (dim, dim).
    items: Matrix,
    /// `SᵀS` (class_dim, class_dim).
    sides: Matrix,
    /// `XᵀYS` (dim, class_dim).
    products: Matrix,
}

impl Sums {
    fn of(seen: &Seen) -> Result<Sums, LearnError> {
        let sums = ClassSums::of(seen)?.sums;
        let mut total = vec![0.0; seen.dim()];
        sums.values().chunks_exact(seen.dim()).for_each(|row| {
            total.iter_mut().zip(row).for_each(|(t, x)| *t += x);
        });
        // Column c of XᵀY sums the items of class c and subtracts all others: 2·Σ_c − Σ.
        let mut targets = sums.map(|v| 2.0 * v); // (classes, dim)
        for class in 0..targets.rows() {
            targets.row_mut(class).iter_mut().zip(&total).for_each(|(x, t)| *x -= t);
        }
        let vectors = Matrix::of_f32(seen.classes(), seen.class_dim(), seen.vectors())?;
        Ok(Sums {
            items: scatter(seen)?,
            sides: vectors.transposed().times(&vectors)?,
            products: targets.transposed().times(&vectors)?,
        })
    }

    /// `((XᵀX + γI)⁻¹ · XᵀYS)ᵀ` (class_dim, dim).
    fn left(&self, gamma: f64) -> Result<Matrix, LearnError> {
        Ok(self.items.clone().plus_diagonal(gamma).solve(&self.products)?.transposed())
    }

    /// `Vᵀ` (class_dim, dim), given what the features' side makes.
    fn right(&self, left: &Matrix, lambda: f64) -> Result<Matrix, LearnError> {
        Ok(self.sides.clone().plus_diagonal(lambda).solve(left)?)
    }

    fn map(&self, (gamma, lambda): (f64, f64)) -> Result<Matrix, LearnError> {
        self.right(&self.left(gamma)?, lambda)
    }
}

/// Classes by which penalties are judged.
struct Others<'a> {
    seen: &'a Seen,
    items: Matrix,
    vectors: Matrix,
}

impl Others<'_> {
    fn of(seen: &Seen) -> Result<Others<'_>, LearnError> {
        let mut items = vec![0.0; seen.count() * seen.dim()];
        for (place, row) in items.chunks_exact_mut(seen.dim()).enumerate() {
            seen.read(place, row)?;
        }
        let items = Matrix::of_f32(seen.count(), seen.dim(), &items)?;
        Ok(Others { seen, items, vectors: Matrix::of_f32(seen.classes(), seen.class_dim(), seen.vectors())? })
    }

    /// The accuracy with this `Vᵀ`, averaged over the classes that have items.
    fn accuracy(&self, map: &Matrix) -> Result<f64, LearnError> {
        let scores = self.items.times(&self.vectors.times(map)?.transposed())?;
        let mut counts = vec![(0.0, 0.0); self.seen.classes()];
        for (place, label) in self.seen.labels().iter().enumerate() {
            let row = scores.row(place);
            let best = (0..row.len()).fold(0, |best, c| if row[c] > row[best] { c } else { best });
            let count = &mut counts[*label as usize];
            count.0 += f64::from(u8::from(best == *label as usize));
            count.1 += 1.0;
        }
        let met: Vec<f64> = counts.iter().filter(|c| c.1 > 0.0).map(|c| c.0 / c.1).collect();
        Ok(met.iter().sum::<f64>() / met.len().max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_dimension_on_paper() {
        // X = (1, 2), Y = ((1, −1), (−1, 1)), S = (1, 3): XᵀYS = 2, XᵀX + γ = 6, SᵀS + λ = 12.
        let seen = Seen::dense(1, vec![1.0, 2.0], vec![0, 1], 1, vec![1.0, 3.0]).unwrap();
        let map = Sums::of(&seen).unwrap().map((1.0, 2.0)).unwrap();
        assert!((map.values()[0] - 2.0 / 72.0).abs() < 1e-15);
    }

    #[test]
    fn penalties_are_chosen_where_validation_classes_tell_them_apart() {
        let axes: Vec<f32> = (0..16).map(|i| if i % 5 == 0 { 1.0 } else { 0.0 }).collect();
        let rows = crate::tensor::HostRows::dense(axes.clone(), 4).unwrap();
        let base = vec![true, true, false, false];
        let seen = Seen::new(rows, vec![0, 1, 2, 3], vec![0, 1, 2, 3], axes, 4, base).unwrap();
        let chosen = |gamma, lambda| Eszsl { gamma, lambda }.choose(&seen).unwrap();
        assert!(chosen(None, None).1);
        assert_eq!(chosen(Some(3.0), None).0.0, 3.0);
        assert_eq!(chosen(Some(3.0), Some(2.0)), ((3.0, 2.0), false));
        let alone = Seen::dense(1, vec![1.0, 2.0], vec![0, 1], 1, vec![1.0, 3.0]).unwrap();
        assert_eq!(Eszsl { gamma: None, lambda: None }.choose(&alone).unwrap(), ((1.0, 1.0), false));
    }
}
