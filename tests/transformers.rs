//! Transformers against timm, torchvision and transformers, with weights that a formula gives; `fixtures/backbones` has the script.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod formula;

use std::collections::BTreeMap;
use std::path::Path;

use formula::{images, weight};
use kshot::backbone::nets::{self, Asked, Pool, Preprocessing};
use kshot::backbone::{Architecture, Configuration, Saved, tensor_file};
use kshot::image::{Crop, Filter, Recipe};
use kshot::tensor::net::{Engine, Learner};
use kshot::tensor::{open_cpu, to_host};
use serde_json::Value;

const EXPECTED: &str = include_str!("fixtures/backbones/transformers.json");

fn cases(part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(EXPECTED).unwrap();
    all[part].as_array().unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn numbers(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

/// A folder with the file of weights that the case's library would write, and its configuration.
fn write(folder: &Path, case: &Value) {
    let named = case["tensors"].as_array().unwrap().iter().map(|t| (text(&t[0]), numbers(&t[1])));
    let named: Vec<(&str, Vec<usize>, Vec<f32>)> =
        named.map(|(name, shape)| (name, shape.clone(), weight(name, &shape))).collect();
    let tensors: Vec<_> = named.iter().map(|(n, shape, v)| (*n, shape.as_slice(), v.as_slice())).collect();
    std::fs::write(folder.join("model.safetensors"), tensor_file(&tensors, &BTreeMap::new())).unwrap();
    let mut config = case["config"].clone();
    config["recipe"] = Recipe::imagenet(48, 48, Filter::Bicubic).to_string().into();
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

fn read(folder: &Path, case: &Value, image: (usize, usize), cut: Option<&str>, pool: Option<Pool>) -> Saved {
    let recipe = Recipe::imagenet(48, 48, Filter::Bicubic);
    let crop = Crop { height: image.0, width: image.1, ..recipe.crop };
    let preprocessing = Some(Preprocessing::Given(Recipe { crop, ..recipe }));
    let asked = Asked { cut: cut.map(String::from), pool, preprocessing, ..Asked::default() };
    let kind = nets::kind(text(&case["kind"])).unwrap();
    nets::read(&folder.join("model.safetensors"), kind, &asked).unwrap()
}

/// The largest distance of rows of `found` from those expected, as a share of their length.
fn far(found: &[f32], expected: &Value, what: &str) -> f64 {
    let rows = expected.as_array().unwrap();
    let mut worst = 0f64;
    for (row, found) in rows.iter().zip(found.chunks_exact(found.len() / rows.len())) {
        assert_eq!(found.len() as u64, row["dim"].as_u64().unwrap(), "{what}");
        let length = row["l2"].as_f64().unwrap();
        let own = found.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let first = row["first"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap());
        let square: f64 = found.iter().zip(first).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum();
        worst = worst.max(square.sqrt() / length).max((own / length - 1.0).abs());
    }
    worst
}

#[test]
fn image_transformers_of_all_libraries_give_their_features_at_each_block_and_at_other_sizes() {
    for case in cases("cases") {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &case);
        for size in case["sizes"].as_array().unwrap() {
            let image = numbers(&size["image"]);
            let image = (image[0], image[1]);
            let pixels = images(2, image);
            for (result, expected) in size["results"].as_object().unwrap() {
                let what = format!("{} {image:?} {result}", text(&case["case"]));
                let cut = Some(result.as_str()).filter(|name| !["-", "logits", "mean"].contains(name));
                let pool = (result == "mean").then_some(Pool::Mean);
                let saved = read(folder.path(), &case, image, cut, pool);
                let Configuration::Net(config) = saved.config else { panic!("{what}") };
                let text = config.text();
                assert_eq!(Configuration::parse(config.name(), &text), Some(saved.config), "{text}");
                let found = if result == "logits" {
                    let values: Vec<Vec<f32>> = saved.weights.0.iter().map(|w| w.values.clone()).collect();
                    let graph = config.graph();
                    let engine = Engine::new(&graph, &values, graph.logits().unwrap()).unwrap();
                    engine.run(&pixels, image).unwrap()
                } else {
                    to_host(&saved.on(&open_cpu()).unwrap().embed(&pixels).unwrap()).unwrap()
                };
                let far = far(&found, expected, &what);
                assert!(far < 3e-5, "{what}: {far:.1e}");
                let values: Vec<Vec<f32>> = saved.weights.0.iter().map(|w| w.values.clone()).collect();
                if result == "-" {
                    let graph = config.graph();
                    let learner = Learner::new(&open_cpu(), &graph, &values).unwrap();
                    let device = learner.evaluate(&pixels, image, config.result(&graph)).unwrap();
                    let device = to_host(&device).unwrap();
                    let square: f32 = device.iter().zip(&found).map(|(a, b)| (a - b).powi(2)).sum();
                    let length: f32 = found.iter().map(|x| x * x).sum();
                    assert!((square / length).sqrt() < 3e-5, "{what}: operations of the device");
                }
            }
        }
    }
}
