//! The sizes of a published network as kshot's other networks have theirs: written down, filled with first values, and put
//! onto a device.

use super::blocks::{ACTIVATIONS, Encoder, Pool, pooled};
use super::kind::{Kind, Plan};
use super::network::Net;
use crate::backbone::architecture::{Architecture, Described, Sizes};
use crate::backbone::network::Trainable;
use crate::backbone::{BackboneError, Weights};
use crate::tensor::TensorError;
use crate::tensor::conv::ConvOps;
use crate::tensor::net::{First, Graph, Size, Value};
use crate::vocab::Form;

/// Width of the channels in percent, as training configs give it.
const WIDTH: &str = "width_percent";

/// Largest number of channels, pixels of a side, or classes that a file may claim.
const LARGEST: usize = 1 << 16;
/// Most blocks of a transformer that a file may claim.
pub(super) const DEEPEST: usize = 1024;
/// Widths in thousandths of the published one.
pub(super) const WIDTHS: std::ops::RangeInclusive<usize> = 1..=4000;

/// A published network for images of one size, up to one of its results.
#[derive(Clone, Copy, Debug)]
pub struct NetConfig {
    pub(super) kind: &'static Kind,
    pub(super) plan: Plan,
    /// The place among [`Graph::cuts`] of the result that becomes features; the penultimate ones where there is none.
    pub(super) cut: Option<usize>,
}

impl PartialEq for NetConfig {
    fn eq(&self, other: &NetConfig) -> bool {
        self.plan == other.plan && self.cut == other.cut
    }
}

impl Eq for NetConfig {}

impl NetConfig {
    /// A network of this kind as it was published.
    pub fn new(kind: &'static Kind) -> NetConfig {
        NetConfig { kind, plan: Plan::new(kind), cut: None }
    }

    /// The same, built otherwise.
    #[must_use]
    pub fn with(self, plan: Plan) -> NetConfig {
        NetConfig { plan, ..self }
    }

    /// The same up to the result of this name: see [`Graph::cuts`].
    ///
    /// # Errors
    /// When the network has no result of this name.
    pub fn cut(self, name: &str) -> Result<NetConfig, BackboneError> {
        let graph = self.graph();
        let place = graph.cuts().iter().position(|(known, _)| known == name);
        match place {
            Some(place) => Ok(NetConfig { cut: Some(place), ..self }),
            None => Err(BackboneError::UnknownCut {
                backbone: self.kind.name,
                found: name.to_string(),
                known: graph.cuts().iter().map(|(name, _)| name.clone()).collect(),
            }),
        }
    }

    /// What kind of network it is.
    pub fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// How it is built.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The network, written down. A transformer that is cut ends with the token, or mean of tokens, that becomes features.
    pub fn graph(&self) -> Graph {
        let graph = (self.kind.describe)(&self.plan);
        match self.cut.and_then(|place| graph.cuts().get(place)).map(|(name, value)| (name == "norm", *value))
        {
            Some((false, tokens)) if self.kind.encoder.is_some() => {
                pooled(graph, tokens, self.plan.encoder.pool)
            }
            _ => graph,
        }
    }

    /// The result that becomes features, of the network as [`NetConfig::graph`] writes it down.
    pub fn result(&self, graph: &Graph) -> Value {
        let cut = self.cut.map(|place| &graph.cuts()[place]);
        match cut.filter(|(name, _)| self.kind.encoder.is_none() || name == "norm") {
            Some((_, value)) => *value,
            None => graph.features(),
        }
    }

    /// The size of the result that becomes features.
    ///
    /// # Errors
    /// When the images are too small for the network.
    pub fn size(&self) -> Result<Size, TensorError> {
        let graph = self.graph();
        graph.size(self.result(&graph), self.plan.image)
    }

    /// The network for items of a form, with the sizes that a training config gives.
    pub(in crate::backbone) fn fit(
        kind: &'static Kind,
        form: Form,
        given: &Sizes,
    ) -> Result<NetConfig, BackboneError> {
        let refused = |key, rule: &str, found: String| BackboneError::Configuration {
            backbone: kind.name,
            key,
            rule: rule.to_string(),
            found,
        };
        let Form::Image { channels, height, width } = form else {
            return Err(refused("form", "`image:CHANNELSxHEIGHTxWIDTH`", format!("`{form}`")));
        };
        let percent = given.get(WIDTH).copied().unwrap_or(100);
        if !(1..=400).contains(&percent) {
            return Err(refused(WIDTH, "1 to 400", percent.to_string()));
        }
        let plan = Plan {
            channels,
            classes: None,
            thousandths: percent * 10,
            image: (height, width),
            ..Plan::new(kind)
        };
        let config = NetConfig::new(kind).with(plan);
        config.size()?;
        Ok(config)
    }

    /// The sizes that a training config may give.
    pub(in crate::backbone) fn size_names() -> Vec<&'static str> {
        vec![WIDTH]
    }

    /// What [`Architecture::text`] has written.
    pub(in crate::backbone) fn parse(kind: &'static Kind, text: &str) -> Option<NetConfig> {
        let mut plan = Plan { classes: None, ..Plan::new(kind) };
        let mut cut = None;
        for pair in text.split(',') {
            let (key, value) = pair.split_once('=')?;
            match key {
                "channels" => plan.channels = value.parse().ok()?,
                "classes" => plan.classes = Some(value.parse().ok()?),
                "cut" => cut = Some(value),
                "epsilon" => plan.epsilon = Some(value.parse().ok()?),
                "height" => plan.image.0 = value.parse().ok()?,
                "image_width" => plan.image.1 = value.parse().ok()?,
                "padding" if value == "same" => plan.same = true,
                "transform_input" => plan.transform_input = value.parse().ok()?,
                "width" => plan.thousandths = value.parse().ok()?,
                _ if kind.encoder.is_some() => encoder_key(&mut plan.encoder, key, value)?,
                _ => return None,
            }
        }
        // A file may claim sizes that no machine holds, and products of them that no number does.
        let encoder = plan.encoder;
        let sizes = [plan.channels, plan.image.0, plan.image.1, plan.classes.unwrap_or(1)];
        let of_encoder = [encoder.patch, encoder.hidden, encoder.heads, encoder.middle];
        let fits = encoder.depth <= DEEPEST
            && encoder.projection <= LARGEST
            && encoder.hidden % encoder.heads.max(1) == 0
            && sizes.iter().chain(&of_encoder).all(|size| (1..=LARGEST).contains(size));
        let config = NetConfig::new(kind).with(plan);
        if !fits || !WIDTHS.contains(&plan.thousandths) {
            return None;
        }
        let config = cut.map_or(Ok(config), |cut| config.cut(cut)).ok()?;
        config.size().is_ok().then_some(config)
    }
}

/// What makes a transformer another one than the usual of its name.
fn encoder_pairs(encoder: &Encoder, usual: &Encoder) -> Vec<String> {
    let activation =
        |of: &Encoder| ACTIVATIONS.iter().find(|(_, a)| *a == of.activation).map(|(name, _)| *name);
    let numbers = [
        ("blocks", encoder.depth, usual.depth),
        ("heads", encoder.heads, usual.heads),
        ("hidden", encoder.hidden, usual.hidden),
        ("middle", encoder.middle, usual.middle),
        ("patch", encoder.patch, usual.patch),
        ("projection", encoder.projection, usual.projection),
    ];
    let other = numbers.iter().filter(|(_, own, usual)| own != usual);
    let mut pairs: Vec<String> = other.map(|(key, own, _)| format!("{key}={own}")).collect();
    if let Some(name) = activation(encoder).filter(|name| Some(*name) != activation(usual)) {
        pairs.push(format!("activation={name}"));
    }
    if encoder.pool != usual.pool {
        pairs.push(format!("pool={}", encoder.pool.name()));
    }
    pairs
}

/// One of the pairs read back.
fn encoder_key(encoder: &mut Encoder, key: &str, value: &str) -> Option<()> {
    let size = match key {
        "blocks" => &mut encoder.depth,
        "heads" => &mut encoder.heads,
        "hidden" => &mut encoder.hidden,
        "middle" => &mut encoder.middle,
        "patch" => &mut encoder.patch,
        "projection" => &mut encoder.projection,
        "activation" => {
            encoder.activation = ACTIVATIONS.iter().find(|(name, _)| *name == value)?.1;
            return Some(());
        }
        "pool" => {
            encoder.pool = Pool::ALL.iter().find(|(name, _)| *name == value)?.1;
            return Some(());
        }
        _ => return None,
    };
    *size = value.parse().ok()?;
    Some(())
}

impl Architecture for NetConfig {
    fn name(&self) -> &'static str {
        self.kind.name
    }

    fn text(&self) -> String {
        let plan = &self.plan;
        let mut pairs = vec![format!("channels={}", plan.channels)];
        pairs.extend(plan.classes.map(|classes| format!("classes={classes}")));
        pairs.extend(self.cut.map(|place| format!("cut={}", self.graph().cuts()[place].0)));
        pairs.extend(plan.epsilon.map(|epsilon| format!("epsilon={epsilon}")));
        if let Some(usual) = self.kind.encoder {
            pairs.extend(encoder_pairs(&plan.encoder, &usual));
        }
        pairs.push(format!("height={}", plan.image.0));
        pairs.push(format!("image_width={}", plan.image.1));
        pairs.extend(plan.same.then(|| "padding=same".to_string()));
        pairs.extend(plan.transform_input.then(|| "transform_input=true".to_string()));
        pairs.extend((plan.thousandths != 1000).then(|| format!("width={}", plan.thousandths)));
        pairs.join(",")
    }

    fn form(&self) -> Form {
        let (height, width) = self.plan.image;
        Form::Image { channels: self.plan.channels, height, width }
    }

    fn dim(&self) -> usize {
        self.size().map_or(0, |size| size.channels)
    }

    fn count(&self) -> Option<usize> {
        Some(self.graph().parameters().iter().map(|p| p.count()).sum())
    }

    fn fresh(&self, mut normal: impl FnMut() -> f64) -> Weights {
        let mut all = Weights::default();
        for parameter in self.graph().parameters() {
            let values = match parameter.first {
                First::Normal(deviation) => {
                    (0..parameter.count()).map(|_| (f64::from(deviation) * normal()) as f32).collect()
                }
                First::Constant(value) => vec![value; parameter.count()],
            };
            all.push(parameter.name.clone(), &parameter.shape, values, parameter.learned);
        }
        all
    }

    fn described(&self) -> Option<Described> {
        let graph = self.graph();
        let result = self.result(&graph);
        let (graph, features) = graph.averaged(result);
        Some(Described { graph, features, image: self.plan.image })
    }

    fn on<D: ConvOps>(&self, device: &D, weights: &Weights) -> Result<Box<dyn Trainable<D>>, TensorError> {
        Ok(Box::new(Net::new(device, *self, weights)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::nets::kind;

    #[test]
    fn a_configuration_reads_back_and_claims_of_a_damaged_file_are_none() {
        let kind = kind("resnet18").unwrap();
        let plan =
            Plan { image: (64, 48), classes: Some(7), same: true, thousandths: 250, ..Plan::new(kind) };
        let config = NetConfig::new(kind).with(plan).cut("layer2").unwrap();
        assert_eq!(NetConfig::parse(kind, &config.text()), Some(config));
        for claim in
            ["channels=9000000000000000000", "classes=0", "width=99999999999", "height=0", "colour=1"]
        {
            assert_eq!(NetConfig::parse(kind, &format!("image_width=48,{claim}")), None, "{claim}");
        }
    }
}
