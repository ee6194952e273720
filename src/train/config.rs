//! A training config that cannot be wrong: what is trained on what, how, and how long.

use std::ops::Range;

use super::check::{Check, line};
use super::error::TrainError;
use super::written::{Objective, Written};
use crate::backbone::Sizes;
use crate::optimise::{Augmentation, Optimiser, Schedule};
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
        let known = "tiny.toml: `backbone.name` must be one of `conv4`, `mlp`, `vgg11`, ";
        assert!(network.starts_with(known) && network.ends_with(", got `conv5`"), "{network}");
        let none = told("name = \"conv4\"", "");
        assert!(none.starts_with(known) && none.ends_with(", got none"), "{none}");
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
