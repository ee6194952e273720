//! What a network by name is, and what its weights may say about how it is built.

use super::blocks::{Encoder, Pool};
use crate::image::{Filter, Recipe};
use crate::tensor::net::{Activation, Builder, Graph};

/// A network by name.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name, torchvision's where that has it.
    pub name: &'static str,
    /// Other names that the files of its weights give it.
    pub also: &'static [&'static str],
    /// A line on it.
    pub about: &'static str,
    /// Height and width of the images that it was made for.
    pub native: usize,
    /// The shorter side to which images are resized before the middle is cut out, where nothing beside the weights says so.
    pub resize: usize,
    /// How images are resized, where nothing beside the weights says so.
    pub filter: Filter,
    /// The mean of each channel, which is subtracted.
    pub mean: [f32; 3],
    /// The deviation of each channel, by which the rest is divided.
    pub std: [f32; 3],
    /// Beginnings of the names of weights that serve the training alone.
    pub auxiliary: &'static [&'static str],
    /// How many weights these are, as published.
    pub auxiliary_parameters: usize,
    /// What published weights of this name were trained on, as a dataset is called.
    pub trained_on: &'static str,
    /// Its share of right answers on ImageNet's validation images as torchvision publishes it, in percent.
    pub top1: Option<f64>,
    /// The sizes of a transformer; nothing for other networks.
    pub encoder: Option<Encoder>,
    /// The network.
    pub describe: fn(&Plan) -> Graph,
    /// A name in a file as torchvision has it.
    pub rename: fn(&str) -> String,
}

impl Kind {
    /// A network of 224×224 pixels in torchvision's names; `describe` is to be given.
    pub(super) const fn new(name: &'static str, about: &'static str) -> Kind {
        Kind {
            name,
            also: &[],
            about,
            native: 224,
            resize: 256,
            filter: Filter::Bilinear,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
            auxiliary: &[],
            auxiliary_parameters: 0,
            trained_on: "imagenet-1k",
            top1: None,
            encoder: None,
            describe: nothing,
            rename: str::to_string,
        }
    }
}

impl Kind {
    /// The preprocessing with which weights of this name were published.
    pub fn recipe(&self) -> Recipe {
        let usual = Recipe::imagenet(self.resize, self.native, self.filter);
        Recipe { mean: self.mean, std: self.std, ..usual }
    }
}

/// The images themselves.
fn nothing(plan: &Plan) -> Graph {
    let (net, images) = Builder::new(plan.channels);
    net.finish(images, None)
}

/// What other networks than transformers have.
pub(super) const NO_ENCODER: Encoder = Encoder {
    patch: 1,
    hidden: 1,
    depth: 0,
    heads: 1,
    middle: 1,
    activation: Activation::Gelu,
    projection: 0,
    pool: Pool::Class,
};

/// How a network is to be built: what its weights say where networks of one name differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// The network's name.
    pub name: &'static str,
    /// Channels of the images.
    pub channels: usize,
    /// Classes of the last layer; nothing where there is none.
    pub classes: Option<usize>,
    /// Whether convolutions are padded as TensorFlow's `SAME`.
    pub same: bool,
    /// What is added to variances, where it is another than usual.
    pub epsilon: Option<f32>,
    /// All numbers of channels are multiplied by this, in thousandths.
    pub thousandths: usize,
    /// Whether the network itself turns ImageNet's normalisation into the one that it was trained with.
    pub transform_input: bool,
    /// Height and width of the images, for networks with positions.
    pub image: (usize, usize),
    /// The sizes of a transformer; other networks do not read them.
    pub encoder: Encoder,
}

impl Plan {
    /// A network as published, with the last layer of ImageNet.
    pub fn new(kind: &Kind) -> Plan {
        Plan {
            name: kind.name,
            channels: 3,
            classes: Some(1000),
            same: false,
            epsilon: None,
            thousandths: 1000,
            transform_input: false,
            image: (kind.native, kind.native),
            encoder: kind.encoder.unwrap_or(NO_ENCODER),
        }
    }

    /// Channels of a layer.
    pub(super) fn width(&self, channels: usize) -> usize {
        ((channels * self.thousandths + 500) / 1000).max(1)
    }

    /// Channels of a layer of a MobileNet, a multiple of eight.
    pub(super) fn rounded(&self, channels: usize) -> usize {
        eighths(channels as f64 * self.multiplier())
    }

    /// What all numbers of channels are multiplied by.
    pub(super) fn multiplier(&self) -> f64 {
        self.thousandths as f64 / 1000.0
    }

    pub(super) fn epsilon(&self, usual: f32) -> f32 {
        self.epsilon.unwrap_or(usual)
    }
}

/// The multiple of eight next to a number of channels, not more than a tenth below it (Howard et al. 2017).
pub(super) fn eighths(channels: f64) -> usize {
    let nearest = ((channels as usize + 4) / 8 * 8).max(8);
    if (nearest as f64) < 0.9 * channels { nearest + 8 } else { nearest }
}

/// All families of networks.
const FAMILIES: &[&[Kind]] = &[
    super::vgg::KINDS,
    super::resnet::KINDS,
    super::resnet12::KINDS,
    super::inception::KINDS,
    super::mobilenet::KINDS,
    super::mobilenet_v3::KINDS,
    super::squeezenet::KINDS,
    super::densenet::KINDS,
    super::cifar::KINDS,
    super::vit::KINDS,
];

/// All published networks by name.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    FAMILIES.iter().copied().flatten()
}

/// The published network of a name, as people or the files of weights call it.
pub fn kind(name: &str) -> Option<&'static Kind> {
    // timm writes `resnet50.a1_in1k` for a network and how it was trained.
    let bare = name.split('.').next().unwrap_or(name);
    kinds().find(|kind| kind.name == bare || kind.also.contains(&bare))
}
