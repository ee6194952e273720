//! A protocol as the text of a rule file.

use std::fmt::{Display, Write};
use std::path::Path;

use toml::Value;

use super::written::Written;
use super::{OosQuery, Protocol, ProtocolError};

impl Protocol {
    /// The rule file of this protocol, with every default written out; reading it gives an equal protocol.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: &dyn Display| {
            // Writing to a String cannot fail.
            let _ = if key.starts_with('[') {
                writeln!(text, "\n{key}")
            } else {
                writeln!(text, "{key} = {value}")
            };
        };
        line("name", &quoted(self.name()));
        line("version", &self.version());
        line("source", &quoted(self.source()));
        line("settings", &list(self.settings()));
        line("[data]", &"");
        if let Some(dataset) = self.dataset() {
            line("dataset", &quoted(dataset));
        }
        line("split", &quoted(self.split().word()));
        if let Some(classes) = self.classes() {
            line("classes", &list(classes));
        }
        if let Some(parts) = self.parts() {
            line("support_part", &quoted(&parts.support));
            line("query_part", &quoted(&parts.query));
        }
        if let Some(oos) = self.oos() {
            line("oos", &quoted(&oos.class));
            if let Some(part) = &oos.threshold_part {
                line("threshold_part", &quoted(part));
            }
        }
        if let Some(part) = self.seen_part() {
            line("seen_part", &quoted(part));
        }
        line("duplicates", &quoted(self.duplicates().word()));
        line("[episode]", &"");
        line("way", self.way());
        line("shot", self.shot());
        line("query", self.query());
        match self.oos().map(|oos| oos.query) {
            Some(OosQuery::PerEpisode(query)) => line("query_oos", &query),
            Some(OosQuery::All) => line("query_oos", &quoted("all")),
            None => {}
        }
        line("repeat", &self.repeat());
        if self.shuffle_labels() {
            line("shuffle_labels", &true);
        }
        line("[draw]", &"");
        line("count", &self.count());
        if let Some(first) = self.first() {
            line("first", &first);
        }
        if let Some(most) = self.most() {
            line("most", &most);
        }
        line("seed", &self.seed());
        if let Some(hash) = self.draw_sha256() {
            line("sha256", &quoted(hash));
        }
        line("[report]", &"");
        line("metrics", &list(self.metrics()));
        line("confidence_level", &format!("{:?}", self.confidence_level()));
        text
    }
}

impl Protocol {
    /// The text of a rule file as it is; where it names the file of a class list, the rules with the classes themselves, so that
    /// they can be read where that file is not. `origin` is the rule file.
    ///
    /// # Errors
    /// As [`Protocol::parse`], where it names such a file.
    pub fn standalone(text: &str, origin: impl AsRef<Path>) -> Result<String, ProtocolError> {
        let origin = origin.as_ref().display().to_string();
        let named = |written: &Written| {
            written.data.classes.as_ref().is_some_and(|classes| classes.get_ref().is_str())
        };
        if toml::from_str(text).is_ok_and(|written: Written| named(&written)) {
            Ok(Protocol::parse(text, &origin)?.to_toml())
        } else {
            Ok(text.to_string())
        }
    }
}

fn quoted(text: &str) -> Value {
    Value::String(text.to_string())
}

fn list<T: Display>(words: &[T]) -> Value {
    Value::Array(words.iter().map(|w| Value::String(w.to_string())).collect())
}
