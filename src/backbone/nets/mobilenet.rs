//! MobileNet v1 (Howard et al. 2017) in timm's names and v2 (Sandler et al. 2018) in torchvision's, padded as their weights
//! want it.

use super::kind::{Kind, Plan, eighths};
use crate::tensor::net::{Activation, Builder, Conv, Dense, Graph, Value};

const EPSILON: f32 = 1e-5;
const RELU6: Activation = Activation::Relu6;

/// MobileNet v1 and v2.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        describe: first,
        top1: Some(70.6),
        also: &["mobilenetv1", "mobilenetv1_100", "mobilenetv1_075", "mobilenetv1_050", "mobilenetv1_125"],
        ..Kind::new("mobilenet_v1", "MobileNet v1")
    },
    Kind {
        describe: second,
        rename,
        top1: Some(71.88),
        also: &["mobilenetv2_100", "mobilenetv2_050", "mobilenetv2_140"],
        ..Kind::new("mobilenet_v2", "MobileNet v2")
    },
];

/// Channels and stride of each pair of convolutions, stage by stage as timm numbers them.
const PAIRS: [&[(usize, usize)]; 5] = [
    &[(64, 1)],
    &[(128, 2), (128, 1)],
    &[(256, 2), (256, 1)],
    &[(512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1)],
    &[(1024, 2), (1024, 1)],
];

fn first(plan: &Plan) -> Graph {
    let epsilon = plan.epsilon(EPSILON);
    let same = plan.same;
    let (mut net, images) = Builder::new(plan.channels);
    let stem = Conv::new(plan.rounded(32), 3).stride(2).same(same).norm("bn1", epsilon).then(RELU6);
    let mut x = net.conv(images, "conv_stem", stem);
    for (stage, pairs) in PAIRS.iter().enumerate() {
        for (number, (out, stride)) in pairs.iter().enumerate() {
            let at = format!("blocks.{stage}.{number}");
            let width = net.width(x);
            let apart = Conv::new(width, 3).groups(width).stride(*stride).same(same);
            x = net.conv(x, &format!("{at}.conv_dw"), apart.norm(format!("{at}.bn1"), epsilon).then(RELU6));
            let point = Conv::new(plan.rounded(*out), 1).norm(format!("{at}.bn2"), epsilon).then(RELU6);
            x = net.conv(x, &format!("{at}.conv_pw"), point);
        }
        net.cut(format!("stage{}", stage + 1), x);
    }
    let features = net.mean(x, 0);
    let logits = plan.classes.map(|classes| net.dense(features, "classifier", Dense::new(classes)));
    net.finish(features, logits)
}

/// Expansion, channels, blocks and first stride of each stage (table 2 of the paper).
const STAGES: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

fn second(plan: &Plan) -> Graph {
    let epsilon = plan.epsilon(EPSILON);
    let same = plan.same;
    let (mut net, images) = Builder::new(plan.channels);
    let stem = Conv::new(plan.rounded(32), 3).stride(2).same(same).norm("features.0.1", epsilon).then(RELU6);
    let mut x = net.conv(images, "features.0.0", stem);
    let mut number = 0;
    for (stage, (expansion, out, blocks, stride)) in STAGES.into_iter().enumerate() {
        for block in 0..blocks {
            number += 1;
            let stride = if block == 0 { stride } else { 1 };
            x = inverted(&mut net, plan, x, number, (expansion, plan.rounded(out), stride));
        }
        net.cut(format!("stage{}", stage + 1), x);
    }
    // The last layer does not shrink with the others.
    let wide = eighths(1280.0 * plan.multiplier().max(1.0));
    let last = Conv::new(wide, 1).norm("features.18.1", epsilon).then(RELU6);
    x = net.conv(x, "features.18.0", last);
    let features = net.mean(x, 0);
    let logits = plan.classes.map(|classes| net.dense(features, "classifier.1", Dense::new(classes)));
    net.finish(features, logits)
}

fn inverted(
    net: &mut Builder,
    plan: &Plan,
    from: Value,
    number: usize,
    (expansion, out, stride): (usize, usize, usize),
) -> Value {
    let epsilon = plan.epsilon(EPSILON);
    let (inside, at) = (net.width(from), format!("features.{number}.conv"));
    let wide = inside * expansion;
    let (mut x, mut part) = (from, 0);
    if expansion > 1 {
        let expand = Conv::new(wide, 1).norm(format!("{at}.0.1"), epsilon).then(RELU6);
        x = net.conv(x, &format!("{at}.0.0"), expand);
        part = 1;
    }
    let apart = Conv::new(wide, 3).groups(wide).stride(stride).same(plan.same);
    let apart = apart.norm(format!("{at}.{part}.1"), epsilon).then(RELU6);
    x = net.conv(x, &format!("{at}.{part}.0"), apart);
    let project = Conv::new(out, 1).norm(format!("{at}.{}", part + 2), epsilon);
    x = net.conv(x, &format!("{at}.{}", part + 1), project);
    if stride == 1 && inside == out { net.add(x, from, Activation::None) } else { x }
}

/// timm numbers stages and blocks, torchvision the blocks alone.
fn rename(name: &str) -> String {
    let whole = [
        ("conv_stem.", "features.0.0."),
        ("bn1.", "features.0.1."),
        ("conv_head.", "features.18.0."),
        ("bn2.", "features.18.1."),
        ("classifier.weight", "classifier.1.weight"),
        ("classifier.bias", "classifier.1.bias"),
    ];
    for (from, to) in whole {
        if let Some(rest) = name.strip_prefix(from) {
            return format!("{to}{rest}");
        }
    }
    block_of(name).unwrap_or_else(|| name.to_string())
}

fn block_of(name: &str) -> Option<String> {
    let mut parts = name.strip_prefix("blocks.")?.splitn(4, '.');
    let (stage, block): (usize, usize) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let (layer, rest) = (parts.next()?, parts.next()?);
    let before: usize = STAGES.iter().take(stage).map(|(_, _, blocks, _)| blocks).sum();
    let expands = STAGES.get(stage)?.0 > 1;
    let place = match (layer, expands) {
        ("conv_dw", false) | ("conv_pw", true) => "0.0",
        ("bn1", _) => "0.1",
        ("conv_pw", false) => "1",
        ("bn2", false) => "2",
        ("conv_dw", true) => "1.0",
        ("bn2", true) => "1.1",
        ("conv_pwl", true) => "2",
        ("bn3", true) => "3",
        _ => return None,
    };
    Some(format!("features.{}.conv.{place}.{rest}", before + block + 1))
}
