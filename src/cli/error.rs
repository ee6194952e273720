//! All errors of a run, and the exit code of each.

use std::io;
use std::path::PathBuf;

use crate::data::DataError;
use crate::episode::{DrawError, Finding, SampleError};
use crate::eval::EvalError;
use crate::learner::LearnError;
use crate::protocol::ProtocolError;
use crate::report::compare::CompareError;
use crate::report::html::PageError;
use crate::report::{PartError, ReadError, ReportError};
use crate::select::SelectError;
use crate::tensor::TensorError;
use crate::train::TrainError;
use crate::vocab::Form;

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
pub(super) enum CliError {
    #[error("{0}")]
    Request(String),
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    #[error(transparent)]
    Learner(#[from] LearnError),
    #[error(transparent)]
    Data(#[from] DataError),
    #[error(transparent)]
    Backbone(#[from] crate::backbone::BackboneError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error("protocol {protocol}: {source}")]
    Sample { protocol: String, source: SampleError },
    #[error("{recipe}: the table [validation] cannot be met: {source}")]
    Validation { recipe: String, source: SampleError },
    #[error(
        "dataset `{dataset}` has items of form `{found}`, backbone `{backbone}` with these weights reads `{expected}`{hint}"
    )]
    OtherForm { dataset: String, found: Form, backbone: String, expected: Form, hint: String },
    #[error(
        "protocol {protocol}: stacking is chosen on validation classes, and {source}\nhint: list more classes as validation, \
         or none: stacking then stays 0"
    )]
    Stacking { protocol: String, source: SampleError },
    #[error(transparent)]
    Draw(#[from] DrawError),
    #[error(
        "protocol `{protocol}` names a draw of which there is no file, and its seed draws another one from features {features}, of sha256 {found}\nhint: the features have other classes or items than the draw was made for; name a draw with --draw, or take the line `sha256` out of the protocol"
    )]
    NoDraw { protocol: String, features: String, found: String },
    #[error("draw {draw} does not fit: {finding}")]
    Finding { draw: String, finding: Finding },
    #[error(
        "{} is not the draw of its part: its sha256 is {found}, expected {expected}\nhint: evaluate this part again",
        path.display()
    )]
    OtherDraw { path: PathBuf, found: String, expected: String },
    #[error("{0}")]
    NearDuplicate(String),
    #[error(transparent)]
    Eval(#[from] EvalError),
    #[error(transparent)]
    Select(#[from] SelectError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Part(#[from] PartError),
    #[error(transparent)]
    Compare(#[from] CompareError),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error(transparent)]
    Tensor(#[from] TensorError),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot print: {0}")]
    Print(io::Error),
    #[error("standard output was closed")]
    Closed,
}

impl CliError {
    /// A failure of standard output.
    pub(super) fn from_output(error: io::Error) -> CliError {
        match error.kind() {
            io::ErrorKind::BrokenPipe => CliError::Closed,
            _ => CliError::Print(error),
        }
    }

    /// Whether a disk is to blame, and not what was computed.
    pub(super) fn is_disk(&self) -> bool {
        matches!(self, CliError::Report(ReportError::File { .. }) | CliError::Write { .. })
    }

    /// The exit code.
    pub(super) fn code(&self) -> u8 {
        match self {
            CliError::Closed => DONE,
            CliError::Request(_) | CliError::Protocol(_) | CliError::Learner(_) => WRONG_REQUEST,
            CliError::Data(error) if error.is_request() => WRONG_REQUEST,
            CliError::Data(error) if error.is_failure() => FAILED,
            CliError::Compare(error) if error.is_request() => WRONG_REQUEST,
            CliError::Train(error) if error.is_request() => WRONG_REQUEST,
            CliError::Train(error) if error.is_failure() => FAILED,
            CliError::Train(_) => WRONG_DATA,
            CliError::Backbone(crate::backbone::BackboneError::Tensor(_)) => FAILED,
            CliError::Backbone(_) => WRONG_DATA,
            CliError::Data(_)
            | CliError::Read(_)
            | CliError::Part(_)
            | CliError::Compare(_)
            | CliError::Sample { .. }
            | CliError::Validation { .. }
            | CliError::OtherForm { .. }
            | CliError::Stacking { .. }
            | CliError::Draw(_)
            | CliError::NoDraw { .. }
            | CliError::Finding { .. }
            | CliError::OtherDraw { .. }
            | CliError::NearDuplicate(_) => WRONG_DATA,
            CliError::Select(SelectError::Eval(error)) | CliError::Eval(error) => match error {
                EvalError::NotAdmitted { .. }
                | EvalError::NoSupport { .. }
                | EvalError::SidesDiffer { .. }
                | EvalError::Build(_) => WRONG_REQUEST,
                EvalError::NeedsClassEmbeddings { .. }
                | EvalError::NoClassEmbeddings { .. }
                | EvalError::NoSeenClasses { .. }
                | EvalError::AllHeldOut { .. } => WRONG_DATA,
                EvalError::Data(error) if error.is_request() => WRONG_REQUEST,
                EvalError::Data(_) => WRONG_DATA,
                _ => FAILED,
            },
            CliError::Select(error) if error.is_request() => WRONG_REQUEST,
            CliError::Select(_) => FAILED,
            CliError::Report(error) if error.is_request() => WRONG_REQUEST,
            CliError::Report(error) if error.is_data() => WRONG_DATA,
            CliError::Report(_)
            | CliError::Page(_)
            | CliError::Tensor(_)
            | CliError::Write { .. }
            | CliError::Print(_) => FAILED,
        }
    }
}
