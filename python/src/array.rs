//! Numbers that cross the border: lent by Python, or handed over to it.

use kshot::numbers::{Numbers, Values};
use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3_bytes::PyBytes;

use crate::errors::request;

/// Lent memory of numbers of a type, `f2` or `f4`, in the order of the machine.
pub(crate) fn lent(bytes: PyBytes, element: &str) -> PyResult<Values> {
    let bytes = bytes.into_inner();
    let misplaced = || request("the memory of the numbers does not begin where a number may");
    match element {
        "f2" => Numbers::<half::f16>::lent(bytes).map(Values::from).ok_or_else(misplaced),
        "f4" => Numbers::<f32>::lent(bytes).map(Values::from).ok_or_else(misplaced),
        other => Err(request(format!("numbers are f2 or f4, got {other}"))),
    }
}

/// Rows of numbers as an array of Python, without a copy.
pub(crate) fn matrix<'py>(
    py: Python<'py>,
    values: Vec<f32>,
    (rows, columns): (usize, usize),
) -> PyResult<Bound<'py, PyAny>> {
    Ok(PyArray1::from_vec(py, values).reshape([rows, columns])?.into_any())
}
