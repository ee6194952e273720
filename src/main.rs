//! Passes the arguments to the command line.

use std::process::ExitCode;

use kshot::learner::Learners;

#[cfg(not(feature = "count-memory"))]
fn main() -> ExitCode {
    kshot::cli::main(&Learners::shipped())
}

#[cfg(feature = "count-memory")]
#[global_allocator]
static ALLOCATOR: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

#[cfg(feature = "count-memory")]
fn main() -> ExitCode {
    let reset = || {
        ALLOCATOR.reset_peak_usage();
        ALLOCATOR.current_usage()
    };
    let meter = kshot::eval::Meter { reset, peak: || ALLOCATOR.peak_usage() };
    kshot::cli::main_with(&Learners::shipped(), Some(meter))
}
