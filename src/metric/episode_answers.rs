//! One episode as it was answered, as far as metrics need it.

use std::cell::OnceCell;

use super::grade::{EpisodeGrade, QueryGrade};
use super::temperature::Scaled;

/// The answers of one episode.
#[derive(Clone, Debug)]
pub struct EpisodeAnswers<'a> {
    queries: &'a [QueryGrade],
    way: usize,
    scores: &'a [f32],
    threshold: Option<f32>,
    scaled: Option<&'a Scaled>,
    support_accuracy: Option<f64>,
    in_scope: OnceCell<Vec<f32>>,
    oos: OnceCell<Vec<f32>>,
}

impl<'a> EpisodeAnswers<'a> {
    /// An episode that was graded; `threshold` is the least confidence score with which an answer is accepted.
    pub fn of(grade: &'a EpisodeGrade, threshold: Option<f32>) -> EpisodeAnswers<'a> {
        EpisodeAnswers {
            scaled: grade.scaled.as_ref(),
            way: grade.classes.len(),
            scores: &grade.scores,
            support_accuracy: grade.support_accuracy,
            ..EpisodeAnswers::to(&grade.queries, threshold)
        }
    }

    /// The answers to these queries, of which no scores are known.
    pub fn to(queries: &'a [QueryGrade], threshold: Option<f32>) -> EpisodeAnswers<'a> {
        let (in_scope, oos) = (OnceCell::new(), OnceCell::new());
        let labels = queries.iter().flat_map(|query| query.label.into_iter().chain([query.predicted]));
        let way = labels.max().map_or(0, |label| usize::from(label) + 1);
        EpisodeAnswers {
            queries,
            way,
            scores: &[],
            threshold,
            scaled: None,
            support_accuracy: None,
            in_scope,
            oos,
        }
    }

    /// The confidence scores of one side.
    fn scores(&self, in_scope: bool) -> Vec<f32> {
        let side = self.queries.iter().filter(|query| query.label.is_some() == in_scope);
        side.map(|query| query.confidence_score).collect()
    }

    /// All queries, out-of-scope ones among them.
    pub fn queries(&self) -> &[QueryGrade] {
        self.queries
    }

    /// Labels of the episode.
    pub fn way(&self) -> usize {
        self.way
    }

    /// The in-scope queries: the label of each, and its scores by label where they are known.
    pub fn scored(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let row =
            |place: usize| self.scores.get(place * self.way..(place + 1) * self.way).unwrap_or_default();
        let queries = self.queries.iter().enumerate();
        queries.filter_map(move |(place, query)| Some((usize::from(query.label?), row(place))))
    }

    /// The confidence scores of the in-scope queries.
    pub fn in_scope(&self) -> &[f32] {
        self.in_scope.get_or_init(|| self.scores(true))
    }

    /// The confidence scores of the out-of-scope queries.
    pub fn oos(&self) -> &[f32] {
        self.oos.get_or_init(|| self.scores(false))
    }

    /// The least confidence score with which an answer is accepted, where one was set.
    pub fn threshold(&self) -> Option<f32> {
        self.threshold
    }

    /// The share of the support items that are given their own label, where that was asked for.
    pub fn support_accuracy(&self) -> Option<f64> {
        self.support_accuracy
    }

    /// The probabilities at the selected temperature, where one was selected.
    pub fn scaled(&self) -> Option<&Scaled> {
        self.scaled
    }
}

/// The largest confidence score that at least 95 % of these reach; nothing where there are none.
///
/// ```
/// let scores: Vec<f32> = (1..=40).map(|n| n as f32).collect();
/// assert_eq!(kshot::metric::threshold(&scores), Some(3.0));
/// ```
pub fn threshold(scores: &[f32]) -> Option<f32> {
    let accepted = (95 * scores.len()).div_ceil(100);
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    sorted.get(accepted.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Metric;

    fn query(label: Option<u16>, confidence_score: f32) -> QueryGrade {
        QueryGrade { label, predicted: 0, confidence: None, confidence_score }
    }

    #[test]
    fn an_episode_on_paper() {
        // Score 4: right. 3: out of scope. 2: wrong and out of scope. 1: right.
        let queries = [(Some(0), 4.0), (None, 3.0), (Some(1), 2.0), (None, 2.0), (Some(0), 1.0)]
            .map(|(l, c)| query(l, c));
        let answered = EpisodeAnswers::to(&queries, Some(2.0));
        assert_eq!((answered.in_scope().len(), answered.oos().len()), (3, 2));
        // Pairs: 4 beats both, 2 loses to one and ties with the other, 1 loses to both.
        assert_eq!(Metric::AUROC.of_episode(&answered), Some(2.5 / 6.0));
        assert_eq!(Metric::FPR95.of_episode(&answered), Some(1.0));
        assert_eq!(Metric::AURC.of_episode(&answered), Some((0.0 + 1.0 / 2.0 + 1.0 / 3.0) / 3.0));
        let all = (0.0 + 1.0 / 2.0 + 2.0 / 3.0 + 3.0 / 4.0 + 3.0 / 5.0) / 5.0;
        assert!((Metric::AURC_OPEN_SET.of_episode(&answered).unwrap() - all).abs() < 1e-15);
        assert_eq!(Metric::IN_SCOPE_ACCURACY_AT_95.of_episode(&answered), Some(1.0 / 3.0));
        assert_eq!(Metric::OOS_RECALL.of_episode(&answered), Some(0.0));
        let strict = EpisodeAnswers::to(&queries, Some(2.5));
        assert_eq!(Metric::OOS_RECALL.of_episode(&strict), Some(0.5));
    }

    #[test]
    fn what_is_not_defined_is_absent() {
        let queries = [query(Some(0), 1.0), query(Some(1), 1.0)];
        let in_scope = EpisodeAnswers::to(&queries, Some(0.0));
        let defined: Vec<(Metric, f64)> = Metric::of_open_set()
            .into_iter()
            .filter_map(|metric| Some((metric, metric.of_episode(&in_scope)?)))
            .collect();
        assert_eq!(defined, [(Metric::AURC, 0.5)]);
        let queries = [query(Some(0), 1.0), query(None, 0.0)];
        let without_threshold = EpisodeAnswers::to(&queries, None);
        assert_eq!(Metric::AUROC.of_episode(&without_threshold), Some(1.0));
        assert_eq!(Metric::OOS_RECALL.of_episode(&without_threshold), None);
        assert_eq!(threshold(&[]), None);
    }
}
