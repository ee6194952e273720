//! Every learner passes every learner check, and the checks catch those who cheat.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use kshot::eval::checks::{Check, Failure, alike, check_all, check_learner, corners};
use kshot::learner::{
    Change, Classifier, Inductive, LearnError, Learner, Learners, Parameter, Parameters, Plugin, Registered,
    Registry, Scale, Signature, Transductive,
};
use kshot::rng::BatchRng;
use kshot::tensor::{Backend, Tensor3, ops};
use kshot::view::{Items, Scores, Support};

#[test]
fn every_shipped_learner_passes_every_check_at_every_corner() {
    let cases: Vec<Parameters> = {
        let learners = Learners::shipped();
        let of = |entry| {
            let cases = corners(entry);
            assert!(!cases.is_empty(), "{}", entry.name());
            cases
        };
        learners.cpu().entries().iter().flat_map(of).collect()
    };
    let next = AtomicUsize::new(0);
    let broken: Mutex<Vec<Failure>> = Mutex::new(Vec::new());
    let work = || {
        let learners = Learners::shipped();
        while let Some(parameters) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = check_learner(learners.cpu(), parameters);
            broken.lock().unwrap().extend(found);
        }
    };
    std::thread::scope(|scope| {
        (0..std::thread::available_parallelism().map_or(1, usize::from))
            .for_each(|_| drop(scope.spawn(work)));
    });
    let broken = broken.into_inner().unwrap();
    let text: Vec<String> = broken.iter().map(ToString::to_string).collect();
    assert!(broken.is_empty(), "{}", text.join("\n"));
}

#[test]
fn every_searched_parameter_of_a_shipped_learner_changes_its_answers() {
    let learners = Learners::shipped();
    let found: Vec<String> =
        learners.cpu().entries().iter().flat_map(alike).map(|alike| alike.to_string()).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_searched_parameter_that_nobody_reads_is_reported() {
    struct Deaf;
    impl Plugin for Deaf {
        fn register<D: Registered>(&self, list: &mut Registry<D>) {
            let mut deaf = Signature::new("deaf", "");
            let share = Parameter::real("share", 0.5, 0.0, 1.0, "share of the way");
            deaf.parameter(share.search(Scale::Linear, 0.0, 1.0));
            let moods = &[("good", ()), ("bad", ())];
            deaf.parameter(Parameter::choice("mood", moods, "its mood"));
            list.add(deaf, |_| Ok(Learner::inductive(Honest)));
        }
    }
    let learners = Learners::default().with(Deaf);
    let found: Vec<String> =
        learners.cpu().entries().iter().flat_map(alike).map(|alike| alike.to_string()).collect();
    assert_eq!(found.len(), 3);
    let text = "learner `deaf` answers alike with share=0.5 and share=0.05, at each of 2 settings of its other \
                parameters: does it read `share`?";
    assert_eq!(found[0], text);
}

/// A registry of one learner, and the checks that it breaks.
macro_rules! breaks {
    ($learner:expr) => {{
        struct One;
        impl Plugin for One {
            fn register<D: Registered>(&self, list: &mut Registry<D>) {
                list.add("one", |_| Ok($learner));
            }
        }
        let checks: Vec<Check> =
            check_all(Learners::default().with(One).cpu()).into_iter().filter_map(|v| v.check).collect();
        checks
    }};
}

type Host<'a> = &'a dyn Fn(usize, &[f32]) -> f32;

/// `scores` (episodes, items, way) with each number replaced by what `change` makes of its label and value.
fn changed<D: Backend>(device: &D, scores: &Scores<D>, change: Host<'_>) -> Result<Scores<D>, LearnError> {
    use kshot::tensor::dfdx::shapes::HasShape;
    let shape = *scores.values.shape();
    let values = ops::to_host(&scores.values)?;
    let change = |row: &[f32]| (0..row.len()).map(|label| change(label, row)).collect::<Vec<_>>();
    let values = values.chunks_exact(shape.2).flat_map(change).collect();
    Ok(Scores { values: device.tensor3(shape, values)?, meaning: scores.meaning })
}

/// Nearest class mean, the honest ground of all that follow.
struct Means<D: Backend>(Tensor3<D>);

impl<D: Backend> Classifier<D> for Means<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        Ok(Scores::logits(items.negative_squared_distances(&self.0)?))
    }
}

struct Honest;

impl<D: Backend> Inductive<D> for Honest {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        Ok(Box::new(Means(support.means()?)))
    }
}

#[test]
fn an_honest_learner_fails_no_check() {
    assert_eq!(breaks!(Learner::inductive(Honest)), []);
}

/// Moves the queries so that their mean is that of the support, then takes the nearest class mean.
fn centred<D: Backend>(support: &Support<D>, query: &Items<D>) -> Result<Scores<D>, LearnError> {
    let device = support.device();
    let (episodes, items, dim) = (query.episodes(), query.count(), query.dim());
    let mut queries = ops::to_host(&query.features()?)?;
    let means = ops::to_host(&support.means()?)?;
    for episode in 0..episodes {
        let means = &means[episode * support.way() * dim..(episode + 1) * support.way() * dim];
        let queries = &mut queries[episode * items * dim..(episode + 1) * items * dim];
        for d in 0..dim {
            let mean = |rows: &[f32]| {
                let column: Vec<f32> = rows.iter().skip(d).step_by(dim).copied().collect();
                column.iter().sum::<f32>() / column.len() as f32
            };
            let shift = mean(means) - mean(queries);
            queries.iter_mut().skip(d).step_by(dim).for_each(|x| *x += shift);
        }
    }
    let queries = device.tensor3((episodes, items, dim), queries)?;
    let distances = ops::squared_distances(&queries, &support.means()?)?;
    Ok(Scores::logits(ops::scale(distances, -1.0)?))
}

struct Centring;

impl<D: Backend> Transductive<D> for Centring {
    fn infer(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        _: &BatchRng<'_>,
    ) -> Result<Scores<D>, LearnError> {
        centred(support, query)
    }
}

#[test]
fn a_transductive_learner_that_uses_its_queries_fails_no_check() {
    assert_eq!(breaks!(Learner::transductive(Centring)), []);
}

#[test]
fn a_transductive_learner_that_is_inductive_is_caught() {
    struct Idle;
    impl<D: Backend> Transductive<D> for Idle {
        fn infer(
            &self,
            support: &Support<D>,
            query: &Items<D>,
            _: &BatchRng<'_>,
        ) -> Result<Scores<D>, LearnError> {
            Means(support.means()?).scores(query)
        }
    }
    assert_eq!(breaks!(Learner::transductive(Idle)), [Check::QueryTogether]);
}

#[test]
fn a_transductive_learner_that_claims_to_be_inductive_is_caught() {
    struct Sly;
    impl<D: Backend> Inductive<D> for Sly {
        fn adapt(
            &self,
            support: &Support<D>,
            _: &BatchRng<'_>,
        ) -> Result<Box<dyn Classifier<D>>, LearnError> {
            Ok(Box::new(SlyMeans(support.means()?)))
        }
    }
    struct SlyMeans<D: Backend>(Tensor3<D>);
    impl<D: Backend> Classifier<D> for SlyMeans<D> {
        fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
            // The mean query of the episode is subtracted from every query.
            let mut queries = ops::to_host(&items.features()?)?;
            let (count, dim) = (items.count(), items.dim());
            for queries in queries.chunks_exact_mut(count * dim) {
                for d in 0..dim {
                    let mean = queries.iter().skip(d).step_by(dim).sum::<f32>() / count as f32;
                    queries.iter_mut().skip(d).step_by(dim).for_each(|x| *x -= 0.1 * mean);
                }
            }
            let queries = items.device().tensor3((items.episodes(), count, dim), queries)?;
            Ok(Scores::logits(ops::scale(ops::squared_distances(&queries, &self.0)?, -1.0)?))
        }
    }
    assert_eq!(breaks!(Learner::inductive(Sly)), [Check::QueryAlone]);
}

#[test]
fn a_learner_that_loses_digits_is_caught() {
    struct Hasty;
    impl<D: Backend> Inductive<D> for Hasty {
        fn adapt(
            &self,
            support: &Support<D>,
            _: &BatchRng<'_>,
        ) -> Result<Box<dyn Classifier<D>>, LearnError> {
            Ok(Box::new(Expanded(support.means()?)))
        }
    }
    /// `2·x·c − ‖c‖²`, which is right on paper.
    struct Expanded<D: Backend>(Tensor3<D>);
    impl<D: Backend> Classifier<D> for Expanded<D> {
        fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
            let products = ops::scale(items.products(&self.0)?, 2.0)?;
            let norms = ops::negate(&ops::squared_norms(&self.0)?)?;
            Ok(Scores::logits(ops::add_to_columns(&products, &norms)?))
        }
    }
    const ALL: &[Change] = &[Change::Rotation, Change::Shift, Change::Scale];
    assert_eq!(breaks!(Learner::inductive(Hasty)), [Check::Rotation]);
    assert_eq!(breaks!(Learner::inductive(Hasty).with_invariances(&[])), []);
    assert_eq!(breaks!(Learner::inductive(Hasty).with_invariances(ALL)), [Check::Rotation, Check::Shift]);
}

#[test]
fn a_nearest_neighbour_that_takes_padding_for_an_item_is_caught() {
    struct Careless;
    impl<D: Backend> Inductive<D> for Careless {
        fn adapt(
            &self,
            support: &Support<D>,
            _: &BatchRng<'_>,
        ) -> Result<Box<dyn Classifier<D>>, LearnError> {
            Ok(Box::new(Nearest { features: support.features()?.clone(), of: support.membership()? }))
        }
    }
    /// Attention over all slots: a row of zeros draws some of it.
    struct Nearest<D: Backend> {
        features: Tensor3<D>,
        of: Tensor3<D>,
    }
    impl<D: Backend> Classifier<D> for Nearest<D> {
        fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
            let distances = ops::squared_distances(&items.features()?, &self.features)?;
            let attention = ops::softmax(ops::scale(distances, -0.01)?)?;
            Ok(Scores::ranking(ops::matmul(&attention, &ops::transpose(&self.of)?)?))
        }
    }
    assert_eq!(breaks!(Learner::inductive(Careless)), [Check::Padding]);
}

/// Wraps the honest classifier and changes its scores.
struct Changed<D: Backend> {
    inner: Means<D>,
    change: fn(usize, &[f32]) -> f32,
}

impl<D: Backend> Classifier<D> for Changed<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        changed(items.device(), &self.inner.scores(items)?, &self.change)
    }
}

struct Changing(fn(usize, &[f32]) -> f32);

impl<D: Backend> Inductive<D> for Changing {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        Ok(Box::new(Changed { inner: Means(support.means()?), change: self.0 }))
    }
}

#[test]
fn a_learner_that_prefers_low_labels_is_caught() {
    fn low(label: usize, row: &[f32]) -> f32 {
        row[label] - 2.0 * label as f32
    }
    assert_eq!(breaks!(Learner::inductive(Changing(low))), [Check::LabelNames, Check::Noise]);
    fn slightly(label: usize, row: &[f32]) -> f32 {
        row[label] - 0.02 * label as f32
    }
    assert_eq!(breaks!(Learner::inductive(Changing(slightly))), [Check::LabelNames]);
}

#[test]
fn a_learner_that_answers_with_nan_is_caught() {
    fn nan(_: usize, _: &[f32]) -> f32 {
        f32::NAN
    }
    assert_eq!(breaks!(Learner::inductive(Changing(nan))), [Check::Answers]);
    // 0/0 at the origin alone.
    fn ratio(label: usize, row: &[f32]) -> f32 {
        row[label] / row.iter().map(|v| v.abs()).fold(0.0, f32::max)
    }
    assert!(breaks!(Learner::inductive(Changing(ratio))).contains(&Check::Finite));
}

#[test]
fn a_learner_whose_probabilities_do_not_sum_to_one_is_caught() {
    struct Boaster;
    impl<D: Backend> Inductive<D> for Boaster {
        fn adapt(
            &self,
            support: &Support<D>,
            _: &BatchRng<'_>,
        ) -> Result<Box<dyn Classifier<D>>, LearnError> {
            Ok(Box::new(Boast(Means(support.means()?))))
        }
    }
    struct Boast<D: Backend>(Means<D>);
    impl<D: Backend> Classifier<D> for Boast<D> {
        fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
            let sure = ops::softmax(self.0.scores(items)?.values)?;
            Ok(Scores::probabilities(ops::scale(sure, 1.1)?))
        }
    }
    assert_eq!(breaks!(Learner::inductive(Boaster)), [Check::Meaning]);
}

#[test]
fn a_learner_that_looks_at_the_batch_is_caught() {
    struct Batchwise;
    impl<D: Backend> Inductive<D> for Batchwise {
        fn adapt(
            &self,
            support: &Support<D>,
            _: &BatchRng<'_>,
        ) -> Result<Box<dyn Classifier<D>>, LearnError> {
            // Centred on the mean of all class means of the batch.
            let means = support.means()?;
            let mut values = ops::to_host(&means)?;
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            values.iter_mut().for_each(|v| *v -= 0.05 * mean);
            let shape = (support.episodes(), support.way(), support.dim());
            Ok(Box::new(Means(support.device().tensor3(shape, values)?)))
        }
    }
    let checks = breaks!(Learner::inductive(Batchwise));
    assert!(checks.contains(&Check::EpisodeAlone) && checks.contains(&Check::Padding), "{checks:?}");
}

#[test]
fn a_learner_whose_rng_depends_on_the_place_in_the_batch_is_caught() {
    struct Misplaced;
    impl<D: Backend> Inductive<D> for Misplaced {
        fn adapt(
            &self,
            support: &Support<D>,
            rng: &BatchRng<'_>,
        ) -> Result<Box<dyn Classifier<D>>, LearnError> {
            // One stream for the whole batch: that of its first episode.
            let mut stream = rng.stream(0);
            let mut values = ops::to_host(&support.means()?)?;
            values.iter_mut().for_each(|v| *v += 1e-3 * stream.normal() as f32);
            let shape = (support.episodes(), support.way(), support.dim());
            Ok(Box::new(Means(support.device().tensor3(shape, values)?)))
        }
    }
    let checks = breaks!(Learner::inductive(Misplaced));
    assert!(checks.contains(&Check::EpisodeAlone), "{checks:?}");
    // Its random numbers excuse it from the checks of order, which it breaks too.
    assert!(!checks.contains(&Check::SupportOrder) && !checks.contains(&Check::LabelNames), "{checks:?}");
}

#[test]
fn a_learner_that_remembers_the_episode_before_is_caught() {
    struct Remembers(Cell<f32>);
    impl<D: Backend> Inductive<D> for Remembers {
        fn adapt(
            &self,
            support: &Support<D>,
            _: &BatchRng<'_>,
        ) -> Result<Box<dyn Classifier<D>>, LearnError> {
            let mut values = ops::to_host(&support.means()?)?;
            let before = self.0.replace(values[0]);
            values.iter_mut().for_each(|v| *v += 0.01 * before);
            let shape = (support.episodes(), support.way(), support.dim());
            Ok(Box::new(Means(support.device().tensor3(shape, values)?)))
        }
    }
    let checks = breaks!(Learner::inductive(Remembers(Cell::new(0.0))));
    assert!(checks.contains(&Check::Twice), "{checks:?}");
}

#[test]
fn a_learner_that_hangs_on_the_order_of_items_is_caught() {
    struct First;
    impl<D: Backend> Inductive<D> for First {
        fn adapt(
            &self,
            support: &Support<D>,
            _: &BatchRng<'_>,
        ) -> Result<Box<dyn Classifier<D>>, LearnError> {
            // Moves every class mean a little towards the first support item.
            let (way, dim) = (support.way(), support.dim());
            let features = ops::to_host(support.features()?)?;
            let mut values = ops::to_host(&support.means()?)?;
            for (episode, means) in values.chunks_exact_mut(way * dim).enumerate() {
                let first = &features[episode * support.slots() * dim..][..dim];
                let weight = |place: usize| 0.02 * (1 + place / dim) as f32;
                means.iter_mut().enumerate().for_each(|(p, v)| *v += weight(p) * (first[p % dim] - *v));
            }
            Ok(Box::new(Means(support.device().tensor3((support.episodes(), way, dim), values)?)))
        }
    }
    let checks = breaks!(Learner::inductive(First));
    assert!(checks.contains(&Check::SupportOrder), "{checks:?}");

    struct ByPlace;
    impl<D: Backend> Transductive<D> for ByPlace {
        fn infer(
            &self,
            support: &Support<D>,
            query: &Items<D>,
            _: &BatchRng<'_>,
        ) -> Result<Scores<D>, LearnError> {
            // Queries that come grouped by class would be a gift.
            let scores = centred(support, query)?;
            let (count, way) = (query.count(), support.way());
            let mut values = ops::to_host(&scores.values)?;
            for (row, values) in values.chunks_exact_mut(way).enumerate() {
                values[row % count * way / count] += 0.5;
            }
            Ok(Scores::logits(support.device().tensor3((query.episodes(), count, way), values)?))
        }
    }
    assert_eq!(breaks!(Learner::transductive(ByPlace)), [Check::QueryOrder, Check::LabelNames]);
}

#[test]
fn a_learner_that_takes_the_farthest_class_is_caught() {
    fn worst(label: usize, row: &[f32]) -> f32 {
        -row[label]
    }
    assert_eq!(breaks!(Learner::inductive(Changing(worst))), [Check::FarApart]);
}

#[test]
fn a_learner_that_fails_panics_or_answers_in_the_wrong_shape_is_caught() {
    struct Panics;
    impl<D: Backend> Inductive<D> for Panics {
        fn adapt(
            &self,
            support: &Support<D>,
            _: &BatchRng<'_>,
        ) -> Result<Box<dyn Classifier<D>>, LearnError> {
            assert!(support.way() < 20, "never more than 19 labels");
            Ok(Box::new(Means(support.means()?)))
        }
    }
    assert_eq!(breaks!(Learner::inductive(Panics)), [Check::Answers, Check::Meaning, Check::FarApart]);

    struct Short<D: Backend>(Means<D>);
    impl<D: Backend> Classifier<D> for Short<D> {
        fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
            Ok(Scores::logits(ops::transpose(&self.0.scores(items)?.values)?))
        }
    }
    struct Turned;
    impl<D: Backend> Inductive<D> for Turned {
        fn adapt(
            &self,
            support: &Support<D>,
            _: &BatchRng<'_>,
        ) -> Result<Box<dyn Classifier<D>>, LearnError> {
            Ok(Box::new(Short(Means(support.means()?))))
        }
    }
    assert_eq!(breaks!(Learner::inductive(Turned)), [Check::Answers]);
}

#[test]
fn a_learner_that_cannot_be_built_is_told() {
    struct None;
    impl Plugin for None {
        fn register<D: Registered>(&self, list: &mut Registry<D>) {
            let mut fussy = Signature::new("fussy", "");
            let moods = &[("bad", false), ("good", true)];
            let good = fussy.parameter(Parameter::choice("mood", moods, "its mood"));
            list.add(fussy, move |p| match p[good] {
                true => Ok(Learner::inductive(Honest)),
                false => Err(p.conflict("not in the mood")),
            });
        }
    }
    // What the learner refuses is no corner of its parameters; the rest is examined.
    let learners = Learners::default().with(None);
    let registry = learners.cpu();
    assert_eq!(check_all(registry), []);
    let entry = registry.entry("fussy").unwrap();
    assert_eq!(corners(entry).iter().map(ToString::to_string).collect::<Vec<_>>(), ["mood=good"]);
    let declared = entry.signature().check(&BTreeMap::new()).unwrap();
    let found = check_learner(registry, &declared);
    let text = "learner `fussy:mood=bad` cannot be built: learner `fussy`: not in the mood";
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [text]);
}
