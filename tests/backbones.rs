//! Published networks against torchvision and timm, with weights that a formula gives; `fixtures/backbones` has the script.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod formula;

use formula::uniform;
use kshot::backbone::nets::{self, NetConfig, Plan};
use kshot::backbone::{Architecture, Weights};
use kshot::tensor::net::{Activation, Engine, Graph, Op, Sweep};
use kshot::tensor::{open_cpu, to_host};

const EXPECTED: &str = include_str!("fixtures/backbones/expected.csv");
const SIZE: (usize, usize) = (75, 93);

fn weights(config: &NetConfig) -> Weights {
    let mut all = Weights::default();
    for parameter in config.graph().parameters() {
        let (name, shape) = (&parameter.name, &parameter.shape);
        // The script has this one under another name.
        let name = if name == "linear.weight" { "fc.weight" } else { name };
        let values = formula::weight(name, shape);
        all.push(parameter.name.clone(), shape, values, parameter.learned);
    }
    all
}

struct Row {
    network: String,
    image: usize,
    parameters: usize,
    macs: u64,
    dim: usize,
    norm: f64,
    first: Vec<f64>,
}

fn rows() -> Vec<Row> {
    let row = |line: &str| {
        let mut cells = line.split(',');
        let mut next = || cells.next().unwrap();
        Row {
            network: next().to_string(),
            image: next().parse().unwrap(),
            parameters: next().parse().unwrap(),
            macs: next().parse().unwrap(),
            dim: next().parse().unwrap(),
            norm: next().parse().unwrap(),
            first: cells.map(|cell| cell.parse().unwrap()).collect(),
        }
    };
    EXPECTED.lines().skip(1).map(row).collect()
}

/// A network of the table without its last layer.
fn config(network: &str) -> NetConfig {
    let kind = nets::kind(network.trim_end_matches("_same")).unwrap();
    let plan = Plan { image: SIZE, classes: None, same: network.ends_with("_same"), ..Plan::new(kind) };
    NetConfig::new(kind).with(plan)
}

fn images() -> Vec<f32> {
    uniform(1 << 32, 2 * 3 * SIZE.0 * SIZE.1).map(|u| (2.0 * u - 1.0) as f32).collect()
}

#[test]
fn features_parameters_and_multiplications_are_those_of_torch() {
    let images: Vec<f32> =
        uniform(1 << 32, 2 * 3 * SIZE.0 * SIZE.1).map(|u| (2.0 * u - 1.0) as f32).collect();
    let (mut last, mut features) = (String::new(), Vec::new());
    for row in rows() {
        let config = config(&row.network);
        if row.network != last {
            let network = config.on(&open_cpu(), &weights(&config)).unwrap();
            features = to_host(&network.embed(&images).unwrap()).unwrap();
            last.clone_from(&row.network);
        }
        let graph = config.graph();
        let counts = graph.counts(graph.features(), SIZE).unwrap();
        let found = (counts.parameters, counts.macs, config.dim());
        assert_eq!(found, (row.parameters, row.macs, row.dim), "{}", row.network);
        let own = &features[row.image * row.dim..][..row.dim];
        let norm = own.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        assert!((norm / row.norm - 1.0).abs() < 3e-5, "{}: {norm} for {}", row.network, row.norm);
        for (place, (found, expected)) in own.iter().zip(&row.first).enumerate() {
            let far = (f64::from(*found) - expected).abs() / row.norm;
            assert!(far < 3e-5, "{} {place}: {found} for {expected}, {far:.1e}", row.network);
        }
    }
}

/// How far the first image's features lie from torch's, as a share of their length.
fn distance(network: &str, config: &NetConfig, graph: &Graph, images: &[f32]) -> f64 {
    let values: Vec<Vec<f32>> = weights(config).0.into_iter().map(|weight| weight.values).collect();
    let engine = Engine::new(graph, &values, graph.features()).unwrap();
    let found = engine.run(images, SIZE).unwrap();
    let row = rows().into_iter().find(|row| row.network == network && row.image == 0).unwrap();
    let far = found.iter().zip(&row.first).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum::<f64>();
    far.sqrt() / row.norm
}

#[test]
fn each_mistake_that_loads_without_a_word_moves_the_features_beyond_the_bound() {
    let changed = |network: &str, plan: fn(Plan) -> Plan, change: fn(&Op) -> Op| {
        let config = config(network);
        let config = config.with(plan(*config.plan()));
        distance(network, &config, &config.graph().with(change), &images())
    };
    let same = |plan: Plan| plan;
    let keep = |op: &Op| op.clone();
    let tenth = |plan: Plan| Plan { epsilon: Some(1e-3), ..plan };
    let fine = |plan: Plan| Plan { epsilon: Some(1e-5), ..plan };
    let traps: [(&str, &str, f64); 11] = [
        ("epsilon of 1e-3", "resnet50", changed("resnet50", tenth, keep)),
        ("epsilon of 1e-5", "inception_v3", changed("inception_v3", fine, keep)),
        ("TensorFlow's padding", "mobilenet_v1", changed("mobilenet_v1", |p| Plan { same: true, ..p }, keep)),
        (
            "symmetric padding",
            "mobilenet_v1_same",
            changed("mobilenet_v1_same", |p| Plan { same: false, ..p }, keep),
        ),
        (
            "normalisation done twice",
            "inception_v3",
            changed("inception_v3", |p| Plan { transform_input: true, ..p }, keep),
        ),
        ("pools that round down", "squeezenet1_0", changed("squeezenet1_0", same, |op| rounding(op, false))),
        ("pools that round down", "squeezenet1_1", changed("squeezenet1_1", same, |op| rounding(op, false))),
        ("a pool that rounds up", "resnet18", changed("resnet18", same, |op| rounding(op, true))),
        ("padding that does not count", "inception_v3", changed("inception_v3", same, uncounted)),
        ("ReLU for ReLU6", "mobilenet_v2", changed("mobilenet_v2", same, unbounded)),
        ("no biases", "vgg16", changed("vgg16", same, unbiased)),
    ];
    for (trap, network, far) in traps {
        assert!(far > 3e-4, "{trap} of {network} moves the features by {far:.1e}");
    }
    // Without a mistake the same comparison holds.
    assert!(changed("squeezenet1_0", same, keep) < 3e-5);
    // Channels in another order, numbers from 0 to 255 or another mean are other images.
    let config = config("squeezenet1_1");
    let image = &images()[..3 * SIZE.0 * SIZE.1];
    let pixels = SIZE.0 * SIZE.1;
    let blue_first = [&image[2 * pixels..], &image[pixels..2 * pixels], &image[..pixels]].concat();
    let bytes: Vec<f32> = image.iter().map(|x| x * 255.0).collect();
    let moved: Vec<f32> = image.iter().map(|x| x + 0.03).collect();
    for wrong in [blue_first, bytes, moved] {
        assert!(distance("squeezenet1_1", &config, &config.graph(), &wrong) > 3e-4);
    }
}

fn rounding(op: &Op, up: bool) -> Op {
    match op.clone() {
        Op::MaxPool { from, sweep } => Op::MaxPool { from, sweep: Sweep { ceil: up, ..sweep } },
        other => other,
    }
}

fn uncounted(op: &Op) -> Op {
    match op.clone() {
        Op::MeanPool { from, sweep, .. } => Op::MeanPool { from, sweep, counts_padding: false },
        other => other,
    }
}

fn unbounded(op: &Op) -> Op {
    match op.clone() {
        Op::Convolve { from, weight, out, sweep, groups, bias, norm, activation: Activation::Relu6 } => {
            Op::Convolve { from, weight, out, sweep, groups, bias, norm, activation: Activation::Relu }
        }
        other => other,
    }
}

fn unbiased(op: &Op) -> Op {
    match op.clone() {
        Op::Convolve { from, weight, out, sweep, groups, norm, activation, .. } => {
            Op::Convolve { from, weight, out, sweep, groups, bias: None, norm, activation }
        }
        other => other,
    }
}

#[test]
fn the_network_on_a_tape_gives_the_same_features_and_reaches_every_weight() {
    use kshot::tensor::tape::backward;
    for name in ["resnet18", "mobilenet_v2", "squeezenet1_1", "mobilenet_v3_small", "densenet121", "resnet20"]
    {
        let kind = nets::kind(name).unwrap();
        let plan = Plan { image: (40, 33), classes: None, thousandths: 250, ..Plan::new(kind) };
        let config = NetConfig::new(kind).with(plan);
        let weights = weights(&config);
        let images: Vec<f32> = uniform(7, 2 * 3 * 40 * 33).map(|u| (2.0 * u - 1.0) as f32).collect();
        let mut network = config.on(&open_cpu(), &weights).unwrap();
        let frozen = to_host(&network.embed(&images).unwrap()).unwrap();
        // Behind a training step by which running moments moved, the engine is made anew.
        let out = network.forward(&images).unwrap();
        let mut gradients = backward(out, (0..frozen.len()).map(|i| (i % 7) as f32 - 3.0).collect()).unwrap();
        let gradients = network.gradients(&mut gradients).unwrap();
        let learned: Vec<_> = weights.learned().collect();
        assert_eq!(gradients.len(), learned.len(), "{name}");
        for (weight, gradient) in learned.iter().zip(&gradients) {
            assert_eq!(weight.values.len(), gradient.len(), "{name} {}", weight.name);
        }
        let reached = gradients.iter().filter(|gradient| gradient.iter().any(|g| *g != 0.0)).count();
        assert_eq!(reached, gradients.len(), "{name}: a weight has no gradient");
        let after = to_host(&network.embed(&images).unwrap()).unwrap();
        let moments = weights.0.iter().any(|weight| !weight.learned);
        assert_eq!(frozen != after, moments, "{name}: running moments move, and nothing else does");
        network.load(&weights).unwrap();
        assert_eq!(to_host(&network.embed(&images).unwrap()).unwrap(), frozen, "{name}");
    }
}

#[test]
fn operations_of_the_device_give_what_the_engine_gives() {
    use kshot::tensor::net::Learner;
    for name in [
        "resnet18",
        "inception_v3",
        "mobilenet_v1",
        "mobilenet_v3_small",
        "squeezenet1_1",
        "vgg11",
        "resnet20",
    ] {
        let kind = nets::kind(name).unwrap();
        let plan = Plan {
            image: (75, 80),
            classes: Some(5),
            thousandths: 125,
            same: name == "mobilenet_v1",
            ..Plan::new(kind)
        };
        let config = NetConfig::new(kind).with(plan);
        let graph = config.graph();
        let values: Vec<Vec<f32>> = weights(&config).0.into_iter().map(|weight| weight.values).collect();
        let images: Vec<f32> = uniform(9, 2 * 3 * 75 * 80).map(|u| (2.0 * u - 1.0) as f32).collect();
        let result = graph.logits().unwrap();
        let host = Engine::new(&graph, &values, result).unwrap().run(&images, (75, 80)).unwrap();
        let learner = Learner::new(&open_cpu(), &graph, &values).unwrap();
        let device = to_host(&learner.evaluate(&images, (75, 80), result).unwrap()).unwrap();
        let norm = host.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let far = host.iter().zip(&device).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
        assert!(host.len() == device.len() && far < 1e-4 * norm, "{name}: {:.1e}", far / norm);
    }
}
