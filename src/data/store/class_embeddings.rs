//! One vector per class.

use std::sync::Arc;

/// One vector per class: attributes, or the embedding of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassEmbeddings {
    /// (classes, class_dim), in the order of the class index.
    pub rows: Arc<[f32]>,
    /// Numbers per class.
    pub class_dim: usize,
}
