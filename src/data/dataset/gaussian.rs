//! The embedded dataset `gaussian`: round Gaussian classes, for which the accuracy of the nearest class mean is known.
//!
//! The mean of a class is drawn from N(0, spread² I), its items from N(mean, I).

use rayon::prelude::*;

use super::kind::{Holds, Kind, Opens};
use crate::data::DataError;
use crate::data::Provenance;
use crate::data::{Parts, Store};
use crate::rng::{Purpose, Stream};
use crate::vocab::{SawClasses, Split};

/// The numbers of a specification such as `gaussian:dim=64,novel=20`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shape {
    base: usize,
    validation: usize,
    novel: usize,
    items: usize,
    dim: usize,
    spread: f64,
    seed: u64,
}

impl Default for Shape {
    fn default() -> Shape {
        Shape { base: 100, validation: 40, novel: 60, items: 40, dim: 16, spread: 0.9, seed: 1 }
    }
}

/// The most numbers of a dataset: 4 GiB of them.
const NUMBERS: usize = 1 << 30;

impl Shape {
    /// Reads `key=value,…`; nothing gives the defaults.
    fn parse(text: &str) -> Result<Shape, String> {
        let mut shape = Shape::default();
        let mut given: Vec<&str> = Vec::new();
        for entry in text.split(',').filter(|_| !text.is_empty()) {
            let Some((key, value)) = entry.split_once('=') else {
                return Err(format!("expected key=value, got `{entry}`"));
            };
            if given.contains(&key) {
                return Err(format!("`{key}` is given twice"));
            }
            given.push(key);
            let place = match key {
                "base" => &mut shape.base,
                "validation" => &mut shape.validation,
                "novel" => &mut shape.novel,
                "items" => &mut shape.items,
                "dim" => &mut shape.dim,
                "spread" => {
                    let spread = value.parse().ok().filter(|spread| (0.0..=1e6).contains(spread));
                    shape.spread = spread.ok_or_else(|| {
                        format!("`spread` must be a number from 0 to 1000000, got `{value}`")
                    })?;
                    continue;
                }
                "seed" => {
                    let seed = value.parse().ok();
                    shape.seed =
                        seed.ok_or_else(|| format!("`seed` must be a whole number, got `{value}`"))?;
                    continue;
                }
                _ => {
                    return Err(format!(
                        "unknown key `{key}`, expected one of `base`, `validation`, `novel`, `items`, `dim`, \
                         `spread`, `seed`"
                    ));
                }
            };
            let least = usize::from(matches!(key, "items" | "dim"));
            let number = value.parse().ok().filter(|n| (least..=10_000_000).contains(n));
            *place = number.ok_or_else(|| {
                format!("`{key}` must be a whole number from {least} to 10000000, got `{value}`")
            })?;
        }
        let classes = shape.base + shape.validation + shape.novel;
        if classes == 0 {
            return Err("`base`, `validation` and `novel` are all 0, expected a class".to_string());
        }
        let numbers = classes.checked_mul(shape.items).and_then(|n| n.checked_mul(shape.dim));
        if numbers.is_none_or(|n| n > NUMBERS) {
            return Err(format!("classes × `items` × `dim` must be at most {NUMBERS}"));
        }
        Ok(shape)
    }
}

pub(super) const KIND: Kind = Kind {
    name: "gaussian",
    usage: "gaussian",
    about: "round Gaussian classes; `gaussian:key=value,…` sets base (100), validation (40), novel (60), items (40), dim \
            (16), spread (0.9), seed (1)",
    holds: Holds::Vectors,
    opens: Opens::Made(|spec, keys| gaussian(spec, keys.unwrap_or_default())),
};

/// The dataset of a specification without its `gaussian:`.
pub(in crate::data) fn gaussian(name: &str, text: &str) -> Result<Store, DataError> {
    let spec = |what| DataError::Spec { spec: name.to_string(), what };
    let shape = Shape::parse(text).map_err(spec)?;
    let Shape { items, dim, .. } = shape;
    let counts =
        [(Split::Base, shape.base), (Split::Validation, shape.validation), (Split::Novel, shape.novel)];
    let splits: Vec<(String, Split)> = counts
        .into_iter()
        .flat_map(|(split, count)| std::iter::repeat_n(split, count))
        .enumerate()
        .map(|(class, split)| (format!("gaussian{class:05}"), split))
        .collect();
    let mut values = vec![0.0f32; splits.len() * items * dim];
    values.par_chunks_mut(items * dim).enumerate().for_each(|(class, values)| {
        let mut stream = Stream::new(shape.seed, Purpose::Dataset, class as u32);
        let mean: Vec<f64> = (0..dim).map(|_| shape.spread * stream.normal()).collect();
        for item in values.chunks_exact_mut(dim) {
            item.iter_mut().zip(&mean).for_each(|(x, m)| *x = (m + stream.normal()) as f32);
        }
    });
    let id = splits.iter().flat_map(|(name, _)| (0..items).map(move |number| format!("{name}/{number}")));
    let id = id.collect();
    let class = splits.iter().flat_map(|(name, _)| std::iter::repeat_n(name.clone(), items)).collect();
    Store::from_parts(Parts {
        name: name.to_string(),
        values,
        dim,
        class,
        id,
        splits: Some(splits),
        provenance: Provenance {
            backbone: "none".to_string(),
            trained_on: None,
            saw_classes: SawClasses::None,
            ..Provenance::default()
        },
        ..Parts::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixtures::{nearest_mean_accuracy, numbers};

    #[test]
    fn items_spread_around_their_class_and_classes_around_zero() {
        let text = "base=300,validation=0,novel=0,items=20,dim=8,spread=2";
        let store = gaussian("g", text).unwrap();
        assert_eq!((store.rows(), store.dim(), store.index().classes().len()), (6000, 8, 300));
        let (mut within, mut between) = (0.0, 0.0);
        for class in numbers(&store).chunks_exact(160) {
            for d in 0..8 {
                let column: Vec<f64> = class.iter().skip(d).step_by(8).map(|x| f64::from(*x)).collect();
                let mean = column.iter().sum::<f64>() / 20.0;
                within += column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 19.0 / 2400.0;
                between += mean * mean / 2400.0;
            }
        }
        // Four standard deviations: of a variance over 45,600 degrees of freedom, and over 2,400 means of variance 4.05.
        assert!((within - 1.0).abs() < 0.027 && (between - 4.05).abs() < 0.47, "{within} {between}");
    }

    #[test]
    fn the_default_is_neither_easy_nor_hopeless() {
        let accuracy = nearest_mean_accuracy(&gaussian("gaussian", "").unwrap(), 5, 1, 1000);
        assert!((0.6..0.75).contains(&accuracy), "{accuracy}");
    }

    #[test]
    fn a_class_depends_on_the_seed_and_its_number_alone() {
        let first = numbers(&gaussian("g", "base=3,validation=0,novel=0,items=2,dim=4").unwrap());
        let more = numbers(&gaussian("g", "base=1,validation=1,novel=9,items=2,dim=4").unwrap());
        assert_eq!(first, more[..24]);
        assert_ne!(
            first,
            numbers(&gaussian("g", "base=3,validation=0,novel=0,items=2,dim=4,seed=9").unwrap())
        );
    }

    #[test]
    fn a_specification_that_cannot_be_met_is_refused() {
        let refused = |text: &str| gaussian(&format!("gaussian:{text}"), text).unwrap_err().to_string();
        let unknown = "dataset `gaussian:way=5`: unknown key `way`, expected one of `base`, `validation`, `novel`, \
                       `items`, `dim`, `spread`, `seed`";
        assert_eq!(refused("way=5"), unknown);
        assert_eq!(refused("dim"), "dataset `gaussian:dim`: expected key=value, got `dim`");
        let dim = "dataset `gaussian:dim=0`: `dim` must be a whole number from 1 to 10000000, got `0`";
        assert_eq!(refused("dim=0"), dim);
        assert_eq!(refused("dim=2,dim=3"), "dataset `gaussian:dim=2,dim=3`: `dim` is given twice");
        assert!(refused("spread=nan").ends_with("`spread` must be a number from 0 to 1000000, got `nan`"));
        assert!(refused("seed=-1").ends_with("`seed` must be a whole number, got `-1`"));
        assert!(refused("base=0,validation=0,novel=0").ends_with("are all 0, expected a class"));
        assert!(refused("items=10000000,dim=10000000").ends_with("must be at most 1073741824"));
    }
}
