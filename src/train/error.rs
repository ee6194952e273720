//! Why a training cannot begin or go on, each as one sentence.

use std::path::PathBuf;

use crate::backbone::BackboneError;
use crate::tensor::TensorError;
use crate::vocab::{Form, Split};

/// An error of the training room.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The text is no TOML, has an unknown key, lacks one, or holds a value of another type.
    #[error("{origin} line {line}: {message}")]
    Syntax {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// The parser's sentence.
        message: String,
    },
    /// A value is out of its range.
    #[error("{origin}: `{key}` must be {rule}, got {found}")]
    Value {
        /// The file.
        origin: String,
        /// The table and key of the value.
        key: &'static str,
        /// What would be right.
        rule: String,
        /// The value as written.
        found: String,
    },
    /// The items are no images.
    #[error("dataset `{dataset}` has items of form `{form}`, training needs images")]
    NoImages {
        /// The dataset.
        dataset: String,
        /// The form of its items.
        form: Form,
    },
    /// Too few classes to train on.
    #[error(
        "dataset `{dataset}` has {found} classes of split {} with {items} items or more, the objective needs {needed}",
        words(splits)
    )]
    TooFewClasses {
        /// The dataset.
        dataset: String,
        /// The splits that are trained on.
        splits: Vec<Split>,
        /// Items that a class must have.
        items: usize,
        /// Classes that have them.
        found: usize,
        /// Classes that an episode or a batch needs.
        needed: usize,
    },
    /// The training ran away.
    #[error("{what} of step {step} is {value}, training has diverged\nhint: lower `rate`, or set `clip`")]
    Diverged {
        /// What is not finite: the loss, the norm of the gradient, or a number of a parameter.
        what: String,
        /// The step, from 1.
        step: u32,
        /// Its value.
        value: f64,
    },
    /// A checkpoint of another run.
    #[error(
        "{}: the checkpoint is of another run: {what}\nhint: train anew into another folder",
        path.display()
    )]
    OtherRun {
        /// The checkpoint.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// A checkpoint that lacks something.
    #[error("the checkpoint is damaged: {what}")]
    Damaged {
        /// What is wrong.
        what: String,
    },
    /// An item could not be read.
    #[error("item {item} cannot be read: {source}")]
    Unreadable {
        /// Its row.
        item: usize,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The network or its weights.
    #[error(transparent)]
    Backbone(#[from] BackboneError),
    /// The device failed.
    #[error(transparent)]
    Tensor(#[from] TensorError),
}

impl TrainError {
    /// Whether the request is wrong rather than the data or the computation.
    pub fn is_request(&self) -> bool {
        matches!(
            self,
            TrainError::Syntax { .. }
                | TrainError::Value { .. }
                | TrainError::OtherRun { .. }
                | TrainError::Backbone(BackboneError::Configuration { .. })
        )
    }

    /// Whether the computation failed.
    pub fn is_failure(&self) -> bool {
        matches!(self, TrainError::Diverged { .. } | TrainError::Tensor(_))
    }
}

fn words(splits: &[Split]) -> String {
    splits.iter().map(|split| split.word()).collect::<Vec<_>>().join(" and ")
}
