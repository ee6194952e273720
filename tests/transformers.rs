//! Transformers against timm, torchvision and transformers, with weights that a formula gives; `fixtures/backbones` has the script.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod formula;

use std::path::Path;

use formula::{cases, far, images, numbers, text, write};
use kshot::backbone::nets::{self, Asked, Pool, Preprocessing};
use kshot::backbone::texts::TextNet;
use kshot::backbone::{Architecture, Configuration, Saved};
use kshot::image::{Crop, Filter, Recipe};
use kshot::tensor::Pooling;
use kshot::tensor::net::{Engine, Learner};
use kshot::tensor::{open_cpu, to_host};
use serde_json::Value;

const EXPECTED: &str = include_str!("fixtures/backbones/transformers.json");

fn read(folder: &Path, case: &Value, image: (usize, usize), cut: Option<&str>, pool: Option<Pool>) -> Saved {
    let recipe = Recipe::imagenet(48, 48, Filter::Bicubic);
    let crop = Crop { height: image.0, width: image.1, ..recipe.crop };
    let preprocessing = Some(Preprocessing::Given(Recipe { crop, ..recipe }));
    let asked = Asked { cut: cut.map(String::from), pool, preprocessing, ..Asked::default() };
    let kind = nets::kind(text(&case["kind"])).unwrap();
    nets::read(&folder.join("model.safetensors"), kind, &asked).unwrap()
}

#[test]
fn image_transformers_of_all_libraries_give_their_features_at_each_block_and_at_other_sizes() {
    for case in cases(EXPECTED, "cases") {
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

#[test]
fn networks_of_texts_give_the_features_of_transformers() {
    for case in cases(EXPECTED, "texts") {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &case);
        for batch in case["batches"].as_array().unwrap() {
            let rows: Vec<Vec<usize>> = batch["ids"].as_array().unwrap().iter().map(numbers).collect();
            let ids: Vec<f32> = rows.concat().iter().map(|id| *id as f32).collect();
            let image = (rows[0].len(), 1);
            for (result, expected) in batch["results"].as_object().unwrap() {
                let pooling = match result.as_str() {
                    "mean" => Pooling::Mean,
                    "first" => Pooling::First,
                    _ => Pooling::Last,
                };
                let net = TextNet::read(folder.path(), pooling).unwrap();
                let (graph, values) = (net.graph(), net.values());
                let engine = Engine::new(&graph, &values, graph.features()).unwrap();
                let learner = Learner::new(&open_cpu(), &graph, &values).unwrap();
                let device = learner.evaluate(&ids, image, graph.features()).unwrap();
                for found in [engine.run(&ids, image).unwrap(), to_host(&device).unwrap()] {
                    let what = format!("{} {result}", text(&case["case"]));
                    let far = far(&found, expected, &what);
                    assert!(far < 3e-5, "{what}: {far:.1e}");
                }
                // A number that no word has, and a text that is longer than the positions.
                assert!(
                    engine.run(&[64.0, 1.0], (2, 1)).is_err()
                        && learner.evaluate(&[0.5], (1, 1), graph.features()).is_err()
                );
                assert!(engine.run(&[1.0; 21], (21, 1)).is_err());
            }
        }
    }
}
