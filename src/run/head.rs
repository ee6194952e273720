//! An inductive learner on one support set: fitted on some items and asked about others, without episodes.

use super::error::RunError;
use crate::data::{self, Parts, Store};
use crate::eval::EvalError;
use crate::learner::{Checked, Given, Learners};
use crate::rng::BatchRng;
use crate::tensor::{Backend, Cpu, HostRows, Labels, Rows, TensorError, open_cpu, to_host};
use crate::view::{Items, Support};
use crate::vocab::{Form, Meaning, Setting, Split};

/// A learner with the items that it is fitted on.
///
/// Differs from an evaluation in one thing: the mean that `cl2n` subtracts is that of these items, because there are no base
/// classes.
#[derive(Clone, Debug)]
pub struct Head {
    learner: Checked,
    support: Vec<f32>,
    dim: usize,
    labels: Vec<u16>,
    way: usize,
    seed: u64,
}

/// What a head answers.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadScores {
    /// (items, way), item after item.
    pub values: Vec<f32>,
    /// What the numbers mean.
    pub meaning: Meaning,
    /// Whether an iterative fit converged.
    pub converged: bool,
}

impl Head {
    /// A learner `name:key=value,…` and its support: items of `dim` numbers, each with a label; `seed` is that of its own
    /// random numbers. The fit itself is made with each answer.
    ///
    /// # Errors
    /// A learner that is not known or not inductive on features, or labels that are not as many as items, or fewer than two
    /// different ones.
    ///
    /// ```
    /// use kshot::learner::Learners;
    /// use kshot::run::Head;
    ///
    /// let learners = Learners::shipped();
    /// let head = Head::new(&learners, "prototypical", (vec![0.0, 0.0, 4.0, 4.0], 2), vec![0, 1], 7)?;
    /// let scores = head.scores(&learners, &[3.0, 3.0])?;
    /// assert!(scores.values[1] > scores.values[0]);
    /// # Ok::<(), kshot::run::RunError>(())
    /// ```
    pub fn new(
        learners: &Learners,
        spec: &str,
        (support, dim): (Vec<f32>, usize),
        labels: Vec<u16>,
        seed: u64,
    ) -> Result<Head, RunError> {
        let learner = learners.cpu().check(spec)?;
        if learner.setting != Setting::Inductive || learner.needs_network {
            return Err(RunError::Request(format!(
                "learner `{}` needs more than labelled features, a head is fitted on these alone",
                learner.learner()
            )));
        }
        let way = labels.iter().max().map_or(0, |largest| usize::from(*largest) + 1);
        if dim == 0 || labels.len() * dim != support.len() || way < 2 {
            return Err(RunError::Request(format!(
                "a head is fitted on items of {dim} numbers with labels of two classes or more, got {} labels of {way} \
                 classes and {} numbers",
                labels.len(),
                support.len()
            )));
        }
        Ok(Head { learner, support, dim, labels, way, seed })
    }

    /// How many classes there are.
    pub fn way(&self) -> usize {
        self.way
    }

    /// The scores of items of as many numbers as those of the support.
    ///
    /// # Errors
    /// Numbers that are not finite or do not fill their rows; a fit that fails.
    pub fn scores(&self, learners: &Learners, query: &[f32]) -> Result<HeadScores, RunError> {
        let (fitted, asked) = (self.labels.len(), query.len() / self.dim);
        let store = self.store(query, asked)?;
        let made = data::transform(&store, self.learner.takes)?;
        let values = store.values().clone();
        let rows =
            HostRows::new(values, fitted + asked, self.dim, made.shift, made.scale, made.squared_norms)?
                .with_unit(made.unit);
        let failed = |source| EvalError::Fit { learner: self.learner.learner().to_string(), source };
        let learner = learners.cpu().build(&self.learner.parameters)?;
        let (support, query) = self.dealt(&rows, asked)?;
        let given = Given {
            support: Some(&support),
            class_embeddings: None,
            network: None,
            query: &query,
            rng: &BatchRng::new(self.seed, &[0]),
        };
        let (scores, unconverged) = learner.answer(&given).map_err(failed)?;
        let values = to_host(&scores.values)?;
        Ok(HeadScores { values, meaning: scores.meaning, converged: unconverged == 0 })
    }

    /// All items in one store, those of the support as base items.
    fn store(&self, query: &[f32], asked: usize) -> Result<Store, RunError> {
        const SIDES: [(&str, Split); 2] = [("fitted", Split::Base), ("asked", Split::Novel)];
        let counts = [self.labels.len(), asked];
        let class = |place: usize| std::iter::repeat_n(SIDES[place].0.to_string(), counts[place]);
        let sides = SIDES.iter().zip(counts).filter(|(_, count)| *count > 0);
        Ok(Store::from_parts(Parts {
            name: "items".to_string(),
            values: [&self.support, query].concat(),
            dim: self.dim,
            class: class(0).chain(class(1)).collect(),
            splits: Some(sides.map(|((name, split), _)| (name.to_string(), *split)).collect()),
            ..Parts::default()
        })?)
    }

    /// The one episode that they make.
    fn dealt(&self, rows: &HostRows, asked: usize) -> Result<(Support<Cpu>, Items<Cpu>), TensorError> {
        let (device, fitted) = (open_cpu(), self.labels.len());
        let store = device.upload(rows)?;
        let places = |from: usize, count: usize| {
            Rows::new(1, count, (from as u32..(from + count) as u32).collect::<Vec<_>>())
        };
        let labels = Labels::new(1, fitted, self.way, self.labels.clone())?;
        let support = Support::new(&device, &store, places(0, fitted)?, labels, Form::Vector)?;
        Ok((support, Items::new(&device, &store, places(fitted, asked)?, Form::Vector)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(spec: &str, support: Vec<f32>, labels: Vec<u16>) -> String {
        Head::new(&Learners::shipped(), spec, (support, 1), labels, 7).unwrap_err().to_string()
    }

    #[test]
    fn what_is_no_head_is_refused() {
        let other = refused("eszsl", vec![0.0, 1.0], vec![0, 1]);
        assert!(other.starts_with("learner `eszsl` needs more than labelled features"), "{other}");
        assert!(refused("ridge", vec![0.0], vec![0]).contains("got 1 labels of 1 classes and 1 numbers"));
        assert!(refused("ridge", vec![0.0], vec![0, 1]).contains("got 2 labels"));
    }

    #[test]
    fn the_centre_of_cl2n_is_that_of_the_support() {
        let learners = Learners::shipped();
        let support = vec![9.0, 10.0, 11.0, 10.0, 10.0, 9.0, 10.0, 11.0];
        let head = Head::new(&learners, "simpleshot", (support, 2), vec![0, 1, 2, 3], 7).unwrap();
        let answer = head.scores(&learners, &[10.0, 12.0, 5.0, 10.0]).unwrap();
        let best = |row: &[f32]| row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        assert_eq!(answer.values.chunks(4).map(best).collect::<Vec<_>>(), [3, 0]);
        assert_eq!((answer.meaning, answer.converged, head.way()), (Meaning::Logits, true, 4));
        assert!(head.scores(&learners, &[1.0]).unwrap_err().to_string().contains("expected 2 fields"));
    }
}
