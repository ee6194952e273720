//! Residual networks for images of 32×32 pixels (He et al. 2016, section 4.2): shortcuts without weights.

use super::kind::{Kind, Plan};
use crate::tensor::net::{Activation, Builder, Conv, Dense, Graph};

const EPSILON: f32 = 1e-5;

/// ResNet-20 and ResNet-56 for CIFAR.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        also: &["resnet20_cifar10", "resnet20_cifar100"],
        ..kind("resnet20", "residual network of 20 layers for images of 32×32 pixels")
    },
    Kind {
        also: &["resnet56_cifar10", "resnet56_cifar100"],
        ..kind("resnet56", "residual network of 56 layers for images of 32×32 pixels")
    },
];

const fn kind(name: &'static str, about: &'static str) -> Kind {
    Kind { describe, native: 32, resize: 32, trained_on: "cifar", ..Kind::new(name, about) }
}

fn describe(plan: &Plan) -> Graph {
    let blocks = if plan.name == "resnet20" { 3 } else { 9 };
    let epsilon = plan.epsilon(EPSILON);
    let (mut net, images) = Builder::new(plan.channels);
    let mut x = net.conv(images, "conv1", Conv::new(plan.width(16), 3).norm("bn1", epsilon).relu());
    for stage in 0..3 {
        for block in 0..blocks {
            let at = format!("layer{}.{block}", stage + 1);
            let out = plan.width(16 << stage);
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let new = out - net.width(x);
            let shortcut = if stride > 1 { net.subsample(x, stride, (new / 2, new - new / 2)) } else { x };
            let one = Conv::new(out, 3).stride(stride).norm(format!("{at}.bn1"), epsilon).relu();
            let y = net.conv(x, &format!("{at}.conv1"), one);
            let two = Conv::new(out, 3).norm(format!("{at}.bn2"), epsilon);
            let y = net.conv(y, &format!("{at}.conv2"), two);
            x = net.add(y, shortcut, Activation::Relu);
        }
        net.cut(format!("layer{}", stage + 1), x);
    }
    let features = net.mean(x, 0);
    let logits = plan.classes.map(|classes| net.dense(features, "linear", Dense::new(classes)));
    net.finish(features, logits)
}
