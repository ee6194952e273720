//! Every learner that ships, at its default parameters and once with each parameter away from its default.

use std::collections::BTreeMap;

use super::{Results, Suite, Whole, alike, numbers};
use kshot::eval::checks::corners;
use kshot::learner::Given;
use kshot::rng::BatchRng;
use kshot::tensor::{Backend, HostRows, Labels};
use kshot::view::{ClassEmbeddings, Items, Seen, Support};
use kshot::vocab::Transform;

const DIM: usize = 12;
const WAY: usize = 5;
const SLOTS: usize = 15;
const QUERIES: usize = 9;
const NUMBERS: [u32; 3] = [4, 9, 2];
/// Support items of each episode: a padded one among full ones.
const FILLED: [usize; 3] = [15, 10, 15];

/// Iterative fits stop at a residual of 1e-5.
const TOLERANCE: f32 = 5e-3;

/// Items around the centres of their labels, of norm one where a learner takes such.
fn items(labels: &[u16], seed: u64, unit: bool) -> Vec<f32> {
    let (centres, mut values) = (numbers(WAY * DIM, 77), numbers(labels.len() * DIM, seed));
    for (row, label) in values.chunks_exact_mut(DIM).zip(labels) {
        let centre = &centres[usize::from(*label) * DIM..][..DIM];
        row.iter_mut().zip(centre).for_each(|(v, c)| *v = 0.7 * *v + c);
        let norm = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        if unit {
            row.iter_mut().for_each(|v| *v /= norm);
        }
    }
    values
}

struct Episodes<D: Backend> {
    support: Support<D>,
    query: Items<D>,
    vectors: ClassEmbeddings<D>,
}

impl<D: Backend> Episodes<D> {
    fn new(device: &D, unit: bool) -> Episodes<D> {
        let (mut values, mut labels, mut queries) = (Vec::new(), Vec::new(), Vec::new());
        for (episode, filled) in (0..).zip(FILLED) {
            let own: Vec<u16> = (0..filled).map(|i| (i % WAY) as u16).collect();
            values.extend(items(&own, 10 + episode, unit));
            values.extend(std::iter::repeat_n(0.0, (SLOTS - filled) * DIM));
            labels.extend(own.into_iter().chain(std::iter::repeat_n(Labels::EMPTY, SLOTS - filled)));
            let asked: Vec<u16> = (0..QUERIES).map(|i| (i * 3 % WAY) as u16).collect();
            queries.extend(items(&asked, 20 + episode, unit));
        }
        let labels = Labels::new(FILLED.len(), SLOTS, WAY, labels).unwrap();
        let shape = (FILLED.len(), WAY, DIM);
        let vectors = (0..FILLED.len()).flat_map(|_| numbers(WAY * DIM, 77)).collect();
        Episodes {
            support: Support::dense(device, DIM, values, labels).unwrap(),
            query: Items::dense(device, (FILLED.len(), QUERIES, DIM), queries).unwrap(),
            vectors: ClassEmbeddings::new(device, shape, vectors).unwrap(),
        }
    }
}

/// Twelve seen classes of four items, the last four of them validation classes.
fn seen() -> Seen {
    let (classes, each) = (12, 4);
    let centres = numbers(classes * DIM, 31);
    let mut values = numbers(classes * each * DIM, 32);
    for (row, item) in values.chunks_exact_mut(DIM).zip(0..) {
        let centre = &centres[item / each * DIM..][..DIM];
        row.iter_mut().zip(centre).for_each(|(v, c)| *v = 0.5 * *v + c);
    }
    let rows = HostRows::dense(values, DIM).unwrap();
    let labels = (0..classes * each).map(|item| (item / each) as u32).collect();
    let base = (0..classes).map(|class| class < 8).collect();
    Seen::new(rows, (0..(classes * each) as u32).collect(), labels, centres, DIM, base).unwrap()
}

struct Learners;

impl Suite for Learners {
    fn run<D: Whole>(device: &D, results: &mut Results) {
        let learners = kshot::learner::Learners::shipped();
        let (registry, plain) = (learners.on::<D>(), learners.cpu());
        let (as_they_are, of_norm_one) = (Episodes::new(device, false), Episodes::new(device, true));
        let seen = seen();
        for entry in plain.entries() {
            for parameters in corners(entry) {
                let learner = registry.build(&parameters).unwrap();
                if learner.needs_network() {
                    continue;
                }
                let episodes = if learner.takes() == Transform::None { &as_they_are } else { &of_norm_one };
                let fitted = learner.fit(&seen, || seen.vectors().to_vec(), device).unwrap();
                let choice = fitted.as_ref().map_or(BTreeMap::new(), |fitted| fitted.chosen().clone());
                let learner = match &fitted {
                    Some(fitted) => fitted.learner(device).unwrap(),
                    None => learner,
                };
                let rng = BatchRng::new(11, &NUMBERS);
                let given = Given {
                    support: Some(&episodes.support),
                    class_embeddings: Some(&episodes.vectors),
                    network: None,
                    query: &episodes.query,
                    rng: &rng,
                };
                let (scores, _) = learner.answer(&given).unwrap();
                let name = format!("{} {parameters}", entry.name());
                results.note(&name, TOLERANCE, &scores.values);
                results.chosen(format!("{choice:?}"));
            }
        }
    }
}

#[test]
fn learners_are_alike_on_both_devices() {
    alike::<Learners>("learners");
}

/// Several settings of one learner share work where they are answered together.
struct Families;

impl Suite for Families {
    fn run<D: Whole>(device: &D, results: &mut Results) {
        let learners = kshot::learner::Learners::shipped();
        let registry = learners.on::<D>();
        let episodes = Episodes::new(device, true);
        let rng = BatchRng::new(11, &NUMBERS);
        let families = [
            ["k-nn:k=1", "k-nn:k=3"],
            ["ridge:alpha=1", "ridge:alpha=0.1"],
            ["svm:c=1", "svm:c=0.1"],
            ["linear-probe:c=1", "linear-probe:c=0.1"],
            ["fine-tune:epochs=5", "fine-tune:epochs=20"],
        ];
        for specs in families {
            let members = specs.map(|spec| registry.check(spec).unwrap().parameters);
            let entry = registry.entry(members[0].learner()).unwrap();
            let family = entry.build_family(&members).unwrap().unwrap();
            let answers = family.answers(&episodes.support, &episodes.query, &rng).unwrap();
            for (spec, (scores, _)) in specs.iter().zip(answers) {
                results.note(spec, TOLERANCE, &scores.values);
            }
        }
    }
}

#[test]
fn families_are_alike_on_both_devices() {
    alike::<Families>("families of learners");
}
