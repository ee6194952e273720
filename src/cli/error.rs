//! The errors of the command line, and the exit code of each.

use std::io;

use super::signals;

use crate::backbone::BackboneError;
use crate::data::DataError;
use crate::episode::DrawError;
use crate::eval::EvalError;
use crate::learner::LearnError;
use crate::protocol::ProtocolError;
use crate::report::compare::CompareError;
use crate::results::{PartError, ReadError, ResultsError};
use crate::run::{Blame, RunError};
use crate::scores::ScoresError;
use crate::select::SelectError;
use crate::tensor::TensorError;
use crate::train::TrainError;

/// Done.
pub(super) const DONE: u8 = 0;
/// A check that was asked for does not hold.
pub(super) const DOES_NOT_HOLD: u8 = 1;
/// The request is wrong.
pub(super) const WRONG_REQUEST: u8 = 2;
const WRONG_DATA: u8 = 3;
const FAILED: u8 = 4;
/// A signal ended the run, which can go on: EX_TEMPFAIL of sysexits.h, which schedulers know as "try again".
const TRY_AGAIN: u8 = 75;

/// Why a verb did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("cannot print: {0}")]
    Print(io::Error),
    #[error("standard output was closed")]
    Closed,
    #[error("{signal} ended the run\nhint: {hint}")]
    Stopped {
        /// The signal.
        signal: &'static str,
        /// How to go on.
        hint: &'static str,
    },
}

/// Errors of other rooms come as those of a run.
macro_rules! from {
    ($($error:ty),*) => {
        $(impl From<$error> for CliError {
            fn from(error: $error) -> CliError {
                CliError::Run(error.into())
            }
        })*
    };
}

from!(
    BackboneError,
    CompareError,
    DataError,
    DrawError,
    EvalError,
    LearnError,
    PartError,
    ProtocolError,
    ReadError,
    ResultsError,
    ScoresError,
    SelectError,
    TensorError,
    TrainError
);

impl CliError {
    /// A wrong request, as a sentence.
    pub(super) fn request(sentence: impl Into<String>) -> CliError {
        CliError::Run(RunError::Request(sentence.into()))
    }

    /// What a run ended with: a signal, where one asked for it.
    pub(super) fn of_run(error: RunError, hint: &'static str) -> CliError {
        match (error, signals::told()) {
            (RunError::Cancelled, Some(signal)) => CliError::Stopped { signal, hint },
            (error, _) => CliError::Run(error),
        }
    }

    /// A failure of standard output.
    pub(super) fn from_output(error: io::Error) -> CliError {
        match error.kind() {
            io::ErrorKind::BrokenPipe => CliError::Closed,
            _ => CliError::Print(error),
        }
    }

    /// The exit code.
    pub(super) fn code(&self) -> u8 {
        match self {
            CliError::Closed => DONE,
            CliError::Stopped { .. } => TRY_AGAIN,
            CliError::Run(RunError::Audit { .. }) => DOES_NOT_HOLD,
            CliError::Run(error) => match error.blame() {
                Blame::Request => WRONG_REQUEST,
                Blame::Data => WRONG_DATA,
                Blame::Computation => FAILED,
            },
            CliError::Print(_) => FAILED,
        }
    }
}
