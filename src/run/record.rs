//! What `run.json` says of learners and protocols.

use std::collections::BTreeMap;

use super::prepared::Prepared;
use crate::data::{ClassEmbeddings, Store};
use crate::results::{ChosenRecord, LearnerRecord, ProtocolRecord, VectorsRecord};
use crate::run::contender::Contender;

/// The seed of the training of all networks of a run, where there is one.
pub(crate) fn seed_train(runs: &[Prepared]) -> Option<u64> {
    let mut seeds = runs.iter().map(|run| run.store.provenance().seed_train);
    let first = seeds.next()??;
    seeds.all(|seed| seed == Some(first)).then_some(first)
}

/// The learners of a run, each once, with what was chosen for it wherever it took part.
pub(crate) fn learners(runs: &[Prepared]) -> Vec<LearnerRecord> {
    let mut learners: BTreeMap<String, LearnerRecord> = BTreeMap::new();
    for (run, place) in runs.iter().flat_map(|run| (0..run.learners.len()).map(move |place| (run, place))) {
        let record = learner(&run.learners[place]);
        let known = learners
            .entry(format!("{}:{:?} {}", record.name, record.parameters, record.selection))
            .or_insert(record);
        known.chosen.extend(chosen(run, place));
    }
    learners.into_values().collect()
}

/// A learner in the record of the run.
fn learner(contender: &Contender) -> LearnerRecord {
    LearnerRecord {
        name: contender.parameters.learner().to_string(),
        parameters: contender.pairs(),
        selection: contender.selection,
        chosen: Vec::new(),
    }
}

/// What was chosen for a learner of a run while it ran: by its fit, once, and for it at each shot.
fn chosen(run: &Prepared, place: usize) -> Vec<ChosenRecord> {
    let entry = |shot: Option<String>, values: BTreeMap<String, String>| {
        let protocol = run.rules.protocol.name().to_string();
        (!values.is_empty()).then_some(ChosenRecord { protocol, shot, values })
    };
    let mut entries: Vec<ChosenRecord> =
        entry(None, run.choices.get(place).cloned().unwrap_or_default()).into_iter().collect();
    for (number, shot) in run.shots.iter().enumerate() {
        let key = (place, number);
        let threshold = run.thresholds.get(&key).map(|value| ("threshold".to_string(), value.to_string()));
        let calibration = run.gammas.get(&key).map(|value| ("calibration".to_string(), value.to_string()));
        let shot = shot.map_or("varied".to_string(), |shot| shot.to_string());
        entries.extend(entry(Some(shot), threshold.into_iter().chain(calibration).collect()));
    }
    entries
}

/// A protocol likewise, with the hashes of the features by name.
pub(crate) fn protocol(run: &Prepared, hashes: &BTreeMap<String, String>) -> ProtocolRecord {
    let (protocol, store) = (&run.rules.protocol, &run.store);
    ProtocolRecord {
        name: protocol.name().to_string(),
        version: protocol.version(),
        sha256: run.rules.sha256.clone(),
        seed: protocol.seed(),
        draw: run.dealer.file.clone(),
        draw_sha256: run.dealer.sha256.clone(),
        features: run.features.clone(),
        dataset: run.dataset.clone(),
        seed_train: store.provenance().seed_train,
        source: store.path().map_or_else(|| store.name().to_string(), |path| path.display().to_string()),
        features_sha256: hashes.get(&run.key).cloned().unwrap_or_default(),
        items_sha256: run.items_sha256.clone(),
        class_embeddings: store.class_embeddings().map(|vectors| class_embeddings(store, vectors)),
    }
}

fn class_embeddings(store: &Store, vectors: &ClassEmbeddings) -> VectorsRecord {
    let source = store.provenance().class_embeddings.clone();
    VectorsRecord {
        sha256: vectors.sha256(),
        texts: source.as_ref().map(|source| source.texts.clone()),
        texts_sha256: source.as_ref().and_then(|source| source.texts_sha256.clone()),
        templates: source.map(|source| source.templates).unwrap_or_default(),
    }
}
