//! What is to blame when a run ends before it is done.

use super::error::RunError;
use crate::backbone::BackboneError;
use crate::eval::EvalError;
use crate::select::SelectError;

/// What is to blame for an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The request is wrong.
    Request,
    /// The data is wrong.
    Data,
    /// The computation failed.
    Computation,
}

impl RunError {
    /// What is to blame: the request, the data, or neither.
    pub fn blame(&self) -> Blame {
        match self {
            RunError::Request(_) | RunError::Protocol(_) | RunError::Learner(_) => Blame::Request,
            RunError::Data(error) if error.is_request() => Blame::Request,
            RunError::Data(error) if error.is_failure() => Blame::Computation,
            RunError::Compare(error) if error.is_request() => Blame::Request,
            RunError::Train(error) if error.is_request() => Blame::Request,
            RunError::Train(error) if error.is_failure() => Blame::Computation,
            RunError::Train(_) => Blame::Data,
            RunError::Backbone(error) if error.is_request() => Blame::Request,
            RunError::Backbone(BackboneError::Tensor(_)) => Blame::Computation,
            RunError::Backbone(_) => Blame::Data,
            RunError::Data(_)
            | RunError::Read(_)
            | RunError::Part(_)
            | RunError::Compare(_)
            | RunError::Sample { .. }
            | RunError::Validation { .. }
            | RunError::OtherForm { .. }
            | RunError::Stacking { .. }
            | RunError::Scores(_)
            | RunError::Draw(_)
            | RunError::NoDraw { .. }
            | RunError::Finding { .. }
            | RunError::OtherDraw { .. }
            | RunError::OtherItems { .. }
            | RunError::Audit { .. }
            | RunError::ChangedFeatures { .. }
            | RunError::IdenticalRows { .. }
            | RunError::NearDuplicate(_) => Blame::Data,
            RunError::Select(SelectError::Eval(error)) | RunError::Eval(error) => match error {
                EvalError::NotAdmitted { .. }
                | EvalError::NoSupport { .. }
                | EvalError::SizesDiffer { .. }
                | EvalError::CentredOnEvaluated { .. }
                | EvalError::NeedsNetwork { .. }
                | EvalError::Build(_) => Blame::Request,
                EvalError::NeedsClassEmbeddings { .. }
                | EvalError::NoClassEmbeddings { .. }
                | EvalError::NoSeenClasses { .. }
                | EvalError::AllHeldOut { .. } => Blame::Data,
                EvalError::Data(error) if error.is_request() => Blame::Request,
                EvalError::Data(_) => Blame::Data,
                _ => Blame::Computation,
            },
            RunError::Select(error) if error.is_request() => Blame::Request,
            RunError::Select(_) => Blame::Computation,
            RunError::Report(error) if error.is_request() => Blame::Request,
            RunError::Report(error) if error.is_data() => Blame::Data,
            RunError::Page(_)
            | RunError::Report(_)
            | RunError::Tensor(_)
            | RunError::Write { .. }
            | RunError::Threads { .. }
            | RunError::Cancelled => Blame::Computation,
        }
    }
}
