//! The first step: a rule file as typed, with the place of every value, and nothing judged but the names of keys.

use serde::Deserialize;
use toml::{Spanned, Value};

/// Keys that go by another name now, and are refused with it.
pub(super) const RENAMED: [(&str, &str); 2] = [("outside", "oos"), ("query_outside", "query_oos")];

/// Keys that go by another name now, and are read all the same; no message offers them.
pub(super) const ALIASES: [&str; 2] = ["admits", "level"];

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub name: Spanned<String>,
    pub version: Spanned<i64>,
    pub source: Spanned<String>,
    #[serde(alias = "admits")]
    pub settings: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub data: WrittenData,
    pub episode: WrittenEpisode,
    pub draw: WrittenDraw,
    pub report: WrittenReport,
}

/// The table `[data]`: which classes and items.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenData {
    pub dataset: Option<Spanned<String>>,
    pub split: Option<Spanned<String>>,
    pub classes: Option<Spanned<Value>>,
    pub support_part: Option<Spanned<String>>,
    pub query_part: Option<Spanned<String>>,
    pub oos: Option<Spanned<String>>,
    pub threshold_part: Option<Spanned<String>>,
    pub seen_part: Option<Spanned<String>>,
    pub duplicates: Option<Spanned<String>>,
}

/// The table `[episode]`: how large an episode is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenEpisode {
    pub way: Spanned<Value>,
    pub shot: Spanned<Value>,
    pub query: Spanned<Value>,
    pub query_oos: Option<Spanned<Value>>,
    pub repeat: Option<Spanned<bool>>,
    pub shuffle_labels: Option<Spanned<bool>>,
}

/// The table `[draw]`: how many episodes, and from which seed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenDraw {
    pub count: Spanned<i64>,
    pub first: Option<Spanned<i64>>,
    pub most: Option<Spanned<i64>>,
    pub seed: Spanned<i64>,
    pub sha256: Option<Spanned<String>>,
}

/// The table `[report]`: what is told of each learner.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenReport {
    pub metrics: Spanned<Vec<Spanned<String>>>,
    #[serde(alias = "level")]
    pub confidence_level: Option<Spanned<f64>>,
}
