//! Parts of an evaluation: reading them, and proving that they are all there and of one run.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::journal::Journal;
use super::read::{self, ReadError};
use super::run_key::{Compatibility, Difference, ProtocolKey, Shard};
use super::run_record::RunRecord;
use super::staging::{PART_FILE, RUN_RECORD, has_journal};
use super::{ResultsError, Warning};

/// A folder that holds a part of an evaluation, whole in itself.
#[derive(Debug)]
pub struct PartFolder {
    /// Its path, as it was named.
    pub path: PathBuf,
    /// What was run.
    pub run: RunRecord,
    /// Its outcomes.
    pub journal: Journal,
    /// Which part it is.
    pub shard: Shard,
}

/// Why parts cannot be joined.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// The record of the run cannot be read.
    #[error(transparent)]
    Record(#[from] ReadError),
    /// The outcomes cannot be read.
    #[error(transparent)]
    Outcomes(#[from] ResultsError),
    /// The run that makes the part has not come to its end.
    #[error("{} holds a run that has not come to its end\nhint: go on with --resume", path.display())]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// Results of a whole evaluation.
    #[error(
        "{} is no part of an evaluation but the whole\nhint: parts are made by `kshot evaluate --shard 1/8`",
        path.display()
    )]
    Whole {
        /// The folder.
        path: PathBuf,
    },
    /// A file that is no journal.
    #[error("{} does not hold the outcomes of a part\nhint: evaluate this part again", path.display())]
    NoPart {
        /// The file.
        path: PathBuf,
    },
    /// Written by a version of kshot that may compute the results in another way.
    #[error(
        "{} was written by kshot {found}, this is kshot {here}\nhint: merge with kshot {found}, or evaluate again",
        path.display()
    )]
    Version {
        /// The folder.
        path: PathBuf,
        /// The version that wrote it.
        found: String,
        /// This version.
        here: &'static str,
    },
    /// The files of a part contradict each other.
    #[error(
        "{} is not of one run: {} is {} in outcomes.part and {} in run.json",
        path.display(), difference.what, difference.one, difference.other
    )]
    Torn {
        /// The folder.
        path: PathBuf,
        /// In what.
        difference: Difference,
    },
    /// Episodes are missing inside a part.
    #[error("{} holds {found} of {expected} episodes of protocol {protocol}\nhint: evaluate this part again", path.display())]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// The protocol.
        protocol: String,
        /// Episodes found.
        found: u32,
        /// Episodes of the part.
        expected: u32,
    },
    /// Parts of different evaluations.
    #[error(
        "{} and {} are not parts of one evaluation: {} is {} in the first and {} in the second",
        one.display(), other.display(), difference.what, difference.one, difference.other
    )]
    Mixed {
        /// A part.
        one: PathBuf,
        /// Another part.
        other: PathBuf,
        /// In what they differ.
        difference: Difference,
    },
    /// A part that is there twice.
    #[error("{} and {} are both part {shard}", one.display(), other.display())]
    Twice {
        /// A folder.
        one: PathBuf,
        /// Another folder.
        other: PathBuf,
        /// The part.
        shard: Shard,
    },
    /// Two parts that hold the same episodes, or leave some out between them.
    #[error(
        "the episodes of protocol {protocol} in {} end before {end}, those in {} begin at {begin}",
        one.display(), other.display()
    )]
    Unaligned {
        /// A part.
        one: PathBuf,
        /// The part behind it.
        other: PathBuf,
        /// The protocol.
        protocol: String,
        /// The episode behind the last of the one.
        end: u32,
        /// The first episode of the other.
        begin: u32,
    },
    /// Parts that are not there.
    #[error("{missing} of {of} {}\nhint: name the folders of all {of} parts", if *several { "are missing" } else { "is missing" })]
    Missing {
        /// Which ones, in words.
        missing: String,
        /// Whether there are several.
        several: bool,
        /// How many parts there should be.
        of: u32,
    },
}

impl PartFolder {
    /// Reads a part and proves that it is whole.
    ///
    /// # Errors
    /// A file that is missing, damaged, of another version of kshot, or not of one run with the other.
    pub fn read(path: &Path) -> Result<PartFolder, PartError> {
        let run = match read::record(&path.join(RUN_RECORD)) {
            Err(ReadError::File { source, .. })
                if source.kind() == io::ErrorKind::NotFound && has_journal(path) =>
            {
                return Err(PartError::Unfinished { path: path.to_path_buf() });
            }
            read => read?,
        };
        let Some(shard) = run.part else {
            return Err(PartError::Whole { path: path.to_path_buf() });
        };
        let file = path.join(PART_FILE);
        let journal = Journal::read(&file)?.ok_or_else(|| PartError::NoPart { path: file.clone() })?;
        let (key, here) = (journal.run_key(), env!("CARGO_PKG_VERSION"));
        if key.kshot != here {
            let found = key.kshot.clone();
            return Err(PartError::Version { path: path.to_path_buf(), found, here });
        }
        if let Some(at) = journal.torn_at() {
            return Err(ResultsError::Damaged { path: file, at }.into());
        }
        let torn = |what: String, one: String, other: String| {
            let difference = Difference { what, one, other };
            (difference.one != difference.other)
                .then(|| PartError::Torn { path: path.to_path_buf(), difference })
        };
        let named = |shard: Option<Shard>| shard.map_or("the whole".to_string(), |shard| shard.to_string());
        if let Some(error) = torn("the part".to_string(), named(key.shard), shard.to_string()) {
            return Err(error);
        }
        for (number, protocol) in key.protocols.iter().enumerate() {
            let (found, expected) = (journal.episodes(number), protocol.episodes);
            if found != expected {
                let protocol = protocol.name.clone();
                return Err(PartError::Incomplete { path: file, protocol, found, expected });
            }
            // One entry per protocol and feature set, in the same order.
            let recorded = run.protocols.get(number).filter(|record| record.name == protocol.name);
            let recorded = |field: fn(&super::ProtocolRecord) -> &String| {
                recorded.map_or("absent".to_string(), |record| field(record).clone())
            };
            let of = |what: &str| format!("{what} (sha256) of protocol {}", protocol.name);
            let draw = protocol.draw_sha256.clone().unwrap_or_default();
            let error = torn(of("the draw"), draw, recorded(|record| &record.draw_sha256)).or_else(|| {
                torn(of("the features"), hash(&journal, protocol), recorded(|record| &record.features_sha256))
            });
            if let Some(error) = error {
                return Err(error);
            }
        }
        Ok(PartFolder { path: path.to_path_buf(), run, journal, shard })
    }

    /// Proves that parts make a whole evaluation, and sorts them; comes with what a reader of the whole should know.
    ///
    /// # Errors
    /// Parts of different evaluations, and parts that are missing, doubled or overlapping.
    pub fn align(parts: &mut [PartFolder]) -> Result<Vec<Warning>, PartError> {
        parts.sort_by(|a, b| (a.shard, &a.path).cmp(&(b.shard, &b.path)));
        let mut warnings = Vec::new();
        if let Some((first, others)) = parts.split_first() {
            for other in others {
                first.belongs_with(other)?;
                warnings.extend(first.strangeness(other));
            }
            for pair in parts.windows(2) {
                pair[0].precedes(&pair[1])?;
            }
            let there: Vec<u32> = parts.iter().map(|part| part.shard.number).collect();
            missing(&there, parts[0].shard.of)?;
        }
        Ok(warnings)
    }

    fn belongs_with(&self, other: &PartFolder) -> Result<(), PartError> {
        let mixed =
            |difference| PartError::Mixed { one: self.path.clone(), other: other.path.clone(), difference };
        let unlike = |what: String, one: String, other: String| {
            if one == other { Ok(()) } else { Err(mixed(Difference { what, one, other })) }
        };
        unlike("the number of parts".to_string(), self.shard.of.to_string(), other.shard.of.to_string())?;
        if let Some(difference) =
            self.journal.run_key().difference(other.journal.run_key(), Compatibility::SameEvaluation)
        {
            return Err(mixed(difference));
        }
        // Both have the same list of protocols.
        for (protocol, twin) in
            self.journal.run_key().protocols.iter().zip(&other.journal.run_key().protocols)
        {
            let found = hash(&other.journal, twin);
            let what = format!("the features (sha256) of protocol {}", protocol.name);
            unlike(what, hash(&self.journal, protocol), found)?;
        }
        Ok(())
    }

    fn strangeness(&self, other: &PartFolder) -> Vec<Warning> {
        let names = || (self.path.display().to_string(), other.path.display().to_string());
        let (mine, theirs) = (self.journal.run_key(), other.journal.run_key());
        let mut warnings = Vec::new();
        if mine.build != theirs.build {
            let (one, other) = names();
            warnings.push(Warning::OtherBuild { one, other });
        }
        if mine.cpu_features != theirs.cpu_features {
            let (one, other) = names();
            warnings.push(Warning::OtherProcessor { one, other });
        }
        warnings
    }

    fn precedes(&self, next: &PartFolder) -> Result<(), PartError> {
        let (one, other) = (self.path.clone(), next.path.clone());
        if self.shard == next.shard {
            return Err(PartError::Twice { one, other, shard: self.shard });
        }
        if self.shard.number + 1 != next.shard.number {
            return Ok(());
        }
        let pairs = self.journal.run_key().protocols.iter().zip(&next.journal.run_key().protocols);
        for (mine, theirs) in pairs {
            let (end, begin) = (mine.first + mine.episodes, theirs.first);
            if end != begin {
                return Err(PartError::Unaligned { one, other, protocol: mine.name.clone(), end, begin });
            }
        }
        Ok(())
    }
}

fn hash(journal: &Journal, protocol: &ProtocolKey) -> String {
    journal.fingerprints().get(&protocol.features.name).cloned().unwrap_or("unknown".to_string())
}

/// Refuses a list of parts that lacks one.
fn missing(there: &[u32], of: u32) -> Result<(), PartError> {
    /// A longer list says no more.
    const NAMED: usize = 8;
    let absent: Vec<u32> = (1..=of).filter(|number| !there.contains(number)).collect();
    let mut words: Vec<String> = absent.iter().take(NAMED).map(u32::to_string).collect();
    if absent.len() > NAMED {
        words.push(format!("{} more", absent.len() - NAMED));
    }
    let missing = match words.as_slice() {
        [] => return Ok(()),
        [one] => format!("part {one}"),
        [first @ .., last] => format!("parts {} and {last}", first.join(", ")),
    };
    Err(PartError::Missing { missing, several: absent.len() > 1, of })
}

/// The warnings of several runs as those of one: what they have in common once.
pub fn common_warnings(parts: &[PartFolder]) -> Vec<Warning> {
    let all = parts.iter().flat_map(|part| part.run.warnings.iter().cloned());
    let mut once: Vec<Warning> = all.collect();
    once.sort();
    once.dedup();
    once
}

/// Seconds of all parts, summed by what they were spent on.
pub fn total_seconds(parts: &[PartFolder]) -> BTreeMap<String, f64> {
    let mut seconds = BTreeMap::new();
    for (what, spent) in parts.iter().flat_map(|part| &part.run.seconds) {
        *seconds.entry(what.clone()).or_insert(0.0) += spent;
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_parts_are_named() {
        let said = |there: &[u32], of| missing(there, of).unwrap_err().to_string();
        assert_eq!(said(&[1, 3], 3), "part 2 of 3 is missing\nhint: name the folders of all 3 parts");
        assert!(said(&[2], 4).starts_with("parts 1, 3 and 4 of 4 are missing\n"));
        assert!(said(&[1], 100).starts_with("parts 2, 3, 4, 5, 6, 7, 8, 9 and 91 more of 100 are missing\n"));
        assert!(missing(&[1, 2], 2).is_ok());
    }
}
