//! `kshot list`: what there is, by name.

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::{Outcome, say};
use crate::backbone::{Architecture, SHIPPED_WEIGHTS, Saved, backbones};
use crate::data::DATASETS;
use crate::learner::Learners;
use crate::metric::Metric;
use crate::protocol::{Protocol, SHIPPED};
use crate::train::{SHIPPED_CONFIGS, TrainingConfig};

/// List learners with their parameters, shipped protocols, datasets, backbones, shipped training configs and weights, or metrics.
#[derive(Args)]
#[command(after_help = "Examples:\n  kshot list learners\n  kshot list protocols")]
pub(super) struct Arguments {
    /// What to list.
    what: What,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    Learners,
    Protocols,
    Datasets,
    Backbones,
    #[value(alias = "recipes")]
    Configs,
    Weights,
    Metrics,
}

pub(super) fn run(all: &Learners, arguments: &Arguments) -> Result<Outcome, CliError> {
    let text = match arguments.what {
        What::Learners => learners(all)?,
        What::Protocols => protocols()?,
        What::Datasets => DATASETS.iter().map(|kind| line(&(kind.name, kind.about))).collect(),
        What::Backbones => backbones().iter().map(line).collect(),
        What::Configs => configs()?,
        What::Weights => weights()?,
        What::Metrics => Metric::all().into_iter().map(metric).collect(),
    };
    say(&text)?;
    Ok(Outcome::Done)
}

fn line((name, about): &(&str, &str)) -> String {
    format!("{name}\n    {about}\n")
}

/// A metric with what it says, and what it takes to be defined.
fn metric(metric: Metric) -> String {
    let mut text = format!("{metric} ({}, {})\n    {}\n", metric.unit(), metric.direction(), metric.about());
    let needs: Vec<String> = metric.all_needs().iter().map(ToString::to_string).collect();
    if !needs.is_empty() {
        text += &format!("    needs {}\n", needs.join(", "));
    }
    text
}

fn configs() -> Result<String, CliError> {
    let mut text = String::new();
    for (name, config) in SHIPPED_CONFIGS {
        let config = TrainingConfig::parse(config, name)?;
        text += &format!("{name}\n    {} steps on {}\n", config.steps, config.dataset);
    }
    Ok(text)
}

fn weights() -> Result<String, CliError> {
    let mut text = String::new();
    for shipped in SHIPPED_WEIGHTS {
        let saved = Saved::parse(shipped.bytes, shipped.name.as_ref(), None)?;
        let trained_on = saved.metadata.get("trained_on").cloned().unwrap_or_default();
        text += &format!("{} ({})\n    trained on {trained_on}\n", shipped.name, saved.config.name());
    }
    Ok(text)
}

fn learners(all: &Learners) -> Result<String, CliError> {
    let registry = all.cpu();
    let mut text = String::new();
    for entry in registry.entries() {
        let learner = entry.check(&std::collections::BTreeMap::new())?;
        let (setting, confidence) = (learner.setting, learner.confidence);
        text += &format!("{} ({setting})\n    {}\n", entry.name(), entry.signature().about());
        text += &format!("    confidence score: {confidence}\n");
        let aliases: Vec<&str> = entry.signature().aliases().collect();
        if !aliases.is_empty() {
            text += &format!("    also known as: {}\n", aliases.join(", "));
        }
        for parameter in entry.parameters() {
            let searched = parameter.search.as_ref().map(|search| format!("; search space: {search}"));
            text += &format!(
                "    {} = {}: {}; {}{}\n",
                parameter.name,
                parameter.default,
                parameter.meaning,
                parameter.range,
                searched.unwrap_or_default()
            );
        }
    }
    Ok(text)
}

fn protocols() -> Result<String, CliError> {
    let mut text = String::new();
    for shipped in SHIPPED {
        let protocol = Protocol::parse(shipped.text, shipped.name)?;
        let data = protocol.dataset().unwrap_or("any feature store");
        text += &format!(
            "{} (version {}, {} episodes, {data})\n    {}\n",
            shipped.name,
            protocol.version(),
            protocol.count(),
            protocol.source()
        );
    }
    Ok(text)
}
