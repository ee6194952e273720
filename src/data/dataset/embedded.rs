//! Datasets that are made, not read, so that the first command needs nothing.

use super::gaussian::gaussian;
use super::glyphs::glyphs;
use crate::data::DataError;
use crate::data::Store;

/// The embedded datasets, as (name, description).
pub const EMBEDDED: &[(&str, &str)] = &[
    (
        "glyphs",
        "invented characters drawn at 28×28: 100 base, 40 validation and 60 novel classes of 20 drawings",
    ),
    (
        "gaussian",
        "round Gaussian classes; `gaussian:key=value,…` sets base (100), validation (40), novel (60), items (40), dim \
         (16), spread (0.9), seed (1)",
    ),
];

/// The embedded dataset of a specification: `glyphs`, `gaussian` or `gaussian:key=value,…`.
///
/// Nothing where the name before the colon is not that of an embedded dataset; an error where its keys are wrong.
pub fn embedded(spec: &str) -> Option<Result<Store, DataError>> {
    match spec.split_once(':').map_or((spec, None), |(name, keys)| (name, Some(keys))) {
        ("glyphs", None) => Some(glyphs()),
        ("glyphs", Some(_)) => {
            Some(Err(DataError::Spec { spec: spec.to_string(), what: "`glyphs` has no keys".to_string() }))
        }
        ("gaussian", keys) => Some(gaussian(spec, keys.unwrap_or_default())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_dataset_opens_by_its_name() {
        for (name, _) in EMBEDDED {
            assert_eq!(embedded(name).unwrap().unwrap().name(), *name);
        }
        assert!(embedded("features.npz").is_none());
        let error = embedded("glyphs:seed=2").unwrap().unwrap_err();
        assert!(error.is_request());
        assert_eq!(error.to_string(), "dataset `glyphs:seed=2`: `glyphs` has no keys");
    }
}
