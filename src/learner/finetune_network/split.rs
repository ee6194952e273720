//! A network cut in two: what stays as it is, and what is trained.

use std::sync::Arc;

use super::super::{Frozen, LearnError};
use super::NAME;
use super::parameters::Settings;
use crate::backbone::{Architecture, Described, Saved, start_stream};
use crate::tensor::net::{Graph, Value};

/// What of a network is trained beside the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Train {
    /// Nothing.
    Head,
    /// So many of its last blocks.
    Last(usize),
    /// All of it.
    All,
}

/// Where a network starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Init {
    Pretrained,
    Random(u64),
}

/// A network taken apart.
pub(super) struct Split {
    of: Arc<Saved>,
    /// What stays; nothing where all is trained.
    pub below: Option<Frozen>,
    /// What is trained; nothing where the head alone is.
    pub above: Option<Upper>,
    /// Channels, height and width of the raw items.
    pub form: (usize, usize, usize),
}

/// The upper part of a network.
pub(super) struct Upper {
    pub graph: Graph,
    pub values: Vec<Vec<f32>>,
    /// The features: one pixel.
    pub features: Value,
    /// Height and width of what comes in.
    pub image: (usize, usize),
}

impl Split {
    pub fn new(saved: &Arc<Saved>, settings: &Settings) -> Result<Split, LearnError> {
        let Some(Described { graph, features, image }) = saved.config.described() else {
            let name = saved.config.name();
            return Err(refused(format!(
                "backbone `{name}` is not written down layer by layer, it cannot be adapted"
            )));
        };
        let values: Vec<Vec<f32>> = match settings.init {
            Init::Pretrained => saved.weights.0.iter().map(|weight| weight.values.clone()).collect(),
            Init::Random(seed) => {
                let mut stream = start_stream(seed);
                let fresh = saved.config.fresh(|| stream.normal());
                fresh.0.into_iter().map(|weight| weight.values).collect()
            }
        };
        let form = (graph.channels(), image.0, image.1);
        let whole = |below, above| Ok(Split { of: Arc::clone(saved), below, above, form });
        let cut = match settings.train {
            Train::All => None,
            Train::Head => Some(("features".to_string(), features)),
            Train::Last(count) => cut(&graph, features, count)?,
        };
        let Some((name, cut)) = cut else {
            return whole(None, Some(Upper { graph, values, features, image }));
        };
        let key = format!("{name} {:?}", settings.init);
        let size = graph.size(cut, image)?;
        let above = match settings.train {
            Train::Head => None,
            _ => {
                let above = graph.above(cut, size.channels, features);
                let above = above.ok_or_else(|| refused(format!("the network cannot be cut at `{name}`")))?;
                let own = above.from.iter().map(|place| values[*place].clone()).collect();
                let features = above.graph.features();
                Some(Upper { graph: above.graph, values: own, features, image: (size.height, size.width) })
            }
        };
        whole(Some(Frozen { key, graph, values, result: cut, image }), above)
    }

    /// Whether it was made of this network.
    pub fn is_of(&self, saved: &Arc<Saved>) -> bool {
        Arc::ptr_eq(&self.of, saved)
    }
}

/// The end of the block below the last `count` ones, with its name; nothing where these are all.
fn cut(graph: &Graph, features: Value, count: usize) -> Result<Option<(String, Value)>, LearnError> {
    let needed = graph.needed(features);
    let ends: Vec<&(String, Value)> = graph.cuts().iter().filter(|(_, end)| *end <= features).collect();
    let ends: Vec<_> = ends.into_iter().filter(|(_, end)| needed[end.index()]).collect();
    if count > ends.len() {
        let names: Vec<String> = ends.iter().map(|(name, _)| format!("`{name}`")).collect();
        return Err(refused(format!(
            "`train=last-{count}` asks for more blocks than the network has: {}\nhint: train=last-{} or train=all",
            names.join(", "),
            ends.len().max(1)
        )));
    }
    Ok((ends.len() - count).checked_sub(1).map(|below| ends[below].clone()))
}

fn refused(problem: String) -> LearnError {
    LearnError::Conflict { learner: NAME.to_string(), problem }
}
