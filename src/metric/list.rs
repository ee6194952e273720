//! The metrics that are there: those that ship, and those that a program adds.

use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::measure::{
    accuracy, adaptive_ece, aurc, auroc, brier, class_accuracy, confusion, ece, fpr95, generalised, nll,
    one_vs_rest, oos, support_accuracy, temperature_scaled, top_k,
};
use super::record::{Formula, Metric, Need, Record};
use crate::vocab::{UnknownWord, did_you_mean};

macro_rules! metrics {
    ($($name:ident = $record:path;)+) => {
        impl Metric {
            $(
                #[doc = concat!("The metric `", stringify!($record), "`.")]
                pub const $name: Metric = Metric(&$record);
            )+

            /// Those that ship.
            const SHIPPED: &[Metric] = &[$(Metric::$name),+];
        }
    };
}

metrics! {
    ACCURACY = accuracy::ACCURACY;
    NLL = nll::NLL;
    BRIER = brier::BRIER;
    ADAPTIVE_ECE = adaptive_ece::ADAPTIVE_ECE;
    CLASS_ACCURACY = class_accuracy::CLASS_ACCURACY;
    ECE = ece::ECE;
    MACRO_F1 = confusion::MACRO_F1;
    WEIGHTED_F1 = confusion::WEIGHTED_F1;
    BALANCED_ACCURACY = confusion::BALANCED_ACCURACY;
    COHEN_KAPPA = confusion::COHEN_KAPPA;
    MATTHEWS = confusion::MATTHEWS;
    OVR_AUROC = one_vs_rest::OVR_AUROC;
    AVERAGE_PRECISION = one_vs_rest::AVERAGE_PRECISION;
    TOP_2 = top_k::TOP_2;
    TOP_3 = top_k::TOP_3;
    TOP_5 = top_k::TOP_5;
    TOP_10 = top_k::TOP_10;
    SUPPORT_ACCURACY = support_accuracy::SUPPORT_ACCURACY;
    AURC = aurc::AURC;
    AURC_OPEN_SET = aurc::AURC_OPEN_SET;
    AUROC = auroc::AUROC;
    FPR95 = fpr95::FPR95;
    IN_SCOPE_ACCURACY_AT_95 = oos::IN_SCOPE_ACCURACY_AT_95;
    OOS_RECALL = oos::OOS_RECALL;
    NLL_TS = temperature_scaled::NLL_TS;
    ADAPTIVE_ECE_TS = temperature_scaled::ADAPTIVE_ECE_TS;
    TEMPERATURE = temperature_scaled::TEMPERATURE;
    SEEN = generalised::SEEN;
    UNSEEN = generalised::UNSEEN;
    HARMONIC = generalised::HARMONIC;
    AUSUC = generalised::AUSUC;
}

/// Those that a program has added.
static ADDED: RwLock<Vec<Metric>> = RwLock::new(Vec::new());

/// Why a metric cannot be added.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// The name is not one that files and protocols can hold.
    #[error("a metric's name has lower-case letters and digits in words joined by `-`, found `{name}`")]
    Name {
        /// The name.
        name: &'static str,
    },
    /// Another metric has that name.
    #[error("there is a metric `{name}` already")]
    Taken {
        /// The name.
        name: &'static str,
    },
}

/// Adds a metric to those that protocols may ask for and result files hold. Call it before anything is evaluated.
///
/// # Errors
/// A name that is taken, or has other characters than lower-case letters, digits and `-`.
pub fn add(record: &'static Record) -> Result<Metric, MetricError> {
    let (metric, name) = (Metric(record), record.name);
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !name.split('-').all(word) {
        return Err(MetricError::Name { name });
    }
    let mut added = ADDED.write().unwrap_or_else(PoisonError::into_inner);
    if Metric::SHIPPED.iter().chain(added.iter()).any(|known| *known == metric) {
        return Err(MetricError::Taken { name });
    }
    added.push(metric);
    Ok(metric)
}

/// Names that were given up, with what they are called now and why that is not the same.
const RENAMED: [(&str, &str); 7] = [
    ("ece-tempered", "adaptive-ece-ts`"),
    ("nll-tempered", "nll-ts`"),
    ("outside-recall", "oos-recall`"),
    ("accuracy-at-95", "in-scope-accuracy-at-95`"),
    ("aurc-outside", "aurc-open-set`"),
    ("fpr-at-95", "fpr95`"),
    (
        "ece-ts",
        "adaptive-ece-ts` (bins of equal mass); the measure over bins of equal width is not there yet",
    ),
];

impl Metric {
    /// All metrics: those that ship, and those that were added.
    pub fn all() -> Vec<Metric> {
        let added = ADDED.read().unwrap_or_else(PoisonError::into_inner);
        Metric::SHIPPED.iter().chain(added.iter()).copied().collect()
    }

    fn those(which: impl Fn(Metric) -> bool) -> Vec<Metric> {
        Metric::all().into_iter().filter(|metric| which(*metric)).collect()
    }

    /// Those of predicted probabilities, which every class of every episode has: the last columns of `outcomes.csv`.
    pub fn of_classes() -> Vec<Metric> {
        Metric::those(|metric| matches!(metric.formula(), Formula::Query(_)))
    }

    /// Those of an episode that stand in `episodes.csv`, behind the means over its queries.
    pub fn of_episodes() -> Vec<Metric> {
        let elsewhere =
            |metric: Metric| metric.needs(Need::ConfidenceScores) || metric.needs(Need::Temperature);
        Metric::those(|metric| matches!(metric.formula(), Formula::Episode(_)) && !elsewhere(metric))
    }

    /// Of those of an episode that stand in `episodes.csv`, those that are computed where these are asked for: all that a program
    /// has added, and of the shipped ones, whose cells else are empty, those asked for.
    pub fn of_episodes_among(asked: &[Metric]) -> Vec<Metric> {
        let shipped = |metric: &Metric| Metric::SHIPPED.contains(metric);
        Metric::of_episodes()
            .into_iter()
            .filter(|metric| !shipped(metric) || asked.contains(metric))
            .collect()
    }

    /// Those of an episode that are about confidence scores: the last columns of `open_set.csv`, by name.
    pub fn of_open_set() -> Vec<Metric> {
        let mut metrics = Metric::those(|metric| {
            matches!(metric.formula(), Formula::Episode(_)) && metric.needs(Need::ConfidenceScores)
        });
        metrics.sort();
        metrics
    }

    /// Those of an episode at a selected temperature: the last columns of `temperature_scaled.csv`.
    pub fn of_temperature() -> Vec<Metric> {
        Metric::those(|metric| {
            matches!(metric.formula(), Formula::Episode(_)) && metric.needs(Need::Temperature)
        })
    }

    /// Those of all episodes of a draw together.
    pub fn of_draws() -> Vec<Metric> {
        Metric::those(|metric| matches!(metric.formula(), Formula::Pooled(_)))
    }
}

impl FromStr for Metric {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Metric, UnknownWord> {
        let all = Metric::all();
        if let Some(metric) = all.iter().find(|metric| metric.name() == text) {
            return Ok(*metric);
        }
        let names: Vec<&str> = all.iter().map(|metric| metric.name()).collect();
        let hint = match RENAMED.iter().find(|(old, _)| *old == text) {
            Some((old, new)) => format!("\nhint: what was `{old}` is called `{new}"),
            None => did_you_mean(text, names.iter().copied()),
        };
        let known = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        Err(UnknownWord { what: "metric", found: text.to_string(), known: known + &hint })
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Metric, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_and_is_there_once() {
        let names: std::collections::BTreeSet<&str> = Metric::SHIPPED.iter().map(|m| m.name()).collect();
        assert_eq!(names.len(), Metric::SHIPPED.len());
        for metric in Metric::SHIPPED {
            assert_eq!(metric.name().parse::<Metric>(), Ok(*metric));
            assert!(metric.0.with.iter().all(|name| names.contains(name)), "{metric}");
            assert_eq!(add(metric.0), Err(MetricError::Taken { name: metric.name() }));
        }
    }

    #[test]
    fn a_name_that_was_given_up_is_refused_with_the_new_one() {
        for (old, _) in RENAMED {
            let error = old.parse::<Metric>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("unknown metric `{old}`, expected one of `accuracy`, ")),
                "{error}"
            );
            assert!(error.contains(&format!("\nhint: what was `{old}` is called `")), "{error}");
        }
        let error = "ece-ts".parse::<Metric>().unwrap_err().to_string();
        assert!(error.contains("`adaptive-ece-ts` (bins of equal mass)"), "{error}");
        let slip = "acuracy".parse::<Metric>().unwrap_err().to_string();
        assert!(slip.ends_with("\nhint: did you mean `accuracy`?"), "{slip}");
    }

    #[test]
    fn a_name_that_no_file_can_hold_is_refused() {
        static SPOILT: Record = Record { name: "a,b", ..BLANK };
        const BLANK: Record = Record {
            name: "",
            about: "",
            direction: super::super::Direction::Neither,
            rate: false,
            needs: &[],
            with: &[],
            formula: Formula::Correct,
        };
        assert_eq!(add(&SPOILT), Err(MetricError::Name { name: "a,b" }));
    }

    #[test]
    fn every_metric_has_its_place() {
        let places = [
            Metric::of_classes(),
            Metric::of_episodes(),
            Metric::of_open_set(),
            Metric::of_temperature(),
            Metric::of_draws(),
        ];
        let mut placed: Vec<Metric> = places.concat();
        placed.push(Metric::ACCURACY);
        placed.sort();
        let mut all = Metric::all();
        all.sort();
        assert_eq!(placed, all);
    }
}
