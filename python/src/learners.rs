//! What there is: learners with their parameters, metrics and protocols.

use kshot::learner::{Learners, Range};
use kshot::metric::Metric;
use kshot::protocol::SHIPPED;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The learners that ship with kshot, as plain values.
#[pyfunction]
pub(crate) fn learners(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let known = Learners::shipped();
    let mut all = Vec::new();
    for entry in known.cpu().entries() {
        let signature = entry.signature();
        let checked = entry.check(&Default::default()).map_err(crate::errors::raised)?;
        let learner = PyDict::new(py);
        learner.set_item("name", signature.name())?;
        learner.set_item("about", signature.about())?;
        learner.set_item("aliases", signature.aliases().collect::<Vec<_>>())?;
        learner.set_item("setting", checked.setting.word())?;
        learner.set_item("needs_network", checked.needs_network)?;
        let mut parameters = Vec::new();
        for parameter in signature.parameters() {
            let about = PyDict::new(py);
            about.set_item("name", parameter.name)?;
            about.set_item("aliases", parameter.aliases.clone())?;
            about.set_item("default", &parameter.default)?;
            about.set_item("meaning", parameter.meaning)?;
            about.set_item("range", parameter.range.to_string())?;
            match &parameter.range {
                Range::Whole(..) => about.set_item("type", "int")?,
                Range::Real(..) => about.set_item("type", "float")?,
                Range::Learner => about.set_item("type", "str")?,
                Range::Choice(words) => {
                    about.set_item("type", "str")?;
                    about.set_item("words", words.clone())?;
                }
            }
            parameters.push(about);
        }
        learner.set_item("parameters", parameters)?;
        all.push(learner);
    }
    Ok(all)
}

/// The names of the metrics.
#[pyfunction]
pub(crate) fn metrics() -> Vec<String> {
    Metric::all().iter().map(ToString::to_string).collect()
}

/// The names of the protocols that ship with kshot.
#[pyfunction]
pub(crate) fn protocols() -> Vec<&'static str> {
    SHIPPED.iter().map(|shipped| shipped.name).collect()
}
