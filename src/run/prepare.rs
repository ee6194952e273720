//! From a checked request to protocols with features, draws and learners, ready to be evaluated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::admission::{admitted, beside, fitting, shots, suits, tables};
use super::contender::Contender;
use super::draws::{self, Dealer};
use super::error::RunError;
use super::features::{FeatureSets, Features};
use super::plan::Plan;
use super::prepared::{Prepared, Work};
use super::rules::Rules;
use super::{fitness, items, small_classes, stacking, until};
use crate::data::{Fingerprint, Store};
use crate::eval::{Choices, Gammas};
use crate::protocol::{Protocol, Query};
use crate::results::Warning;
use crate::vocab::Split;

/// All protocols of a plan with all its feature sets, those of one protocol one after another.
pub(crate) struct Ready {
    pub(crate) runs: Vec<Prepared>,
    pub(crate) warnings: BTreeSet<Warning>,
    /// Hashes of features that had to be known already, by key.
    hashes: BTreeMap<String, String>,
}

impl Ready {
    /// Reads features, draws episodes and admits learners.
    pub(crate) fn of(
        plan: &Plan<'_>,
        sets: &mut FeatureSets<'_>,
        work: &Work<'_>,
    ) -> Result<Ready, RunError> {
        let mut ready = Ready { runs: Vec::new(), warnings: BTreeSet::new(), hashes: BTreeMap::new() };
        for rules in &plan.rules {
            let features = sets.of(&rules.protocol)?;
            let (rules, left_out) = match features.first() {
                Some(first) => small_classes::without(plan, rules, &first.store)?,
                None => (rules.clone(), None),
            };
            ready.warnings.extend(left_out);
            let mut dealer: Option<Arc<Dealer>> = None;
            for (place, set) in features.iter().enumerate() {
                let own = match (&dealer, features.first()) {
                    (Some(dealer), Some(first)) => items::shared_draw(first, set, dealer)?,
                    _ => Arc::new(drawn(plan, &rules, &set.store)?),
                };
                dealer.get_or_insert_with(|| Arc::clone(&own));
                let mut run = ready.prepared(plan, &rules, set, own, work)?;
                (run.first, run.alone) = (place == 0, features.len() == 1);
                run.dataset.clone_from(&features[0].dataset);
                ready.runs.push(run);
            }
        }
        Ok(ready)
    }

    /// One protocol with one feature set.
    fn prepared(
        &mut self,
        plan: &Plan<'_>,
        rules: &Rules,
        set: &Features,
        dealer: Arc<Dealer>,
        work: &Work<'_>,
    ) -> Result<Prepared, RunError> {
        self.warnings.extend(fitness::checked(&rules.protocol, &dealer, &set.store, plan.request.near)?);
        self.warnings.extend(fitness::of_store(&set.store));
        self.warnings.extend(fitness::shared_with_seen(&rules.protocol, &set.store));
        let mut learners = self.learners(plan, rules, set, work)?;
        for learner in &learners {
            suits(&rules.protocol, set, &learner.parameters)?;
        }
        self.warnings.extend(assuming_balance(&rules.protocol, &learners));
        learners.sort_by_key(|learner| (learner.parameters.learner().to_string(), learner.pairs()));
        let shots = shots(&rules.protocol);
        let mut run = Prepared {
            rules: rules.clone(),
            features: set.name.clone(),
            dataset: String::new(),
            items_sha256: set.store.identity()?.items_sha256,
            key: set.key(),
            first: true,
            alone: true,
            store: set.store.clone(),
            behind: set.behind.clone(),
            dealer,
            tables: tables(&learners, &shots),
            learners,
            shots,
            thresholds: BTreeMap::new(),
            gammas: Gammas::new(),
            choices: Choices::new(),
        };
        self.warnings.extend(stacking::choose(&mut run, work)?);
        Ok(run)
    }

    /// The learners of one protocol with one feature set.
    fn learners(
        &mut self,
        plan: &Plan<'_>,
        rules: &Rules,
        set: &Features,
        work: &Work<'_>,
    ) -> Result<Vec<Contender>, RunError> {
        let (registry, protocol) = (work.learners.cpu(), &rules.protocol);
        if plan.selections.is_empty() {
            let mut all = admitted(registry, protocol, &plan.asked)?;
            if beside_base(protocol, &set.store) {
                for asked in &mut all {
                    asked.parameters = registry.beside_base(&asked.parameters)?;
                }
            }
            if !plan.asked.is_empty() {
                return Ok(all.into_iter().map(Contender::asked).collect());
            }
            let (kept, left_out) = fitting(protocol, set, all)?;
            self.warnings.extend(left_out);
            return Ok(kept.into_iter().map(Contender::asked).collect());
        }
        let hash = self.hash(set)?;
        let elsewhere = plan.request.selected_elsewhere;
        let (selected, warnings) = plan.selections.of(registry, protocol, &hash, elsewhere)?;
        self.warnings.extend(warnings);
        beside(registry, protocol, selected, &plan.asked)
    }

    fn hash(&mut self, set: &Features) -> Result<String, RunError> {
        if let Some(known) = self.hashes.get(&set.key()) {
            return Ok(known.clone());
        }
        let hash = Fingerprint::start(&set.store).wait()?;
        self.hashes.insert(set.key(), hash.clone());
        Ok(hash)
    }
}

/// Which learners assume that queries are balanced, and whether they are.
fn assuming_balance(protocol: &Protocol, learners: &[Contender]) -> Option<Warning> {
    let assuming = learners.iter().filter(|learner| learner.parameters.assumes_balance);
    let names: BTreeSet<String> = assuming.map(|learner| learner.parameters.learner().to_string()).collect();
    (!names.is_empty()).then(|| Warning::AssumesBalance {
        protocol: protocol.name().to_string(),
        learners: names.into_iter().collect(),
        balanced: matches!(protocol.query(), Query::PerClass(_)),
    })
}

/// Whether there are base classes, none of which is under evaluation.
fn beside_base(protocol: &Protocol, store: &Store) -> bool {
    !protocol.split().holds(Split::Base) && store.index().of_split(Split::Base).next().is_some()
}

/// The draw of a protocol on the first of its feature sets.
fn drawn(plan: &Plan<'_>, rules: &Rules, store: &Store) -> Result<Dealer, RunError> {
    match &plan.until {
        Some(_) => draws::fresh_of(&rules.protocol, store, until::bounds(&rules.protocol)?.0),
        None => draws::draw(rules, plan.request.draw.as_deref(), store),
    }
}
