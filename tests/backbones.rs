//! Published networks against torchvision and timm, with weights that a formula gives; `fixtures/backbones` has the script.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kshot::backbone::nets::{self, NetConfig, Plan};
use kshot::backbone::{Architecture, Weights};
use kshot::tensor::{open_cpu, to_host};

const EXPECTED: &str = include_str!("fixtures/backbones/expected.csv");
const SIZE: (usize, usize) = (75, 93);

/// Numbers in [0, 1) by SplitMix64, as the script has them.
fn uniform(stream: u64, count: usize) -> impl Iterator<Item = f64> {
    (0..count as u64).map(move |index| {
        let z = stream.wrapping_add(index).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 24)
    })
}

fn hash(name: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    name.bytes().fold(0xCBF2_9CE4_8422_2325, step)
}

fn weights(config: &NetConfig) -> Weights {
    let mut all = Weights::default();
    for parameter in config.graph().parameters() {
        let (name, shape) = (&parameter.name, &parameter.shape);
        let spread = (24.0 / shape[1..].iter().product::<usize>() as f64).sqrt();
        let number = |u: f64| match shape.len() {
            1 if name.ends_with("running_var") || name.ends_with("weight") => 0.5 + u,
            1 => (u - 0.5) * 0.4,
            _ => (u - 0.5) * spread,
        };
        // The script has this one under another name.
        let name = if name == "linear.weight" { "fc.weight" } else { name };
        let values = uniform(hash(name), parameter.count()).map(|u| number(u) as f32).collect();
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
