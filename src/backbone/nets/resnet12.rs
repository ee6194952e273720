//! ResNet-12 of few-shot learning (Oreshkin et al. 2018; Lee et al. 2019), in the layout and names of Tian et al. 2020 (RFS,
//! `models/resnet.py`), which are those of MetaOptNet as well: three convolutions to a block, a leaky ReLU, pooling at its end.
//! Their DropBlock acts in training alone and is not followed here.

use super::kind::{Kind, Plan};
use crate::tensor::net::{Activation, Builder, Conv, Dense, Graph, Sweep, Value};

const EPSILON: f32 = 1e-5;
const LEAKY: Activation = Activation::LeakyRelu;
/// Channels of each block.
const WIDTHS: [usize; 4] = [64, 160, 320, 640];

/// ResNet-12, with the mean and deviation of mini-ImageNet that Tian et al. normalise by.
pub(super) const KINDS: &[Kind] = &[Kind {
    describe,
    native: 84,
    resize: 92,
    mean: [0.472_140_64, 0.453_308_27, 0.409_961_28],
    std: [0.277_183_85, 0.267_750_4, 0.284_490_4],
    trained_on: "mini-imagenet",
    ..Kind::new("resnet12", "residual network of few-shot learning, 12 layers for images of 84×84 pixels")
}];

fn describe(plan: &Plan) -> Graph {
    let (mut net, mut x) = Builder::new(plan.channels);
    for (number, width) in WIDTHS.into_iter().enumerate() {
        let at = format!("layer{}", number + 1);
        x = block(&mut net, plan, x, &format!("{at}.0"), plan.width(width));
        net.cut(at, x);
    }
    let features = net.mean(x, 0);
    let logits = plan.classes.map(|classes| net.dense(features, "classifier", Dense::new(classes)));
    net.finish(features, logits)
}

fn block(net: &mut Builder, plan: &Plan, x: Value, at: &str, width: usize) -> Value {
    let epsilon = plan.epsilon(EPSILON);
    // What is added must be there before the convolution that adds it.
    let beside = Conv::new(width, 1).norm(format!("{at}.downsample.1"), epsilon);
    let shortcut = net.conv(x, &format!("{at}.downsample.0"), beside);
    let mut y = x;
    for number in 1..=3 {
        let conv = Conv::new(width, 3).norm(format!("{at}.bn{number}"), epsilon);
        let conv = if number < 3 { conv.then(LEAKY) } else { conv };
        y = net.conv(y, &format!("{at}.conv{number}"), conv);
    }
    let sum = net.add(y, shortcut, LEAKY);
    net.max_pool(sum, Sweep::square(2, 2, 0))
}
