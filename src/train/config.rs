//! A training config that cannot be wrong: what is trained on what, how, and how long.

use std::ops::Range;

use super::augment::Augmentation;
use super::error::TrainError;
use super::optimiser::Optimiser;
use super::schedule::Schedule;
use super::written::{Objective, Written};
use crate::backbone::{Configuration, NETWORKS, Sizes};
use crate::vocab::Split;

/// A training, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingConfig {
    /// Its name, in kebab case; weights and folders are called by it.
    pub name: String,
    /// The dataset, by name or path.
    pub dataset: String,
    /// The splits whose classes are trained on.
    pub splits: Vec<Split>,
    /// The network, by name.
    pub backbone: String,
    /// Those of its sizes that are not the usual ones.
    pub sizes: Sizes,
    /// What is made small.
    pub objective: Objective,
    /// The rule for steps.
    pub optimiser: Optimiser,
    /// How the rate changes.
    pub schedule: Schedule,
    /// The largest norm of a gradient, where it is clipped.
    pub clip: Option<f64>,
    /// Steps of the whole training.
    pub steps: u32,
    /// The seed of all chance.
    seed: u64,
    /// How images are changed.
    pub augmentation: Augmentation,
    /// Steps from one line of the report to the next.
    pub report: u32,
    /// How the best weights are found; without it the last ones are kept.
    pub validation: Option<Validation>,
    /// The text that was read, with the seed that is used.
    text: String,
    /// Where in the text the seed stands.
    seed_place: Range<usize>,
}

/// Episodes of the validation split, frozen before training.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// Classes of an episode.
    pub way: u32,
    /// Support items per class.
    pub shot: u32,
    /// Query items per class.
    pub query: u32,
    /// How many episodes.
    pub episodes: u32,
    /// The seed of their draw.
    pub seed: u64,
    /// Steps from one validation to the next.
    pub every: u32,
    /// Validations without a better one after which training ends.
    pub patience: Option<u32>,
}

impl TrainingConfig {
    /// Checks the text of a training config; `origin` names it in errors.
    ///
    /// # Errors
    /// The text is no TOML, has an unknown key or lacks one, or a value is out of its range.
    pub fn parse(text: &str, origin: &str) -> Result<TrainingConfig, TrainError> {
        let written: Written = toml::from_str(text).map_err(|error| TrainError::Syntax {
            origin: origin.to_string(),
            line: error.span().map_or(1, |span| line(text, span.start)),
            message: error.message().to_string(),
        })?;
        let check = Check { origin };
        check.all(&written)?;
        let splits = check.splits(&written)?;
        let (backbone, sizes) = check.backbone(&written, text)?;
        let validation = written.validation.as_ref().map(|v| Validation {
            way: v.way,
            shot: v.shot,
            query: v.query,
            episodes: v.episodes,
            seed: v.seed,
            every: v.every,
            patience: v.patience,
        });
        let every = validation.as_ref().map(|v| v.every);
        Ok(TrainingConfig {
            name: written.name,
            dataset: written.data.dataset,
            splits,
            backbone,
            sizes,
            objective: written.objective,
            optimiser: written.optimiser,
            schedule: written.training.schedule.unwrap_or(Schedule::Constant {}),
            clip: written.training.clip,
            steps: written.training.steps,
            seed: *written.training.seed.get_ref(),
            augmentation: written.augmentation,
            report: written.training.report.or(every).unwrap_or(100).min(written.training.steps),
            validation,
            text: text.to_string(),
            seed_place: written.training.seed.span(),
        })
    }

    /// The same with another seed, which its text then names.
    pub fn with_seed(mut self, seed: u64) -> TrainingConfig {
        let written = seed.to_string();
        let end = self.seed_place.start + written.len();
        self.text.replace_range(self.seed_place.clone(), &written);
        TrainingConfig { seed, seed_place: self.seed_place.start..end, ..self }
    }

    /// The seed of all chance.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The whole config as TOML, as it was read but for the seed, which is the one that is used.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Items of a step.
    pub fn batch(&self) -> usize {
        match self.objective {
            Objective::Prototypical { way, shot, query } => way * (shot + query),
            Objective::CrossEntropy { batch } => batch,
            Objective::Triplet { classes, items, .. } => classes * items,
        }
    }
}

/// The line of a place in a text, from 1.
fn line(text: &str, place: usize) -> usize {
    text[..place.min(text.len())].matches('\n').count() + 1
}

struct Check<'a> {
    origin: &'a str,
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

    fn all(&self, written: &Written) -> Result<(), TrainError> {
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
    fn backbone(&self, written: &Written, text: &str) -> Result<(String, Sizes), TrainError> {
        let name = written.backbone.iter().find(|(key, _)| key.get_ref() == "name").map(|(_, value)| value);
        let known: Vec<String> = NETWORKS.iter().map(|(name, _)| format!("`{name}`")).collect();
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

    fn splits(&self, written: &Written) -> Result<Vec<Split>, TrainError> {
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub const TEXT: &str = r#"
name = "tiny"
[data]
dataset = "glyphs"
[backbone]
name = "conv4"
width = 4
blocks = 2
[objective]
kind = "prototypical"
way = 3
shot = 1
query = 2
[optimiser]
kind = "adam"
rate = 0.01
[training]
steps = 6
seed = 1
[validation]
way = 3
shot = 1
query = 2
episodes = 4
seed = 7
every = 2
"#;

    #[test]
    fn a_config_is_read_with_its_defaults() {
        let config = TrainingConfig::parse(TEXT, "tiny.toml").unwrap();
        assert_eq!(
            (config.splits.as_slice(), config.batch(), config.report),
            ([Split::Base].as_slice(), 9, 2)
        );
        assert_eq!((config.schedule, config.augmentation.is_none()), (Schedule::Constant {}, true));
    }

    #[test]
    fn another_seed_stands_in_the_text_and_in_nothing_else() {
        let text = TEXT.replace("[training]", "# seed = 1\n[training]");
        let other = TrainingConfig::parse(&text, "r").unwrap().with_seed(23).with_seed(4567);
        assert_eq!(other, TrainingConfig::parse(other.text(), "r").unwrap());
        assert_eq!(other.text(), text.replace("\nseed = 1\n", "\nseed = 4567\n"));
        assert_eq!(TrainingConfig::parse(&text, "r").unwrap().with_seed(1).text(), text);
    }

    #[test]
    fn wrong_configs_are_one_sentence() {
        let told = |from: &str, to: &str| {
            let text = TEXT.replace(from, to);
            assert_ne!(text, TEXT);
            TrainingConfig::parse(&text, "tiny.toml").unwrap_err().to_string()
        };
        assert_eq!(told("rate = 0.01", "rate = 0.0"), "tiny.toml: `optimiser.rate` must be above 0, got 0");
        assert_eq!(told("way = 3", "way = 1"), "tiny.toml: `objective.way` must be 2 to 1073741824, got 1");
        let network = told("\"conv4\"", "\"conv5\"");
        assert_eq!(network, "tiny.toml: `backbone.name` must be one of `conv4`, `mlp`, got `conv5`");
        let none = told("name = \"conv4\"", "");
        assert_eq!(none, "tiny.toml: `backbone.name` must be one of `conv4`, `mlp`, got none");
        let size = told("width = 4", "width = -4");
        assert_eq!(size, "tiny.toml line 7: `width` must be a whole number, got `-4`");
        let splits = told("\"glyphs\"", "\"glyphs\"\nsplits = [\"base\", \"novel\"]");
        assert_eq!(
            splits,
            "tiny.toml: `data.splits` must be some of `base`, `validation`, each once, got `novel`"
        );
        let large = told("seed = 7", "seed = 9223372036854775808");
        assert!(!large.contains('\n') && large.starts_with("tiny.toml"), "{large}");
        let unknown = told("width = 4", "depth = 4");
        let fields = "expected `name` or a size of `conv4`: `width`, `blocks`";
        assert_eq!(unknown, format!("tiny.toml line 7: unknown field `depth`, {fields}"));
    }
}
