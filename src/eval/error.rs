//! Why an evaluation could not be carried out.

use crate::data::DataError;
use crate::learner::LearnError;
use crate::tensor::TensorError;
use crate::vocab::{Scope, Setting};

/// An error of the evaluation room.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The protocol does not admit the learner's setting.
    #[error("learner `{learner}` is {setting}, protocol `{protocol}` admits {admits}")]
    NotAdmitted {
        /// The learner.
        learner: String,
        /// What it is given, and when.
        setting: Setting,
        /// The protocol.
        protocol: String,
        /// The settings that it admits.
        admits: String,
    },
    /// No shot of the protocol has support for a learner that needs it.
    #[error("learner `{learner}` needs a support set, protocol `{protocol}` has shot 0 only")]
    NoSupport {
        /// The learner.
        learner: String,
        /// The protocol.
        protocol: String,
    },
    /// A learner that owns a network meets features that none made.
    #[error(
        "learner `{learner}` adapts the network behind the features, and none made the features {store} in this run\nhint: \
         have a network make them of a dataset: --features DATASET --backbone NAME:weights=…"
    )]
    NeedsNetwork {
        /// Its name.
        learner: String,
        /// The features.
        store: String,
    },
    /// A learner whose features are centred on the mean of classes that are under evaluation.
    #[error(
        "learner `{learner}` takes `transform=cl2n`, which subtracts the mean of the base classes, and split {split} has them under evaluation\nhint: use transform=l2n"
    )]
    CentredOnEvaluated {
        /// The learner.
        learner: String,
        /// The split under evaluation.
        split: Scope,
    },
    /// A learner that is given class embeddings, and a store that has none.
    #[error(
        "learner `{learner}` needs class embeddings, store `{store}` has none\nhint: add --class-embeddings FILE, a .csv with a row per class, or class_embeddings.npy to the store"
    )]
    NeedsClassEmbeddings {
        /// The learner.
        learner: String,
        /// The store.
        store: String,
    },
    /// Class embeddings are asked of a store that has none.
    #[error("store `{store}` has no class embeddings")]
    NoClassEmbeddings {
        /// The store.
        store: String,
    },
    /// A learner that is fitted on seen classes, and a store that has none.
    #[error(
        "learner `{learner}` is fitted on seen classes, store `{store}` has none beside split {split}\nhint: list base classes in splits.csv, or name learners that need no fit, such as `class-embedding-cosine`"
    )]
    NoSeenClasses {
        /// The learner.
        learner: String,
        /// The store.
        store: String,
        /// The split under evaluation.
        split: Scope,
    },
    /// Class embeddings of another size than the learner can use beside these features.
    #[error("learner `{learner}`: {source}")]
    SizesDiffer {
        /// The learner.
        learner: String,
        /// The rule that the sizes break.
        source: LearnError,
    },
    /// A seen class of which no item is left for a fit.
    #[error("seen class {class} has no item outside part `{part}`, a fit needs one or more")]
    AllHeldOut {
        /// The class.
        class: String,
        /// The part that is held out.
        part: String,
    },
    /// A learner could not be fitted.
    #[error("learner `{learner}` could not be fitted: {source}")]
    Fit {
        /// The learner.
        learner: String,
        /// Why.
        source: LearnError,
    },
    /// A learner panicked while it was fitted.
    #[error("learner `{learner}` panicked while it was fitted: {message}")]
    FitPanicked {
        /// The learner.
        learner: String,
        /// What it said.
        message: String,
    },
    /// A learner failed.
    #[error("learner `{learner}` failed in {}: {source}", episodes(*first, *last))]
    Learner {
        /// The learner.
        learner: String,
        /// The first episode of the batch.
        first: u32,
        /// The last episode of the batch.
        last: u32,
        /// Why.
        source: LearnError,
    },
    /// A learner panicked.
    #[error("learner `{learner}` panicked in {}: {message}", episodes(*first, *last))]
    Panicked {
        /// The learner.
        learner: String,
        /// The first episode of the batch.
        first: u32,
        /// The last episode of the batch.
        last: u32,
        /// What it said.
        message: String,
    },
    /// A learner answered with scores of the wrong shape, or with numbers that are not finite.
    #[error("learner `{learner}` gave scores in {} that {problem}", episodes(*first, *last))]
    BadScores {
        /// The learner.
        learner: String,
        /// The first episode of the batch.
        first: u32,
        /// The last episode of the batch.
        last: u32,
        /// What is wrong with them.
        problem: String,
    },
    /// A learner could not be built.
    #[error(transparent)]
    Build(#[from] LearnError),
    /// The features could not be transformed.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A device failed.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// A worker could not be started.
    #[error("a worker could not be started: {0}")]
    Worker(String),
}

/// One episode, or several by the first and the last.
fn episodes(first: u32, last: u32) -> String {
    if first == last { format!("episode {first}") } else { format!("episodes {first} to {last}") }
}
