//! Errors as exceptions, with the sentences of the command line.

use kshot::run::{Blame, RunError};
use pyo3::PyErr;
use pyo3::import_exception;

import_exception!(kshot.errors, RequestError);
import_exception!(kshot.errors, DataError);
import_exception!(kshot.errors, ComputationError);

/// The exception of an error.
pub(crate) fn raised(error: impl Into<RunError>) -> PyErr {
    let error = error.into();
    let sentence = error.to_string();
    match error.blame() {
        Blame::Request => RequestError::new_err(sentence),
        Blame::Data => DataError::new_err(sentence),
        Blame::Computation => ComputationError::new_err(sentence),
    }
}

/// A wrong request.
pub(crate) fn request(sentence: impl Into<String>) -> PyErr {
    RequestError::new_err(sentence.into())
}
