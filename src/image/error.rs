//! What can be wrong with a picture or a recipe, each as one sentence without the name of its file.

use crate::vocab::spec::SpecError;

/// Why a picture cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// More pixels than are read, by its header.
    #[error("its header says {width}×{height} pixels, at most {most} are read")]
    TooLarge {
        /// Pixels of a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Their product.
        pixels: u64,
        /// How many are read.
        most: u64,
    },
    /// A header that promises more than the file can hold.
    #[error("its header says {width}×{height} pixels, which {bytes} bytes cannot hold")]
    Claims {
        /// Pixels of a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes of the file.
        bytes: usize,
    },
    /// Another kind of file, or damage.
    #[error("{0}")]
    Broken(String),
}

/// Why a recipe cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// A field that has no default is not there.
    #[error("preprocessing needs `{field}`, which is not there")]
    Missing {
        /// The field, with the objects around it.
        field: &'static str,
    },
    /// A value that nobody here follows.
    #[error("`{field}` must be {rule}, found {found}")]
    Value {
        /// The field, with the objects around it.
        field: &'static str,
        /// What it may be.
        rule: &'static str,
        /// What it is.
        found: String,
    },
    /// A text without its form.
    #[error("a recipe is written as key=value,key=value: {0}")]
    Text(#[from] SpecError),
    /// A key that no recipe has.
    #[error("a recipe has no key `{0}`")]
    UnknownKey(String),
}

impl RecipeError {
    pub(super) fn value(field: &'static str, rule: &'static str, found: impl ToString) -> RecipeError {
        RecipeError::Value { field, rule, found: found.to_string() }
    }
}
