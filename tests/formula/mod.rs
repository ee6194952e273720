//! Weights and images that a formula gives, as `fixtures/backbones/make_reference.py` has them: SplitMix64 of the FNV-1a hash of a
//! name, so that no file of them is kept.

#![allow(dead_code, reason = "each test uses some of it")]

use std::collections::BTreeMap;
use std::path::Path;

use kshot::backbone::tensor_file;
use kshot::image::{Filter, Recipe};
use serde_json::Value;

/// Numbers in [0, 1) by SplitMix64, in 24 bits.
pub fn uniform(stream: u64, count: usize) -> impl Iterator<Item = f64> {
    (0..count as u64).map(move |index| {
        let z = stream.wrapping_add(index).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 24)
    })
}

/// The stream of a name.
pub fn hash(name: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    name.bytes().fold(0xCBF2_9CE4_8422_2325, step)
}

/// The numbers of a weight of this name.
pub fn weight(name: &str, shape: &[usize]) -> Vec<f32> {
    let spread = (24.0 / shape.iter().skip(1).product::<usize>() as f64).sqrt();
    let number = |u: f64| {
        if shape.len() > 1 {
            (u - 0.5) * spread
        } else if name.ends_with("running_var") || name.ends_with("weight") {
            0.5 + u
        } else {
            (u - 0.5) * 0.4
        }
    };
    uniform(hash(name), shape.iter().product()).map(|u| number(u) as f32).collect()
}

/// `count` images of (height, width) pixels.
pub fn images(count: usize, (height, width): (usize, usize)) -> Vec<f32> {
    uniform(1 << 32, count * 3 * height * width).map(|u| (2.0 * u - 1.0) as f32).collect()
}

/// The cases of one part of a table.
pub fn cases(table: &str, part: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(table).unwrap();
    all[part].as_array().unwrap().clone()
}

/// A text.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Whole numbers.
pub fn numbers(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

/// A folder with the file of weights that the case's library would write, and its configuration.
pub fn write(folder: &Path, case: &Value) {
    let named = case["tensors"].as_array().unwrap().iter().map(|t| (text(&t[0]), numbers(&t[1])));
    let named: Vec<(&str, Vec<usize>, Vec<f32>)> =
        named.map(|(name, shape)| (name, shape.clone(), weight(name, &shape))).collect();
    let tensors: Vec<_> = named.iter().map(|(n, shape, v)| (*n, shape.as_slice(), v.as_slice())).collect();
    std::fs::write(folder.join("model.safetensors"), tensor_file(&tensors, &BTreeMap::new())).unwrap();
    let mut config = case["config"].clone();
    config["recipe"] = Recipe::imagenet(48, 48, Filter::Bicubic).to_string().into();
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

/// The largest distance of rows of `found` from those expected, as a share of their length.
pub fn far(found: &[f32], expected: &Value, what: &str) -> f64 {
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
