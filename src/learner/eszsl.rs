//! ESZSL, "An embarrassingly simple approach to zero-shot learning" (Romera-Paredes and Torr 2015, ICML).
//!
//! A map `V` (dim, class_dim) with scores `xᵀ·V·s`, the least-squares fit of targets 1 for the class of an item and −1 for all
//! others, with penalties γ on `V·Sᵀ`, λ on `Xᵀ·V` and γ·λ on `V`. It has a closed form (eq. 12):
//! `V = (XᵀX + γI)⁻¹ · XᵀYS · (SᵀS + λI)⁻¹` with items `X` (items, dim), targets `Y` (items, classes) and class embeddings `S`
//! (classes, class_dim). All in double precision; nothing of `X` is kept but sums.

use super::class_sums::{ClassSums, scatter};
use super::{Fit, Fitted, LearnError, Learner, Parameter, Registry, Scale, Signature};
use crate::learner::bilinear::Bilinear;
use crate::tensor::matrix::Matrix;
use crate::tensor::{Backend, SpanOps};
use crate::view::Seen;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "bilinear map in closed form (Romera-Paredes and Torr 2015)";
    let mut eszsl = Signature::new("eszsl", about);
    let gamma = Parameter::real("gamma", 1.0, 1e-6, 1e6, "penalty on the side of the features");
    let gamma = eszsl.parameter(gamma.search(Scale::Log, 1e-2, 1e4));
    let lambda = Parameter::real("lambda", 1.0, 1e-6, 1e6, "penalty on the side of the class embeddings");
    let lambda = eszsl.parameter(lambda.search(Scale::Log, 1e-3, 1e3));
    list.add(eszsl, move |p| Ok(Learner::unfitted(Eszsl { gamma: p[gamma], lambda: p[lambda] })));
}

struct Eszsl {
    gamma: f64,
    lambda: f64,
}

impl<D: Backend> Fit<D> for Eszsl {
    fn fit(&self, seen: &Seen, _: &D) -> Result<Fitted<D>, LearnError> {
        let map = self.map(seen)?.to_f32(); // (class_dim, dim)
        let shape = (seen.class_dim(), seen.dim());
        Ok(Fitted::zero_shot(move |device| Bilinear::place(device, shape, &map, false)))
    }
}

impl Eszsl {
    /// `Vᵀ` (class_dim, dim).
    fn map(&self, seen: &Seen) -> Result<Matrix, LearnError> {
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
        let products = targets.transposed().times(&vectors)?; // (dim, class_dim)
        let left = scatter(seen)?.plus_diagonal(self.gamma).solve(&products)?;
        let sides = vectors.transposed().times(&vectors)?.plus_diagonal(self.lambda);
        Ok(sides.solve(&left.transposed())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_dimension_on_paper() {
        // X = (1, 2), Y = ((1, −1), (−1, 1)), S = (1, 3): XᵀYS = 2, XᵀX + γ = 6, SᵀS + λ = 12.
        let seen = Seen::dense(1, vec![1.0, 2.0], vec![0, 1], 1, vec![1.0, 3.0]).unwrap();
        let map = Eszsl { gamma: 1.0, lambda: 2.0 }.map(&seen).unwrap();
        assert!((map.values()[0] - 2.0 / 72.0).abs() < 1e-15);
    }
}
