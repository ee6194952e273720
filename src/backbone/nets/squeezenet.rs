//! SqueezeNet (Iandola et al. 2016), in torchvision's layout and names: poolings round up, as in Caffe.

use super::kind::{Kind, Plan};
use crate::tensor::net::{Builder, Conv, Graph, Sweep, Value};

/// SqueezeNet 1.0 and 1.1.
pub(super) const KINDS: &[Kind] = &[
    Kind { describe, top1: Some(58.09), ..Kind::new("squeezenet1_0", "SqueezeNet 1.0") },
    Kind { describe, top1: Some(58.18), ..Kind::new("squeezenet1_1", "SqueezeNet 1.1") },
];

/// Channels of the fires, squeezed and of each expansion; 0 is a pooling.
const FIRST: &[(usize, usize)] =
    &[(16, 64), (16, 64), (32, 128), (0, 0), (32, 128), (48, 192), (48, 192), (64, 256), (0, 0), (64, 256)];
const SECOND: &[(usize, usize)] =
    &[(16, 64), (16, 64), (0, 0), (32, 128), (32, 128), (0, 0), (48, 192), (48, 192), (64, 256), (64, 256)];

fn describe(plan: &Plan) -> Graph {
    let (stem, fires) = if plan.name == "squeezenet1_0" {
        (Conv::new(plan.width(96), 7), FIRST)
    } else {
        (Conv::new(plan.width(64), 3), SECOND)
    };
    let pool = Sweep::square(3, 2, 0).rounded_up();
    let (mut net, images) = Builder::new(plan.channels);
    let mut x = net.conv(images, "features.0", stem.stride(2).padding(0).bias().relu());
    x = net.max_pool(x, pool);
    for (place, (squeezed, expanded)) in fires.iter().enumerate() {
        if *squeezed == 0 {
            x = net.max_pool(x, pool);
            continue;
        }
        let at = format!("features.{}", place + 3);
        x = fire(&mut net, x, &at, plan.width(*squeezed), plan.width(*expanded));
        net.cut(at, x);
    }
    // The last layer is a convolution: the features are what it sees, averaged.
    let features = net.mean(x, 0);
    let logits = plan.classes.map(|classes| {
        let map = net.conv(x, "classifier.1", Conv::new(classes, 1).bias().relu());
        net.mean(map, 0)
    });
    net.finish(features, logits)
}

fn fire(net: &mut Builder, x: Value, at: &str, squeezed: usize, expanded: usize) -> Value {
    let x = net.conv(x, &format!("{at}.squeeze"), Conv::new(squeezed, 1).bias().relu());
    let parts = [("expand1x1", 1), ("expand3x3", 3)];
    let parts = parts
        .map(|(name, side)| net.conv(x, &format!("{at}.{name}"), Conv::new(expanded, side).bias().relu()));
    net.concatenate(&parts)
}
