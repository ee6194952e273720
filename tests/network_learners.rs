//! A learner that owns the network of a feature set is given the network and the raw items behind the features.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kshot::backbone::Backbone;
use kshot::learner::{
    Adaptive, Classifier, LearnError, Learner, Network, Plugin, Registered, Registry, Signature,
};
use kshot::metric::Metric;
use kshot::protocol::Protocol;
use kshot::results::Inputs;
use kshot::rng::BatchRng;
use kshot::run::{Done, Features, Run, RunError};
use kshot::tensor::conv::ConvOps;
use kshot::tensor::{SpanOps, Tensor3, TensorError, ops, to_host};
use kshot::view::{Items, Scores, Support};

/// Prototypical networks as they are, the network run over support and queries of every episode.
struct InEpisode;

impl<D: ConvOps + SpanOps> Adaptive<D> for InEpisode {
    fn adapt(
        &self,
        network: &Network<'_>,
        support: &Support<D>,
        _: &BatchRng<'_>,
    ) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let network = network.saved().on(support.device())?;
        let features = embedded(network.as_ref(), support.device(), support.episodes(), support.features()?)?;
        let means = ops::class_means(&features, support.labels())?;
        Ok(Box::new(Means { network, means }))
    }
}

struct Means<D: ConvOps> {
    network: Box<dyn Backbone<D>>,
    means: Tensor3<D>,
}

impl<D: ConvOps + SpanOps> Classifier<D> for Means<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let queries = embedded(self.network.as_ref(), items.device(), items.episodes(), &items.features()?)?;
        let distances = ops::squared_distances(&queries, &self.means)?;
        let (way, count) = (to_host(&distances)?.len() / items.episodes() / items.count(), items.count());
        let values = to_host(&distances)?.iter().map(|distance| -distance).collect();
        Ok(Scores::logits(items.device().tensor3((items.episodes(), count, way), values)?))
    }
}

/// Raw items of some episodes through a network: (episodes, items, dim).
fn embedded<D: ConvOps>(
    network: &dyn Backbone<D>,
    device: &D,
    episodes: usize,
    raw: &Tensor3<D>,
) -> Result<Tensor3<D>, TensorError> {
    let features = to_host(&network.embed(&to_host(raw)?)?)?;
    let items = features.len() / network.dim() / episodes;
    device.tensor3((episodes, items, network.dim()), features)
}

struct Mine;

impl Plugin for Mine {
    fn register<D: Registered>(&self, list: &mut Registry<D>) {
        list.add(Signature::new("in-episode", "the network run in every episode"), |_| {
            Ok(Learner::adaptive(InEpisode))
        });
    }
}

fn run(features: Inputs, learners: &[&str]) -> Result<Done, RunError> {
    let protocol = Protocol::episodes().name("p").way(5).shots([1, 3]).query(4).count(6).seed(2);
    Run::new(protocol).inputs(features).register(Mine).learners(learners.iter().copied())?.evaluate()
}

/// Accuracies of a learner by shot.
fn accuracies(done: &Done, learner: &str) -> Vec<f64> {
    let rows = done.summary().iter();
    let own = rows.filter(|row| row.table.learner == learner && row.measured.metric == Metric::ACCURACY);
    own.map(|row| row.measured.value).collect()
}

#[test]
fn the_network_run_in_every_episode_gives_what_its_features_gave() {
    let cache = tempfile::tempdir().unwrap();
    let done = run(characters(&cache), &["in-episode", "prototypical"]).unwrap();
    let (own, frozen) = (accuracies(&done, "in-episode"), accuracies(&done, "prototypical"));
    assert_eq!(own.len(), 2);
    assert!(own[0] > 0.6, "{own:?}");
    // Distances in another order of additions: an answer in doubt may change.
    assert!(own.iter().zip(&frozen).all(|(a, b)| (a - b).abs() < 0.01), "{own:?} {frozen:?}");
}

#[test]
fn features_that_no_network_made_are_refused() {
    let glyphs = || Inputs { features: vec!["glyphs".to_string()], ..Inputs::default() };
    let refused = run(glyphs(), &["in-episode"]).err().unwrap().to_string();
    assert!(refused.starts_with("learner `in-episode` adapts the network behind the features"), "{refused}");
    // Where nobody named it, it is left out and said so.
    let done = run(glyphs(), &[]).unwrap();
    assert!(accuracies(&done, "in-episode").is_empty() && !accuracies(&done, "ridge").is_empty());
    let said =
        done.warnings().iter().map(ToString::to_string).any(|text| text.contains("in-episode is left out"));
    assert!(said);
}

#[test]
fn features_in_memory_have_no_network() {
    let set = Features::from_rows(&[0.0; 4], 1, &["a", "a", "b", "b"]).unwrap();
    let protocol = Protocol::episodes().way(2).shots([1]).query(1).count(2);
    let run = Run::new(protocol).features(set).register(Mine).learners(["in-episode"]).unwrap();
    assert!(run.evaluate().is_err());
}

/// Features of the embedded characters with the network that made them.
fn characters(cache: &tempfile::TempDir) -> Inputs {
    Inputs {
        features: vec!["glyphs".to_string()],
        backbones: vec!["conv4:weights=conv4-glyphs".to_string()],
        cache: Some(cache.path().to_path_buf()),
        ..Inputs::default()
    }
}

fn protocol() -> Protocol {
    Protocol::episodes().name("p").way(3).shots([2]).query(3).count(4).seed(2).try_into().unwrap()
}

/// The refusal of a run with this learner.
fn refused(cache: &tempfile::TempDir, learner: &str) -> String {
    let run = Run::new(protocol()).inputs(characters(cache)).learners([learner]);
    run.and_then(Run::evaluate).err().unwrap().to_string()
}

/// `outcomes.csv` of a run with these learners.
fn outcomes(cache: &tempfile::TempDir, workers: usize) -> Vec<u8> {
    let learners = ["finetune:epochs=3", "finetune:train=all,epochs=2,batch=4,augment=shift"];
    let run = Run::new(protocol()).inputs(characters(cache)).learners(learners).unwrap();
    let done = run.workers(workers).evaluate().unwrap();
    std::fs::read(done.folder().join("outcomes.csv")).unwrap()
}

#[test]
fn fine_tuning_gives_the_same_bytes_on_any_number_of_workers() {
    let cache = tempfile::tempdir().unwrap();
    assert_eq!(outcomes(&cache, 1), outcomes(&cache, 2));
}

#[test]
fn fine_tuning_learns_and_is_not_run_unless_it_is_named() {
    let cache = tempfile::tempdir().unwrap();
    let done = run(characters(&cache), &["finetune:train=last-1,epochs=10", "finetune:train=head"]).unwrap();
    let found = accuracies(&done, "finetune-network");
    assert!(found.len() == 4 && found.iter().all(|accuracy| *accuracy > 0.6), "{found:?}");
    let all = run(characters(&cache), &[]).unwrap();
    assert!(accuracies(&all, "finetune-network").is_empty() && !accuracies(&all, "ridge").is_empty());
}

#[test]
fn what_cannot_be_fine_tuned_is_one_sentence() {
    let cache = tempfile::tempdir().unwrap();
    let blocks = refused(&cache, "finetune:train=last-5");
    let expected = "learner `finetune-network`: `train=last-5` asks for more blocks than the network has: `block1`, \
                    `block2`, `block3`, `block4`\nhint: train=last-4 or train=all";
    assert_eq!(blocks, expected);
    let diverging = refused(&cache, "finetune:optimiser=sgd,lr=1000000,head-lr=1000000,train=all");
    assert!(diverging.starts_with("learner `finetune-network` failed in episode "), "{diverging}");
    assert!(diverging.ends_with("the training diverges\nhint: take a lower rate of learning"), "{diverging}");
    let glyphs = Inputs { features: vec!["glyphs".to_string()], ..Inputs::default() };
    let plain = run(glyphs, &["finetune"]).err().unwrap().to_string();
    assert!(
        plain.starts_with("learner `finetune-network` adapts the network behind the features"),
        "{plain}"
    );
}
