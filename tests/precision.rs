//! What changes nothing on paper changes no answer: features with large constant columns, tiny and huge ones, rotated ones.
//!
//! Single precision keeps seven digits. The checks of learners hold them to the same on single episodes; here it is the whole
//! way from rows to a table.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kshot::learner::{Given, Learners};
use kshot::metric::Metric;
use kshot::protocol::Protocol;
use kshot::rng::{BatchRng, Purpose, Stream};
use kshot::run::{Features, Run};
use kshot::tensor::{Labels, open_cpu, to_host};
use kshot::view::{Items, Support};

const CLASSES: usize = 8;
const PER_CLASS: usize = 25;
const DIM: usize = 12;
const EPISODES: u32 = 60;

/// Learners that compare distances of features as they are: nothing that is common to all items may change an answer.
const OF_DISTANCES: [&str; 4] = ["prototypical", "k-nn", "k-nn:k=3", "nearest-centroid"];
/// Learners that do not see the scale of the features.
const OF_DIRECTIONS: [&str; 8] = [
    "prototypical:distance=cosine",
    "k-nn:distance=cosine",
    "nearest-centroid:transform=l2n",
    "matching",
    "linear-probe",
    "ridge",
    "svm",
    "fine-tune",
];

/// Overlapping classes around their own centres.
fn rows() -> Vec<f32> {
    let mut stream = Stream::new(5, Purpose::Dataset, 0);
    let centres: Vec<f64> = (0..CLASSES * DIM).map(|_| stream.normal()).collect();
    let items = 0..CLASSES * PER_CLASS;
    items
        .flat_map(|item| (0..DIM).map(move |d| item % CLASSES * DIM + d))
        .map(|at| (centres[at] + stream.normal()) as f32)
        .collect()
}

/// The accuracies of the learners on these rows, in their order.
fn accuracies(rows: &[f32], learners: &[&str], shot: u32) -> Vec<f64> {
    let dim = rows.len() / (CLASSES * PER_CLASS);
    let labels: Vec<usize> = (0..CLASSES * PER_CLASS).map(|item| item % CLASSES).collect();
    let one = |learner: &&str| {
        let protocol = Protocol::episodes().way(5).shots([shot]).query(10).count(EPISODES).seed(7);
        let run = Run::new(protocol).features(Features::from_rows(rows, dim, &labels).unwrap().named("mine"));
        let done = run.learners([*learner]).unwrap().evaluate().unwrap();
        let row = done.summary().iter().find(|row| row.measured.metric == Metric::ACCURACY).unwrap();
        row.measured.value
    };
    learners.iter().map(one).collect()
}

/// Fails where more than one answer of a thousand differs in effect.
fn alike(expected: &[f32], changed: &[(&str, Vec<f32>)], learners: &[&str]) {
    for shot in [1, 5] {
        let expected = accuracies(expected, learners, shot);
        for (what, rows) in changed {
            let found = accuracies(rows, learners, shot);
            for ((learner, expected), found) in learners.iter().zip(&expected).zip(found) {
                assert!(
                    (expected - found).abs() <= 1e-3,
                    "{learner}, {shot} shots, {what}: {found}, not {expected}"
                );
                assert!(*expected > 0.4, "{learner} is right in {expected}, which proves nothing");
            }
        }
    }
}

/// Another column behind the others.
fn with_column(rows: &[f32], value: impl Fn(usize) -> f32) -> Vec<f32> {
    let wide = rows.chunks_exact(DIM).enumerate();
    wide.flat_map(|(item, row)| row.iter().copied().chain([value(item)])).collect()
}

#[test]
fn a_constant_column_changes_no_distance() {
    let rows = rows();
    let constant = |value: f32| with_column(&rows, |_| value);
    alike(&rows, &[("65,536", constant(65_536.0)), ("−10,000,000", constant(-1e7))], &OF_DISTANCES);
    let probe = ["linear-probe:transform=none"];
    alike(&constant(0.0), &[("65,536", constant(65_536.0))], &probe);
}

#[test]
fn a_factor_changes_no_answer() {
    let rows = rows();
    let times = |exponent: i32| rows.iter().map(|x| x * 2f32.powi(exponent)).collect::<Vec<f32>>();
    let learners: Vec<&str> = OF_DISTANCES.into_iter().chain(OF_DIRECTIONS).collect();
    alike(&rows, &[("2^-60", times(-60)), ("2^60", times(60))], &learners);
    alike(&rows, &[("2^-100", times(-100)), ("2^100", times(100))], &OF_DISTANCES);
}

#[test]
fn a_rotation_of_features_with_large_nearly_constant_columns_changes_no_answer() {
    let mut rows = rows();
    rows.chunks_exact_mut(DIM).for_each(|row| row.iter_mut().take(2).for_each(|x| *x += 3000.0));
    // The mirror image at a plane through zero (Householder 1958).
    let axis = 1.0 / (DIM as f64).sqrt();
    let mut rotated = rows.clone();
    for row in rotated.chunks_exact_mut(DIM) {
        let along: f64 = row.iter().map(|x| f64::from(*x) * axis).sum();
        row.iter_mut().for_each(|x| *x = (f64::from(*x) - 2.0 * axis * along) as f32);
    }
    let more = ["linear-probe:transform=none", "ridge:transform=none", "svm:transform=none"];
    let learners: Vec<&str> = OF_DISTANCES.into_iter().chain(OF_DIRECTIONS).chain(more).collect();
    alike(&rows, &[("rotated", rotated)], &learners);
}

/// The closed form of ridge regression, in double precision: `(SᵀS + I)W = SᵀY` for five labels.
fn ridge_answer(support: &[&[f32]], labels: &[usize], query: &[f32]) -> usize {
    let n = query.len();
    let sum = |of: &dyn Fn(usize) -> f64| (0..support.len()).map(of).sum::<f64>();
    let x = |item: usize, column: usize| f64::from(support[item][column]);
    let target = |item: usize, c: usize| if labels[item] == c { 1.0 } else { -1.0 };
    // Gauss elimination with pivots.
    let mut matrix: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            let left = (0..n).map(|j| sum(&|item| x(item, i) * x(item, j)) + f64::from(u8::from(i == j)));
            left.chain((0..5).map(|c| sum(&|item| x(item, i) * target(item, c)))).collect()
        })
        .collect();
    for k in 0..n {
        let pivot = (k..n).max_by(|a, b| matrix[*a][k].abs().total_cmp(&matrix[*b][k].abs())).unwrap();
        matrix.swap(k, pivot);
        for i in (0..n).filter(|i| *i != k) {
            let factor = matrix[i][k] / matrix[k][k];
            let row = matrix[k].clone();
            matrix[i].iter_mut().zip(row).for_each(|(x, y)| *x -= factor * y);
        }
    }
    let score = |c: usize| (0..n).map(|i| matrix[i][n + c] / matrix[i][i] * f64::from(query[i])).sum::<f64>();
    (0..5).fold(0, |best, c| if score(c) > score(best) { c } else { best })
}

#[test]
fn ridge_on_large_features_is_its_closed_form() {
    let (dim, shot, queries) = (20, 5, 50);
    let (mut right, mut asked) = (0, 0);
    for episode in 0..20 {
        let mut stream = Stream::new(6, Purpose::Dataset, episode);
        let mut rows = |count: usize| -> Vec<f32> {
            (0..count * dim).map(|_| (3000.0 + 1000.0 * stream.normal()) as f32).collect()
        };
        let (support, query) = (rows(5 * shot), rows(queries));
        let labels: Vec<u16> = (0..5 * shot).map(|item| (item % 5) as u16).collect();
        let device = open_cpu();
        let given_labels = Labels::new(1, 5 * shot, 5, labels.clone()).unwrap();
        let given_support = Support::dense(&device, dim, support.clone(), given_labels).unwrap();
        let given_query = Items::dense(&device, (1, queries, dim), query.clone()).unwrap();
        let known = Learners::shipped();
        let ridge =
            known.cpu().build(&known.cpu().check("ridge:transform=none").unwrap().parameters).unwrap();
        let rng = BatchRng::new(0, &[0]);
        let given = Given {
            support: Some(&given_support),
            class_embeddings: None,
            network: None,
            query: &given_query,
            rng: &rng,
        };
        let scores = to_host(&ridge.answer(&given).unwrap().0.values).unwrap();
        let support: Vec<&[f32]> = support.chunks_exact(dim).collect();
        let labels: Vec<usize> = labels.iter().map(|label| usize::from(*label)).collect();
        for (scores, query) in scores.chunks_exact(5).zip(query.chunks_exact(dim)) {
            let best = (0..5).fold(0, |best, c| if scores[c] > scores[best] { c } else { best });
            right += usize::from(best == ridge_answer(&support, &labels, query));
            asked += 1;
        }
    }
    assert!(right * 1000 >= asked * 999, "{right} of {asked}");
}
