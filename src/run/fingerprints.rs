//! The hashes of the feature stores, computed beside the evaluation and held against those of a killed run.

use std::collections::BTreeMap;

use super::prepared::Prepared;
use crate::data::{Fingerprint, Store};
use crate::results::{Difference, FeatureKey, Journal, Results, RunKey};
use crate::run::error::RunError;

/// Hashes by the names of the stores.
pub(crate) struct Fingerprints {
    pending: BTreeMap<String, Fingerprint>,
    known: BTreeMap<String, String>,
}

impl Fingerprints {
    /// Begins with all stores of a run.
    pub(crate) fn start(runs: &[Prepared]) -> Fingerprints {
        let mut pending = BTreeMap::new();
        for run in runs {
            pending.entry(run.key.clone()).or_insert_with(|| Fingerprint::start(&run.store));
        }
        Fingerprints { pending, known: BTreeMap::new() }
    }

    /// Refuses features that were changed since the run was killed that this one is to go on with.
    ///
    /// Files of the same size and time are the same; of others the hash decides, where the killed run came to know it.
    pub(crate) fn check_left(&mut self, results: &Results, key: &RunKey) -> Result<(), RunError> {
        let Some(left) = results.left() else { return Ok(()) };
        for (there, here) in left.run_key().protocols.iter().zip(&key.protocols) {
            let Some(difference) = changed(&there.features, &here.features) else { continue };
            let name = &here.features.name;
            match left.fingerprints().get(name) {
                None => return Err(results.other_run(difference).into()),
                Some(hash) => {
                    if self.wait(name)? != *hash {
                        return Err(results.other_run(difference).into());
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes down what has become known.
    pub(crate) fn note(&mut self, journal: &mut Journal) -> Result<(), RunError> {
        let ready: Vec<String> =
            self.pending.iter().filter(|(_, hash)| hash.is_ready()).map(|(name, _)| name.clone()).collect();
        for name in ready {
            let hash = self.wait(&name)?;
            if !journal.fingerprints().contains_key(&name) {
                journal.features(&name, &hash)?;
            }
        }
        Ok(())
    }

    /// All hashes, which must be those that the journal knows.
    pub(crate) fn all(
        mut self,
        journal: &mut Journal,
        results: &Results,
    ) -> Result<BTreeMap<String, String>, RunError> {
        let names: Vec<String> = self.pending.keys().cloned().collect();
        for name in names {
            self.wait(&name)?;
        }
        for (name, hash) in &self.known {
            match journal.fingerprints().get(name) {
                Some(there) if there != hash => {
                    let what = format!("the hash of features {name}");
                    let difference = Difference { what, one: there.clone(), other: hash.clone() };
                    return Err(results.other_run(difference).into());
                }
                Some(_) => {}
                None => journal.features(name, hash)?,
            }
        }
        Ok(self.known)
    }

    fn wait(&mut self, name: &str) -> Result<String, RunError> {
        if let Some(pending) = self.pending.remove(name) {
            self.known.insert(name.to_string(), pending.wait()?);
        }
        Ok(self.known.get(name).cloned().unwrap_or_default())
    }
}

/// Refuses features of which a file is not the one that the run began with: part of them may be read from it still, and the
/// run cannot be made again from what is there now.
pub(crate) fn unchanged(runs: &[Prepared], key: &RunKey) -> Result<(), RunError> {
    for (run, planned) in runs.iter().zip(&key.protocols) {
        let now = FeatureKey { files: stamps(&run.store)?, ..planned.features.clone() };
        if let Some(difference) = changed(&planned.features, &now) {
            return Err(RunError::ChangedFeatures { what: difference.what });
        }
    }
    Ok(())
}

/// Name, size and time of the files of features.
pub(crate) fn stamps(store: &Store) -> Result<Vec<(String, u64, u64)>, RunError> {
    Ok(store.stamps()?.into_iter().map(|file| (file.name, file.bytes, file.changed)).collect())
}

/// The first file whose size or time is not the same.
fn changed(there: &FeatureKey, here: &FeatureKey) -> Option<Difference> {
    let stamp = |files: &[(String, u64, u64)], name: &str| {
        let found = files.iter().find(|(file, ..)| file == name);
        found.map_or("absent".to_string(), |(_, bytes, changed)| {
            format!("of {bytes} bytes, changed at {}.{:09}", changed / 1_000_000_000, changed % 1_000_000_000)
        })
    };
    there.files.iter().chain(&here.files).find_map(|(name, ..)| {
        let (one, other) = (stamp(&there.files, name), stamp(&here.files, name));
        let what = format!("file {name} of features {}", here.name);
        (one != other).then_some(Difference { what, one, other })
    })
}
