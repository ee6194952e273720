//! Episodes as places of items.

use kshot::episode::Draw;
use kshot::run::{self, Text};
use kshot::vocab::ItemId;
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::errors::raised;
use crate::features::Features;

/// Places of items, and where those of each episode end.
type Places<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>);

/// The supports and the queries of the episodes of a protocol, label by label.
#[pyfunction]
pub(crate) fn sample<'py>(
    py: Python<'py>,
    protocol: (String, String),
    features: &Features,
) -> PyResult<(Places<'py>, Places<'py>)> {
    let text = Text { origin: protocol.0, text: protocol.1 };
    let draw = py.detach(|| run::sample(&text, &features.given)).map_err(raised)?;
    let support = places(py, &draw, |place| draw.episode(place).all_support());
    let query = places(py, &draw, |place| draw.episode(place).all_query());
    Ok((support, query))
}

fn places<'py, 'd>(py: Python<'py>, draw: &'d Draw, items: impl Fn(usize) -> &'d [ItemId]) -> Places<'py> {
    let (mut all, mut ends) = (Vec::new(), Vec::with_capacity(draw.len()));
    for place in 0..draw.len() {
        all.extend(items(place).iter().map(|item| i64::from(item.0)));
        ends.push(all.len() as i64);
    }
    (PyArray1::from_vec(py, all), PyArray1::from_vec(py, ends))
}
