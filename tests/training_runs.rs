//! A training keeps its best weights and stops when validation gets no better; stopped after any line of its report, it goes on
//! to the same weights, whatever the objective, the rule for steps and the network.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use kshot::backbone::{Architecture, Configuration, MlpConfig, Named, Saved, Trainable, Weights};
use kshot::data::{self, Store};
use kshot::episode::{Draw, Sampler};
use kshot::protocol::Protocol;
use kshot::tensor::conv::ConvOps;
use kshot::tensor::{Cpu, TensorError, open_cpu};
use kshot::train::{Training, TrainingConfig, TrainingInputs};
use kshot::vocab::Form;

const MLP: &str = "name = \"mlp\"\nhidden = 16\nwidth = 8\n";
const EPISODES: &str = "kind = \"prototypical\"\nway = 5\nshot = 1\nquery = 3\n";
const ADAM: &str = "kind = \"adam\"\nrate = 0.01\n";

fn recipe(backbone: &str, objective: &str, optimiser: &str, steps: u32) -> TrainingConfig {
    let text = format!(
        "name = \"tiny\"\n[data]\ndataset = \"glyphs\"\n[backbone]\n{backbone}[objective]\n{objective}[optimiser]\n{optimiser}\
         [training]\nsteps = {steps}\nseed = 3\nclip = 5.0\n[augmentation]\nshift = 1.0\n\
         [validation]\nway = 5\nshot = 1\nquery = 5\nepisodes = 20\nseed = 7\nevery = 5\npatience = 3\n"
    );
    TrainingConfig::parse(&text, "tiny").unwrap()
}

fn glyphs() -> (Store, Draw) {
    let store = data::embedded("glyphs").unwrap().unwrap();
    let rules = "name = \"validation\"\nversion = 1\nsource = \"this test\"\nsettings = [\"inductive\"]\n[data]\n\
                 split = \"validation\"\n[episode]\nway = 5\nshot = 1\nquery = 5\n[draw]\ncount = 20\nseed = 7\n\
                 [report]\nmetrics = [\"accuracy\"]\n";
    let rules = Protocol::parse(rules, "this test").unwrap();
    let draw = Sampler::new(&rules, store.index()).unwrap().episodes(0..20).unwrap();
    (store, draw)
}

fn task<'a>(recipe: &'a TrainingConfig, (store, draw): &'a (Store, Draw)) -> TrainingInputs<'a> {
    TrainingInputs { config: recipe, store, data_sha256: "", validation: Some(draw) }
}

fn to_the_end<A: Architecture>(mut run: Training<'_, Cpu, A>) -> Training<'_, Cpu, A> {
    while !run.is_done() {
        run.advance(|_| {}).unwrap();
    }
    run
}

#[test]
fn a_training_ends_when_validation_gets_no_better_and_keeps_the_best_weights() {
    let (device, glyphs) = (open_cpu(), glyphs());
    // Steps so wide that validation soon falls.
    let long = recipe(MLP, EPISODES, "kind = \"adam\"\nrate = 0.1\n", 1000);
    let run = to_the_end(Training::new(&device, task(&long, &glyphs)).unwrap());
    let (best, accuracy) = run.best().unwrap();
    assert!(run.step() < 1000 && run.step() == best + 3 * 5, "{} {best}", run.step());
    let found: Vec<f64> = run.rows().iter().map(|row| row.validation.unwrap()).collect();
    let most = found.iter().copied().fold(0.0, f64::max);
    let first = found.iter().position(|v| *v == most).unwrap();
    assert_eq!((best, accuracy), (5 * (first as u32 + 1), most));
    let kept = run.weights();
    assert_eq!(kept.metadata["steps"], best.to_string());
    assert_eq!(kept.metadata["validation_accuracy"], most.to_string());
    // A training of just so many steps ends with the weights that were kept.
    let short = recipe(MLP, EPISODES, "kind = \"adam\"\nrate = 0.1\n", best);
    let short = to_the_end(Training::new(&device, task(&short, &glyphs)).unwrap());
    assert_eq!(short.weights().weights, kept.weights);
}

#[test]
fn a_training_that_was_stopped_anywhere_goes_on_to_the_same_weights() {
    let (device, glyphs, place) = (open_cpu(), glyphs(), tempfile::tempdir().unwrap());
    let conv4 = "name = \"conv4\"\nwidth = 4\nblocks = 2\n";
    let sgd = "kind = \"sgd\"\nrate = 0.05\nmomentum = 0.9\nweight_decay = 1e-4\n";
    let (classes, triplets) = (
        "kind = \"cross-entropy\"\nbatch = 40\n",
        "kind = \"triplet\"\nclasses = 5\nitems = 3\nmargin = 0.2\n",
    );
    for (backbone, objective, optimiser) in [
        (MLP, EPISODES, sgd),
        (MLP, classes, ADAM),
        (MLP, classes, sgd),
        (MLP, triplets, ADAM),
        (conv4, classes, sgd),
        (conv4, triplets, sgd),
    ] {
        let recipe = recipe(backbone, objective, optimiser, 20);
        let mut whole = Training::new(&device, task(&recipe, &glyphs)).unwrap();
        let mut stopped = Vec::new();
        while !whole.is_done() {
            whole.advance(|_| {}).unwrap();
            stopped.push(whole.checkpoint());
        }
        assert_eq!(stopped.len() as u32, whole.step() / 5);
        for checkpoint in &stopped {
            let path = place.path().join("checkpoint.safetensors");
            std::fs::write(&path, checkpoint).unwrap();
            let run = to_the_end(Training::resume(&device, task(&recipe, &glyphs), &path).unwrap());
            assert_eq!(run.rows(), whole.rows(), "{}", recipe.text());
            assert!(run.checkpoint() == whole.checkpoint(), "{}", recipe.text());
            assert!(run.weights().bytes() == whole.weights().bytes(), "{}", recipe.text());
        }
    }
}

/// A network that kshot has not enrolled, as a program of someone else brings it: an mlp under another name.
#[derive(Clone, Debug)]
struct Mine(MlpConfig);

impl Architecture for Mine {
    fn name(&self) -> &'static str {
        "mine"
    }

    fn text(&self) -> String {
        self.0.text()
    }

    fn form(&self) -> Form {
        self.0.form()
    }

    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn fresh(&self, normal: impl FnMut() -> f64) -> Weights {
        self.0.fresh(normal)
    }

    fn on<D: ConvOps>(&self, device: &D, weights: &Weights) -> Result<Box<dyn Trainable<D>>, TensorError> {
        self.0.on(device, weights)
    }
}

#[test]
fn a_network_from_outside_is_trained_saved_and_read_back() {
    let (device, glyphs) = (open_cpu(), glyphs());
    let recipe = recipe(MLP, EPISODES, ADAM, 10);
    let config = Configuration::fit("mlp", glyphs.0.form(), &recipe.sizes).unwrap();
    let Configuration::MlpConfig(config) = config else { panic!("{config:?}") };
    let named = to_the_end(Training::new(&device, task(&recipe, &glyphs)).unwrap()).weights();
    let mine = to_the_end(Training::of(&device, task(&recipe, &glyphs), Mine(config)).unwrap()).weights();
    assert_eq!(mine.weights, named.weights);
    let (bytes, path) = (mine.bytes(), Path::new("w.safetensors"));
    let back =
        Saved::parse_as(&bytes, path, Some("mine"), |_, text| MlpConfig::parse(text).map(Mine)).unwrap();
    assert_eq!((back.weights, back.metadata), (mine.weights, mine.metadata));
    let error = Saved::parse(&bytes, path, Some("mlp")).unwrap_err().to_string();
    assert_eq!(error, "w.safetensors: these are weights of backbone `mine`, expected `mlp`");
    let error = Saved::parse(&bytes, path, None).unwrap_err().to_string();
    assert!(error.starts_with("w.safetensors: `configuration` is `channels=1,"), "{error}");
}
