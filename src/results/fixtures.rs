//! Folders of results that tests make for themselves.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{
    ClassOutcome, EpisodeOutcome, LearnerRecord, Machine, ProtocolRecord, QueryOutcome, Request, Results,
    RunRecord, Selection, Size, Table, Text,
};
use crate::metric::Metric;
use crate::vocab::{ClassId, ItemId, SawClasses, Setting};

/// Results to be made; episodes of 5 of the classes with 4 queries each.
#[derive(Clone)]
pub(crate) struct Made {
    pub protocol: &'static str,
    pub draw: &'static str,
    pub features: &'static str,
    /// Name, its parameter k, and the probability of a correct answer.
    pub learners: Vec<(&'static str, &'static str, f64)>,
    pub shots: Vec<u32>,
    pub classes: u32,
    pub episodes: u32,
    pub repeat: bool,
    pub queries: bool,
    /// Classes that share a cluster with their neighbour; 0 for no clusters.
    pub clustered: u32,
    /// Name of the feature set.
    pub set: &'static str,
    pub items: &'static str,
    pub seed_train: Option<u64>,
    /// What is added to the probability of a correct answer.
    pub shift: f64,
    /// Whether the run had a draw of its own, not made by its rules.
    pub given_draw: bool,
}

impl Default for Made {
    fn default() -> Made {
        Made {
            protocol: "small",
            draw: "draw-one",
            features: "features-one",
            learners: vec![("good", "1", 0.8), ("middling", "1", 0.7), ("middling", "3", 0.699)],
            shots: vec![1],
            classes: 12,
            episodes: 400,
            repeat: true,
            queries: false,
            clustered: 0,
            set: "store",
            items: "items-one",
            seed_train: None,
            shift: 0.0,
            given_draw: false,
        }
    }
}

/// A number in 0…1 that depends on the parts alone (SplitMix64).
fn chance(parts: [u64; 4]) -> f64 {
    let mut state = 0_u64;
    for part in parts {
        state = state.wrapping_add(part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
    }
    (state >> 11) as f64 / (1_u64 << 53) as f64
}

impl Made {
    /// Writes the folder.
    pub fn write(&self, out: &Path) {
        let mut results = Results::create(out, false).unwrap();
        let names: Arc<[String]> = (0..self.classes).map(|class| format!("class {class}")).collect();
        for (learner, k, skill) in &self.learners {
            for shot in &self.shots {
                let mut writer = results.begin(self.table(learner, k, *shot), Arc::clone(&names)).unwrap();
                let lift = f64::from(*shot).ln_1p() / 20.0;
                for episode in 0..self.episodes {
                    let mut classes = Vec::new();
                    let mut values = Vec::new();
                    let mut confidences = Vec::new();
                    let mut rows = Vec::new();
                    let start = (chance([7, 0, 0, u64::from(episode)]) * f64::from(self.classes)) as u32;
                    let step = 1 + episode % 2;
                    let of = |label: u32| ClassId((start + label * step) % self.classes);
                    for label in 0..5 {
                        let class = of(label);
                        let ease = f64::from(class.0 % 7) / 40.0 - 0.075;
                        let own = f64::from(class.0 * 5 % 11) / 100.0 * f64::from(learner.len() as u32 % 3);
                        let mut correct = 0;
                        for query in 0..4 {
                            let number = u64::from(episode) * 100 + u64::from(label * 4 + query);
                            let shared = chance([1, u64::from(*shot), 0, number]);
                            let salt =
                                learner.len() as u64 * 10 + k.len() as u64 + u64::from(k.as_bytes()[0]);
                            let salt = salt + 1000 * self.seed_train.unwrap_or(0);
                            let alone = chance([2, u64::from(*shot), salt, number]);
                            let right =
                                0.7 * shared + 0.3 * alone < skill + lift + ease + own - 0.15 + self.shift;
                            correct += u32::from(right);
                            confidences.push(((0.3 + 0.7 * alone * skill) as f32, right));
                            let predicted = if right { class } else { of((label + 1) % 5) };
                            let item = ItemId(class.0 * 20 + query);
                            rows.push(QueryOutcome {
                                class,
                                item,
                                predicted,
                                confidence: None,
                                confidence_score: None,
                            });
                        }
                        let nll = 1.5 - f64::from(correct) / 4.0;
                        values.extend([Some(nll), Some(nll / 2.0)]);
                        classes.push(ClassOutcome { class, correct, total: 4 });
                    }
                    writer.episode(&EpisodeOutcome { episode, classes, values }, &[], None).unwrap();
                    writer.confidences(&confidences).unwrap();
                    if self.queries {
                        writer.queries(episode, &rows).unwrap();
                    }
                }
                results.add(writer.finish().unwrap());
            }
        }
        results.commit(self.record()).unwrap();
    }

    pub fn table(&self, learner: &str, k: &str, shot: u32) -> Table {
        Table {
            protocol: self.protocol.to_string(),
            version: 1,
            learner: learner.to_string(),
            parameters: self.parameters(k),
            selection: Selection::Default,
            setting: Setting::Inductive,
            backbone: None,
            saw_classes: SawClasses::None,
            way: Size::Number(5),
            shot: Size::Number(shot),
            query: Size::Number(4),
            repeat: self.repeat,
            clusters: self.clusters(),
            seen: None,
            metrics: Metric::all(),
            level: 0.95,
            sequential: false,
            seed: 7,
            features: self.set.to_string(),
            dataset: "store".to_string(),
            seed_train: self.seed_train,
            method: format!("{}+{learner}:k={k}", self.set),
            device: "cpu".to_string(),
            draw_sha256: self.draw.to_string(),
            items_sha256: self.items.to_string(),
        }
    }

    fn clusters(&self) -> Option<Arc<[String]>> {
        let of = |class| if class < self.clustered { class / 2 * 2 } else { class };
        (self.clustered > 0)
            .then(|| (0..self.classes).map(|class| format!("cluster {}", of(class))).collect())
    }

    fn parameters(&self, k: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("k".to_string(), k.to_string()), ("transform".to_string(), "none".to_string())])
    }

    fn request(&self) -> Request {
        let text = format!(
            "name = \"{}\"\nversion = 1\n[episode]\nway = 5\nquery = 4\n[draw]\ncount = {}\nseed = 7\n",
            self.protocol, self.episodes
        );
        let protocols = vec![Text { origin: self.protocol.to_string(), text }];
        let draw = self.given_draw.then(|| "draw.csv".into());
        Request { protocols, draw, ..Request::default() }
    }

    fn record(&self) -> RunRecord {
        RunRecord {
            kshot: env!("CARGO_PKG_VERSION").to_string(),
            command: ["kshot", "evaluate", self.protocol].map(str::to_string).into(),
            folder: String::new(),
            request: self.request(),
            in_memory: Vec::new(),
            protocols: vec![ProtocolRecord {
                name: self.protocol.to_string(),
                version: 1,
                sha256: "rules".to_string(),
                seed: 7,
                draw: None,
                draw_sha256: self.draw.to_string(),
                features: self.set.to_string(),
                dataset: "store".to_string(),
                seed_train: self.seed_train,
                source: "some features".to_string(),
                features_sha256: self.features.to_string(),
                class_embeddings: None,
                items_sha256: self.items.to_string(),
            }],
            learners: self
                .learners
                .iter()
                .map(|(name, k, _)| LearnerRecord {
                    name: name.to_string(),
                    parameters: self.parameters(k),
                    selection: Selection::Default,
                    chosen: Vec::new(),
                })
                .collect(),
            seed_train: None,
            device: "cpu".to_string(),
            workers: 1,
            batch: None,
            seconds: BTreeMap::from([("total".to_string(), 1.25)]),
            warnings: Vec::new(),
            part: None,
            until: None,
            resumed: None,
            parts: Vec::new(),
            machine: Machine::here(),
            files: BTreeMap::new(),
        }
    }
}
