//! Protocols as Python names or writes them.

use std::str::FromStr;

use kshot::metric::Metric;
use kshot::protocol::{Overrides, Protocol, Query, Shot, Way};
use kshot::run::{Text, overridden, read_protocol};
use kshot::vocab::{Scope, Setting};
use pyo3::prelude::*;

use crate::errors::{raised, request};

/// The rules of episodes as they were given; what is absent is as the protocol, or else the default, has it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Rules {
    way: Option<String>,
    shot: Option<String>,
    query: Option<String>,
    episodes: Option<u32>,
    seed: Option<u64>,
    name: Option<String>,
    split: Option<String>,
    parts: Option<(String, String)>,
    settings: Option<Vec<String>>,
    metrics: Option<Vec<String>>,
    level: Option<f64>,
    repeat: Option<bool>,
}

/// A word as the value that it stands for; `key` names it in errors.
fn read<T: FromStr>(key: &str, word: &Option<String>) -> PyResult<Option<T>>
where
    T::Err: std::fmt::Display,
{
    let wrong = |text: &String, error: T::Err| request(format!("`{key}` {error}, got `{text}`"));
    word.as_ref().map(|text| text.parse().map_err(|error| wrong(text, error))).transpose()
}

fn words<T: FromStr>(words: &Option<Vec<String>>) -> PyResult<Option<Vec<T>>>
where
    T::Err: std::fmt::Display,
{
    let word = |word: &String| word.parse().map_err(|error: T::Err| request(error.to_string()));
    words.as_ref().map(|words| words.iter().map(word).collect()).transpose()
}

impl Rules {
    /// The protocol that nothing but these rules makes.
    fn built(&self) -> PyResult<Protocol> {
        let mut builder = Protocol::episodes();
        if let Some(name) = &self.name {
            builder = builder.name(name);
        }
        if let Some(way) = read::<Way>("way", &self.way)? {
            builder = builder.way(way);
        }
        if let Some(shot) = read::<Shot>("shot", &self.shot)? {
            builder = builder.shots(shot);
        }
        if let Some(query) = read::<Query>("query", &self.query)? {
            builder = builder.query(query);
        }
        if let Some(count) = self.episodes {
            builder = builder.count(count);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        if let Some(split) = read::<Scope>("split", &self.split)? {
            builder = builder.split(split);
        }
        if let Some((support, query)) = &self.parts {
            builder = builder.parts(support, query);
        }
        if let Some(settings) = words::<Setting>(&self.settings)? {
            builder = builder.settings(settings);
        }
        if let Some(metrics) = words::<Metric>(&self.metrics)? {
            builder = builder.metrics(metrics);
        }
        if let Some(level) = self.level {
            builder = builder.confidence_level(level);
        }
        if let Some(repeat) = self.repeat {
            builder = builder.repeat(repeat);
        }
        builder.build().map_err(raised)
    }

    /// What these rules change of a protocol that was named.
    fn overrides(&self) -> PyResult<Overrides> {
        let fixed = [
            ("name", self.name.is_some()),
            ("split", self.split.is_some()),
            ("settings", self.settings.is_some()),
            ("metrics", self.metrics.is_some()),
            ("level", self.level.is_some()),
            ("repeat", self.repeat.is_some()),
        ];
        if let Some((key, _)) = fixed.iter().find(|(_, given)| *given) {
            return Err(request(format!(
                "`{key}` goes with rules of your own, a protocol that is named has its own\nhint: leave out `protocol`, or \
                 write the rule into a file of your own"
            )));
        }
        Ok(Overrides {
            episodes: self.episodes,
            way: read("way", &self.way)?,
            shot: read("shot", &self.shot)?,
            query: read("query", &self.query)?,
            seed: self.seed,
        })
    }
}

/// The origin and the text of a protocol: one that is named, with some of its rules replaced, or one of these rules alone.
#[pyfunction]
#[pyo3(signature = (named, rules))]
pub(crate) fn protocol(named: Option<&str>, rules: Rules) -> PyResult<(String, String)> {
    let Text { origin, text } = match named {
        Some(named) => {
            let written = read_protocol(named).map_err(raised)?;
            overridden(written, &rules.overrides()?).map_err(raised)?
        }
        None => {
            let protocol = rules.built()?;
            Text { origin: protocol.name().to_string(), text: protocol.to_toml() }
        }
    };
    Ok((origin, text))
}
