//! Sizes of an episode from Rust values and from words of a command line, and back to what a rule file would say.

use std::ops::RangeInclusive;
use std::str::FromStr;

use toml::{Table, Value};

use super::size::META_DATASET;
use super::{OosQuery, Query, Shot, Way};

/// A word that is no size of an episode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be {rule}")]
pub struct SizeError {
    /// What would be right.
    rule: &'static str,
}

macro_rules! from_text {
    ($size:ident, $example:literal) => {
        impl FromStr for $size {
            type Err = SizeError;

            #[doc = concat!("Reads a word of a command line, such as ", $example, "; it obeys the rules of a rule file.")]
            fn from_str(text: &str) -> Result<$size, SizeError> {
                $size::from_written(&typed(text)).map_err(|rule| SizeError { rule })
            }
        }
    };
}

from_text!(Way, "`5` or `all`");
from_text!(Shot, "`1` or `1,5,10`");
from_text!(Query, "`15` or `all`");

/// A word as the value that it would be in a rule file.
fn typed(text: &str) -> Value {
    let whole = |text: &str| text.trim().parse().map(Value::Integer).ok();
    let list = || text.split(',').map(whole).collect::<Option<Vec<Value>>>().map(Value::Array);
    let table = || text.trim_start().starts_with('{').then(|| text.parse().ok()).flatten();
    whole(text).or_else(table).or_else(list).unwrap_or_else(|| Value::String(text.to_string()))
}

impl From<u32> for Way {
    fn from(classes: u32) -> Way {
        Way::Fixed(classes)
    }
}

impl From<RangeInclusive<u32>> for Way {
    fn from(classes: RangeInclusive<u32>) -> Way {
        Way::Between { min: *classes.start(), max: *classes.end() }
    }
}

impl From<u32> for Shot {
    fn from(items: u32) -> Shot {
        Shot::Nested(vec![items])
    }
}

impl<const N: usize> From<[u32; N]> for Shot {
    fn from(shots: [u32; N]) -> Shot {
        Shot::Nested(shots.to_vec())
    }
}

impl From<Vec<u32>> for Shot {
    fn from(shots: Vec<u32>) -> Shot {
        Shot::Nested(shots)
    }
}

impl From<RangeInclusive<u32>> for Shot {
    fn from(items: RangeInclusive<u32>) -> Shot {
        Shot::Between { min: *items.start(), max: *items.end() }
    }
}

impl From<u32> for Query {
    fn from(items: u32) -> Query {
        Query::PerClass(items)
    }
}

impl From<u32> for OosQuery {
    fn from(items: u32) -> OosQuery {
        OosQuery::PerEpisode(items)
    }
}

impl Way {
    /// What a rule file would say.
    pub(super) fn written(&self) -> Value {
        match self {
            Way::Fixed(n) => Value::Integer((*n).into()),
            Way::All => word("all"),
            Way::Between { min, max } => between(*min, *max),
            Way::MetaDataset => word(META_DATASET),
        }
    }
}

impl Shot {
    /// What a rule file would say.
    pub(super) fn written(&self) -> Value {
        match self {
            Shot::Nested(shots) if shots.len() == 1 => Value::Integer(shots[0].into()),
            Shot::Nested(shots) => Value::Array(shots.iter().map(|n| Value::Integer((*n).into())).collect()),
            Shot::Between { min, max } => between(*min, *max),
            Shot::MetaDataset => word(META_DATASET),
        }
    }
}

impl Query {
    /// What a rule file would say.
    pub(super) fn written(&self) -> Value {
        match self {
            Query::PerClass(n) => Value::Integer((*n).into()),
            Query::All => word("all"),
            Query::Dirichlet { total, alpha } => {
                table([("total", Value::Integer((*total).into())), ("alpha", Value::Float(*alpha))])
            }
            Query::MetaDataset => word(META_DATASET),
        }
    }
}

impl OosQuery {
    /// What a rule file would say.
    pub(super) fn written(self) -> Value {
        match self {
            OosQuery::PerEpisode(n) => Value::Integer(n.into()),
            OosQuery::All => word("all"),
        }
    }
}

fn word(word: &str) -> Value {
    Value::String(word.to_string())
}

fn between(min: u32, max: u32) -> Value {
    table([("min", Value::Integer(min.into())), ("max", Value::Integer(max.into()))])
}

fn table(entries: [(&str, Value); 2]) -> Value {
    Value::Table(entries.map(|(key, value)| (key.to_string(), value)).into_iter().collect::<Table>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_command_line_is_the_value_of_a_rule_file() {
        assert_eq!("5".parse(), Ok(Way::Fixed(5)));
        assert_eq!("all".parse(), Ok(Way::All));
        assert_eq!("meta-dataset".parse(), Ok(Way::MetaDataset));
        assert_eq!("{ min = 2, max = 9 }".parse(), Ok(Way::from(2..=9)));
        assert_eq!("1".parse(), Ok(Shot::from(1)));
        assert_eq!("0,1, 5".parse(), Ok(Shot::from([0, 1, 5])));
        assert_eq!("15".parse(), Ok(Query::from(15)));
        assert_eq!("{ total = 75, alpha = 2 }".parse(), Ok(Query::Dirichlet { total: 75, alpha: 2.0 }));
    }

    #[test]
    fn a_word_that_breaks_a_rule_is_refused_in_the_words_of_a_rule_file() {
        let way = |text: &str| text.parse::<Way>().unwrap_err().to_string();
        assert_eq!(way("1"), "must be 2 or more");
        for wrong in ["some", "", "5,6", "2.5", "{ min = 9, max = 2 }", "{ min ="] {
            let rule = "must be 2 to 1000000, \"all\", { min, max } of these, or \"meta-dataset\"";
            assert_eq!(way(wrong), rule, "{wrong}");
        }
        let shot = |text: &str| text.parse::<Shot>().unwrap_err().to_string();
        assert_eq!(shot("5,1"), "must be an increasing list of at least one number");
        assert!(shot("all").starts_with("must be 0 to 1000000, an increasing list"));
        assert!(shot("1,,5").starts_with("must be 0 to 1000000, an increasing list"));
        assert_eq!("0".parse::<Query>().unwrap_err().to_string(), "must be 1 or more");
    }

    #[test]
    fn what_a_size_prints_is_what_it_says_in_a_rule_file() {
        let ways = [Way::from(5), Way::All, Way::from(2..=9), Way::MetaDataset];
        assert!(ways.iter().all(|way| way.to_string().parse() == Ok(way.written())));
        let shots = [Shot::from(1), Shot::from([0, 1]), Shot::from(1..=5), Shot::MetaDataset];
        assert!(shots.iter().all(|shot| shot.to_string().parse() == Ok(shot.written())));
        let dirichlet = Query::Dirichlet { total: 75, alpha: 2.0 };
        let queries = [Query::from(15), Query::All, dirichlet, Query::MetaDataset];
        assert!(queries.iter().all(|query| query.to_string().parse() == Ok(query.written())));
    }
}
