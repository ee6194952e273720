//! A learner on the features and what another learner says of them: stacked generalisation (Wolpert 1992).
//!
//! The outer learner is given the features of an item with the class probabilities of the inner one behind them, or these alone
//! (`features=drop`). `feed` says where the inner learner's probabilities of support items come from:
//!
//! * `in-sample`: from the inner learner fitted on the whole support, these items among it, so that it has seen their labels;
//! * `leave-one-out`, `out-of-fold`: from inner learners fitted without the item, or without its fold;
//! * `disjoint`: one half of each label's items fits the inner learner, the other the outer one.
//!
//! Queries are answered by the inner learner of the whole support (of its half where `disjoint`) and the outer one. Folds are made of
//! each label's items in the order of a hash of their features, so that they do not depend on the order of the support; the only item
//! of a label is never left out. Probabilities are the softmax of logits; scores that only rank are shares of votes where none of an
//! item's is negative, as those of `k-nn` with `k` above 1, and their softmax elsewhere.
//!
//! Each learner is given the features under its own transform; `cl2n` serves both or none.

use std::rc::Rc;

use super::{Classifier, Inductive, LearnError, Learner, Parameter, Parameters, Registry, Signature};
use crate::rng::BatchRng;
use crate::tensor::{Backend, HostBatch, HostRows, Labels, Rows, SpanOps, dense, to_host};
use crate::view::{Items, Scores, Support};
use crate::vocab::{Form, Meaning, Setting, Transform};

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    const FEEDS: &[(&str, Feed)] = &[
        ("out-of-fold", Feed::OutOfFold),
        ("leave-one-out", Feed::LeaveOneOut),
        ("in-sample", Feed::InSample),
        ("disjoint", Feed::Disjoint),
    ];
    let about = "a learner on features and the class probabilities of another (Wolpert 1992)";
    let mut stacked = Signature::new("stacked", about);
    stacked.on_request();
    let inner =
        stacked.parameter(Parameter::learner("inner", "k-nn:k=5", "learner whose probabilities are fed"));
    let outer = stacked.parameter(Parameter::learner("outer", "mlp", "learner that is fed"));
    let feed =
        stacked.parameter(Parameter::choice("feed", FEEDS, "what the inner learner has seen of fed items"));
    let folds = stacked.parameter(Parameter::whole("folds", 5, 2, 1000, "folds of out-of-fold"));
    let features =
        Parameter::choice("features", &[("keep", true), ("drop", false)], "features beside probabilities");
    let features = stacked.parameter(features);
    list.add_composed(stacked, move |p, peers| {
        let inner = part(p, "inner", peers.learner(&p[inner])?)?;
        let outer = part(p, "outer", peers.learner(&p[outer])?)?;
        let takes = (inner.takes(), outer.takes());
        let (whole, own) = match takes {
            (one, other) if one == other => (one, (Transform::None, Transform::None)),
            (Transform::Cl2n, _) | (_, Transform::Cl2n) => {
                let problem = "one of its learners takes `transform=cl2n`, which both must take or none";
                return Err(p.conflict(problem));
            }
            own => (Transform::None, own),
        };
        let (confidence, weak) = (outer.confidence(), inner.is_weak() || outer.is_weak());
        let stacked = Stacked {
            inner: Rc::new(inner),
            outer: Rc::new(outer),
            own,
            feed: p[feed],
            folds: p[folds],
            keeps: p[features],
        };
        let learner = Learner::inductive(stacked).with_transform(whole).with_confidence(confidence);
        let learner = learner.with_invariances(&[]);
        Ok(if weak { learner.weak() } else { learner })
    });
}

/// One of the two learners, which must be inductive on features.
fn part<D: Backend>(
    p: &Parameters,
    which: &str,
    (parameters, learner): (Parameters, Learner<D>),
) -> Result<Learner<D>, LearnError> {
    if learner.setting() != Setting::Inductive || learner.needs_network() {
        let problem =
            format!("`{which}` is `{}`, it must be an inductive learner on features", parameters.learner());
        return Err(p.conflict(problem));
    }
    Ok(learner)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Feed {
    OutOfFold,
    LeaveOneOut,
    InSample,
    Disjoint,
}

struct Stacked<D: Backend> {
    inner: Rc<Learner<D>>,
    outer: Rc<Learner<D>>,
    /// What is done to features here, for the inner and the outer learner.
    own: (Transform, Transform),
    feed: Feed,
    folds: usize,
    keeps: bool,
}

/// Items of one episode in a unit, as a feature set has them.
#[derive(Clone)]
struct Block {
    /// (items × dim)
    rows: Vec<f32>,
    dim: usize,
    unit: f64,
}

impl Block {
    fn read(batch: &HostBatch, episode: usize, count: usize, dim: usize) -> Result<Block, LearnError> {
        let mut rows = Vec::new();
        batch.read(episode, count, &mut rows)?;
        Ok(Block { rows: rows[..count * dim].to_vec(), dim, unit: batch.unit() })
    }

    fn row(&self, item: usize) -> &[f32] {
        &self.rows[item * self.dim..(item + 1) * self.dim]
    }

    fn of(&self, items: &[usize]) -> Block {
        Block { rows: items.iter().flat_map(|item| self.row(*item)).copied().collect(), ..*self }
    }

    fn count(&self) -> usize {
        self.rows.len() / self.dim.max(1)
    }

    fn under(&self, transform: Transform) -> Block {
        let mut rows = self.rows.clone();
        if transform != Transform::L2n {
            return Block { rows, ..*self };
        }
        for row in rows.chunks_exact_mut(self.dim.max(1)) {
            let norm = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
            let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
            row.iter_mut().for_each(|x| *x = (f64::from(*x) * scale) as f32);
        }
        Block { rows, dim: self.dim, unit: 1.0 }
    }

    /// The same with columns (items × width) behind, or these alone.
    fn with(&self, columns: &[f64], width: usize, keeps: bool) -> Block {
        if !keeps {
            return Block { rows: columns.iter().map(|p| *p as f32).collect(), dim: width, unit: 1.0 };
        }
        let rows = self.rows.chunks_exact(self.dim.max(1)).zip(columns.chunks_exact(width));
        let beside = |p: &f64| (p / self.unit) as f32;
        let rows = rows.flat_map(|(row, own)| row.iter().copied().chain(own.iter().map(beside)));
        Block { rows: rows.collect(), dim: self.dim + width, unit: self.unit }
    }

    fn store<D: Backend>(&self, device: &D) -> Result<D::Store, LearnError> {
        Ok(device.upload(&HostRows::dense(self.rows.clone(), self.dim)?.with_unit(self.unit))?)
    }

    fn places(&self) -> Result<Rows, LearnError> {
        Ok(Rows::new(1, self.count(), (0..self.count() as u32).collect::<Vec<_>>())?)
    }

    fn support<D: Backend>(&self, device: &D, labels: &[u16], way: usize) -> Result<Support<D>, LearnError> {
        let labels = Labels::new(1, labels.len(), way, labels.to_vec())?;
        Ok(Support::new(device, &self.store(device)?, self.places()?, labels, Form::Vector)?)
    }

    fn items<D: Backend>(&self, device: &D) -> Result<Items<D>, LearnError> {
        Ok(Items::new(device, &self.store(device)?, self.places()?, Form::Vector))
    }
}

/// What a classifier says of items as probabilities (items × way).
fn probabilities<D: Backend>(
    classifier: &dyn Classifier<D>,
    block: &Block,
    device: &D,
    way: usize,
) -> Result<Vec<f64>, LearnError> {
    let scores = classifier.scores(&block.items(device)?)?;
    let mut values: Vec<f64> = to_host(&scores.values)?.iter().map(|v| f64::from(*v)).collect();
    match scores.meaning {
        Meaning::Probabilities => {}
        Meaning::Logits => dense::softmax(&mut values, way),
        Meaning::Ranking => {
            for row in values.chunks_exact_mut(way) {
                let sum: f64 = row.iter().sum();
                if sum > 0.0 && row.iter().all(|v| *v >= 0.0) {
                    row.iter_mut().for_each(|v| *v /= sum);
                } else {
                    dense::softmax(row, way);
                }
            }
        }
    }
    Ok(values)
}

/// A number that any change of a row changes.
fn hash(row: &[f32]) -> u64 {
    row.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, x| {
        // Zero has two forms.
        let mixed = (hash ^ u64::from((x + 0.0).to_bits())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed ^ mixed >> 29
    })
}

/// The items of each label in the order of the hashes of their features; equal ones are the same item to everybody.
fn ordered(block: &Block, labels: &[u16], way: usize) -> Vec<Vec<usize>> {
    let of_label = |label: usize| {
        let mut own: Vec<usize> = (0..labels.len()).filter(|i| usize::from(labels[*i]) == label).collect();
        own.sort_by_key(|item| hash(block.row(*item)));
        own
    };
    (0..way).map(of_label).collect()
}

impl<D: Backend> Stacked<D> {
    /// The two classifiers of an episode.
    fn fit(
        &self,
        device: &D,
        block: &Block,
        labels: &[u16],
        way: usize,
        rng: &BatchRng<'_>,
    ) -> Result<Pair<D>, LearnError> {
        let (inside, outside) = (block.under(self.own.0), block.under(self.own.1));
        let of = |items: &[usize]| -> Vec<u16> { items.iter().map(|item| labels[*item]).collect() };
        let fitted =
            |items: &[usize]| self.inner.adapt(&inside.of(items).support(device, &of(items), way)?, rng);
        let said = |classifier: &dyn Classifier<D>, items: &[usize]| {
            probabilities(classifier, &inside.of(items), device, way)
        };
        let all: Vec<usize> = (0..labels.len()).collect();
        let sorted = ordered(block, labels, way);
        let (inner, fed, columns) = if self.feed == Feed::Disjoint {
            let half = |own: &Vec<usize>| own.len().div_ceil(2);
            let first: Vec<usize> = sorted.iter().flat_map(|own| &own[..half(own)]).copied().collect();
            // The only item of a label serves both.
            let rest =
                |own: &Vec<usize>| own[half(own).min(own.len() - usize::from(!own.is_empty()))..].to_vec();
            let second: Vec<usize> = sorted.iter().flat_map(rest).collect();
            let inner = fitted(&first)?;
            let columns = said(inner.as_ref(), &second)?;
            (inner, second, columns)
        } else {
            let inner = fitted(&all)?;
            let mut columns = match self.feed {
                // Those that are never left out keep these.
                Feed::LeaveOneOut if sorted.iter().all(|own| own.len() > 1) => vec![0.0; labels.len() * way],
                _ => said(inner.as_ref(), &all)?,
            };
            for left_out in self.left_out(&sorted) {
                let kept: Vec<usize> = all.iter().copied().filter(|item| !left_out.contains(item)).collect();
                let without = fitted(&kept)?;
                let own = said(without.as_ref(), &left_out)?;
                for (item, own) in left_out.iter().zip(own.chunks_exact(way)) {
                    columns[item * way..(item + 1) * way].copy_from_slice(own);
                }
            }
            (inner, all, columns)
        };
        let fed_rows = outside.of(&fed).with(&columns, way, self.keeps);
        let outer = self.outer.adapt(&fed_rows.support(device, &of(&fed), way)?, rng)?;
        Ok(Pair { inner, outer })
    }

    /// The items that are left out together.
    fn left_out(&self, sorted: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let several = || sorted.iter().filter(|own| own.len() > 1);
        match self.feed {
            Feed::InSample | Feed::Disjoint => Vec::new(),
            Feed::LeaveOneOut => several().flatten().map(|item| vec![*item]).collect(),
            Feed::OutOfFold => {
                let largest = several().map(Vec::len).max().unwrap_or(0);
                let count = self.folds.min(largest);
                let of_fold = |fold: usize| {
                    several().flat_map(|own| own.iter().skip(fold).step_by(count)).copied().collect()
                };
                (0..count).map(of_fold).collect()
            }
        }
    }
}

impl<D: Backend> Inductive<D> for Stacked<D> {
    fn adapt(&self, support: &Support<D>, rng: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let (batch, device, way) = (support.on_host()?, support.device(), support.way());
        let one = |episode: usize| {
            let labels = support.labels().of(episode);
            let block = Block::read(&batch, episode, labels.len(), support.dim())?;
            self.fit(device, &block, labels, way, &rng.only(episode))
        };
        let pairs = (0..support.episodes()).map(one).collect::<Result<Vec<_>, LearnError>>()?;
        Ok(Box::new(Pairs { pairs, own: self.own, keeps: self.keeps, way }))
    }
}

/// The classifiers of one episode.
struct Pair<D: Backend> {
    inner: Box<dyn Classifier<D>>,
    outer: Box<dyn Classifier<D>>,
}

/// A pair of classifiers per episode.
struct Pairs<D: Backend> {
    pairs: Vec<Pair<D>>,
    own: (Transform, Transform),
    keeps: bool,
    way: usize,
}

impl<D: Backend> Classifier<D> for Pairs<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let (batch, device, count) = (items.on_host()?, items.device(), items.count());
        let (mut values, mut meaning) = (Vec::new(), Meaning::Logits);
        for (episode, Pair { inner, outer }) in self.pairs.iter().enumerate() {
            let block = Block::read(&batch, episode, count, items.dim())?;
            let columns = probabilities(inner.as_ref(), &block.under(self.own.0), device, self.way)?;
            let fed = block.under(self.own.1).with(&columns, self.way, self.keeps);
            let scores = outer.scores(&fed.items(device)?)?;
            meaning = scores.meaning;
            values.extend(to_host(&scores.values)?);
        }
        let values = device.tensor3((self.pairs.len(), count, self.way), values)?;
        Ok(Scores { values, meaning })
    }

    fn unconverged(&self) -> usize {
        let of = |pair: &&Pair<D>| pair.inner.unconverged() + pair.outer.unconverged() > 0;
        self.pairs.iter().filter(of).count()
    }
}
