//! The rules that a training config must obey, value by value.

use super::error::TrainError;
use super::written::{Objective, Written};
use crate::backbone::{Configuration, Sizes, networks};
use crate::optimise::{Augmentation, Optimiser, Schedule};
use crate::vocab::Split;

/// The line of a place in a text, from 1.
pub(super) fn line(text: &str, place: usize) -> usize {
    text[..place.min(text.len())].matches('\n').count() + 1
}

/// The rules for one file.
pub(super) struct Check<'a> {
    /// What the file is called in errors.
    pub origin: &'a str,
}

impl Check<'_> {
    fn that(
        &self,
        holds: bool,
        key: &'static str,
        rule: &str,
        found: impl ToString,
    ) -> Result<(), TrainError> {
        if holds {
            return Ok(());
        }
        Err(self.refusal(key, rule, found))
    }

    fn refusal(&self, key: &'static str, rule: &str, found: impl ToString) -> TrainError {
        let (origin, rule, found) = (self.origin.to_string(), rule.to_string(), found.to_string());
        TrainError::Value { origin, key, rule, found }
    }

    fn at_least(&self, least: u64, value: u64, key: &'static str) -> Result<(), TrainError> {
        self.within(least, 1 << 30, value, key)
    }

    fn within(&self, least: u64, most: u64, value: u64, key: &'static str) -> Result<(), TrainError> {
        self.that((least..=most).contains(&value), key, &format!("{least} to {most}"), value)
    }

    /// TOML has no larger numbers.
    fn seed(&self, seed: u64, key: &'static str) -> Result<(), TrainError> {
        self.that(i64::try_from(seed).is_ok(), key, &format!("0 to {}", i64::MAX), seed)
    }

    /// Every value is in its range.
    pub fn all(&self, written: &Written) -> Result<(), TrainError> {
        let name = &written.name;
        let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let good = !name.is_empty() && name.chars().all(kebab);
        self.that(good, "name", "lower-case letters, digits and hyphens", format!("`{name}`"))?;
        match written.objective {
            Objective::Prototypical { way, shot, query } => {
                self.at_least(2, way as u64, "objective.way")?;
                self.at_least(1, shot as u64, "objective.shot")?;
                self.at_least(1, query as u64, "objective.query")?;
            }
            Objective::CrossEntropy { batch } => self.at_least(2, batch as u64, "objective.batch")?,
            Objective::Triplet { classes, items, margin } => {
                self.at_least(2, classes as u64, "objective.classes")?;
                self.at_least(2, items as u64, "objective.items")?;
                let margin = margin.unwrap_or(0.0);
                self.that(margin >= 0.0 && margin.is_finite(), "objective.margin", "0 or more", margin)?;
            }
        }
        self.numbers(written)
    }

    /// The network and the sizes that are given; which there may be is the network's to say.
    pub fn backbone(&self, written: &Written, text: &str) -> Result<(String, Sizes), TrainError> {
        let name = written.backbone.iter().find(|(key, _)| key.get_ref() == "name").map(|(_, value)| value);
        let known: Vec<String> = networks().map(|(name, _)| format!("`{name}`")).collect();
        let rule = match known.as_slice() {
            [one] => one.clone(),
            several => format!("one of {}", several.join(", ")),
        };
        let named = name.and_then(|name| name.as_str());
        let allowed = named.and_then(|name| Some((name, Configuration::size_names(name)?)));
        let Some((name, allowed)) = allowed else {
            let found = match (named, name) {
                (Some(name), _) => format!("`{name}`"),
                (None, Some(value)) => format!("`{value}`"),
                (None, None) => "none".to_string(),
            };
            return Err(self.refusal("backbone.name", &rule, found));
        };
        let mut sizes = Sizes::new();
        for (key, value) in written.backbone.iter().filter(|(key, _)| key.get_ref() != "name") {
            let wrong = |message| TrainError::Syntax {
                origin: self.origin.to_string(),
                line: line(text, key.span().start),
                message,
            };
            let name_of_size = key.get_ref();
            if !allowed.contains(&name_of_size.as_str()) {
                let allowed: Vec<String> = allowed.iter().map(|name| format!("`{name}`")).collect();
                let known = format!("expected `name` or a size of `{name}`: {}", allowed.join(", "));
                return Err(wrong(format!("unknown field `{name_of_size}`, {known}")));
            }
            let size = value.as_integer().and_then(|size| usize::try_from(size).ok());
            let size =
                size.ok_or_else(|| wrong(format!("`{name_of_size}` must be a whole number, got `{value}`")))?;
            sizes.insert(name_of_size.clone(), size);
        }
        Ok((name.to_string(), sizes))
    }

    fn numbers(&self, written: &Written) -> Result<(), TrainError> {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let (rate, decay) = (written.optimiser.rate(), written.optimiser.weight_decay());
        self.that(positive(rate), "optimiser.rate", "above 0", rate)?;
        self.that(decay >= 0.0 && decay.is_finite(), "optimiser.weight_decay", "0 or more", decay)?;
        if let Optimiser::Sgd { momentum, .. } = written.optimiser {
            self.that(
                (0.0..1.0).contains(&momentum),
                "optimiser.momentum",
                "0 or more and below 1",
                momentum,
            )?;
        }
        let training = &written.training;
        self.at_least(1, training.steps.into(), "training.steps")?;
        self.seed(*training.seed.get_ref(), "training.seed")?;
        self.at_least(1, training.report.unwrap_or(1).into(), "training.report")?;
        let clip = training.clip.unwrap_or(1.0);
        self.that(positive(clip), "training.clip", "above 0", clip)?;
        if let Some(Schedule::WarmUp { steps }) = training.schedule {
            self.at_least(1, steps.into(), "training.schedule.steps")?;
        }
        if let Some(Schedule::Step { every, factor }) = training.schedule {
            self.at_least(1, every.into(), "training.schedule.every")?;
            self.that(positive(factor), "training.schedule.factor", "above 0", factor)?;
        }
        let Augmentation { shift, rotate, crop, .. } = written.augmentation;
        self.that((0.0..=1000.0).contains(&shift), "augmentation.shift", "0 to 1000 pixels", shift)?;
        self.that((0.0..=180.0).contains(&rotate), "augmentation.rotate", "0 to 180 degrees", rotate)?;
        self.that((0.0..=1.0).contains(&crop), "augmentation.crop", "0 to 1", crop)?;
        if let Some(validation) = &written.validation {
            // As in a protocol, which they become.
            self.within(2, 1_000_000, validation.way.into(), "validation.way")?;
            self.within(1, 1_000_000, validation.shot.into(), "validation.shot")?;
            self.within(1, 1_000_000, validation.query.into(), "validation.query")?;
            self.within(1, 10_000_000, validation.episodes.into(), "validation.episodes")?;
            self.at_least(1, validation.every.into(), "validation.every")?;
            self.at_least(1, validation.patience.unwrap_or(1).into(), "validation.patience")?;
            self.seed(validation.seed, "validation.seed")?;
            let every = training.report.unwrap_or(validation.every);
            let rule = "a divisor of validation.every";
            self.that(validation.every % every.max(1) == 0, "training.report", rule, every)?;
        }
        Ok(())
    }

    /// The splits that are trained on.
    pub fn splits(&self, written: &Written) -> Result<Vec<Split>, TrainError> {
        let Some(words) = &written.data.splits else { return Ok(vec![Split::Base]) };
        let mut splits = Vec::new();
        for word in words {
            let split: Option<Split> = word.parse().ok();
            let allowed = split.filter(|split| matches!(split, Split::Base | Split::Validation));
            let rule = "some of `base`, `validation`, each once";
            match allowed.filter(|split| !splits.contains(split)) {
                Some(split) => splits.push(split),
                None => self.that(false, "data.splits", rule, format!("`{word}`"))?,
            }
        }
        self.that(!splits.is_empty(), "data.splits", "`base`, `validation` or both", "none")?;
        let both = splits.contains(&Split::Validation) && written.validation.is_some();
        self.that(
            !both,
            "data.splits",
            "without `validation` where there is a table [validation]",
            "`validation`",
        )?;
        Ok(splits)
    }
}
