//! The rules of the table `[draw]`: how many episodes, and which of them.

use super::sizes::Sizes;
use crate::protocol::ProtocolError;
use crate::protocol::place::Check;
use crate::protocol::written::WrittenDraw;

/// The most episodes that a protocol may ask for.
pub(in crate::protocol) const MOST_EPISODES: u32 = 10_000_000;

/// How many episodes, how many of them are evaluated, from which seed, and the hash that proves them.
pub(super) struct Amount {
    pub count: u32,
    pub first: Option<u32>,
    pub most: Option<u32>,
    pub seed: u64,
    pub sha256: Option<String>,
}

impl Amount {
    /// The numbers that are written.
    pub fn of(check: &Check<'_>, draw: &WrittenDraw) -> Result<Amount, ProtocolError> {
        let count = check.whole("count", &draw.count, 1..=MOST_EPISODES)?;
        let first = draw.first.as_ref().map(|first| check.whole("first", first, 1..=count));
        let most = draw.most.as_ref().map(|most| check.whole("most", most, count..=MOST_EPISODES));
        Ok(Amount {
            count,
            first: first.transpose()?.filter(|first| *first < count),
            most: most.transpose()?,
            seed: check.seed(&draw.seed)?,
            sha256: draw.sha256.as_ref().map(|hash| check.hash(hash)).transpose()?,
        })
    }

    /// Whether they go together with the sizes.
    pub fn suit(&self, check: &Check<'_>, draw: &WrittenDraw, sizes: &Sizes) -> Result<(), ProtocolError> {
        match &draw.most {
            Some(most) if !sizes.repeat => {
                let rule = "`repeat = false` draws all episodes at once, so `most` must be left out";
                Err(check.together(most, rule))
            }
            _ => Ok(()),
        }
    }
}
