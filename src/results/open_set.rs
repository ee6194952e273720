//! Out-of-scope queries of one episode.

/// What the measures of confidence scores of an episode rest on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenSetCounts {
    /// In-scope queries.
    pub in_scope: u32,
    /// Out-of-scope queries.
    pub oos: u32,
    /// The least confidence score with which an answer is accepted, where a threshold was set.
    pub threshold: Option<f32>,
}
