//! Long runs: parts, going on after a kill, and episodes until an interval is narrow.

use clap::Args;

use crate::results::{LeftOver, Shard};
use crate::run::until::{self, Until};

/// The flags of long runs.
#[derive(Args)]
#[command(next_help_heading = "Long runs")]
pub(super) struct LongRun {
    /// Evaluate only this part of every draw, such as 3/8; `kshot merge` joins the parts.
    #[arg(long, value_name = "PART/PARTS", value_parser = shard)]
    pub(super) shard: Option<Shard>,
    /// Go on with the run that was killed in --out; where there is none, begin.
    #[arg(long, requires = "out")]
    pub(super) resume: bool,
    /// Draw episodes until the half-width of every learner's sampler interval of accuracy is below this many points.
    #[arg(long, value_name = "POINTS", value_parser = until::points, conflicts_with_all = ["shard", "draw"])]
    pub(super) until: Option<Until>,
}

impl LongRun {
    /// What is done with the journal of a killed run.
    pub(super) fn left_over(&self, overwrite: bool) -> LeftOver {
        match (self.resume, overwrite) {
            (true, _) => LeftOver::GoOn,
            (false, true) => LeftOver::Drop,
            (false, false) => LeftOver::Refuse,
        }
    }
}

/// The most parts of an evaluation.
const MOST_PARTS: u32 = 100_000;

/// Reads a part and the number of parts.
pub(super) fn shard(text: &str) -> Result<Shard, String> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    let read = || {
        let (part, parts) = text.split_once('/')?;
        Some(Shard { number: number(part)?, of: number(parts)? })
    };
    let valid = read().filter(|shard| shard.number <= shard.of && shard.of <= MOST_PARTS);
    valid.ok_or_else(|| {
        format!("must be a part and the number of parts, such as 3/8, of at most {MOST_PARTS} parts")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_one_of_the_parts() {
        assert_eq!(shard("3/8"), Ok(Shard { number: 3, of: 8 }));
        for wrong in ["0/8", "9/8", "3", "3/0", "3/8/1", "-1/8", "a/b", "", "1/100001"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }
}
