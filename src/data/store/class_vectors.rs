//! One vector per class.

use std::sync::Arc;

/// One vector per class: attributes, or the embedding of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassVectors {
    /// (classes, side), in the order of the class index.
    pub rows: Arc<[f32]>,
    /// Numbers per class.
    pub side: usize,
}
