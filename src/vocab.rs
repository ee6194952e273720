//! The field's words as types: what every room may speak of, and nothing that computes.

mod nearest;
pub mod spec;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use nearest::{did_you_mean, nearest};

/// A class of a dataset, by its place in the order of first appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassId(pub u32);

impl ClassId {
    /// The place as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// An item (one example) of a dataset, by its row in the feature store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(pub u32);

impl ItemId {
    /// The row as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A word that was not one of the known ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{found}`, expected one of {known}{}", self.hint())]
pub struct UnknownWord {
    /// What the word was to name.
    pub what: &'static str,
    /// The word as found.
    pub found: String,
    /// The known words, in backticks, joined by commas.
    pub known: String,
}

impl UnknownWord {
    fn hint(&self) -> String {
        // The known words stand in backticks.
        did_you_mean(&self.found, self.known.split('`').skip(1).step_by(2))
    }
}

macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $what:literal, { $($(#[$vmeta:meta])* $variant:ident = $word:literal $(or $old:literal)?),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $word $(, alias = $old)?)] $variant),+ }

        impl $name {
            /// All of them, in the order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word in files and on the command line.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                // A word of earlier files is still read.
                $($(if text == $old { return Ok($name::$variant); })?)+
                Self::ALL.iter().copied().find(|v| v.word() == text).ok_or_else(|| UnknownWord {
                    what: $what,
                    found: text.to_string(),
                    known: Self::ALL.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

words! {
    /// The split of the *classes*: base classes train, validation classes select, novel classes are reported.
    Split, "split", {
        /// Classes that a backbone or a transform may learn from.
        Base = "base",
        /// Classes on which parameters are selected.
        Validation = "validation",
        /// Classes that nothing has seen before the evaluation.
        Novel = "novel",
        /// Out of scope: classes that are no answer to anything, whose items belong to no class of the task.
        Oos = "oos" or "outside",
    }
}

/// The classes that a protocol takes: those of one split, or of base, validation and novel together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The classes of one split.
    One(Split),
    /// All classes of the task, whatever their split; never those out of scope.
    All,
}

impl Scope {
    /// Whether a class of another split counts as seen where these are evaluated: base classes where validation classes are,
    /// base and validation classes where novel ones are, and none where all classes are.
    pub fn sees(self, split: Split) -> bool {
        match self {
            Scope::One(Split::Validation) => split == Split::Base,
            Scope::One(Split::Novel) => matches!(split, Split::Base | Split::Validation),
            Scope::One(Split::Base | Split::Oos) | Scope::All => false,
        }
    }

    /// Whether a class of this split is among them.
    pub fn holds(self, split: Split) -> bool {
        match self {
            Scope::One(one) => one == split,
            Scope::All => split != Split::Oos,
        }
    }

    /// The word in files.
    pub fn word(self) -> &'static str {
        match self {
            Scope::One(split) => split.word(),
            Scope::All => "all",
        }
    }
}

impl From<Split> for Scope {
    fn from(split: Split) -> Scope {
        Scope::One(split)
    }
}

impl PartialEq<Split> for Scope {
    fn eq(&self, split: &Split) -> bool {
        *self == Scope::One(*split)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for Scope {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text.parse() {
            _ if text == "all" => Ok(Scope::All),
            Ok(split) if split != Split::Oos => Ok(Scope::One(split)),
            _ => Err(UnknownWord {
                what: "split",
                found: text.to_string(),
                known: "`base`, `validation`, `novel`, `all`".to_string(),
            }),
        }
    }
}

words! {
    /// What a learner is given, and when; held by the trait that it implements.
    Setting, "setting", {
        /// Adapts to a support set, then scores each query by itself.
        Inductive = "inductive",
        /// Sees all queries of an episode at once.
        Transductive = "transductive",
        /// Scores classes from their vectors alone; fitted, if at all, on seen classes and their vectors.
        ZeroShot = "zero-shot",
        /// As zero-shot, but the vectors of the unseen classes take part in the fit.
        ClassTransductive = "class-transductive",
        /// Combines class vectors and support.
        Semantic = "semantic",
    }
}

impl Setting {
    /// Whether a learner of this setting needs a support set.
    pub fn needs_support(self) -> bool {
        matches!(self, Setting::Inductive | Setting::Transductive)
    }

    /// Whether a learner of this setting is given class vectors.
    pub fn uses_class_embeddings(self) -> bool {
        !self.needs_support()
    }

    /// Whether a learner of this setting can use a support set.
    pub fn uses_support(self) -> bool {
        !matches!(self, Setting::ZeroShot | Setting::ClassTransductive)
    }
}

words! {
    /// What is done to features before any learner sees them; made once per run.
    Transform, "transform", {
        /// Features as stored.
        None = "none",
        /// Each item divided by its Euclidean norm.
        L2n = "l2n",
        /// The mean of the base items subtracted, then divided by the norm (SimpleShot, Wang et al. 2019).
        Cl2n = "cl2n",
    }
}

words! {
    /// What the numbers of a score tensor mean.
    Meaning, "meaning", {
        /// Only their order within a query counts.
        Ranking = "ranking",
        /// Their softmax over the labels is the predicted probability.
        Logits = "logits",
        /// They are probabilities: not negative, and each query's sum to one.
        Probabilities = "probabilities",
    }
}

words! {
    /// The confidence score of a learner: what orders its answers from safe to doubtful (Hendrycks and Gimpel 2017).
    Confidence, "confidence score", {
        /// The largest probability that it gives a label; the largest score where it gives no probabilities.
        Probability = "maximum softmax probability",
        /// The largest score: minus the distance to the nearest class, the largest margin.
        Score = "maximum logit",
        /// The largest score less the mean of all labels' scores: of scores of which each label's has its own zero, what all
        /// have in common says how much an item is like the support at all, with the wrong sign.
        Lead = "maximum logit above the mean",
    }
}

words! {
    /// What happens when a draw made elsewhere has items of one group on both sides of an episode.
    Duplicates, "value of duplicates", {
        /// The draw is refused.
        Refuse = "refuse",
        /// They are counted and told.
        Warn = "warn",
    }
}

words! {
    /// Whether the training of a backbone saw the classes of a store.
    SawClasses, "value of saw_classes", {
        /// None of them.
        None = "none",
        /// Some of them.
        Some = "some",
        /// All of them.
        All = "all",
        /// Nobody knows.
        Unknown = "unknown",
    }
}

impl Default for SawClasses {
    /// Nobody knows.
    fn default() -> SawClasses {
        SawClasses::Unknown
    }
}

/// How the numbers of one item are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Form {
    /// A feature vector.
    #[default]
    Vector,
    /// An image, flattened channel by channel, row by row.
    Image {
        /// Channels.
        channels: usize,
        /// Height in pixels.
        height: usize,
        /// Width in pixels.
        width: usize,
    },
}

impl Form {
    /// The numbers that one item must have, where the form fixes it.
    pub fn dim(self) -> Option<usize> {
        match self {
            Form::Vector => None,
            // No matrix has as many columns as a product beyond all numbers asks for.
            Form::Image { channels, height, width } => {
                Some(channels.saturating_mul(height).saturating_mul(width))
            }
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Form::Vector => f.write_str("vector"),
            Form::Image { channels, height, width } => write!(f, "image:{channels}x{height}x{width}"),
        }
    }
}

impl FromStr for Form {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let unknown = || UnknownWord {
            what: "form",
            found: text.to_string(),
            known: "`vector`, `image:CHANNELSxHEIGHTxWIDTH`".to_string(),
        };
        if text == "vector" {
            return Ok(Form::Vector);
        }
        let (kind, sizes) = text.split_once(':').ok_or_else(unknown)?;
        let sizes: Vec<usize> = sizes
            .split('x')
            .map(|s| s.parse().ok().filter(|n| *n > 0))
            .collect::<Option<_>>()
            .ok_or_else(unknown)?;
        match (kind, sizes.as_slice()) {
            ("image", &[channels, height, width]) => Ok(Form::Image { channels, height, width }),
            _ => Err(unknown()),
        }
    }
}

/// So many things in words: their number and their name.
///
/// ```
/// use kshot::vocab::counted;
/// assert_eq!([1, 2].map(|n| counted(n, "class", "classes")), ["1 class", "2 classes"]);
/// ```
pub fn counted(number: u64, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

/// The first names of a list, and how many more there are.
pub fn few(names: &[impl AsRef<str>]) -> String {
    let first: Vec<&str> = names.iter().take(5).map(AsRef::as_ref).collect();
    let more = names.len() - first.len();
    if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for split in Split::ALL {
            assert_eq!(split.word().parse::<Split>(), Ok(*split));
        }
        for text in ["vector", "image:1x28x28"] {
            assert_eq!(text.parse::<Form>().map(|f| f.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn all_classes_are_those_of_the_task_and_not_those_outside() {
        for word in ["base", "validation", "novel", "all"] {
            assert_eq!(word.parse::<Scope>().map(Scope::word), Ok(word));
        }
        let held: Vec<&Split> = Split::ALL.iter().filter(|split| Scope::All.holds(**split)).collect();
        assert_eq!(held, [&Split::Base, &Split::Validation, &Split::Novel]);
        let error = "outside".parse::<Scope>().unwrap_err().to_string();
        assert!(error.ends_with("expected one of `base`, `validation`, `novel`, `all`"), "{error}");
    }

    #[test]
    fn an_unknown_word_lists_the_known_ones() {
        let error = "train".parse::<Split>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown split `train`, expected one of `base`, `validation`, `novel`, `oos`"
        );
        assert!("image:0x2x2".parse::<Form>().is_err());
    }
}
