//! What the outcomes of this run depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::hash::Hasher;
use std::io::Read;

use twox_hash::XxHash64;

use super::fingerprints;
use super::prepared::{Place, Prepared};
use crate::data::{ClassEmbeddings, Store};
use crate::episode::sha256;
use crate::protocol::{Protocol, Query, Way};
use crate::results::{FeatureKey, Machine, PlannedTable, ProtocolKey, RunKey, Selection, Shard, Size, Table};
use crate::run::contender::Contender;
use crate::run::device::Device;
use crate::run::error::RunError;
use crate::vocab::Setting;

/// What a run is asked for beside its protocols.
pub(crate) struct Asked {
    pub(crate) device: Device,
    pub(crate) shard: Option<Shard>,
    /// As it was written.
    pub(crate) until: Option<String>,
    pub(crate) queries: Option<&'static str>,
}

/// The key of a run.
pub(crate) fn of(runs: &[Prepared], asked: &Asked) -> Result<RunKey, RunError> {
    let several = runs.iter().filter(|run| run.first).count() > 1;
    let mut key = RunKey {
        kshot: env!("CARGO_PKG_VERSION").to_string(),
        build: build(),
        cpu_features: Machine::here().cpu_features,
        device: asked.device.name().to_string(),
        shard: asked.shard,
        until: asked.until.clone(),
        queries: asked.queries.map(str::to_string),
        protocols: runs.iter().map(|run| protocol(run, asked, several)).collect::<Result<_, RunError>>()?,
    };
    tell_apart(&mut key.protocols);
    Ok(key)
}

/// Adds the parameters to the names of methods that would be the same: those of one protocol must differ, shots and training
/// seeds apart.
fn tell_apart(protocols: &mut [ProtocolKey]) {
    let tables = || protocols.iter().flat_map(|key| key.tables.iter().map(move |table| (&key.name, table)));
    let mut parameters: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for (protocol, PlannedTable { table, .. }) in tables() {
        let of_name = parameters.entry((protocol.clone(), table.method.clone())).or_default();
        of_name.insert(table.parameters_text());
    }
    for key in protocols {
        for PlannedTable { table, learner, .. } in &mut key.tables {
            let alike = parameters.get(&(key.name.clone(), table.method.clone())).map_or(0, BTreeSet::len);
            if let Some((_, changed)) = learner.split_once(':').filter(|_| alike > 1) {
                table.method = format!("{}:{changed}", table.method);
            }
        }
    }
}

fn protocol(run: &Prepared, asked: &Asked, several: bool) -> Result<ProtocolKey, RunError> {
    let (protocol, store) = (&run.rules.protocol, &run.store);
    let sequential = asked.until.is_some();
    let length = run.dealer.draw.len();
    let places = asked.shard.map_or(0..length, |shard| shard.of_draw(length));
    let fresh = run.dealer.fresh.is_some() && run.first;
    let draw_file = if several { format!("draw-{}.csv", protocol.name()) } else { "draw.csv".to_string() };
    let key = |place: &Place| {
        let contender = &run.learners[place.learner];
        let mut table = table(run, contender, contender.parameters.setting, run.shots[place.shot], asked);
        let mut learner = contender.parameters.parameters.short().to_string();
        if protocol.seen_part().is_some() {
            let gamma = run.gammas.get(&(place.learner, place.shot)).filter(|_| place.stacked);
            let gamma = gamma.map_or("0".to_string(), ToString::to_string);
            let colon = if learner.contains(':') { ',' } else { ':' };
            learner = format!("{learner}{colon}calibration={gamma}");
            table.parameters.insert("calibration".to_string(), gamma);
        }
        if place.stacked {
            table.selection = Selection::Validation;
        }
        table.method = match &contender.label {
            Some(label) if run.alone => label.clone(),
            Some(label) => format!("{}+{label}", table.features),
            None => format!("{}+{}", table.features, table.learner),
        };
        let among = contender.among.iter().map(ToString::to_string).collect();
        Ok(PlannedTable { table, learner, temperature: contender.temperature, among })
    };
    Ok(ProtocolKey {
        name: protocol.name().to_string(),
        sha256: run.rules.sha256.clone(),
        draw_sha256: (!sequential).then(|| run.dealer.sha256.clone()),
        draw_file: fresh.then_some(draw_file),
        first: places.start as u32,
        episodes: if sequential {
            protocol.most().unwrap_or(protocol.evaluated())
        } else {
            places.len() as u32
        },
        features: FeatureKey {
            name: run.key.clone(),
            rows: store.rows(),
            dim: store.dim(),
            labels_sha256: labels(store),
            files: fingerprints::stamps(store)?,
        },
        clusters: clusters(store),
        seen: protocol.seen_part().map(|_| seen(protocol, store)),
        classes: store.index().classes().iter().map(|class| class.name.clone()).collect(),
        tables: run.tables.iter().map(key).collect::<Result<_, RunError>>()?,
    })
}

/// A hash of the program's file: a learner that was changed makes another program of the same version.
fn build() -> String {
    let hash = || -> std::io::Result<u64> {
        let mut file = File::open(std::env::current_exe()?)?;
        let (mut hash, mut block) = (XxHash64::with_seed(0), vec![0; 1 << 20]);
        loop {
            match file.read(&mut block)? {
                0 => return Ok(hash.finish()),
                read => hash.write(&block[..read]),
            }
        }
    };
    hash().map_or("unknown".to_string(), |hash| format!("{hash:016x}"))
}

/// What all rows of a table share.
fn table(
    run: &Prepared,
    contender: &Contender,
    setting: Setting,
    shot: Option<usize>,
    asked: &Asked,
) -> Table {
    let (protocol, provenance) = (&run.rules.protocol, run.store.provenance());
    let sequential = asked.until.is_some();
    // Seen classes are candidates too where queries of them are scored.
    let scored = |split| {
        protocol.split().holds(split) || protocol.seen_part().is_some() && protocol.split().sees(split)
    };
    Table {
        protocol: protocol.name().to_string(),
        version: protocol.version(),
        learner: contender.parameters.learner().to_string(),
        parameters: contender.pairs(),
        selection: contender.selection,
        setting,
        backbone: Some(provenance.backbone.clone()),
        saw_classes: provenance.saw(run.store.index(), scored),
        way: match protocol.way() {
            Way::Fixed(way) => Size::Number(*way),
            Way::All => Size::All,
            Way::Between { .. } | Way::MetaDataset => Size::Varied,
        },
        shot: shot.map_or(Size::Varied, |shot| Size::Number(shot as u32)),
        query: match protocol.query() {
            Query::PerClass(query) => Size::Number(*query),
            Query::All => Size::All,
            Query::Dirichlet { .. } | Query::MetaDataset => Size::Varied,
        },
        repeat: protocol.repeat(),
        // Said once per protocol.
        clusters: None,
        seen: None,
        metrics: protocol.metrics().to_vec(),
        level: protocol.confidence_level(),
        sequential,
        seed: protocol.seed(),
        features: run.features.clone(),
        dataset: run.dataset.clone(),
        seed_train: provenance.seed_train,
        // Known once the learner's parameters are.
        method: String::new(),
        device: asked.device.name().to_string(),
        draw_sha256: if sequential { String::new() } else { run.dealer.sha256.clone() },
        items_sha256: run.items_sha256.clone(),
    }
}

/// Whether each class is a seen one.
fn seen(protocol: &Protocol, store: &Store) -> Vec<bool> {
    store.index().classes().iter().map(|class| protocol.split().sees(class.split)).collect()
}

/// The cluster of each class, where the store names clusters; a class without one is alone.
fn clusters(store: &Store) -> Option<Vec<String>> {
    let classes = store.index().classes();
    let named = classes.iter().any(|class| class.cluster.is_some());
    named.then(|| classes.iter().map(|class| class.cluster.clone().unwrap_or(class.name.clone())).collect())
}

/// The hash of all that is said of the items and of the classes.
fn labels(store: &Store) -> String {
    let embeddings = store.class_embeddings().map_or_else(String::new, ClassEmbeddings::sha256);
    sha256(format!("{} {embeddings}", store.labels_sha256()).as_bytes())
}
