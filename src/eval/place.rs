//! Putting a feature store before the learners: each with the transform that it takes.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::EvalError;
use crate::data::{self, ReadRows, Store};
use crate::tensor::{HostRows, ReadRow, Values};
use crate::vocab::Transform;

/// A file of features, as the tensor room wants to read it.
struct File(Arc<dyn ReadRows>);

impl ReadRow for File {
    fn read(&self, row: usize, out: &mut [f32]) -> io::Result<()> {
        self.0.read(row, out)
    }
}

/// The rows of a store under each of these transforms, made once.
pub(super) fn transformed(
    store: &Store,
    transforms: impl Iterator<Item = Transform>,
) -> Result<BTreeMap<Transform, HostRows>, EvalError> {
    let mut out = BTreeMap::new();
    for transform in transforms {
        if out.contains_key(&transform) {
            continue;
        }
        let made = data::transform(store, transform)?;
        let values = match store.values() {
            data::Values::F32(values) => Values::F32(values.clone()),
            data::Values::F16(values) => Values::F16(values.clone()),
            data::Values::File(file) => Values::File(Arc::new(File(Arc::clone(file)))),
        };
        let (count, dim) = (store.rows(), store.dim());
        let rows = HostRows::new(values, count, dim, made.shift, made.scale, made.squared_norms)?;
        out.insert(transform, rows);
    }
    Ok(out)
}
