//! A learner from another crate, which every verb of the command line then knows by name.
//!
//! Run it: `cargo run --release --example custom_learner -- evaluate quickstart --learner shrunken-mean:share=0.3`

use std::process::ExitCode;

use kshot::learner::{
    Classifier, Inductive, LearnError, Learner, Learners, Parameter, Plugin, Registered, Registry, Signature,
};
use kshot::rng::BatchRng;
use kshot::tensor::{Backend, Tensor3, ops};
use kshot::view::{Items, Scores, Support};

/// Nearest class mean, each mean drawn towards the mean of all support items by a share of the way.
struct ShrunkenMean {
    share: f32,
}

impl<D: Backend> Inductive<D> for ShrunkenMean {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let means = support.means()?; // (episodes, way, dim)
        let way = support.way();
        let even = vec![self.share / way as f32; support.episodes() * way * way];
        let even = support.device().tensor3((support.episodes(), way, way), even)?;
        let pulled = ops::add(&ops::scale(means.clone(), 1.0 - self.share)?, &ops::matmul(&even, &means)?)?;
        Ok(Box::new(Nearest { centres: pulled }))
    }
}

struct Nearest<D: Backend> {
    centres: Tensor3<D>,
}

impl<D: Backend> Classifier<D> for Nearest<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        Ok(Scores::logits(items.negative_squared_distances(&self.centres)?))
    }
}

struct Mine;

impl Plugin for Mine {
    fn register<D: Registered>(&self, list: &mut Registry<D>) {
        let about = "nearest class mean, drawn towards the mean of all classes";
        let mut learner = Signature::new("shrunken-mean", about);
        let share = Parameter::real("share", 0.1, 0.0, 0.9, "share of the way to the common mean");
        let share = learner.parameter(share);
        list.add(learner, move |p| Ok(Learner::inductive(ShrunkenMean { share: p[share] as f32 })));
    }
}

fn main() -> ExitCode {
    kshot::cli::main(&Learners::shipped().with(Mine))
}
