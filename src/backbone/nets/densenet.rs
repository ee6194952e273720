//! DenseNet-121 (Huang et al. 2017), in torchvision's layout and names.

use super::kind::{Kind, Plan};
use crate::tensor::net::{Activation, Builder, Conv, Dense, Graph, Sweep};

const EPSILON: f32 = 1e-5;
/// Layers of each block.
const BLOCKS: [usize; 4] = [6, 12, 24, 16];
/// Channels that each layer adds.
const GROWTH: usize = 32;

/// DenseNet-121.
pub(super) const KINDS: &[Kind] =
    &[Kind { describe, rename, top1: Some(74.43), ..Kind::new("densenet121", "DenseNet, 121 layers") }];

/// torchvision's old files write `norm.1` for `norm1`.
fn rename(name: &str) -> String {
    let mut name = name.to_string();
    for part in ["norm", "conv"] {
        for number in ["1", "2"] {
            name = name.replace(&format!(".{part}.{number}."), &format!(".{part}{number}."));
        }
    }
    name
}

fn describe(plan: &Plan) -> Graph {
    let epsilon = plan.epsilon(EPSILON);
    let growth = plan.width(GROWTH);
    let (mut net, images) = Builder::new(plan.channels);
    let stem = Conv::new(2 * growth, 7).stride(2).norm("features.norm0", epsilon).relu();
    let mut x = net.conv(images, "features.conv0", stem);
    x = net.max_pool(x, Sweep::square(3, 2, 1));
    for (block, layers) in BLOCKS.into_iter().enumerate() {
        for layer in 0..layers {
            let at = format!("features.denseblock{}.denselayer{}", block + 1, layer + 1);
            let y = net.norm(x, &format!("{at}.norm1"), epsilon, Activation::Relu);
            let narrow = Conv::new(4 * growth, 1).norm(format!("{at}.norm2"), epsilon).relu();
            let y = net.conv(y, &format!("{at}.conv1"), narrow);
            let y = net.conv(y, &format!("{at}.conv2"), Conv::new(growth, 3));
            x = net.concatenate(&[x, y]);
        }
        net.cut(format!("denseblock{}", block + 1), x);
        if block + 1 < BLOCKS.len() {
            let at = format!("features.transition{}", block + 1);
            let y = net.norm(x, &format!("{at}.norm"), epsilon, Activation::Relu);
            let y = net.conv(y, &format!("{at}.conv"), Conv::new(net.width(y) / 2, 1));
            x = net.mean_pool(y, Sweep::square(2, 2, 0), true);
        }
    }
    x = net.norm(x, "features.norm5", epsilon, Activation::Relu);
    let features = net.mean(x, 0);
    let logits = plan.classes.map(|classes| net.dense(features, "classifier", Dense::new(classes)));
    net.finish(features, logits)
}
