//! Passes the arguments to the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    kshot::cli::main(&kshot::learner::Learners::shipped())
}
