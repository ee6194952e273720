//! MobileNet v3 (Howard et al. 2019), in torchvision's layout and names.

use super::kind::{Kind, Plan, eighths};
use crate::tensor::net::{Activation, Builder, Conv, Dense, Graph, Value};

const EPSILON: f32 = 1e-3;
const SWISH: Activation = Activation::HardSwish;

/// MobileNet v3, small and large.
pub(super) const KINDS: &[Kind] = &[
    Kind { describe, top1: Some(67.67), ..Kind::new("mobilenet_v3_small", "MobileNet v3, small") },
    Kind { describe, top1: Some(74.04), ..Kind::new("mobilenet_v3_large", "MobileNet v3, large") },
];

/// A block: side of the filters, channels inside and out, whether channels are gated, whether by hard swish, stride.
type Block = (usize, usize, usize, bool, bool, usize);

const SMALL: &[Block] = &[
    (3, 16, 16, true, false, 2),
    (3, 72, 24, false, false, 2),
    (3, 88, 24, false, false, 1),
    (5, 96, 40, true, true, 2),
    (5, 240, 40, true, true, 1),
    (5, 240, 40, true, true, 1),
    (5, 120, 48, true, true, 1),
    (5, 144, 48, true, true, 1),
    (5, 288, 96, true, true, 2),
    (5, 576, 96, true, true, 1),
    (5, 576, 96, true, true, 1),
];
const LARGE: &[Block] = &[
    (3, 16, 16, false, false, 1),
    (3, 64, 24, false, false, 2),
    (3, 72, 24, false, false, 1),
    (5, 72, 40, true, false, 2),
    (5, 120, 40, true, false, 1),
    (5, 120, 40, true, false, 1),
    (3, 240, 80, false, true, 2),
    (3, 200, 80, false, true, 1),
    (3, 184, 80, false, true, 1),
    (3, 184, 80, false, true, 1),
    (3, 480, 112, true, true, 1),
    (3, 672, 112, true, true, 1),
    (5, 672, 160, true, true, 2),
    (5, 960, 160, true, true, 1),
    (5, 960, 160, true, true, 1),
];

fn describe(plan: &Plan) -> Graph {
    let large = plan.name.ends_with("large");
    let (blocks, last) = if large { (LARGE, 1280) } else { (SMALL, 1024) };
    let epsilon = plan.epsilon(EPSILON);
    let (mut net, images) = Builder::new(plan.channels);
    let stem = Conv::new(plan.rounded(16), 3).stride(2).same(plan.same);
    let mut x = net.conv(images, "features.0.0", stem.norm("features.0.1", epsilon).then(SWISH));
    for (number, block) in blocks.iter().enumerate() {
        x = inverted(&mut net, plan, x, number + 1, *block);
        net.cut(format!("block{}", number + 1), x);
    }
    let at = format!("features.{}", blocks.len() + 1);
    let wide = Conv::new(6 * net.width(x), 1).norm(format!("{at}.1"), epsilon).then(SWISH);
    x = net.conv(x, &format!("{at}.0"), wide);
    let mean = net.mean(x, 0);
    net.cut("pooled", mean);
    let features = net.dense(mean, "classifier.0", Dense::new(plan.rounded(last)).then(SWISH));
    let logits = plan.classes.map(|classes| net.dense(features, "classifier.3", Dense::new(classes)));
    net.finish(features, logits)
}

fn inverted(net: &mut Builder, plan: &Plan, from: Value, number: usize, block: Block) -> Value {
    let (side, inside, out, gated, swish, stride) = block;
    let (inside, out) = (plan.rounded(inside), plan.rounded(out));
    let activation = if swish { SWISH } else { Activation::Relu };
    let epsilon = plan.epsilon(EPSILON);
    let (mut x, mut part) = (from, 0);
    let at = |part: usize| format!("features.{number}.block.{part}");
    if inside != net.width(from) {
        let conv = Conv::new(inside, 1).norm(format!("{}.1", at(part)), epsilon).then(activation);
        x = net.conv(x, &format!("{}.0", at(part)), conv);
        part += 1;
    }
    let apart = Conv::new(inside, side).groups(inside).stride(stride).same(plan.same);
    let apart = apart.norm(format!("{}.1", at(part)), epsilon).then(activation);
    x = net.conv(x, &format!("{}.0", at(part)), apart);
    part += 1;
    if gated {
        x = gate(net, x, &at(part));
        part += 1;
    }
    let project = Conv::new(out, 1).norm(format!("{}.1", at(part)), epsilon);
    x = net.conv(x, &format!("{}.0", at(part)), project);
    if stride == 1 && net.width(from) == out { net.add(x, from, Activation::None) } else { x }
}

/// Channels weighted by what their means say of all (Hu et al. 2018).
fn gate(net: &mut Builder, x: Value, at: &str) -> Value {
    let width = net.width(x);
    let mean = net.mean(x, 0);
    let squeeze = Conv::new(eighths(width as f64 / 4.0), 1).bias().relu();
    let squeezed = net.conv(mean, &format!("{at}.fc1"), squeeze);
    let expand = Conv::new(width, 1).bias().then(Activation::HardSigmoid);
    let weights = net.conv(squeezed, &format!("{at}.fc2"), expand);
    net.gate(x, weights)
}
