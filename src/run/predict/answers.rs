//! What was predicted, and its files.

use std::fmt;

use serde_json::json;

use super::classifier::Classifier;
use crate::results::text as cells;

/// The files of predictions.
pub(crate) const FILES: [&str; 2] = ["predictions.csv", "predictions.json"];

/// The answer to one item.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The id of the item: a path, a row.
    pub item: String,
    /// The likeliest class.
    pub class: String,
    /// Its predicted probability; absent for a learner that only ranks.
    pub probability: Option<f32>,
    /// The confidence score, as the learner declares it: the logarithm of the largest probability, the largest score, or by how much it
    /// leads.
    pub confidence: f32,
    /// Whether the confidence score is below the threshold, so that the item may well be of none of the classes.
    pub refused: bool,
}

/// The answers to all items, in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// The answers.
    pub items: Vec<Prediction>,
    /// What a user should know of them.
    pub cautions: Vec<Caution>,
}

/// What a user of predictions should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caution {
    /// The learner sees all items at once.
    Transductive {
        /// The learner.
        learner: String,
    },
    /// A fit that did not converge.
    Unconverged {
        /// The learner.
        learner: String,
    },
    /// A threshold was asked for and cannot be set.
    NoThreshold,
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caution::Transductive { learner } => write!(
                f,
                "learner `{learner}` is transductive: an answer depends on the other items that are asked with it"
            ),
            Caution::Unconverged { learner } => {
                write!(f, "the fit of learner `{learner}` stopped before it had converged")
            }
            Caution::NoThreshold => f.write_str(
                "one item per class cannot be cross-validated, so that there is no threshold and nothing is refused\nhint: add items, or give --threshold NUMBER",
            ),
        }
    }
}

impl Predictions {
    /// How many were refused.
    pub fn refused(&self) -> usize {
        self.items.iter().filter(|item| item.refused).count()
    }

    /// `predictions.csv`: `item,class,probability,confidence,refused`.
    pub fn csv(&self) -> Vec<u8> {
        let mut out = b"item,class,probability,confidence,refused\n".to_vec();
        for Prediction { item, class, probability, confidence, refused } in &self.items {
            cells::text(&mut out, item);
            out.push(b',');
            cells::text(&mut out, class);
            out.push(b',');
            cells::float(&mut out, probability.map(shortest));
            out.push(b',');
            cells::float(&mut out, Some(shortest(*confidence)));
            out.extend_from_slice(if *refused { b",true\n" } else { b",false\n" });
        }
        out
    }

    /// `predictions.json`: how they were made.
    pub fn record(&self, classifier: &Classifier, about: &serde_json::Value) -> Vec<u8> {
        let record = json!({
            "kshot": env!("CARGO_PKG_VERSION"),
            "learner": classifier.learner().learner(),
            "parameters": classifier.learner().pairs(),
            "seed": classifier.seed,
            "classes": classifier.classes(),
            "support_items": classifier.support_items(),
            "items": self.items.len(),
            "refused": self.refused(),
            "threshold": classifier.threshold(),
            "threshold_from": classifier.rule().from.to_string(),
            "threshold_keep": classifier.rule().keep,
            "warnings": classifier.cautions().iter().chain(&self.cautions).map(ToString::to_string).collect::<Vec<_>>(),
            "about": about,
        });
        let mut text = format!("{record:#}");
        text.push('\n');
        text.into_bytes()
    }
}

/// The f64 whose shortest text is that of the f32.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_item_class_probability_confidence_and_refusal() {
        let one = |item: &str, probability, refused| Prediction {
            item: item.to_string(),
            class: "a".to_string(),
            probability,
            confidence: -0.1,
            refused,
        };
        let items = vec![one("x,1", Some(0.9), false), one("y", None, true)];
        let text = String::from_utf8(Predictions { items, cautions: Vec::new() }.csv()).unwrap();
        assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["\"x,1\",a,0.9,-0.1,false", "y,a,,-0.1,true"]);
    }
}
