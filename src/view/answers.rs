//! The truth about the queries of a batch.

use crate::tensor::TensorError;

/// The labels of a batch's queries: (episodes, items). They can be scored, never read.
///
/// ```
/// # use kshot::view::Answers;
/// let answers = Answers::new(1, 3, vec![0, 1, 1])?;
/// assert_eq!(answers.correct(&[0, 1, 0]), Some(2));
/// # Ok::<(), kshot::tensor::TensorError>(())
/// ```
///
/// Reading them does not compile:
///
/// ```compile_fail
/// # use kshot::view::Answers;
/// let answers = Answers::new(1, 3, vec![0, 1, 1]).unwrap();
/// let leaked = answers.labels;
/// ```
///
/// ```compile_fail
/// # use kshot::view::Answers;
/// let answers = Answers::new(1, 3, vec![0, 1, 1]).unwrap();
/// let leaked = answers.labels_for_grading();
/// ```
pub struct Answers {
    episodes: usize,
    items: usize,
    labels: Vec<u16>,
}

impl Answers {
    /// Stands for the label of a query that has none of the episode's; such a query is never counted as answered.
    pub const OUTSIDE: u16 = u16::MAX;

    /// The labels of the queries, episode after episode.
    ///
    /// # Errors
    /// When there are not `episodes × items` of them.
    pub fn new(episodes: usize, items: usize, labels: Vec<u16>) -> Result<Answers, TensorError> {
        if labels.len() != episodes * items {
            return Err(TensorError::Shape {
                operation: "answers",
                what: "labels",
                expected: episodes * items,
                found: labels.len(),
            });
        }
        Ok(Answers { episodes, items, labels })
    }

    /// Episodes of the batch.
    pub fn episodes(&self) -> usize {
        self.episodes
    }

    /// Queries per episode.
    pub fn items(&self) -> usize {
        self.items
    }

    /// How many of the predicted labels are right; nothing when their count is wrong.
    pub fn correct(&self, predicted: &[u16]) -> Option<usize> {
        let right = |(a, b): (&u16, &u16)| a == b;
        (predicted.len() == self.labels.len())
            .then(|| predicted.iter().zip(&self.labels).filter(|pair| right(*pair)).count())
    }

    /// The labels, for the room `metric` alone.
    pub(crate) fn labels_for_grading(&self) -> &[u16] {
        &self.labels
    }
}
