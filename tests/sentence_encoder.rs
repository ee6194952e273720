//! Sentence encoders give the numbers of independent implementations; `make_fixture.py` beside the small encoder made
//! what is expected of it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kshot::backbone::{BackboneError, Embedded, SentenceEncoder};
use kshot::data::text::clinc150;
use kshot::data::{OpenOptions, Store};
use kshot::rng::{Purpose, Stream};
use kshot::tensor::encoder::{
    Activation, Block, EncoderOps, EncoderWeights, Linear, Norm, Pooling, Tables, TokenBatch, stock,
};
use kshot::tensor::{open_cpu, to_host};
use kshot::vocab::ItemId;
use serde_json::{Value, json};
use tempfile::TempDir;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bert");

/// A copy of the small encoder with some files replaced.
fn folder_with(files: &[(&str, String)]) -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors", "sentence_bert_config.json", "tokenizer.json"] {
        std::fs::copy(Path::new(FIXTURE).join(name), place.path().join(name)).unwrap();
    }
    for (name, content) in files {
        let path = place.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    place
}

fn config_with(key: &str, value: Value) -> (&'static str, String) {
    let text = std::fs::read_to_string(Path::new(FIXTURE).join("config.json")).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    config[key] = value;
    ("config.json", config.to_string())
}

/// Pooling by the first token, without the norm.
fn first_token() -> [(&'static str, String); 2] {
    let modules = json!([
        { "idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer" },
        { "idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling" },
    ]);
    let pooling = json!({ "pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false });
    [("modules.json", modules.to_string()), ("1_Pooling/config.json", pooling.to_string())]
}

fn expected(key: &str) -> (Vec<String>, Vec<f32>) {
    let text = std::fs::read_to_string(Path::new(FIXTURE).join("expected.json")).unwrap();
    let answers: Vec<Value> = serde_json::from_str(&text).unwrap();
    let texts = answers.iter().map(|a| a["text"].as_str().unwrap().to_string()).collect();
    let numbers = answers.iter().flat_map(|a| a[key].as_array().unwrap());
    (texts, numbers.map(|v| v.as_f64().unwrap() as f32).collect())
}

fn embed(folder: &Path, texts: &[String], workers: usize) -> Result<Embedded, BackboneError> {
    SentenceEncoder::read(folder)?.embed(texts, workers, || Ok(open_cpu()), |_| {})
}

#[track_caller]
fn close(a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    let far = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(far <= tolerance, "largest difference {far}");
}

#[test]
fn the_small_encoder_gives_the_numbers_of_the_plain_implementation() {
    let (texts, mean) = expected("mean_unit");
    let embedded = embed(Path::new(FIXTURE), &texts, 1).unwrap();
    assert_eq!((embedded.dim, embedded.truncated), (16, 1));
    close(&embedded.features, &mean, 2e-6);
    let folder = folder_with(&first_token());
    close(&embed(folder.path(), &texts, 1).unwrap().features, &expected("first").1, 1e-5);
    let mut files = first_token().to_vec();
    files.push(config_with("hidden_act", json!("gelu_new")));
    let folder = folder_with(&files);
    close(&embed(folder.path(), &texts, 1).unwrap().features, &expected("first_gelu_new").1, 1e-5);
}

#[test]
fn a_sentence_alone_is_as_in_company_and_workers_change_no_bit() {
    let (texts, _) = expected("mean_unit");
    let many: Vec<String> = texts.iter().cycle().take(400).cloned().collect();
    let together = embed(Path::new(FIXTURE), &many, 3).unwrap();
    assert_eq!(together, embed(Path::new(FIXTURE), &many, 1).unwrap());
    for (text, features) in many.iter().zip(together.features.chunks_exact(together.dim)) {
        assert_eq!(embed(Path::new(FIXTURE), std::slice::from_ref(text), 1).unwrap().features, features);
    }
}

#[test]
fn progress_ends_at_the_number_of_texts() {
    let (texts, _) = expected("mean_unit");
    let (most, calls) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let progress = |done: usize| {
        most.fetch_max(done, Ordering::Relaxed);
        calls.fetch_add(1, Ordering::Relaxed);
    };
    let encoder = SentenceEncoder::read(FIXTURE).unwrap();
    encoder.embed(&texts, 2, || Ok(open_cpu()), progress).unwrap();
    assert_eq!((most.into_inner(), calls.into_inner()), (texts.len(), 4));
    let none: [&str; 0] = [];
    assert!(encoder.embed(&none, 2, || Ok(open_cpu()), |_| {}).unwrap().features.is_empty());
}

#[test]
fn host_loops_and_stock_operations_agree() {
    let mut stream = Stream::new(5, Purpose::Dataset, 0);
    let mut numbers = |count: usize, around: f32, scale: f32| -> Vec<f32> {
        (0..count).map(|_| around + scale * stream.normal() as f32).collect()
    };
    // Sizes that are no multiple of a vector, and more tokens than pass the layers at once.
    for (heads, size, length, activation) in
        [(3, 20, 33, Activation::Gelu), (2, 3, 7, Activation::GeluTanh), (1, 32, 120, Activation::Relu)]
    {
        let (hidden, middle) = (heads * size, 2 * heads * size + 5);
        let mut norm = || Norm::new(numbers(hidden, 1.0, 0.2), numbers(hidden, 0.0, 0.2), 1e-12).unwrap();
        let norms = [norm(), norm(), norm()];
        let mut linear = |inner: usize, out: usize| {
            let weight = numbers(inner * out, 0.0, 1.0 / (inner as f32).sqrt());
            Linear::new(&weight, inner, &numbers(out, 0.0, 0.1)).unwrap()
        };
        let block = Block {
            attend: linear(hidden, 3 * hidden),
            mix: linear(hidden, hidden),
            attend_norm: norms[0].clone(),
            up: linear(hidden, middle),
            down: linear(middle, hidden),
            feed_norm: norms[1].clone(),
        };
        let tables =
            Tables::new(numbers(11 * hidden, 0.0, 1.0), numbers(length * hidden, 0.0, 1.0), norms[2].clone());
        let weights = Arc::new(EncoderWeights::new(tables.unwrap(), vec![block], heads, activation).unwrap());
        let device = open_cpu();
        let tokens = (0..5 * length as u32).map(|i| i * i % 11).collect();
        let tokens = TokenBatch::new(tokens, length).unwrap();
        let encoder = stock::DeviceEncoder::new(&device, &weights).unwrap();
        let (x, other) = (device.look_up(&weights, &tokens).unwrap(), encoder.look_up(&tokens).unwrap());
        close(&to_host(&x).unwrap(), &to_host(&other).unwrap(), 1e-5);
        let y = device.block(&weights, 0, x.clone(), length).unwrap();
        let other = encoder.block(0, x, length).unwrap();
        close(&to_host(&y).unwrap(), &to_host(&other).unwrap(), 5e-5);
        for (pooling, unit) in [(Pooling::Mean, true), (Pooling::First, true), (Pooling::Mean, false)] {
            let host = device.pool(&y, length, pooling, unit).unwrap();
            let other = stock::pool(&y, length, pooling, unit).unwrap();
            close(&to_host(&host).unwrap(), &to_host(&other).unwrap(), 1e-5);
        }
        assert!(device.block(&weights, 1, y.clone(), length).is_err());
        assert!(device.block(&weights, 0, y, length + 1).is_err());
        assert!(device.look_up(&weights, &TokenBatch::new(vec![11], 1).unwrap()).is_err());
    }
}

/// The sentence with which an encoder is refused, its path shortened.
fn refusal(folder: &TempDir) -> String {
    let error = SentenceEncoder::read(folder.path()).err().unwrap().to_string();
    error.replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn folders_that_are_no_encoder_are_refused() {
    for (file, start) in [
        ("tokenizer.json", "tokenizer.json: no such file\nhint: save it from Python"),
        ("model.safetensors", "model.safetensors: no such file\nhint: the weights are expected"),
        ("config.json", "config.json: no such file\nhint: a sentence encoder is a folder with"),
    ] {
        let folder = folder_with(&[]);
        std::fs::remove_file(folder.path().join(file)).unwrap();
        let error = refusal(&folder);
        assert!(error.starts_with(start), "{error}");
    }
    let module = json!([{ "path": "2_Dense", "type": "sentence_transformers.models.Dense" }]).to_string();
    for (file, expected) in [
        (
            config_with("hidden_size", json!(20)),
            "model.safetensors: the weights do not fit the sizes of the network: 35 of another shape \
             (`embeddings.word_embeddings.weight` is (12, 16), expected (12, 20), …)",
        ),
        (
            config_with("num_hidden_layers", json!(1)),
            "model.safetensors: the weights do not fit the sizes of the network: 16 unexpected \
             (`encoder.layer.1.attention.output.LayerNorm.bias`, `encoder.layer.1.attention.output.LayerNorm.weight`, \
             `encoder.layer.1.attention.output.dense.bias`, …)",
        ),
        (
            config_with("num_attention_heads", json!(3)),
            "config.json: `hidden_size` must be a multiple of `num_attention_heads`, got 16 and 3",
        ),
        (
            config_with("model_type", json!("mpnet")),
            "config.json: `model_type` is `mpnet`, expected `bert`, `distilbert`, `gpt2` or `clip`",
        ),
        (
            config_with("hidden_act", json!("swish")),
            "config.json: `hidden_act` is `swish`, expected `gelu`, `gelu_new`, `gelu_fast`, `gelu_pytorch_tanh` or \
             `relu`",
        ),
        (
            config_with("vocab_size", json!(9)),
            "tokenizer.json: 12 token numbers, and the network has a table of 9 words",
        ),
        (config_with("vocab_size", json!(0)), "config.json: `vocab_size` must be 1 or more, got 0"),
        (
            ("modules.json", module),
            "modules.json: `type` is `sentence_transformers.models.Dense`, expected `Transformer`, `Pooling` or \
             `Normalize` of sentence_transformers",
        ),
        (
            ("sentence_bert_config.json", json!({ "max_seq_length": 2 }).to_string()),
            "tokenizer.json: a sentence has 2 special tokens, at most 2 tokens are allowed",
        ),
    ] {
        let error = refusal(&folder_with(&[file]));
        let (sentence, hint) = error.split_once("\nhint: ").unwrap_or((&error, ""));
        assert_eq!(sentence, expected);
        assert_eq!(hint.contains("config.json"), sentence.contains("do not fit the sizes"), "{error}");
    }
    let [modules, _] = first_token();
    let both = json!({ "pooling_mode_cls_token": true, "pooling_mode_max_tokens": true }).to_string();
    let error = refusal(&folder_with(&[modules, ("1_Pooling/config.json", both)]));
    assert_eq!(
        error,
        "1_Pooling/config.json: `pooling_mode` is `cls_token + max_tokens`, expected `mean_tokens` or `cls_token` alone"
    );
    let error = refusal(&folder_with(&[("tokenizer.json", "{".to_string())]));
    assert!(error.starts_with("tokenizer.json: no tokenizer that can be read: "), "{error}");
    assert!(error.contains("\nhint: save it from Python"), "{error}");
}

#[test]
fn layers_that_the_weights_do_not_hold_are_refused_before_they_are_laid_out() {
    let error = refusal(&folder_with(&[config_with("num_hidden_layers", json!(1_000_000_000))]));
    let sentence = "config.json: `num_hidden_layers` is 1000000000, and model.safetensors holds ";
    assert!(error.starts_with(sentence), "{error}");
}

#[test]
fn damage_on_which_the_reader_of_tokenizers_panics_is_refused() {
    let text = std::fs::read_to_string(Path::new(FIXTURE).join("tokenizer.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let decoder = text.replace("\"decoder\": {", "\"decoder\": { x");
    let mut template = json.clone();
    template["post_processor"]["single"][2]["SpecialToken"]["id"] = json!("[SE P]");
    for damaged in [decoder, template.to_string()] {
        assert_ne!(damaged, text);
        let error = refusal(&folder_with(&[("tokenizer.json", damaged)]));
        assert!(error.starts_with("tokenizer.json: no tokenizer that can be read: "), "{error}");
    }
}

#[test]
fn an_empty_text_is_refused_by_its_number() {
    let texts = ["my card".to_string(), " \t".to_string()];
    let error = embed(Path::new(FIXTURE), &texts, 2).unwrap_err().to_string();
    let sentence = "text 1 is empty, expected at least one character that the tokenizer knows\nhint: ";
    assert!(error.starts_with(sentence), "{error}");
}

/// The folder of large test data, or a loud word that the test did not run.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn shared(test: &str) -> Option<PathBuf> {
    let place = std::env::var_os("KSHOT_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    if place.join("minilm-l6-v2").is_dir() {
        return Some(place);
    }
    eprintln!("SKIPPED {test}: no data in {}", place.display());
    None
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum() };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn minilm_gives_the_published_cosines() {
    let Some(data) = shared("minilm_gives_the_published_cosines") else { return };
    let texts = [
        "This is an offline sentence embedding",
        "Another text to embed",
        "How do I activate my new card?",
        "my card has not arrived yet",
    ]
    .map(str::to_string);
    let embedded = embed(&data.join("minilm-l6-v2"), &texts, 1).unwrap();
    let rows: Vec<&[f32]> = embedded.features.chunks_exact(embedded.dim).collect();
    close(&rows[0][..4], &[0.00025106, 0.01347037, 0.08979724, 0.05361025], 1e-6);
    for (a, b, expected) in [
        (0, 1, 0.576538),
        (0, 2, -0.044257),
        (0, 3, 0.120396),
        (1, 2, 0.076833),
        (1, 3, 0.049813),
        (2, 3, 0.579816),
    ] {
        assert!((cosine(rows[a], rows[b]) - expected).abs() < 2e-6, "{a} {b}");
    }
}

#[test]
fn clinc150_sentences_give_the_stored_features() {
    let Some(data) = shared("clinc150_sentences_give_the_stored_features") else { return };
    let sentences = clinc150(data.join("clinc150")).unwrap();
    let store = Store::open(data.join("clinc150-minilm"), &OpenOptions::default()).unwrap();
    assert_eq!((sentences.texts.len(), sentences.oos.len()), (23_700, 1_200));
    assert_eq!(sentences.oos[0], store.rows());
    let classes = store.index().classes();
    let splits = sentences.splits.as_ref().unwrap();
    assert!(classes.iter().map(|c| (&c.name, c.split)).eq(splits.iter().map(|(name, split)| (name, *split))));
    let chosen: Vec<usize> = (0..store.rows()).step_by(75).collect();
    let texts: Vec<String> = chosen.iter().map(|item| sentences.texts[*item].clone()).collect();
    let embedded = embed(&data.join("minilm-l6-v2"), &texts, 2).unwrap();
    let mut stored = vec![0.0; store.dim()];
    for (item, features) in chosen.iter().zip(embedded.features.chunks_exact(embedded.dim)) {
        store.read_item(ItemId(*item as u32), &mut stored).unwrap();
        assert!(cosine(features, &stored) > 0.9999, "item {item}: {}", cosine(features, &stored));
    }
}
