//! The errors of the command line, and the exit code of each.

use std::io;

use crate::backbone::BackboneError;
use crate::data::DataError;
use crate::episode::DrawError;
use crate::eval::EvalError;
use crate::learner::LearnError;
use crate::protocol::ProtocolError;
use crate::report::compare::CompareError;
use crate::results::{PartError, ReadError, ResultsError};
use crate::run::RunError;
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

/// Why a verb did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[expect(clippy::large_enum_variant, reason = "errors are cold, and end the program")]
pub(super) enum CliError {
    #[error(transparent)]
    Run(#[from] RunError),
    #[error("cannot print: {0}")]
    Print(io::Error),
    #[error("standard output was closed")]
    Closed,
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
    SelectError,
    TensorError,
    TrainError
);

impl CliError {
    /// A wrong request, as a sentence.
    pub(super) fn request(sentence: impl Into<String>) -> CliError {
        CliError::Run(RunError::Request(sentence.into()))
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
            CliError::Run(RunError::Audit { .. }) => DOES_NOT_HOLD,
            CliError::Run(error) => code_of(error),
            CliError::Print(_) => FAILED,
        }
    }
}

/// The exit code of a run that failed.
fn code_of(error: &RunError) -> u8 {
    match error {
        RunError::Request(_) | RunError::Protocol(_) | RunError::Learner(_) => WRONG_REQUEST,
        RunError::Data(error) if error.is_request() => WRONG_REQUEST,
        RunError::Data(error) if error.is_failure() => FAILED,
        RunError::Compare(error) if error.is_request() => WRONG_REQUEST,
        RunError::Train(error) if error.is_request() => WRONG_REQUEST,
        RunError::Train(error) if error.is_failure() => FAILED,
        RunError::Train(_) => WRONG_DATA,
        RunError::Backbone(error) if error.is_request() => WRONG_REQUEST,
        RunError::Backbone(BackboneError::Tensor(_)) => FAILED,
        RunError::Backbone(_) => WRONG_DATA,
        RunError::Data(_)
        | RunError::Read(_)
        | RunError::Part(_)
        | RunError::Compare(_)
        | RunError::Sample { .. }
        | RunError::Validation { .. }
        | RunError::OtherForm { .. }
        | RunError::Stacking { .. }
        | RunError::Draw(_)
        | RunError::NoDraw { .. }
        | RunError::Finding { .. }
        | RunError::OtherDraw { .. }
        | RunError::OtherItems { .. }
        | RunError::Audit { .. }
        | RunError::ChangedFeatures { .. }
        | RunError::IdenticalRows { .. }
        | RunError::NearDuplicate(_) => WRONG_DATA,
        RunError::Select(SelectError::Eval(error)) | RunError::Eval(error) => match error {
            EvalError::NotAdmitted { .. }
            | EvalError::NoSupport { .. }
            | EvalError::SizesDiffer { .. }
            | EvalError::CentredOnEvaluated { .. }
            | EvalError::Build(_) => WRONG_REQUEST,
            EvalError::NeedsClassEmbeddings { .. }
            | EvalError::NoClassEmbeddings { .. }
            | EvalError::NoSeenClasses { .. }
            | EvalError::AllHeldOut { .. } => WRONG_DATA,
            EvalError::Data(error) if error.is_request() => WRONG_REQUEST,
            EvalError::Data(_) => WRONG_DATA,
            _ => FAILED,
        },
        RunError::Select(error) if error.is_request() => WRONG_REQUEST,
        RunError::Select(_) => FAILED,
        RunError::Report(error) if error.is_request() => WRONG_REQUEST,
        RunError::Report(error) if error.is_data() => WRONG_DATA,
        RunError::Page(_)
        | RunError::Report(_)
        | RunError::Tensor(_)
        | RunError::Write { .. }
        | RunError::Threads { .. } => FAILED,
    }
}
