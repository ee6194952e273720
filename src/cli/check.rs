//! `kshot check`: proves that protocols, draws and data agree.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::flags::{InputFlags, cosine};
use super::progress::Terminal;
use super::{Outcome, say};
use crate::episode::{DrawError, Severity};
use crate::eval::checks;
use crate::learner::Learners;
use crate::run::features::FeatureSets;
use crate::run::rules::named_rules;
use crate::run::{RunError, draws, fitness};

const EXAMPLES: &str = "Examples:
  kshot check quickstart
  kshot check mine.toml --features features/ --draw draw.csv --near 0.99
  kshot check any-5way-1shot --features glyphs --backbone pixels
  kshot check learners";

/// Prove that protocols, draws and data agree, or that learners pass the learner checks (`kshot check learners`).
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Protocol files, names of shipped protocols, or the word `learners`.
    #[arg(required = true, value_name = "PROTOCOL")]
    protocols: Vec<String>,
    /// Draw to check instead of the protocol's own; with one protocol only.
    #[arg(long, value_name = "FILE")]
    draw: Option<PathBuf>,
    /// Cosine from which two items count as near-duplicates.
    #[arg(long, value_name = "COSINE", default_value = "0.9999", value_parser = cosine)]
    near: f32,
    #[command(flatten)]
    pub(super) inputs: InputFlags,
}

pub(super) fn run(known: &Learners, arguments: &Arguments) -> Result<Outcome, CliError> {
    if arguments.protocols == ["learners"] {
        return learners(known);
    }
    let all = named_rules(&arguments.protocols)?;
    if arguments.draw.is_some() && all.len() > 1 {
        return Err(CliError::request(format!("--draw goes with one protocol, {} are given", all.len())));
    }
    let watch = Terminal::default();
    let mut sets =
        FeatureSets::new(&arguments.inputs.inputs(), Vec::new(), arguments.inputs.device.chosen()?, &watch)?;
    let mut holds = true;
    for rules in all {
        let protocol = &rules.protocol;
        let store = sets.only(protocol)?.store;
        let mut text: String = fitness::said_of(&store)?
            .iter()
            .map(|sentence| format!("{}: warning: {sentence}\n", protocol.name()))
            .collect();
        let mut broken = 0;
        let dealer = match draws::draw(&rules, arguments.draw.as_deref(), &store) {
            Err(
                error @ (RunError::Sample { .. }
                | RunError::Draw(
                    DrawError::Flawed { .. } | DrawError::OtherItems { .. } | DrawError::OtherOrder { .. },
                )),
            ) => {
                say(&format!("{}: broken: {error}\n", protocol.name()))?;
                holds = false;
                continue;
            }
            other => other?,
        };
        for (severity, finding) in dealer.findings(protocol, &store) {
            let word = if severity == Severity::Refused { "broken" } else { "warning" };
            broken += usize::from(severity == Severity::Refused);
            text += &format!("{}: {word}: {finding}\n", protocol.name());
        }
        for sentence in fitness::near_duplicates(protocol, &dealer.draw, &store, arguments.near)? {
            broken += 1;
            text += &format!("{}: broken: {sentence}\n", protocol.name());
        }
        if broken == 0 {
            text += &format!(
                "{}: protocol, draw and data agree ({} episodes, sha256 {})\n",
                protocol.name(),
                dealer.draw.len(),
                dealer.sha256
            );
        }
        holds &= broken == 0;
        say(&text)?;
    }
    Ok(if holds { Outcome::Done } else { Outcome::DoesNotHold })
}

/// Holds every learner, at its defaults and at the corners of its parameters, against the learner checks of its setting.
fn learners(all: &Learners) -> Result<Outcome, CliError> {
    let registry = all.cpu();
    let mut holds = true;
    for entry in registry.entries() {
        let settings = checks::corners(entry);
        let failures: Vec<_> = settings.iter().flat_map(|p| checks::check_learner(registry, p)).collect();
        if failures.is_empty() {
            let (name, settings) = (entry.name(), settings.len());
            say(&format!("{name}: passes the learner checks, with {settings} settings\n"))?;
        }
        for failure in &failures {
            say(&format!("{failure}\n"))?;
        }
        for alike in checks::alike(entry) {
            say(&format!("warning: {alike}\n"))?;
        }
        holds &= failures.is_empty();
    }
    Ok(if holds { Outcome::Done } else { Outcome::DoesNotHold })
}
