//! Methods, one file each. A learner sees support, items and its own random numbers; never data, answers or classes.
//!
//! The setting of a learner is the trait that it implements. Every learner works on a batch of episodes of equal shape,
//! and on each of them as if it were alone.

mod ale;
mod bilinear;
mod checked;
mod class_embedding_cosine;
mod class_sums;
mod compatibility;
mod declaration;
mod devise;
mod error;
mod eszsl;
mod family;
mod fine_tune;
mod finetune_network;
mod fit;
mod host_head;
mod k_nn;
mod kind;
mod lda;
mod learners;
mod linear;
mod linear_probe;
mod mahalanobis;
mod matching;
mod metaoptnet_svm;
mod mlp;
mod nearest_centroid;
mod network;
mod parameters;
mod per_episode;
mod prototypical;
mod prototypical_zero_shot;
mod random_start;
mod registry;
mod ridge;
mod ridge_map;
mod sae;
mod search;
mod semantic_prototypical;
mod signature;
mod simplest;
mod sje;
mod stacked;
mod svm;
mod tip_adapter;
mod tip_adapter_f;
mod transductive;
mod whitened_ridge;

use std::sync::Arc;

use crate::backbone::Saved;
use crate::rng::BatchRng;
use crate::tensor::Backend;
use crate::view::{ClassEmbeddings, Items, Scores, Support};
use crate::vocab::Transform;

pub use checked::{Checked, Sizes};
pub use declaration::{Declaration, Number, Parameter, Range};
pub use error::LearnError;
pub use family::{Answer, Family};
pub use fit::{ClassTransductive, Fit, Fitted};
pub use kind::{Change, Given, Learner};
pub use learners::{Learners, Plugin, Registered};
pub use linear::LinearClassifier;
pub use network::{Frozen, Network};
pub use parameters::{Key, Parameters};
pub use per_episode::{PerEpisode, batched};
pub use registry::{Entry, Peers, Registry};
pub use search::{Scale, Search};
pub use signature::Signature;

/// A learner that adapts to a support set and then scores each query by itself.
pub trait Inductive<D: Backend> {
    /// Adapts to the support sets of a batch.
    ///
    /// # Errors
    /// When the device fails or the support cannot be used.
    fn adapt(&self, support: &Support<D>, rng: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError>;
}

/// A learner that owns the network of a feature set: it adapts a copy of it to the raw items of each support set.
///
/// Support and queries hold the raw items as the network reads them, flattened, see [`Support::form`].
pub trait Adaptive<D: Backend> {
    /// The lower part of the network that it leaves as it is, which every item may pass once for the whole run; nothing where
    /// it wants the raw items. This is also where a network that it cannot adapt is refused.
    ///
    /// # Errors
    /// When it cannot adapt this network.
    fn frozen(&self, network: &Arc<Saved>) -> Result<Option<Frozen>, LearnError> {
        let _ = network;
        Ok(None)
    }

    /// Weights that it trains in an episode of `way` labels, head and network; nothing where it does not know.
    ///
    /// # Errors
    /// When it cannot adapt this network.
    fn trained(&self, network: &Arc<Saved>, way: usize) -> Result<Option<usize>, LearnError> {
        let _ = (network, way);
        Ok(None)
    }

    /// Adapts to the support sets of a batch; `network` is what made the features of this feature set, and is not changed. Items
    /// are raw unless it says that they have passed the frozen part.
    ///
    /// # Errors
    /// When the device fails, or the support cannot be used.
    fn adapt(
        &self,
        network: &Network<'_>,
        support: &Support<D>,
        rng: &BatchRng<'_>,
    ) -> Result<Box<dyn Classifier<D>>, LearnError>;
}

/// A learner that has seen the support sets of a batch.
pub trait Classifier<D: Backend> {
    /// Scores of the items of the same episodes.
    ///
    /// # Errors
    /// When the device fails or the items do not fit the support.
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError>;

    /// Episodes of the batch whose fit stopped before it had converged.
    fn unconverged(&self) -> usize {
        0
    }
}

/// A learner that sees all queries of an episode at once.
pub trait Transductive<D: Backend> {
    /// Scores of the queries of a batch.
    ///
    /// # Errors
    /// When the device fails or the items do not fit the support.
    fn infer(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        rng: &BatchRng<'_>,
    ) -> Result<Scores<D>, LearnError>;
}

/// A learner that scores classes by their embeddings, without any labelled item of theirs.
pub trait ZeroShot<D: Backend> {
    /// Scores of items among candidate classes.
    ///
    /// # Errors
    /// When the device fails, or items and class embeddings do not fit the learner or each other.
    fn scores(&self, items: &Items<D>, candidates: &ClassEmbeddings<D>) -> Result<Scores<D>, LearnError>;
}

/// A learner that adapts to class embeddings and, where there is one, a support set.
pub trait Semantic<D: Backend> {
    /// Adapts to the labels of a batch; at shot 0 there is no support.
    ///
    /// # Errors
    /// When the device fails, or support and class embeddings do not fit the learner or each other.
    fn adapt(
        &self,
        support: Option<&Support<D>>,
        vectors: &ClassEmbeddings<D>,
        rng: &BatchRng<'_>,
    ) -> Result<Box<dyn Classifier<D>>, LearnError>;
}

/// The learners that ship with kshot.
pub struct Shipped;

impl Plugin for Shipped {
    fn register<D: Registered>(&self, list: &mut Registry<D>) {
        prototypical::register(list);
        nearest_centroid::register(list);
        k_nn::register(list);
        matching::register(list);
        linear_probe::register(list);
        ridge::register(list);
        svm::register(list);
        fine_tune::register(list);
        finetune_network::register(list);
        metaoptnet_svm::register(list);
        whitened_ridge::register(list);
        lda::register(list);
        mahalanobis::register(list);
        mlp::register(list);
        stacked::register(list);
        class_embedding_cosine::register(list);
        eszsl::register(list);
        sae::register(list);
        devise::register(list);
        ale::register(list);
        sje::register(list);
        ridge_map::register(list);
        prototypical_zero_shot::register(list);
        semantic_prototypical::register(list);
        tip_adapter::register(list);
        tip_adapter_f::register(list);
        transductive::register(list);
    }
}

/// The parameter `transform` with this default.
fn transform_parameter(default: Transform) -> Declaration<Transform> {
    const WORDS: &[(&str, Transform)] =
        &[("none", Transform::None), ("l2n", Transform::L2n), ("cl2n", Transform::Cl2n)];
    Parameter::choice("transform", WORDS, "what is done to features first")
        .default(default.word())
        .grid(&["none", "l2n", "cl2n"])
}
