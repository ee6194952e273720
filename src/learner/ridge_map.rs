//! A ridge regression from class embeddings to class means of features: the direction that makes the fewest hubs (Shigeto et
//! al. 2015, "Ridge Regression, Hubness, and Zero-Shot Learning", arXiv:1507.00825).
//!
//! With unit class embeddings `S` (classes, class_dim) and the means `M` (classes, dim) of the seen classes,
//! `form = plain` is `m(s) = s·R` with the minimum of `‖S·R − M‖² + α‖R‖²`; `form = residual` is `m(s) = s + s·R` with
//! that of `‖S·R − (M − S)‖² + α‖R‖²`, which leaves a class embedding where it is as far as the seen classes do not say
//! otherwise. It needs class embeddings as long as the features; `form = auto` takes it where it can. An item is scored by
//! its cosine with `m(s)`.
//!
//! Differs from the paper: each class counts once, not once per item, because its vector is the same for all of them;
//! and cosines take the place of distances, as class embeddings are unit vectors here.

use super::class_sums::ClassSums;
use super::{
    Fit, Fitted, LearnError, Learner, Parameter, Registry, Scale, Signature, Sizes, ZeroShot,
    transform_parameter,
};
use crate::tensor::matrix::Matrix;
use crate::tensor::{Backend, SpanOps, Tensor2, ops};
use crate::view::{ClassEmbeddings, Items, Scores, Seen};
use crate::vocab::Transform;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "ridge regression from class embeddings to class means (Shigeto et al. 2015)";
    let mut ridge_map = Signature::new("ridge-map", about);
    let alpha = Parameter::real("alpha", 1.0, 1e-6, 1e6, "penalty on the map").search(Scale::Log, 1e-2, 1e2);
    let alpha = ridge_map.parameter(alpha);
    let words = &[("auto", Form::Auto), ("residual", Form::Residual), ("plain", Form::Plain)];
    let meaning = "map beside the class embedding itself, or alone";
    let form = ridge_map.parameter(Parameter::choice("form", words, meaning));
    let transform = ridge_map.parameter(transform_parameter(Transform::L2n));
    list.add(ridge_map, move |p| {
        let ridge = Ridge { alpha: p[alpha], form: p[form] };
        let sizes = ridge.sizes();
        Ok(Learner::unfitted(RidgeMap(ridge)).with_transform(p[transform]).with_sizes(sizes))
    });
}

/// How the map is fitted.
pub(super) struct Ridge {
    alpha: f64,
    form: Form,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Auto,
    Residual,
    Plain,
}

impl Ridge {
    /// With this penalty, residual where sizes agree.
    pub(super) fn auto(alpha: f64) -> Ridge {
        Ridge { alpha, form: Form::Auto }
    }

    /// A residual, where it is asked for, needs equal sizes.
    fn sizes(&self) -> Sizes {
        match self.form {
            Form::Residual => Sizes::Equal { what: "form=residual", hint: "use form=plain" },
            Form::Auto | Form::Plain => Sizes::Any,
        }
    }

    /// `m` as one matrix (class_dim, dim) for unit class embeddings.
    pub(super) fn fit(&self, seen: &Seen) -> Result<Matrix, LearnError> {
        let (class_dim, dim) = (seen.class_dim(), seen.dim());
        self.sizes().check(class_dim, dim)?;
        let residual = self.form != Form::Plain && class_dim == dim;
        let vectors = Matrix::of_f32(seen.classes(), class_dim, seen.vectors())?.normalise_rows();
        let mut targets = ClassSums::of(seen)?.means();
        if residual {
            targets = targets.plus(-1.0, &vectors)?;
        }
        let turned = vectors.transposed();
        // (SᵀS + αI)⁻¹Sᵀ = Sᵀ(SSᵀ + αI)⁻¹, whichever is smaller.
        let map = if seen.classes() <= class_dim {
            let inner = vectors.times(&turned)?.plus_diagonal(self.alpha);
            turned.times(&inner.solve(&targets)?)?
        } else {
            let inner = turned.times(&vectors)?.plus_diagonal(self.alpha);
            inner.solve(&turned.times(&targets)?)?
        };
        Ok(if residual { map.plus_diagonal(1.0) } else { map })
    }
}

struct RidgeMap(Ridge);

impl<D: Backend> Fit<D> for RidgeMap {
    fn fit(&self, seen: &Seen, _: &D) -> Result<Fitted<D>, LearnError> {
        let (map, shape) = (self.0.fit(seen)?.to_f32(), (seen.class_dim(), seen.dim()));
        Ok(Fitted::zero_shot(move |device: &D| {
            Ok(CosineToMapped { map: device.tensor2(shape, map.clone())? })
        }))
    }
}

struct CosineToMapped<D: Backend> {
    map: Tensor2<D>,
}

impl<D: Backend> ZeroShot<D> for CosineToMapped<D> {
    fn scores(&self, items: &Items<D>, candidates: &ClassEmbeddings<D>) -> Result<Scores<D>, LearnError> {
        let mapped = ops::map_rows(&ops::normalise(candidates.rows())?, &self.map)?;
        Ok(Scores::ranking(items.cosines_less_one(&ops::normalise(&mapped)?)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_penalty_maps_the_seen_vectors_to_their_means_in_either_form() {
        let seen = Seen::dense(2, vec![1.0, 2.0, 3.0, 1.0], vec![0, 1], 2, vec![1.0, 0.0, 0.0, 2.0]).unwrap();
        for form in [Form::Plain, Form::Residual, Form::Auto] {
            let map = Ridge { alpha: 1e-9, form }.fit(&seen).unwrap();
            let gap = map.values().iter().zip([1.0, 2.0, 3.0, 1.0]).map(|(a, b)| (a - b).abs());
            assert!(gap.fold(0.0, f64::max) < 1e-6);
        }
        let large = |form| Ridge { alpha: 1e9, form }.fit(&seen).unwrap();
        assert!((large(Form::Residual).values()[0] - 1.0).abs() < 1e-6);
        assert!(large(Form::Plain).values()[0].abs() < 1e-6);
    }

    #[test]
    fn a_residual_needs_equal_sizes() {
        let seen = Seen::dense(2, vec![1.0, 2.0], vec![0], 1, vec![1.0]).unwrap();
        let error = Ridge { alpha: 1.0, form: Form::Residual }.fit(&seen).unwrap_err().to_string();
        let text = "form=residual needs class embeddings as long as the features, got 1 numbers per class and 2 per item";
        assert!(error.starts_with(text), "{error}");
        assert!(Ridge { alpha: 1.0, form: Form::Auto }.fit(&seen).is_ok());
    }
}
