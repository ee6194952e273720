//! VGG (Simonyan and Zisserman 2015), in torchvision's layout and names, with and without batch normalisation.

use super::kind::{Kind, Plan};
use crate::tensor::net::{Activation, Builder, Conv, Dense, Graph, Sweep};

/// Filters of each layer; 0 is a pooling.
const LAYERS: [(&str, &[usize]); 4] = [
    ("vgg11", &[64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0]),
    ("vgg13", &[64, 64, 0, 128, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0]),
    ("vgg16", &[64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]),
    ("vgg19", &[64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512, 0]),
];
const EPSILON: f32 = 1e-5;
/// Cells over which the map is averaged before the dense layers.
const CELLS: (usize, usize) = (7, 7);

/// VGG-11 to VGG-19.
pub(super) const KINDS: &[Kind] = &[
    Kind { describe, rename, top1: Some(69.02), ..Kind::new("vgg11", "VGG, 11 layers") },
    Kind { describe, rename, top1: Some(69.93), ..Kind::new("vgg13", "VGG, 13 layers") },
    Kind { describe, rename, top1: Some(71.59), ..Kind::new("vgg16", "VGG, 16 layers") },
    Kind { describe, rename, top1: Some(72.38), ..Kind::new("vgg19", "VGG, 19 layers") },
    Kind { describe, rename, top1: Some(70.37), ..Kind::new("vgg11_bn", "VGG, 11 layers, batch norm") },
    Kind { describe, rename, top1: Some(71.59), ..Kind::new("vgg13_bn", "VGG, 13 layers, batch norm") },
    Kind { describe, rename, top1: Some(73.36), ..Kind::new("vgg16_bn", "VGG, 16 layers, batch norm") },
    Kind { describe, rename, top1: Some(74.22), ..Kind::new("vgg19_bn", "VGG, 19 layers, batch norm") },
];

/// timm keeps the first dense layers as convolutions of 7×7 and 1×1, with the same numbers in the same order.
fn rename(name: &str) -> String {
    name.replace("pre_logits.fc1.", "classifier.0.")
        .replace("pre_logits.fc2.", "classifier.3.")
        .replace("head.fc.", "classifier.6.")
}

fn describe(plan: &Plan) -> Graph {
    let normalised = plan.name.ends_with("_bn");
    let name = plan.name.trim_end_matches("_bn");
    let layers = LAYERS.iter().find(|(known, _)| *known == name).map_or(LAYERS[2].1, |(_, layers)| layers);
    let (mut net, mut x) = Builder::new(plan.channels);
    let (mut number, mut stage) = (0, 0);
    for width in layers {
        if *width == 0 {
            x = net.max_pool(x, Sweep::square(2, 2, 0));
            (number, stage) = (number + 1, stage + 1);
            net.cut(format!("stage{stage}"), x);
            continue;
        }
        let conv = Conv::new(plan.width(*width), 3).bias().relu();
        let behind = format!("features.{}", number + 1);
        let conv = if normalised { conv.norm(behind, plan.epsilon(EPSILON)) } else { conv };
        x = net.conv(x, &format!("features.{number}"), conv);
        number += if normalised { 3 } else { 2 };
    }
    x = net.adaptive_mean(x, CELLS);
    x = net.flatten(x, CELLS.0 * CELLS.1);
    let dense = Dense::new(plan.width(4096)).then(Activation::Relu);
    x = net.dense(x, "classifier.0", dense);
    net.cut("classifier.0", x);
    x = net.dense(x, "classifier.3", dense);
    let logits = plan.classes.map(|classes| net.dense(x, "classifier.6", Dense::new(classes)));
    net.finish(x, logits)
}
