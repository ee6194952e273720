//! `kshot list`: what there is, by name.

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::network::BACKBONES;
use super::{Outcome, say};
use crate::data::EMBEDDED;
use crate::data::text::TEXT_DATASETS;
use crate::learner::{Registry, Roster};
use crate::protocol::{Protocol, SHIPPED};
use crate::tensor::Cpu;
use crate::vocab::Metric;

/// List learners with their parameters, shipped protocols, datasets, backbones, or metrics.
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
    Metrics,
}

pub(super) fn run<R: Roster>(arguments: &Arguments) -> Result<Outcome, CliError> {
    let text = match arguments.what {
        What::Learners => learners::<R>()?,
        What::Protocols => protocols()?,
        What::Datasets => EMBEDDED.iter().chain(TEXT_DATASETS).map(line).collect(),
        What::Backbones => BACKBONES.iter().map(line).collect(),
        What::Metrics => Metric::ALL.iter().map(|metric| format!("{metric}\n")).collect(),
    };
    say(&text)?;
    Ok(Outcome::Done)
}

fn line((name, about): &(&str, &str)) -> String {
    format!("{name}\n    {about}\n")
}

fn learners<R: Roster>() -> Result<String, CliError> {
    let registry = Registry::<Cpu>::of::<R>();
    let mut text = String::new();
    for entry in registry.entries() {
        let parameters = entry.check(&std::collections::BTreeMap::new())?;
        let learner = registry.build(&parameters)?;
        let (setting, confidence) = (learner.setting(), learner.confidence());
        text += &format!("{} ({setting})\n    {}\n", entry.name(), entry.description());
        text += &format!("    certain by its {confidence}\n");
        for parameter in entry.parameters() {
            text += &format!(
                "    {} = {}: {}; {}\n",
                parameter.name, parameter.default, parameter.meaning, parameter.range
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
