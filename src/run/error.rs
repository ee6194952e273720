//! Why a run ended before it was done.

use std::io;
use std::path::PathBuf;

use crate::data::DataError;
use crate::episode::{DrawError, Finding, SampleError};
use crate::eval::EvalError;
use crate::learner::LearnError;
use crate::protocol::ProtocolError;
use crate::report::compare::CompareError;
use crate::report::html::PageError;
use crate::results::{PartError, ReadError, ResultsError};
use crate::select::SelectError;
use crate::tensor::TensorError;
use crate::train::TrainError;
use crate::vocab::Form;

/// Why a run did not do what it was asked for; each variant is one sentence.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The request is wrong.
    #[error("{0}")]
    Request(String),
    /// A protocol is wrong.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// A learner or its parameters are wrong.
    #[error(transparent)]
    Learner(#[from] LearnError),
    /// Features or a dataset are wrong, or cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A network or its weights are wrong.
    #[error(transparent)]
    Backbone(#[from] crate::backbone::BackboneError),
    /// A training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Episodes of a protocol cannot be drawn.
    #[error("protocol {protocol}: {source}{}", source.hint())]
    Sample {
        /// The protocol.
        protocol: String,
        /// What went wrong.
        source: SampleError,
    },
    /// Validation episodes of a training cannot be drawn.
    #[error("{config}: the table [validation] cannot be met: {source}")]
    Validation {
        /// The training config.
        config: String,
        /// What went wrong.
        source: SampleError,
    },
    /// A network reads items of another form.
    #[error(
        "dataset `{dataset}` has items of form `{found}`, backbone `{backbone}` with these weights reads `{expected}`{hint}"
    )]
    OtherForm {
        /// The dataset.
        dataset: String,
        /// What was found.
        found: Form,
        /// The network.
        backbone: String,
        /// What was expected.
        expected: Form,
        /// The way on, or nothing.
        hint: String,
    },
    /// Calibration on validation classes is not possible.
    #[error(
        "protocol {protocol}: the calibration factor is chosen on validation classes, and {source}\nhint: list more classes as validation, \
         or none: the factor then stays 0"
    )]
    Stacking {
        /// The protocol.
        protocol: String,
        /// What went wrong.
        source: SampleError,
    },
    /// A table of scores is wrong, or cannot be read.
    #[error(transparent)]
    Scores(#[from] crate::scores::ScoresError),
    /// A draw is wrong, or cannot be read.
    #[error(transparent)]
    Draw(#[from] DrawError),
    /// The draw of a protocol is neither there nor drawn again.
    #[error(
        "protocol `{protocol}` names a draw of which there is no file, and its seed draws another one from features {features}, of sha256 {found}\nhint: the features have other classes or items than the draw was made for; name a draw with --draw, or take the line `sha256` out of the protocol"
    )]
    NoDraw {
        /// The protocol.
        protocol: String,
        /// The feature set.
        features: String,
        /// What was found.
        found: String,
    },
    /// Draw, protocol and data do not agree.
    #[error("draw {draw} does not fit: {finding}")]
    Finding {
        /// The draw.
        draw: String,
        /// Where they differ.
        finding: Finding,
    },
    /// A part holds another draw.
    #[error(
        "{} is not the draw of its part: its sha256 is {found}, expected {expected}\nhint: evaluate this part again",
        path.display()
    )]
    OtherDraw {
        /// The file.
        path: PathBuf,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A learner that is right more often, or less, than chance has it where features tell nothing of the answers.
    #[error(
        "audit of {protocol}: with permuted answers learner `{learner}` is {excess} points from chance over {episodes} \
         episodes, so it knows more of the answers than the features tell"
    )]
    Audit {
        /// The protocol.
        protocol: String,
        /// The learner.
        learner: String,
        /// Episodes of the audit.
        episodes: usize,
        /// Its accuracy minus that of chance, in points.
        excess: String,
    },
    /// Features that are read from their file, and a file that was exchanged during the run.
    #[error(
        "{what} changed during the run, so that the results would be of features that are not there any more\nhint: \
         evaluate again"
    )]
    ChangedFeatures {
        /// The file and the features.
        what: String,
    },
    /// Feature sets of a run that are not of the same items.
    #[error(
        "feature sets `{one}` and `{other}` are not of the same items: {what}\nhint: every method of a run meets the same \
         episodes, so that all its features must be of the same items; evaluate others in a run of their own"
    )]
    OtherItems {
        /// The first feature set.
        one: String,
        /// The other one.
        other: String,
        /// The first difference.
        what: String,
    },
    /// The system starts no thread.
    #[error(
        "the system starts no more threads: {why}\nhint: raise the limit (`ulimit -u`), or work with fewer: RAYON_NUM_THREADS=1 and --workers 1"
    )]
    Threads {
        /// What the system said.
        why: String,
    },
    /// Items that cannot be kept apart, because their features are the same.
    #[error("protocol {protocol}: {what}, so support and query cannot be kept apart\nhint: {hint}")]
    IdenticalRows {
        /// The protocol.
        protocol: String,
        /// How many there are, and two by name.
        what: String,
        /// The way on.
        hint: &'static str,
    },
    /// Near-duplicates that were asked to be refused.
    #[error("{0}")]
    NearDuplicate(String),
    /// An evaluation failed.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A selection failed.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// Results cannot be written.
    #[error(transparent)]
    Report(#[from] ResultsError),
    /// Results cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Parts do not belong together.
    #[error(transparent)]
    Part(#[from] PartError),
    /// A page cannot be made.
    #[error(transparent)]
    Page(#[from] PageError),
    /// Results cannot be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// A device failed.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// The run was told to end, see [`Watch::is_cancelled`](super::Watch::is_cancelled).
    #[error("the run was cancelled")]
    Cancelled,
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}

impl RunError {
    /// Whether a disk is to blame, and not what was computed.
    pub(crate) fn is_disk(&self) -> bool {
        matches!(self, RunError::Report(ResultsError::File { .. }) | RunError::Write { .. })
    }
}
