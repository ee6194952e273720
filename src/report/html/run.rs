//! What was run, as far as it takes to run it again.

use super::text::{escaped, facts as rows};
use crate::results::ResultsFolder;

/// The record of one folder.
pub(super) fn facts(folder: &ResultsFolder) -> String {
    let run = &folder.run;
    let mut known: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, text: String| known.push((name.to_string(), text));
    add("command", run.command.join(" "));
    add("kshot", run.kshot.clone());
    for protocol in &run.protocols {
        let file = protocol.draw.as_deref().map_or("drawn in this run".to_string(), str::to_string);
        add(
            "protocol",
            format!(
                "{} version {} (sha256 {}), seed {}",
                protocol.name, protocol.version, protocol.sha256, protocol.seed
            ),
        );
        add("draw", format!("{file} (sha256 {})", protocol.draw_sha256));
        add("features", format!("{} (sha256 {})", protocol.source, protocol.features_sha256));
    }
    for learner in &run.learners {
        let parameters: Vec<String> =
            learner.parameters.iter().map(|(key, value)| format!("{key}={value}")).collect();
        add(
            "learner",
            format!("{} {} (selection: {})", learner.name, parameters.join(", "), learner.selection.word()),
        );
        for chosen in &learner.chosen {
            add("chosen", format!("{} for {}", learner.name, chosen.text()));
        }
    }
    let workers = if run.workers == 1 { "1 worker".to_string() } else { format!("{} workers", run.workers) };
    add("device", format!("{}, {workers}", run.device));
    let machine = &run.machine;
    let cpu = machine.cpu.clone().unwrap_or_else(|| "processor unknown".to_string());
    let cores = machine.cores.map_or(String::new(), |cores| format!(", {cores} cores"));
    add("machine", format!("{} {}, {cpu}{cores}", machine.os, machine.arch));
    let seconds: Vec<String> =
        run.seconds.iter().map(|(what, seconds)| format!("{what} {seconds:.2} s")).collect();
    add("time", seconds.join(", "));
    for warning in &run.warnings {
        add("warning", warning.to_string());
    }
    format!("<h3>{}</h3>\n{}", escaped(&folder.path.display().to_string()), rows(&known))
}
