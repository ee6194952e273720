//! `selected.toml`: what a selection leaves behind, and what an evaluation needs to use it.
//!
//! No time and no place stands in it, so it is the same byte for byte for any number of workers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use toml::Value;

use super::SelectError;

/// The version of the file's form.
pub const SELECTED_FORMAT: u32 = 1;

/// On what a choice was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Episodes of validation classes.
    Validation,
    /// Cross-validation inside each support set, when the learner is evaluated.
    SupportCv,
    /// The answers themselves: a bound, not a result.
    Oracle,
}

impl By {
    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            By::Validation => "validation",
            By::SupportCv => "support-cv",
            By::Oracle => "oracle",
        }
    }
}

/// A selection.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selected {
    /// [`SELECTED_FORMAT`].
    pub format: u32,
    /// Version of kshot.
    pub kshot: String,
    /// On what it was made.
    pub by: By,
    /// Trials that each learner had at most.
    pub budget: usize,
    /// Seed of the trials and of the episodes.
    pub seed: u64,
    /// For what it was made.
    pub origin: Origin,
    /// On which episodes; nothing where each support set decides for itself.
    pub episodes: Option<Episodes>,
    /// One entry per learner.
    pub learner: Vec<Choice>,
}

/// The protocol and the features that a selection is for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Name of the protocol.
    pub protocol: String,
    /// Its version.
    pub version: u32,
    /// Classes per episode, as in the protocol.
    pub way: String,
    /// Support items per class, as in the protocol.
    pub shot: String,
    /// Queries per class, as in the protocol.
    pub query: String,
    /// SHA-256 of the feature store.
    pub features_sha256: String,
}

/// The episodes that decided.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Episodes {
    /// The split of their classes.
    pub split: String,
    /// How many there are.
    pub count: usize,
    /// SHA-256 of their draw's bytes.
    pub draw_sha256: String,
}

/// What was chosen for one learner.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The learner.
    pub name: String,
    /// Trials that it had.
    pub trials: usize,
    /// Whether these were its whole search space.
    pub whole: bool,
    /// Mean accuracy of the choice.
    pub score: Option<f64>,
    /// Lower end of its sampler interval.
    pub low: Option<f64>,
    /// Upper end of its sampler interval.
    pub high: Option<f64>,
    /// Mean accuracy of the default on the same episodes.
    pub default_score: Option<f64>,
    /// The temperature at which its predicted probabilities fit best; absent for scores that only rank.
    pub temperature: Option<f64>,
    /// The chosen parameters, all of them; absent where each support set decides for itself.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Then the settings among which it decides, the default first.
    #[serde(default)]
    pub among: Vec<BTreeMap<String, String>>,
}

impl Selected {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that cannot be read, is no selection, or has another form than this version of kshot knows.
    pub fn read(path: &Path) -> Result<Selected, SelectError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SelectError::Unreadable { path: path.to_path_buf(), source })?;
        Selected::from_text(&text, path)
    }

    /// Reads the text of a file; `path` names it in errors.
    ///
    /// # Errors
    /// A text that is no selection, or has another form than this version of kshot knows.
    pub fn from_text(text: &str, path: &Path) -> Result<Selected, SelectError> {
        Selected::parse(text).map_err(|message| SelectError::Selected { path: path.to_path_buf(), message })
    }

    fn parse(text: &str) -> Result<Selected, String> {
        let message = |error: toml::de::Error| error.to_string().trim_end().to_string();
        let table: toml::Table = toml::from_str(text).map_err(message)?;
        let format = table.get("format").and_then(Value::as_integer);
        match format {
            None => return Err("no `format`, so this is no selection".to_string()),
            Some(format) if format != i64::from(SELECTED_FORMAT) => {
                return Err(format!("`format` must be {SELECTED_FORMAT}, got {format}"));
            }
            Some(_) => {}
        }
        let selected: Selected = toml::from_str(text).map_err(message)?;
        let by_support = selected.by == By::SupportCv;
        let empty = |choice: &&Choice| by_support == choice.among.is_empty();
        match selected.learner.iter().find(empty) {
            Some(choice) if by_support => {
                Err(format!("learner `{}` has nothing to choose `among`", choice.name))
            }
            Some(choice) => {
                Err(format!("learner `{}` chooses `among` settings, which only support-cv does", choice.name))
            }
            None => Ok(selected),
        }
    }

    /// The text of the file.
    pub fn to_toml(&self) -> String {
        let mut text = format!(
            "# Made by `kshot select`; `kshot evaluate --selected` uses it.\nformat = {}\nkshot = {}\nby = {}\nbudget = {}\n\
             seed = {}\n",
            self.format,
            quoted(&self.kshot),
            quoted(self.by.word()),
            self.budget,
            self.seed
        );
        let line = |text: &mut String, key: &str, value: &dyn std::fmt::Display| {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{key} = {value}");
        };
        text.push_str("\n[origin]\n");
        let origin = &self.origin;
        line(&mut text, "protocol", &quoted(&origin.protocol));
        line(&mut text, "version", &origin.version);
        for (key, value) in [("way", &origin.way), ("shot", &origin.shot), ("query", &origin.query)] {
            line(&mut text, key, &quoted(value));
        }
        line(&mut text, "features_sha256", &quoted(&origin.features_sha256));
        if let Some(episodes) = &self.episodes {
            text.push_str("\n[episodes]\n");
            line(&mut text, "split", &quoted(&episodes.split));
            line(&mut text, "count", &episodes.count);
            line(&mut text, "draw_sha256", &quoted(&episodes.draw_sha256));
        }
        for choice in &self.learner {
            text.push_str("\n[[learner]]\n");
            line(&mut text, "name", &quoted(&choice.name));
            line(&mut text, "trials", &choice.trials);
            line(&mut text, "whole", &choice.whole);
            let numbers = [
                ("score", choice.score),
                ("low", choice.low),
                ("high", choice.high),
                ("default_score", choice.default_score),
                ("temperature", choice.temperature),
            ];
            for (key, number) in numbers {
                // As a debugger writes it, because TOML wants a point in every float.
                number.into_iter().for_each(|number| line(&mut text, key, &format!("{number:?}")));
            }
            if !choice.parameters.is_empty() {
                line(&mut text, "parameters", &table(&choice.parameters));
            }
            if !choice.among.is_empty() {
                text.push_str("among = [\n");
                choice.among.iter().for_each(|setting| text.push_str(&format!("  {},\n", table(setting))));
                text.push_str("]\n");
            }
        }
        text
    }
}

fn quoted(text: &str) -> Value {
    Value::String(text.to_string())
}

/// A table in one line.
fn table(pairs: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{} = {}", quoted(key), quoted(value))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(by: By) -> Selected {
        let pairs = BTreeMap::from([
            ("c".to_string(), "10".to_string()),
            ("transform".to_string(), "l2n".to_string()),
        ]);
        let by_support = by == By::SupportCv;
        Selected {
            format: SELECTED_FORMAT,
            kshot: "0.1.0".to_string(),
            by,
            budget: 32,
            seed: 7,
            origin: Origin {
                protocol: "any-5way-5shot".to_string(),
                version: 1,
                way: "5".to_string(),
                shot: "[1, 5]".to_string(),
                query: "\"all\"".to_string(),
                features_sha256: "ab".repeat(32),
            },
            episodes: (!by_support).then(|| Episodes {
                split: "validation".to_string(),
                count: 600,
                draw_sha256: "cd".repeat(32),
            }),
            learner: vec![Choice {
                name: "linear-probe".to_string(),
                trials: 32,
                whole: false,
                score: (!by_support).then_some(0.9),
                low: (!by_support).then_some(0.89),
                high: (!by_support).then_some(1.0),
                default_score: (!by_support).then_some(1e-7),
                temperature: (!by_support).then_some(0.25),
                parameters: if by_support { BTreeMap::new() } else { pairs.clone() },
                among: if by_support { vec![pairs.clone(), pairs] } else { Vec::new() },
            }],
        }
    }

    #[test]
    fn a_selection_reads_back_as_it_was_written() {
        for by in [By::Validation, By::SupportCv, By::Oracle] {
            let selected = selected(by);
            assert_eq!(Selected::parse(&selected.to_toml()), Ok(selected));
        }
    }

    #[test]
    fn what_is_no_selection_of_this_form_is_refused() {
        let text = selected(By::Validation).to_toml();
        let refusal = |from: &str, to: &str| Selected::parse(&text.replace(from, to)).unwrap_err();
        assert_eq!(refusal("format = 1", "format = 2"), "`format` must be 1, got 2");
        assert_eq!(refusal("format = 1\n", ""), "no `format`, so this is no selection");
        assert!(refusal("budget", "budgte").contains("unknown field `budgte`"));
        assert!(
            refusal("\"validation\"\nbudget", "\"support-cv\"\nbudget").contains("nothing to choose `among`")
        );
    }
}
