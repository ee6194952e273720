//! Gradients of one training step against torch, with weights that a formula gives; `fixtures/backbones/make_gradients.py` made what
//! is expected of them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod formula;

use formula::{cases, hash, images, numbers, text, uniform, weight, write};
use kshot::backbone::nets::{self, Encoder, NetConfig, Plan};
use kshot::backbone::texts::TextNet;
use kshot::backbone::{Architecture, Weights};
use kshot::tensor::Pooling;
use kshot::tensor::net::Learner;
use kshot::tensor::open_cpu;
use kshot::tensor::tape::backward;
use serde_json::Value;

const EXPECTED: &str = include_str!("fixtures/backbones/gradients.json");
const TEXTS: &str = include_str!("fixtures/backbones/transformers.json");
/// How far a gradient in single precision may lie from torch's in double, as a share of its length.
const BOUND: f64 = 1e-3;

/// The gradient of the loss with respect to features.
fn slope(count: usize) -> Vec<f32> {
    (0..count).map(|place| (place % 7) as f32 - 3.0).collect()
}

/// The gradients of the names that are learned, in their order.
fn compare(case: &Value, names: &[String], found: &[Vec<f32>]) {
    let expected = case["gradients"].as_array().unwrap();
    let case = text(&case["case"]);
    assert_eq!(expected.len(), found.len(), "{case}");
    // A shift before another normalisation has no gradient but noise: it is measured by the whole step.
    let total = expected.iter().map(|row| row[2].as_f64().unwrap().powi(2)).sum::<f64>().sqrt();
    let (mut worst, mut wrong) = (0f64, Vec::new());
    for row in expected {
        let name = text(&row[0]);
        let place = names.iter().position(|own| own == name);
        let own = &found[place.unwrap_or_else(|| panic!("{case} has no {name}"))];
        assert_eq!(own.len() as u64, row[1].as_u64().unwrap(), "{case} {name}");
        let (length, product) = (row[2].as_f64().unwrap(), row[3].as_f64().unwrap());
        let own_length = own.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        let probe = uniform(hash(&format!("probe {name}")), own.len());
        let own_product: f64 = own.iter().zip(probe).map(|(g, u)| f64::from(*g) * (u - 0.5)).sum();
        let far = (own_length - length).abs().max((own_product - product).abs()) / length.max(1e-4 * total);
        if far >= BOUND {
            wrong.push(format!("{name}: {far:.1e}"));
        }
        worst = worst.max(far);
    }
    assert!(wrong.is_empty(), "{case}: {wrong:?}");
    assert!(worst > 0.0, "{case}");
}

fn weights(config: &NetConfig) -> Weights {
    let mut all = Weights::default();
    for parameter in config.graph().parameters() {
        let values = weight(&parameter.name, &parameter.shape);
        all.push(parameter.name.clone(), &parameter.shape, values, parameter.learned);
    }
    all
}

#[test]
fn a_step_of_networks_of_images_has_the_gradients_of_torch() {
    for case in cases(EXPECTED, "cases").iter().filter(|case| case["ids"].is_null()) {
        let name = text(&case["case"]);
        let (kind, image) = (nets::kind(name).unwrap(), numbers(&case["image"]));
        let usual = Plan::new(kind);
        let thousandths = (case["width"].as_f64().unwrap() * 1000.0) as usize;
        let mut plan = Plan { image: (image[0], image[1]), classes: None, thousandths, ..usual };
        if kind.encoder.is_some() {
            plan.encoder = Encoder { patch: 8, hidden: 48, depth: 3, heads: 4, middle: 192, ..usual.encoder };
        }
        let config = NetConfig::new(kind).with(plan);
        let weights = weights(&config);
        let mut network = config.on(&open_cpu(), &weights).unwrap();
        let count = case["count"].as_u64().unwrap() as usize;
        let out = network.forward(&images(count, plan.image)).unwrap();
        let mut gradients = backward(out, slope(count * config.dim())).unwrap();
        let found = network.gradients(&mut gradients).unwrap();
        let names: Vec<String> = weights.learned().map(|weight| weight.name.clone()).collect();
        compare(case, &names, &found);
    }
}

#[test]
fn a_step_of_networks_of_texts_has_the_gradients_of_torch() {
    let written = cases(TEXTS, "texts");
    for case in cases(EXPECTED, "cases").iter().filter(|case| !case["ids"].is_null()) {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), written.iter().find(|other| other["case"] == case["case"]).unwrap());
        let net = TextNet::read(folder.path(), Pooling::Mean).unwrap();
        let graph = net.graph();
        let mut learner = Learner::new(&open_cpu(), &graph, &net.values()).unwrap();
        let rows: Vec<Vec<usize>> = case["ids"].as_array().unwrap().iter().map(numbers).collect();
        let ids: Vec<f32> = rows.concat().iter().map(|id| *id as f32).collect();
        let out = learner.forward(&ids, (rows[0].len(), 1), graph.features()).unwrap();
        let mut gradients = backward(out, slope(rows.len() * net.config().dim())).unwrap();
        let found = learner.gradients(&mut gradients).unwrap();
        let names: Vec<String> = net.weights().learned().map(|weight| weight.name.clone()).collect();
        compare(case, &names, &found);
    }
}
