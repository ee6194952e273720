//! CLIP from files: images and class names in one space, and classification without examples; `fixtures/clip/make_fixture.py` made what
//! is expected of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod formula;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use formula::{cases, far, write};
use kshot::backbone::SentenceEncoder;
use kshot::data::{OpenOptions, Store};
use kshot::tensor::open_cpu;
use serde_json::Value;
use tempfile::TempDir;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/clip");
const TABLE: &str = include_str!("fixtures/backbones/transformers.json");
const TEMPLATES: [&str; 2] = ["a photo of a {}.", "art of the {}, which is far away and seen from the side"];
const CLASSES: [&str; 3] = ["grey_heron", "owl", "red kite"];

fn expected() -> Value {
    serde_json::from_slice(&fs::read(Path::new(FIXTURE).join("expected.json")).unwrap()).unwrap()
}

/// A folder `clip` as transformers saves it, and nine pictures in the folders of three classes.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let clip = place.path().join("clip");
    fs::create_dir(&clip).unwrap();
    let case = cases(TABLE, "cases").into_iter().find(|case| case["case"] == "CLIPModel").unwrap();
    write(&clip, &case);
    let config = fs::read_to_string(clip.join("config.json")).unwrap();
    let mut config: Value = serde_json::from_str(&config).unwrap();
    config.as_object_mut().unwrap().remove("recipe");
    fs::write(clip.join("config.json"), config.to_string()).unwrap();
    let preprocessor = r#"{"size": {"shortest_edge": 48}, "crop_size": {"height": 48, "width": 48}, "resample": 3, "do_center_crop": true,
        "do_normalize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]}"#;
    fs::write(clip.join("preprocessor_config.json"), preprocessor).unwrap();
    fs::copy(Path::new(FIXTURE).join("tokenizer.json"), clip.join("tokenizer.json")).unwrap();
    fs::write(clip.join("tokenizer_config.json"), r#"{"model_max_length": 20}"#).unwrap();
    for seed in 0..9 {
        let folder = place.path().join("photos").join(CLASSES[seed / 3]);
        fs::create_dir_all(&folder).unwrap();
        let samples: Vec<u8> = (0..60 * 52 * 3).map(|i| ((i * 37 + seed * 91) % 251) as u8).collect();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 60, 52);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(&samples).unwrap();
        fs::write(folder.join(format!("{seed}.png")), bytes).unwrap();
    }
    place
}

fn kshot(place: &TempDir, arguments: &str, more: &[&str]) -> Command {
    let mut command = Command::cargo_bin("kshot").unwrap();
    command.current_dir(place.path()).args(arguments.split_whitespace()).args(more);
    command
}

fn templates() -> Vec<&'static str> {
    TEMPLATES.iter().flat_map(|template| ["--template", template]).collect()
}

#[test]
fn photographs_and_class_names_have_the_embeddings_of_transformers_and_are_compared() {
    let place = place();
    let embed = "embed folder:photos --backbone clip_vit_b_32:weights=clip --dtype f32 --out features";
    kshot(&place, embed, &templates()).assert().success();
    let store = Store::open(place.path().join("features"), &OpenOptions::default()).unwrap();
    let names: Vec<&str> = store.index().classes().iter().map(|class| class.name.as_str()).collect();
    assert_eq!(names, CLASSES);
    let mut images = vec![0.0; store.rows() * store.dim()];
    store.values().read_block(store.dim(), 0, &mut images).unwrap();
    let distance = far(&images, &expected()["images"], "images");
    assert!(distance < 3e-5, "images: {distance:.1e}");
    let classes = store.class_embeddings().unwrap().rows.to_vec();
    let distance = far(&classes, &expected()["classes"], "classes");
    assert!(distance < 3e-5, "classes: {distance:.1e}");
    let evaluate = "evaluate any-zero-shot --features features --learner class-embedding-cosine --out r";
    kshot(&place, evaluate, &[]).assert().success();
    let summary = fs::read_to_string(place.path().join("r/summary.csv")).unwrap();
    let accuracy = expected()["class_accuracy"].as_f64().unwrap();
    let row = summary.lines().find(|line| line.contains(",class-accuracy,")).unwrap();
    let found: f64 =
        row.split(",class-accuracy,").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    assert!((found - accuracy).abs() < 1e-6, "{row}");
    // In parts, and in one go with the evaluation, it is the same.
    for part in ["1/1"] {
        let embed = format!(
            "embed folder:photos --backbone clip_vit_b_32:weights=clip --dtype f32 --shard {part} --out part"
        );
        kshot(&place, &embed, &templates()).assert().success();
    }
    kshot(&place, "merge part --out whole", &[]).assert().success();
    let bytes = |folder: &str| fs::read(place.path().join(folder).join("class_embeddings.npy")).unwrap();
    assert_eq!(bytes("whole"), bytes("features"));
}

#[test]
fn what_lacks_a_text_tower_takes_no_templates() {
    let place = place();
    let refused = |weights: &str, sentence: &str| {
        let embed = format!("embed folder:photos --backbone clip_vit_b_32:{weights} --out refused");
        let assert = kshot(&place, &embed, &templates()).assert().code(2);
        let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
        assert!(said.contains(sentence), "{said}");
    };
    refused("weights=clip,cut=blocks.1", "has no text tower: it needs tokenizer.json beside its weights");
    fs::remove_file(place.path().join("clip/tokenizer.json")).unwrap();
    refused("weights=clip", "has no text tower: it needs tokenizer.json beside its weights");
}

#[test]
fn a_tokenizer_that_ends_no_text_is_refused() {
    let place = place();
    let folder = place.path().join("clip");
    let tokenizer = fs::read_to_string(folder.join("tokenizer.json")).unwrap();
    let mut tokenizer: Value = serde_json::from_str(&tokenizer).unwrap();
    tokenizer["post_processor"] = Value::Null;
    fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
    let said = SentenceEncoder::read(&folder).err().unwrap().to_string();
    assert!(said.contains("texts end with token 26, the network reads their features at token 63"), "{said}");
}

#[test]
fn the_text_tower_alone_reads_texts_as_any_sentence_encoder() {
    let place = place();
    let encoder = SentenceEncoder::read(place.path().join("clip")).unwrap();
    assert_eq!((encoder.backbone(), encoder.dim(), encoder.max_tokens()), ("clip_text", 40, 20));
    let texts: Vec<String> = TEMPLATES.iter().map(|template| template.replace("{}", "owl")).collect();
    let embedded = encoder.embed(&texts, 2, || Ok(open_cpu()), |_| {}).unwrap();
    assert_eq!((embedded.dim, embedded.truncated), (40, 1));
    for row in embedded.features.chunks_exact(40) {
        assert!((row.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
    }
}
