//! What the Python package asks of kshot: requests and memory in, files and numbers out.
//!
//! Nothing is computed here. The package `kshot` beside this crate turns what Python programs hold into these calls.

mod array;
mod draws;
mod errors;
mod features;
mod head;
mod learners;
mod own;
mod protocol;
mod ranks;
mod results;
mod runs;
mod watch;

/// The compiled part of the package `kshot`.
#[pyo3::pymodule(name = "_kshot")]
mod module {
    #[pymodule_export]
    use crate::draws::sample;
    #[pymodule_export]
    use crate::features::Features;
    #[pymodule_export]
    use crate::head::Head;
    #[pymodule_export]
    use crate::learners::{learners, metrics, protocols};
    #[pymodule_export]
    use crate::own::Own;
    #[pymodule_export]
    use crate::protocol::protocol;
    #[pymodule_export]
    use crate::ranks::{rank, read_scores};
    #[pymodule_export]
    use crate::results::{compare, page, table};
    #[pymodule_export]
    use crate::runs::{evaluate, select};

    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "a name of Python")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
