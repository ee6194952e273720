//! Heads on one support set, for estimators.

use kshot::learner::Learners;
use kshot::run;
use kshot::vocab::Meaning;
use pyo3::prelude::*;
use pyo3_bytes::PyBytes;

use crate::array::{lent, matrix};
use crate::errors::{raised, request};
use kshot::numbers::Values;

/// A learner on the items that it is fitted on.
#[pyclass(frozen, module = "kshot._kshot")]
pub(crate) struct Head {
    head: run::Head,
    learners: Learners,
}

/// Lent 32-bit numbers.
fn floats(bytes: PyBytes) -> PyResult<Vec<f32>> {
    match lent(bytes, "f4")? {
        Values::F32(values) => Ok(values.to_vec()),
        _ => Err(request("a head takes 32-bit floats")),
    }
}

#[pymethods]
impl Head {
    #[new]
    fn new(learner: &str, support: PyBytes, dim: usize, labels: Vec<u16>, seed: u64) -> PyResult<Head> {
        let learners = Learners::shipped();
        let head =
            run::Head::new(&learners, learner, (floats(support)?, dim), labels, seed).map_err(raised)?;
        Ok(Head { head, learners })
    }

    /// Scores (items, way), what they mean, and whether the fit converged.
    fn scores<'py>(&self, py: Python<'py>, query: PyBytes) -> PyResult<(Bound<'py, PyAny>, String, bool)> {
        let query = floats(query)?;
        let scored = py.detach(|| self.head.scores(&self.learners, &query)).map_err(raised)?;
        let rows = scored.values.len() / self.head.way();
        let meaning = match scored.meaning {
            Meaning::Ranking => "ranking",
            Meaning::Logits => "logits",
            Meaning::Probabilities => "probabilities",
        };
        Ok((matrix(py, scored.values, (rows, self.head.way()))?, meaning.to_string(), scored.converged))
    }
}
