//! A network and a head on it, trained on the support of each episode: from one layer to all.
//!
//! The network is what made the features of the feature set. `train` says how much of it moves: the `head` alone, the last N
//! blocks ([`Graph::cuts`](crate::tensor::net::Graph::cuts) are their ends), or all. What lies below stays, and every item passes it
//! once for the whole run. `head = linear` is the last layer of a classification (Yosinski et al. 2014; Chen et al. 2019 compare it with
//! few-shot methods), `cosine` that of Baseline++ (Chen et al. 2019), `prototype` fine-tunes as Hu et al. 2022 do ("Pushing the
//! Limits of Simple Pipelines for Few-Shot Learning"): support makes prototypes, and its changed images are the queries.
//! `init = random:SEED` begins with first values: with `train = all` it is training from scratch.
//!
//! Differs from these papers: a linear head begins at zero and a cosine head at the mean directions of the support, so that the
//! result depends on the episode alone where nothing is shuffled; batch normalisations keep their running moments where the
//! network is pre-trained (`batch-norm`), because an episode has too few items for moments of its own; no validation episodes
//! choose the rate, as Hu et al. let them; `optimiser = adam` is the default where Chen et al. take SGD.

mod episode;
mod parameters;
mod split;

use std::cell::RefCell;
use std::rc::Rc;

use super::{Adaptive, Classifier, Frozen, LearnError, Learner, Network, Registered, Registry, Signature};
use crate::backbone::{Architecture, Saved};
use crate::rng::BatchRng;
use crate::tensor::conv::ConvOps;
use crate::tensor::to_host;
use crate::view::{Items, Scores, Support};
use episode::{Adapted, Episode};
use parameters::{Keys, Settings};
use split::Split;

/// The name of the learner.
const NAME: &str = "finetune-network";

pub(super) fn register<D: Registered>(list: &mut Registry<D>) {
    let about = "the network behind the features and a head, trained in each episode; only where it is named";
    let mut signature = Signature::new(NAME, about);
    signature.alias("finetune", &[]);
    let keys = Keys::declare(&mut signature);
    list.add(signature, move |p| {
        let learner = Finetune { settings: keys.read(p)?, split: RefCell::default() };
        Ok(Learner::adaptive(learner).with_invariances(&[]).weak().only_by_name())
    });
}

struct Finetune {
    settings: Settings,
    /// The last network that was met, taken apart.
    split: RefCell<Option<Rc<Split>>>,
}

impl Finetune {
    fn split(&self, network: &Network<'_>) -> Result<Rc<Split>, LearnError> {
        let mut kept = self.split.borrow_mut();
        if let Some(split) = kept.as_ref().filter(|split| split.is_of(network.saved())) {
            return Ok(Rc::clone(split));
        }
        let split = Rc::new(Split::new(network.saved(), &self.settings)?);
        *kept = Some(Rc::clone(&split));
        Ok(split)
    }
}

impl<D: ConvOps> Adaptive<D> for Finetune {
    fn frozen(&self, network: &std::sync::Arc<Saved>) -> Result<Option<Frozen>, LearnError> {
        let split = Split::new(network, &self.settings)?;
        // Changed images are other items, which have to pass the whole network.
        Ok(split.below.filter(|_| self.settings.augmentation.is_none()))
    }

    fn trained(&self, network: &std::sync::Arc<Saved>, way: usize) -> Result<Option<usize>, LearnError> {
        let split = Split::new(network, &self.settings)?;
        let of_network = split.above.as_ref().map_or(0, |upper| {
            upper.graph.parameters().iter().filter(|p| p.learned).map(|p| p.count()).sum()
        });
        let dim = network.config.dim();
        Ok(Some(of_network + self.settings.head.learned(dim, way)))
    }

    fn adapt(
        &self,
        network: &Network<'_>,
        support: &Support<D>,
        rng: &BatchRng<'_>,
    ) -> Result<Box<dyn Classifier<D>>, LearnError> {
        let (way, dim, device) = (support.way(), support.dim(), support.device());
        if way < 2 {
            let problem = format!("a head is trained on two classes or more, the support has {way}");
            return Err(LearnError::Conflict { learner: NAME.to_string(), problem });
        }
        let split = self.split(network)?;
        let all = to_host(support.features()?)?;
        let mut episodes = Vec::with_capacity(support.episodes());
        for place in 0..support.episodes() {
            let labels: Vec<usize> =
                support.labels().of(place).iter().map(|label| usize::from(*label)).collect();
            let first = place * support.slots() * dim;
            let items = &all[first..first + labels.len() * dim];
            let passed = network.has_passed();
            let episode =
                Episode { device, split: &split, settings: &self.settings, items, labels, way, passed };
            let adapted = episode.adapt(rng.stream(place));
            episodes.push(adapted.map_err(|source| source.in_episode(place))?);
        }
        Ok(Box::new(All { episodes, way }))
    }
}

/// The networks of all episodes of a batch.
struct All<D: ConvOps> {
    episodes: Vec<Adapted<D>>,
    way: usize,
}

impl<D: ConvOps> Classifier<D> for All<D> {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let (count, dim) = (items.count(), items.dim());
        let all = to_host(&items.features()?)?;
        let mut values = Vec::with_capacity(items.episodes() * count * self.way);
        for (place, adapted) in self.episodes.iter().enumerate() {
            let own = &all[place * count * dim..(place + 1) * count * dim];
            values.extend(adapted.scores(own, dim).map_err(|source| source.in_episode(place))?);
        }
        Ok(Scores::logits(items.device().tensor3((items.episodes(), count, self.way), values)?))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::learner::{Given, Learners};
    use crate::tensor::{Labels, open_cpu};

    /// The scores of an episode of two labels, from raw items or from what they are behind the frozen part.
    fn scores(spec: &str, passes: bool) -> Vec<f32> {
        let (device, learners) = (open_cpu(), Learners::shipped());
        let saved = Arc::new(Saved::read(Path::new("conv4-glyphs"), "conv4").unwrap());
        let learner = learners.cpu().build(&learners.cpu().check(spec).unwrap().parameters).unwrap();
        let frozen = learner.frozen(&saved).unwrap();
        let dim = 28 * 28;
        // Strokes that stand upright, and strokes that lie.
        let item = |number: usize, label: usize| {
            let ink = move |place: usize| {
                let along = if label == 0 { place % 28 } else { place / 28 };
                f32::from(u8::from(along.abs_diff(8 + number) < 3))
            };
            (0..dim).map(ink).collect::<Vec<f32>>()
        };
        let items = |count: usize| {
            let raw: Vec<f32> = (0..count).flat_map(|place| item(place, place % 2)).collect();
            match frozen.as_ref().filter(|_| passes) {
                Some(frozen) => {
                    let below = device.passes(&frozen.graph, &frozen.values, frozen.result).unwrap();
                    below.maps(&raw, frozen.image).unwrap()
                }
                None => raw,
            }
        };
        let (support, query) = (items(4), items(6));
        let size = support.len() / 4;
        let labels = Labels::new(1, 4, 2, vec![0, 1, 0, 1]).unwrap();
        let support = Support::dense(&device, size, support, labels).unwrap();
        let query = Items::dense(&device, (1, 6, size), query).unwrap();
        let given = Given {
            support: Some(&support),
            class_embeddings: None,
            network: Some(Network::new(&saved, passes && frozen.is_some())),
            query: &query,
            rng: &BatchRng::new(1, &[3]),
        };
        to_host(&learner.answer(&given).unwrap().0.values).unwrap()
    }

    #[test]
    fn what_is_kept_at_the_cut_gives_the_same_answers_as_raw_items() {
        for spec in [
            "finetune:train=head,epochs=5",
            "finetune:train=last-2,head=cosine,epochs=3",
            "finetune:train=last-1,head=prototype,epochs=3,batch=2",
        ] {
            let (raw, kept) = (scores(spec, false), scores(spec, true));
            assert!(raw.iter().zip(&kept).all(|(a, b)| (a - b).abs() < 1e-3), "{spec} {raw:?} {kept:?}");
            let right =
                kept.chunks(2).enumerate().filter(|(place, row)| (row[0] > row[1]) == (place % 2 == 0));
            assert_eq!(right.count(), 6, "{spec} {kept:?}");
        }
    }

    #[test]
    fn every_parameter_of_a_training_reaches_it() {
        let usual = scores("finetune:epochs=4", true);
        for other in [
            "lr=0.01",
            "head-lr=0.1",
            "epochs=5",
            "batch=3",
            "optimiser=sgd",
            "optimiser=adam-w,weight-decay=0.5",
            "clip=0.01",
            "label-smoothing=0.2",
            "schedule=constant",
            "schedule=warm-up",
            "batch-norm=batch",
            "augment=shift",
            "early-stopping=0.5",
            "init=random:3",
            "head=cosine",
            "train=last-2",
        ] {
            let spec = if other.contains("epochs") {
                format!("finetune:{other}")
            } else {
                format!("finetune:epochs=4,{other}")
            };
            assert_ne!(scores(&spec, true), usual, "{spec}");
        }
        let two = |decay: &str| scores(&format!("finetune:epochs=4,train=last-2,layer-decay={decay}"), true);
        assert_ne!(two("1"), two("0.1"));
    }
}
