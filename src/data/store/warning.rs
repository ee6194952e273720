//! What is worth a warning in a feature set and never a reason to refuse it.

use std::fmt;

use super::class_embeddings::ClassEmbeddings;

/// What a store has that a reader of results should know; never a reason to refuse it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreWarning {
    /// Items whose features are all zero: no head can tell them apart.
    ZeroRows {
        /// How many.
        count: usize,
    },
    /// Items with exactly the features of an earlier item: they form one group with it.
    IdenticalRows {
        /// How many later items.
        count: usize,
        /// How many of them have another class than the first.
        across: usize,
    },
    /// Something that was left out of a dataset, or taken to mean something, as a sentence.
    Note(String),
    /// Items of which the network read only the beginning.
    Truncated {
        /// How many.
        count: u64,
    },
    /// Classes whose vectors are all zero: no learner can tell them apart by these.
    ZeroEmbeddings {
        /// How many.
        count: usize,
    },
}

impl StoreWarning {
    /// What there is to say of class embeddings.
    pub(in crate::data) fn of_embeddings(vectors: &ClassEmbeddings) -> Option<StoreWarning> {
        let zero =
            vectors.rows.chunks_exact(vectors.class_dim).filter(|row| row.iter().all(|value| *value == 0.0));
        Some(zero.count()).filter(|count| *count > 0).map(|count| StoreWarning::ZeroEmbeddings { count })
    }
}

impl fmt::Display for StoreWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreWarning::Note(sentence) => f.write_str(sentence),
            StoreWarning::ZeroRows { count: 1 } => f.write_str("1 item has only zeros as features"),
            StoreWarning::ZeroRows { count } => write!(f, "{count} items have only zeros as features"),
            StoreWarning::ZeroEmbeddings { count: 1 } => {
                f.write_str("the class embedding of 1 class is all zero")
            }
            StoreWarning::ZeroEmbeddings { count } => {
                write!(f, "the class embeddings of {count} classes are all zero")
            }
            StoreWarning::Truncated { count: 1 } => {
                f.write_str("1 item was longer than the network reads, and was truncated")
            }
            StoreWarning::Truncated { count } => {
                write!(f, "{count} items were longer than the network reads, and were truncated")
            }
            StoreWarning::IdenticalRows { count, across } => {
                let verb = if *count == 1 { "1 item repeats" } else { &format!("{count} items repeat") };
                write!(
                    f,
                    "{verb} the features of an earlier item, {across} across classes; such items form a group"
                )
            }
        }
    }
}
