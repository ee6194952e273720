//! Residual networks (He et al. 2016), in torchvision's layout and names: the stride sits on the 3×3 convolution.

use super::kind::{Kind, Plan};
use crate::tensor::net::{Activation, Builder, Conv, Dense, Graph, Sweep, Value};

const EPSILON: f32 = 1e-5;

/// Blocks of each stage.
const BLOCKS: [(&str, [usize; 4]); 5] = [
    ("resnet18", [2, 2, 2, 2]),
    ("resnet34", [3, 4, 6, 3]),
    ("resnet50", [3, 4, 6, 3]),
    ("resnet101", [3, 4, 23, 3]),
    ("resnet152", [3, 8, 36, 3]),
];

/// ResNet-18 to ResNet-152.
pub(super) const KINDS: &[Kind] = &[
    Kind { describe, top1: Some(69.76), ..Kind::new("resnet18", "residual network, 18 layers") },
    Kind { describe, top1: Some(73.31), ..Kind::new("resnet34", "residual network, 34 layers") },
    Kind { describe, top1: Some(76.13), ..Kind::new("resnet50", "residual network, 50 layers") },
    Kind { describe, top1: Some(77.37), ..Kind::new("resnet101", "residual network, 101 layers") },
    Kind { describe, top1: Some(78.31), ..Kind::new("resnet152", "residual network, 152 layers") },
];

fn describe(plan: &Plan) -> Graph {
    let (_, blocks) = BLOCKS.iter().find(|(name, _)| *name == plan.name).unwrap_or(&BLOCKS[2]);
    let deep = !["resnet18", "resnet34"].contains(&plan.name);
    let (mut net, images) = Builder::new(plan.channels);
    let stem = Conv::new(plan.width(64), 7).stride(2).norm("bn1", plan.epsilon(EPSILON)).relu();
    let mut x = net.conv(images, "conv1", stem);
    x = net.max_pool(x, Sweep::square(3, 2, 1));
    net.cut("stem", x);
    for (stage, count) in blocks.iter().enumerate() {
        for number in 0..*count {
            let stride = if stage > 0 && number == 0 { 2 } else { 1 };
            let at = format!("layer{}.{number}", stage + 1);
            x = block(&mut net, plan, x, &at, plan.width(64 << stage), stride, deep);
        }
        net.cut(format!("layer{}", stage + 1), x);
    }
    let features = net.mean(x, 0);
    let logits = plan.classes.map(|classes| net.dense(features, "fc", Dense::new(classes)));
    net.finish(features, logits)
}

fn block(
    net: &mut Builder,
    plan: &Plan,
    x: Value,
    at: &str,
    width: usize,
    stride: usize,
    deep: bool,
) -> Value {
    let epsilon = plan.epsilon(EPSILON);
    let behind = |conv: Conv, number: usize| conv.norm(format!("{at}.bn{number}"), epsilon);
    let name = |number: usize| format!("{at}.conv{number}");
    let out = if deep { 4 * width } else { width };
    // What is added must be there before the convolution that adds it.
    let shortcut = if stride > 1 || net.width(x) != out {
        let conv = Conv::new(out, 1).stride(stride).norm(format!("{at}.downsample.1"), epsilon);
        net.conv(x, &format!("{at}.downsample.0"), conv)
    } else {
        x
    };
    let y = if deep {
        let y = net.conv(x, &name(1), behind(Conv::new(width, 1), 1).relu());
        let y = net.conv(y, &name(2), behind(Conv::new(width, 3).stride(stride), 2).relu());
        net.conv(y, &name(3), behind(Conv::new(out, 1), 3))
    } else {
        let y = net.conv(x, &name(1), behind(Conv::new(width, 3).stride(stride), 1).relu());
        net.conv(y, &name(2), behind(Conv::new(width, 3), 2))
    };
    net.add(y, shortcut, Activation::Relu)
}
