//! Inception v3 (Szegedy et al. 2016), in torchvision's layout and names. The auxiliary head of the training is no part of it.

use super::kind::{Kind, Plan};
use crate::tensor::net::{Builder, Conv, Dense, Graph, Sweep, Value};

const EPSILON: f32 = 1e-3;

/// Inception v3.
pub(super) const KINDS: &[Kind] = &[Kind {
    describe,
    native: 299,
    resize: 342,
    mean: [0.5; 3],
    std: [0.5; 3],
    auxiliary: &["AuxLogits."],
    auxiliary_parameters: 3_326_696,
    top1: Some(77.29),
    ..Kind::new("inception_v3", "Inception v3")
}];

/// A network that is being written down, with the one layer that it is made of.
struct Inception<'a> {
    net: Builder,
    plan: &'a Plan,
}

impl Inception<'_> {
    fn conv(&mut self, x: Value, at: &str, conv: Conv) -> Value {
        let conv = conv.norm(format!("{at}.bn"), self.plan.epsilon(EPSILON)).relu();
        self.net.conv(x, &format!("{at}.conv"), conv)
    }

    /// Convolutions behind each other, each with its name.
    fn chain(&mut self, mut x: Value, at: &str, convs: Vec<(&str, Conv)>) -> Value {
        for (name, conv) in convs {
            x = self.conv(x, &format!("{at}.{name}"), conv);
        }
        x
    }

    /// The mean of 3×3 pixels, padding counted, and a convolution of 1×1.
    fn pooled(&mut self, x: Value, at: &str, width: usize) -> Value {
        let mean = self.net.mean_pool(x, Sweep::square(3, 1, 1), true);
        self.chain(mean, at, vec![("branch_pool", Conv::new(width, 1))])
    }

    /// 35×35 pixels.
    fn a(&mut self, x: Value, at: &str, pool: usize) -> Value {
        let w = |width| self.plan.width(width);
        let convs = [
            vec![("branch1x1", Conv::new(w(64), 1))],
            vec![("branch5x5_1", Conv::new(w(48), 1)), ("branch5x5_2", Conv::new(w(64), 5))],
            vec![
                ("branch3x3dbl_1", Conv::new(w(64), 1)),
                ("branch3x3dbl_2", Conv::new(w(96), 3)),
                ("branch3x3dbl_3", Conv::new(w(96), 3)),
            ],
        ];
        let pool = w(pool);
        let mut parts = convs.map(|convs| self.chain(x, at, convs)).to_vec();
        parts.push(self.pooled(x, at, pool));
        self.net.concatenate(&parts)
    }

    /// From 35×35 to 17×17 pixels.
    fn b(&mut self, x: Value, at: &str) -> Value {
        let w = |width| self.plan.width(width);
        let convs = [
            vec![("branch3x3", Conv::new(w(384), 3).stride(2).padding(0))],
            vec![
                ("branch3x3dbl_1", Conv::new(w(64), 1)),
                ("branch3x3dbl_2", Conv::new(w(96), 3)),
                ("branch3x3dbl_3", Conv::new(w(96), 3).stride(2).padding(0)),
            ],
        ];
        let mut parts = convs.map(|convs| self.chain(x, at, convs)).to_vec();
        parts.push(self.net.max_pool(x, Sweep::square(3, 2, 0)));
        self.net.concatenate(&parts)
    }

    /// 17×17 pixels, with filters of 1×7 and 7×1 in `middle` channels.
    fn c(&mut self, x: Value, at: &str, middle: usize) -> Value {
        let (m, out) = (self.plan.width(middle), self.plan.width(192));
        let (flat, tall) = ((1, 7), (7, 1));
        let convs = [
            vec![("branch1x1", Conv::new(out, 1))],
            vec![
                ("branch7x7_1", Conv::new(m, 1)),
                ("branch7x7_2", Conv::oblong(m, flat)),
                ("branch7x7_3", Conv::oblong(out, tall)),
            ],
            vec![
                ("branch7x7dbl_1", Conv::new(m, 1)),
                ("branch7x7dbl_2", Conv::oblong(m, tall)),
                ("branch7x7dbl_3", Conv::oblong(m, flat)),
                ("branch7x7dbl_4", Conv::oblong(m, tall)),
                ("branch7x7dbl_5", Conv::oblong(out, flat)),
            ],
        ];
        let mut parts = convs.map(|convs| self.chain(x, at, convs)).to_vec();
        parts.push(self.pooled(x, at, out));
        self.net.concatenate(&parts)
    }

    /// From 17×17 to 8×8 pixels.
    fn d(&mut self, x: Value, at: &str) -> Value {
        let w = |width| self.plan.width(width);
        let convs = [
            vec![
                ("branch3x3_1", Conv::new(w(192), 1)),
                ("branch3x3_2", Conv::new(w(320), 3).stride(2).padding(0)),
            ],
            vec![
                ("branch7x7x3_1", Conv::new(w(192), 1)),
                ("branch7x7x3_2", Conv::oblong(w(192), (1, 7))),
                ("branch7x7x3_3", Conv::oblong(w(192), (7, 1))),
                ("branch7x7x3_4", Conv::new(w(192), 3).stride(2).padding(0)),
            ],
        ];
        let mut parts = convs.map(|convs| self.chain(x, at, convs)).to_vec();
        parts.push(self.net.max_pool(x, Sweep::square(3, 2, 0)));
        self.net.concatenate(&parts)
    }

    /// 8×8 pixels, with filters of 1×3 and 3×1 beside each other.
    fn e(&mut self, x: Value, at: &str) -> Value {
        let w = |width| self.plan.width(width);
        let (side, one, double) = (w(384), w(320), w(448));
        let last = w(192);
        let mut parts = vec![self.chain(x, at, vec![("branch1x1", Conv::new(one, 1))])];
        let single = vec![("branch3x3_1", Conv::new(side, 1))];
        let twice = vec![("branch3x3dbl_1", Conv::new(double, 1)), ("branch3x3dbl_2", Conv::new(side, 3))];
        for (convs, names) in
            [(single, ["branch3x3_2a", "branch3x3_2b"]), (twice, ["branch3x3dbl_3a", "branch3x3dbl_3b"])]
        {
            let middle = self.chain(x, at, convs);
            for (name, kernel) in names.into_iter().zip([(1, 3), (3, 1)]) {
                parts.push(self.chain(middle, at, vec![(name, Conv::oblong(side, kernel))]));
            }
        }
        parts.push(self.pooled(x, at, last));
        self.net.concatenate(&parts)
    }
}

fn describe(plan: &Plan) -> Graph {
    let (mut net, mut x) = Builder::new(plan.channels);
    if plan.transform_input {
        // From the mean and deviation of ImageNet to 0.5 and 0.5, which the weights were trained with.
        let (mean, deviation) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
        let factor = deviation.map(|d: f64| (d / 0.5) as f32).to_vec();
        let term = mean.map(|m: f64| ((m - 0.5) / 0.5) as f32).to_vec();
        x = net.rescale(x, factor, term);
    }
    let mut inception = Inception { net, plan };
    let w = |width| plan.width(width);
    x = inception.conv(x, "Conv2d_1a_3x3", Conv::new(w(32), 3).stride(2).padding(0));
    x = inception.conv(x, "Conv2d_2a_3x3", Conv::new(w(32), 3).padding(0));
    x = inception.conv(x, "Conv2d_2b_3x3", Conv::new(w(64), 3));
    x = inception.net.max_pool(x, Sweep::square(3, 2, 0));
    x = inception.conv(x, "Conv2d_3b_1x1", Conv::new(w(80), 1));
    x = inception.conv(x, "Conv2d_4a_3x3", Conv::new(w(192), 3).padding(0));
    x = inception.net.max_pool(x, Sweep::square(3, 2, 0));
    inception.net.cut("stem", x);
    for (at, pool) in [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)] {
        x = inception.a(x, at, pool);
        inception.net.cut(at, x);
    }
    x = inception.b(x, "Mixed_6a");
    inception.net.cut("Mixed_6a", x);
    for (at, middle) in [("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)] {
        x = inception.c(x, at, middle);
        inception.net.cut(at, x);
    }
    x = inception.d(x, "Mixed_7a");
    inception.net.cut("Mixed_7a", x);
    for at in ["Mixed_7b", "Mixed_7c"] {
        x = inception.e(x, at);
        inception.net.cut(at, x);
    }
    let mut net = inception.net;
    let features = net.mean(x, 0);
    let logits = plan.classes.map(|classes| net.dense(features, "fc", Dense::new(classes)));
    net.finish(features, logits)
}
