//! comparison.csv, comparison.md and comparison.tex, and the ranks over data sets.

use serde::{Deserialize, Serialize};

use super::words::claims;
use super::{Block, Comparison, Contender, Finding, Pair};
use crate::results::Size;
use crate::results::cells::{self, word};
use crate::results::rows::interval_word;
use crate::results::text::{float, text};
use crate::stats::Population;

/// A row of `comparison.csv`: a pair and a population. Its fields are the columns.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    protocol: String,
    version: u32,
    #[serde(with = "word")]
    way: Size,
    #[serde(with = "word")]
    shot: Size,
    #[serde(with = "word")]
    query: Size,
    dataset: String,
    items_sha256: String,
    draw_sha256: String,
    episodes: u64,
    classes: u64,
    clusters: Option<u64>,
    metric: String,
    method_a: String,
    features_a: String,
    features_sha256_a: String,
    learner_a: String,
    parameters_a: String,
    seeds_a: String,
    #[serde(serialize_with = "cells::number")]
    value_a: f64,
    identical_a: String,
    method_b: String,
    features_b: String,
    features_sha256_b: String,
    learner_b: String,
    parameters_b: String,
    seeds_b: String,
    #[serde(serialize_with = "cells::number")]
    value_b: f64,
    identical_b: String,
    #[serde(serialize_with = "cells::number")]
    difference: f64,
    #[serde(serialize_with = "cells::optional")]
    standardised: Option<f64>,
    interval: String,
    #[serde(serialize_with = "cells::optional")]
    low: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    high: Option<f64>,
    #[serde(serialize_with = "cells::number")]
    level: f64,
    #[serde(serialize_with = "cells::optional")]
    standard_error: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    degrees: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    between_seeds: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    p: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    p_holm: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    margin: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    equivalence_p: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    equivalence_p_holm: Option<f64>,
    verdict: String,
    episodes_needed: String,
    classes_needed: Option<u64>,
    seeds_needed: Option<u64>,
    #[serde(serialize_with = "cells::optional")]
    sign_flip_p: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    sign_flip_p_holm: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    superiority: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    superiority_low: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    superiority_high: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    symmetry_p: Option<f64>,
    undefined: String,
    interval_method: String,
    #[serde(serialize_with = "cells::optional")]
    low_simultaneous: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    high_simultaneous: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    low_equivalence: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    high_equivalence: Option<f64>,
}

/// Columns of `comparison.csv`: one row per pair and population.
pub fn comparison_columns() -> &'static [&'static str] {
    cells::columns::<Row>()
}

/// Columns of `ranks.csv`: one row per pair of methods.
pub const RANKING_COLUMNS: &str = "metric,way,shot,query,data_sets,method_a,rank_a,method_b,rank_b,nemenyi_p,\
    critical_difference,friedman_chi_squared,friedman_p,iman_davenport_p";

/// Joins several values in one cell.
const BETWEEN: &str = ";";

impl Comparison {
    /// `comparison.csv`, header and line ends included.
    ///
    /// What belongs to the pair and not to a population (sign-flip, superiority, symmetry) stands in the sampler's row,
    /// since it is about these classes and items. `identical_a` and `identical_b` name the methods that share every outcome
    /// with the one of the row, and are not tested again. `between_seeds` is the part of the squared standard error that
    /// comes from the choice of training seeds. `low_simultaneous` and `high_simultaneous` hold for all pairs of the family at
    /// once; `low_equivalence` and `high_equivalence` are those of the equivalence test. `episodes_needed` is `none` where no number of episodes will do; where
    /// classes have clusters, `classes_needed` counts clusters.
    pub fn csv(&self) -> Vec<u8> {
        let mut out = format!("{}\n", comparison_columns().join(",")).into_bytes();
        let rows = self.blocks.iter().flat_map(|block| {
            let findings = block.pairs.iter().flat_map(|pair| pair.findings.iter().map(move |of| (pair, of)));
            findings.map(move |(pair, finding)| self.row(block, pair, finding))
        });
        cells::append(&mut out, rows);
        out
    }

    fn row(&self, block: &Block, pair: &Pair, finding: &Finding) -> Row {
        let (a, b) = (&block.methods[pair.a], &block.methods[pair.b]);
        let inference = finding.outcome.as_ref().ok();
        let sampler = (finding.population == Population::Sampler).then_some(pair);
        let plan = inference.and_then(|inference| inference.plan);
        let planned = plan.filter(|_| pair.between_seeds.is_none());
        let episodes_needed = planned.map(|plan| plan.episodes.map_or("none".to_string(), |n| n.to_string()));
        Row {
            protocol: block.protocol.clone(),
            version: block.version,
            way: block.way,
            shot: block.shot,
            query: block.query,
            dataset: block.dataset.clone(),
            items_sha256: block.items_sha256.clone(),
            draw_sha256: block.draw_sha256.clone(),
            episodes: block.episodes as u64,
            classes: block.classes as u64,
            clusters: block.clusters.map(|clusters| clusters as u64),
            metric: self.metric.to_string(),
            method_a: a.name.clone(),
            features_a: a.features.clone(),
            features_sha256_a: a.features_sha256.join(BETWEEN),
            learner_a: a.learner.clone(),
            parameters_a: a.parameters.clone(),
            seeds_a: a.seeds.join(BETWEEN),
            value_a: a.value,
            identical_a: identical(block, pair.a),
            method_b: b.name.clone(),
            features_b: b.features.clone(),
            features_sha256_b: b.features_sha256.join(BETWEEN),
            learner_b: b.learner.clone(),
            parameters_b: b.parameters.clone(),
            seeds_b: b.seeds.join(BETWEEN),
            value_b: b.value,
            identical_b: identical(block, pair.b),
            difference: pair.difference,
            standardised: pair.standardised,
            interval: interval_word(block.sequential, finding.population).to_string(),
            low: inference.map(|i| i.interval.low),
            high: inference.map(|i| i.interval.high),
            level: block.level,
            standard_error: inference.map(|i| i.estimate.standard_error),
            degrees: inference.map(|i| i.estimate.degrees),
            between_seeds: pair.between_seeds,
            p: inference.map(|i| i.p),
            p_holm: inference.map(|i| i.p_holm),
            margin: block.margin,
            equivalence_p: inference.and_then(|i| i.equivalence_p),
            equivalence_p_holm: inference.and_then(|i| i.equivalence_holm),
            verdict: inference.map(|i| i.verdict.word().to_string()).unwrap_or_default(),
            episodes_needed: episodes_needed.unwrap_or_default(),
            classes_needed: plan.and_then(|plan| plan.classes),
            seeds_needed: plan.and_then(|plan| plan.seeds),
            sign_flip_p: sampler.and_then(|pair| pair.sign_flip).map(|test| test.p),
            sign_flip_p_holm: sampler.and_then(|pair| pair.sign_flip_holm),
            superiority: sampler.and_then(|pair| pair.superiority).map(|of| of.value),
            superiority_low: sampler.and_then(|pair| pair.superiority).map(|of| of.interval.low),
            superiority_high: sampler.and_then(|pair| pair.superiority).map(|of| of.interval.high),
            symmetry_p: sampler.and_then(|pair| pair.signed_rank).map(|test| test.p),
            undefined: finding.outcome.as_ref().err().cloned().unwrap_or_default(),
            interval_method: inference
                .map(|i| i.estimate.method_at(i.interval.level).word().to_string())
                .unwrap_or_default(),
            low_simultaneous: inference.and_then(|i| i.simultaneous).map(|of| of.low),
            high_simultaneous: inference.and_then(|i| i.simultaneous).map(|of| of.high),
            low_equivalence: inference.and_then(|i| i.equivalence_interval).map(|of| of.low),
            high_equivalence: inference.and_then(|i| i.equivalence_interval).map(|of| of.high),
        }
    }

    /// `ranks.csv`, header and line ends included; `None` where there are no ranks over data sets.
    pub fn ranks_csv(&self) -> Option<Vec<u8>> {
        let mut out = format!("{RANKING_COLUMNS}\n").into_bytes();
        for ranking in &self.rankings {
            for (a, b, p) in &ranking.pairs {
                let (a, b) = (&ranking.methods[*a], &ranking.methods[*b]);
                let cells = [
                    self.metric.to_string(),
                    ranking.way.to_string(),
                    ranking.shot.to_string(),
                    ranking.query.to_string(),
                    ranking.data_sets.len().to_string(),
                    a.name.clone(),
                    number(Some(a.rank)),
                    b.name.clone(),
                    number(Some(b.rank)),
                    number(Some(*p)),
                    number(Some(ranking.critical_difference)),
                    number(Some(ranking.friedman.chi_squared)),
                    number(Some(ranking.friedman.p)),
                    number(Some(ranking.friedman.iman_davenport_p)),
                ];
                row(&mut out, &cells);
            }
        }
        (!self.rankings.is_empty()).then_some(out)
    }

    /// What is printed: tables and sentences.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for block in self.blocks.iter().filter(|block| block.is_compared()) {
            text.push_str(&self.grid(block).text());
            text.push('\n');
            claims(self, block).iter().for_each(|claim| text.push_str(&format!("{claim}\n")));
            text.push('\n');
        }
        self.rankings.iter().for_each(|ranking| text.push_str(&format!("{}\n", ranking.grid().text())));
        text.trim_end().to_string() + "\n"
    }

    /// `comparison.md`.
    pub fn markdown(&self) -> String {
        let mut text = String::from("# Comparison\n\n");
        for block in self.blocks.iter().filter(|block| block.is_compared()) {
            text.push_str(&self.grid(block).markdown());
            text.push('\n');
            claims(self, block).iter().for_each(|claim| text.push_str(&format!("- {claim}\n")));
            text.push('\n');
        }
        self.rankings.iter().for_each(|ranking| text.push_str(&format!("{}\n", ranking.grid().markdown())));
        text.trim_end().to_string() + "\n"
    }

    /// `comparison.tex`: tables for a document that uses the package booktabs.
    pub fn latex(&self) -> String {
        let mut text = String::from("% Needs \\usepackage{booktabs}.\n");
        for block in self.blocks.iter().filter(|block| block.is_compared()) {
            text.push_str(&self.grid(block).latex());
        }
        self.rankings.iter().for_each(|ranking| text.push_str(&ranking.grid().latex()));
        text
    }
}

/// The methods that are identical to one, in one cell.
fn identical(block: &Block, place: usize) -> String {
    let same = block.methods.iter().filter(|method| method.same_as == Some(place));
    same.map(|method: &Contender| method.name.as_str()).collect::<Vec<_>>().join(BETWEEN)
}

fn number(value: Option<f64>) -> String {
    let mut cell = Vec::new();
    float(&mut cell, value);
    String::from_utf8_lossy(&cell).into_owned()
}

fn row(out: &mut Vec<u8>, cells: &[String]) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        text(out, cell);
    }
    out.push(b'\n');
}
