//! Feature sets in the memory of Python.

use std::collections::HashMap;

use kshot::data::{ClassEmbeddings, Parts};
use kshot::numbers::Values;
use kshot::run;
use kshot::vocab::Split;
use pyo3::prelude::*;
use pyo3_bytes::PyBytes;

use crate::array::lent;
use crate::errors::{raised, request};

/// What is said of the items of a feature set.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct About {
    names: Vec<String>,
    codes: Vec<usize>,
    splits: Option<Vec<(String, String)>>,
    part: Vec<String>,
    group: Vec<String>,
    id: Vec<String>,
    unseen: Option<String>,
}

/// A feature set whose numbers lie where Python has them.
#[pyclass(frozen, module = "kshot._kshot")]
pub(crate) struct Features {
    pub(crate) given: run::Features,
    address: usize,
}

#[pymethods]
impl Features {
    #[new]
    #[pyo3(signature = (name, numbers, element, dim, about, class_embeddings=None))]
    fn new(
        py: Python<'_>,
        name: String,
        numbers: PyBytes,
        element: &str,
        dim: usize,
        about: About,
        class_embeddings: Option<(PyBytes, usize)>,
    ) -> PyResult<Features> {
        let values = lent(numbers, element)?;
        let address = match &values {
            Values::F32(values) => values.as_ptr().addr(),
            Values::F16(values) => values.as_ptr().addr(),
            Values::File(_) => 0,
        };
        let split = |word: &String| word.parse::<Split>().map_err(|error| request(error.to_string()));
        let class = about.codes.iter().map(|code| about.names.get(*code).cloned());
        let splits = about.splits.map(|splits| {
            splits.iter().map(|(class, word)| Ok((class.clone(), split(word)?))).collect::<PyResult<_>>()
        });
        let class_embeddings = class_embeddings.map(|(bytes, class_dim)| match lent(bytes, "f4")? {
            Values::F32(rows) => Ok(ClassEmbeddings { rows: rows.to_vec().into(), class_dim }),
            _ => Err(request("class embeddings are 32-bit floats")),
        });
        let parts = Parts {
            name: name.clone(),
            values,
            dim,
            class: class.collect::<Option<_>>().ok_or_else(|| request("a class code without a name"))?,
            splits: splits.transpose()?,
            part: about.part,
            group: about.group,
            id: about.id,
            class_embeddings: class_embeddings.transpose()?,
            unseen: about.unseen.as_ref().map(split).transpose()?,
            ..Parts::default()
        };
        let given = py.detach(|| run::Features::from_values(parts)).map_err(raised)?;
        Ok(Features { given: given.named(name), address })
    }

    /// Where its first number lies.
    #[getter]
    fn address(&self) -> usize {
        self.address
    }

    /// The name.
    #[getter]
    fn name(&self) -> &str {
        self.given.name()
    }

    #[expect(clippy::unused_self, reason = "kept out of pickles by design")]
    fn __reduce__(&self) -> PyResult<HashMap<String, String>> {
        Err(pyo3::exceptions::PyTypeError::new_err("features in lent memory cannot be pickled"))
    }
}
