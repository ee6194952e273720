//! How large an episode is: way, shot and query, each in its few written forms.

use std::fmt;

use toml::Value;

/// The most classes or items per class that a rule may ask for.
const MOST: i64 = 1_000_000;
pub(super) const META_DATASET: &str = "meta-dataset";

/// How many classes an episode has.
#[derive(Clone, Debug, PartialEq)]
pub enum Way {
    /// This many, chosen at random; 2 or more.
    Fixed(u32),
    /// All classes of the split, in their own order.
    All,
    /// Uniform between two bounds, both included.
    Between {
        /// The fewest classes, 2 or more.
        min: u32,
        /// The most classes.
        max: u32,
    },
    /// By the rules of Meta-Dataset (Triantafillou et al. 2020).
    MetaDataset,
}

/// How many support items a class has.
#[derive(Clone, Debug, PartialEq)]
pub enum Shot {
    /// These shots on the same episodes, increasing, never empty; shot k is the first k of the support.
    Nested(Vec<u32>),
    /// For each class by itself uniform between two bounds, both included.
    Between {
        /// The fewest items, 1 or more.
        min: u32,
        /// The most items.
        max: u32,
    },
    /// By the rules of Meta-Dataset (Triantafillou et al. 2020).
    MetaDataset,
}

/// How many query items a class has.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// This many; 1 or more.
    PerClass(u32),
    /// Every item that may be one: not in the support, and no group shared with it.
    All,
    /// This many in the whole episode, in proportions drawn from a symmetric Dirichlet distribution.
    Dirichlet {
        /// Queries of an episode; 1 or more.
        total: u32,
        /// The concentration, 0.01 to 1000; smaller is less balanced.
        alpha: f64,
    },
    /// By the rules of Meta-Dataset (Triantafillou et al. 2020).
    MetaDataset,
}

impl Way {
    pub(super) const RULE: &str = r#"2 to 1000000, "all", { min, max } of these, or "meta-dataset""#;

    /// The rule of a written value, or the sentence that says what it must be.
    pub(super) fn from_written(value: &Value) -> Result<Way, &'static str> {
        match value {
            Value::Integer(n) if *n < 2 => Err("2 or more"),
            Value::Integer(n) => Ok(Way::Fixed(whole(*n, 2).ok_or(Way::RULE)?)),
            Value::String(word) if word == "all" => Ok(Way::All),
            Value::String(word) if word == META_DATASET => Ok(Way::MetaDataset),
            Value::Table(_) => {
                let (min, max) = bounds(value, 2).ok_or(Way::RULE)?;
                Ok(Way::Between { min, max })
            }
            _ => Err(Way::RULE),
        }
    }
}

impl Shot {
    pub(super) const RULE: &str = concat!(
        r#"0 to 1000000, an increasing list of these, { min, max } with min 1 or more, "#,
        r#"or "meta-dataset""#
    );

    /// The rule of a written value, or the sentence that says what it must be.
    pub(super) fn from_written(value: &Value) -> Result<Shot, &'static str> {
        match value {
            Value::Integer(n) if *n < 0 => Err("0 or more"),
            Value::Integer(n) => Ok(Shot::Nested(vec![whole(*n, 0).ok_or(Shot::RULE)?])),
            Value::Array(list) => {
                let shots: Option<Vec<u32>> =
                    list.iter().map(|v| v.as_integer().and_then(|n| whole(n, 0))).collect();
                match shots {
                    Some(shots) if shots.is_empty() || !shots.is_sorted_by(|a, b| a < b) => {
                        Err("an increasing list of at least one number")
                    }
                    Some(shots) => Ok(Shot::Nested(shots)),
                    None => Err(Shot::RULE),
                }
            }
            Value::String(word) if word == META_DATASET => Ok(Shot::MetaDataset),
            Value::Table(_) => {
                let (min, max) = bounds(value, 1).ok_or(Shot::RULE)?;
                Ok(Shot::Between { min, max })
            }
            _ => Err(Shot::RULE),
        }
    }

    /// The most support items that a class can have; nothing where the data decides.
    pub fn most(&self) -> Option<u32> {
        match self {
            Shot::Nested(shots) => shots.last().copied(),
            Shot::Between { max, .. } => Some(*max),
            Shot::MetaDataset => None,
        }
    }
}

impl Query {
    pub(super) const RULE: &str = concat!(
        r#"1 to 1000000, "all", { total = 1 to 1000000, alpha = 0.01 to 1000 }, "#,
        r#"or "meta-dataset""#
    );

    /// The rule of a written value, or the sentence that says what it must be.
    pub(super) fn from_written(value: &Value) -> Result<Query, &'static str> {
        match value {
            Value::Integer(n) if *n < 1 => Err("1 or more"),
            Value::Integer(n) => Ok(Query::PerClass(whole(*n, 1).ok_or(Query::RULE)?)),
            Value::String(word) if word == "all" => Ok(Query::All),
            Value::String(word) if word == META_DATASET => Ok(Query::MetaDataset),
            Value::Table(_) => {
                let [total, alpha] = entries(value, ["total", "alpha"]).ok_or(Query::RULE)?;
                let total = total.as_integer().and_then(|n| whole(n, 1)).ok_or(Query::RULE)?;
                let alpha = alpha.as_float().or(alpha.as_integer().map(|n| n as f64));
                let alpha = alpha.filter(|a| (0.01..=1000.0).contains(a)).ok_or(Query::RULE)?;
                Ok(Query::Dirichlet { total, alpha })
            }
            _ => Err(Query::RULE),
        }
    }
}

/// A number from `least` to the most.
fn whole(number: i64, least: i64) -> Option<u32> {
    if (least..=MOST).contains(&number) { u32::try_from(number).ok() } else { None }
}

/// The values of exactly these keys.
fn entries<'a, const N: usize>(value: &'a Value, keys: [&str; N]) -> Option<[&'a Value; N]> {
    let table = value.as_table().filter(|t| t.len() == N)?;
    let found: Vec<&Value> = keys.iter().map(|k| table.get(*k)).collect::<Option<_>>()?;
    found.try_into().ok()
}

/// `{ min, max }` with `least` ≤ min ≤ max.
fn bounds(value: &Value, least: i64) -> Option<(u32, u32)> {
    let [min, max] = entries(value, ["min", "max"])?;
    let min = whole(min.as_integer()?, least)?;
    let max = whole(max.as_integer()?, i64::from(min))?;
    Some((min, max))
}

impl fmt::Display for Way {
    /// As in a rule file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Way::Fixed(n) => write!(f, "{n}"),
            Way::All => f.write_str("\"all\""),
            Way::Between { min, max } => write!(f, "{{ min = {min}, max = {max} }}"),
            Way::MetaDataset => write!(f, "\"{META_DATASET}\""),
        }
    }
}

impl fmt::Display for Shot {
    /// As in a rule file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shot::Nested(shots) if shots.len() == 1 => write!(f, "{}", shots[0]),
            Shot::Nested(shots) => write!(f, "{shots:?}"),
            Shot::Between { min, max } => write!(f, "{{ min = {min}, max = {max} }}"),
            Shot::MetaDataset => write!(f, "\"{META_DATASET}\""),
        }
    }
}

impl fmt::Display for Query {
    /// As in a rule file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Query::PerClass(n) => write!(f, "{n}"),
            Query::All => f.write_str("\"all\""),
            Query::Dirichlet { total, alpha } => write!(f, "{{ total = {total}, alpha = {alpha:?} }}"),
            Query::MetaDataset => write!(f, "\"{META_DATASET}\""),
        }
    }
}
