//! What `run.json` says of learners and protocols.

use std::collections::BTreeMap;

use super::answering::Run;
use crate::cli::selection::Contender;
use crate::data::{ClassEmbeddings, Store};
use crate::report::{ChosenRecord, LearnerRecord, ProtocolRecord, VectorsRecord};

/// A learner in the record of the run.
pub(super) fn learner(contender: &Contender) -> LearnerRecord {
    LearnerRecord {
        name: contender.parameters.learner().to_string(),
        parameters: contender.pairs(),
        selection: contender.selection,
        chosen: Vec::new(),
    }
}

/// What was chosen for a learner of a run while it ran: by its fit, once, and for it at each shot.
pub(super) fn chosen(run: &Run, place: usize) -> Vec<ChosenRecord> {
    let entry = |shot: Option<String>, values: BTreeMap<String, String>| {
        let protocol = run.rules.protocol.name().to_string();
        (!values.is_empty()).then_some(ChosenRecord { protocol, shot, values })
    };
    let mut entries: Vec<ChosenRecord> =
        entry(None, run.choices.get(place).cloned().unwrap_or_default()).into_iter().collect();
    for (number, shot) in run.shots.iter().enumerate() {
        let key = (place, number);
        let threshold = run.thresholds.get(&key).map(|value| ("threshold".to_string(), value.to_string()));
        let stacking = run.gammas.get(&key).map(|value| ("stacking".to_string(), value.to_string()));
        let shot = shot.map_or("varied".to_string(), |shot| shot.to_string());
        entries.extend(entry(Some(shot), threshold.into_iter().chain(stacking).collect()));
    }
    entries
}

/// A protocol likewise, with the hashes of the features by name.
pub(super) fn protocol(run: &Run, hashes: &BTreeMap<String, String>) -> ProtocolRecord {
    let (protocol, store) = (&run.rules.protocol, &run.store);
    ProtocolRecord {
        name: protocol.name().to_string(),
        version: protocol.version(),
        sha256: run.rules.sha256.clone(),
        seed: protocol.seed(),
        draw: run.dealer.file.clone(),
        draw_sha256: run.dealer.sha256.clone(),
        features: store.path().map_or_else(|| store.name().to_string(), |path| path.display().to_string()),
        features_sha256: hashes.get(store.name()).cloned().unwrap_or_default(),
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
