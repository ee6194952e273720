//! comparison.csv, comparison.md and comparison.tex, and the ranks over data sets.

use super::words::claims;
use super::{Block, Comparison, Finding, Pair};
use crate::results::rows::interval_word;
use crate::results::text::{float, text};
use crate::stats::Population;

/// Columns of `comparison.csv`: one row per pair and population.
pub const COMPARISON_COLUMNS: &str = "protocol,version,way,shot,query,features,draw_sha256,features_sha256,episodes,\
    classes,clusters,metric,learner_a,parameters_a,value_a,learner_b,parameters_b,value_b,difference,standardised,interval,low,\
    high,level,standard_error,degrees,p,p_holm,smallest,equivalence_p,equivalence_p_holm,verdict,episodes_needed,\
    classes_needed,sign_flip_p,sign_flip_p_holm,superiority,superiority_low,superiority_high,symmetry_p,undefined";

/// Columns of `ranks.csv`: one row per pair of learners.
pub const RANKING_COLUMNS: &str = "metric,way,shot,query,data_sets,learner_a,rank_a,learner_b,rank_b,nemenyi_p,\
    critical_difference,friedman_chi_squared,friedman_p,iman_davenport_p";

impl Comparison {
    /// `comparison.csv`, header and line ends included.
    ///
    /// What belongs to the pair and not to a population (sign-flip, superiority, symmetry) stands in the sampler's row,
    /// since it is about these classes and items. `episodes_needed` is `none` where no number of episodes will do;
    /// where classes have clusters, `classes_needed` counts clusters.
    pub fn csv(&self) -> Vec<u8> {
        let mut out = format!("{COMPARISON_COLUMNS}\n").into_bytes();
        for block in &self.blocks {
            for pair in &block.pairs {
                for finding in &pair.findings {
                    row(&mut out, &self.cells(block, pair, finding));
                }
            }
        }
        out
    }

    fn cells(&self, block: &Block, pair: &Pair, finding: &Finding) -> Vec<String> {
        let (a, b) = (&block.learners[pair.a], &block.learners[pair.b]);
        let inference = finding.outcome.as_ref().ok();
        let sampler = (finding.population == Population::Sampler).then_some(pair);
        let plan = inference.and_then(|inference| inference.plan);
        let episodes_needed = plan.map(|plan| plan.episodes.map_or("none".to_string(), |n| n.to_string()));
        vec![
            block.protocol.clone(),
            block.version.to_string(),
            block.way.to_string(),
            block.shot.to_string(),
            block.query.to_string(),
            block.features.clone(),
            block.draw_sha256.clone(),
            block.features_sha256.clone(),
            block.episodes.to_string(),
            block.classes.to_string(),
            block.clusters.map(|clusters| clusters.to_string()).unwrap_or_default(),
            self.metric.to_string(),
            a.learner.clone(),
            a.parameters.clone(),
            number(Some(a.value)),
            b.learner.clone(),
            b.parameters.clone(),
            number(Some(b.value)),
            number(Some(pair.difference)),
            number(pair.standardised),
            interval_word(block.sequential, finding.population).to_string(),
            number(inference.map(|i| i.interval.low)),
            number(inference.map(|i| i.interval.high)),
            number(Some(block.level)),
            number(inference.map(|i| i.estimate.standard_error)),
            number(inference.map(|i| i.estimate.degrees)),
            number(inference.map(|i| i.p)),
            number(inference.map(|i| i.p_holm)),
            number(self.smallest),
            number(inference.and_then(|i| i.equivalence_p)),
            number(inference.and_then(|i| i.equivalence_holm)),
            inference.map(|i| i.verdict.word().to_string()).unwrap_or_default(),
            episodes_needed.unwrap_or_default(),
            plan.and_then(|plan| plan.classes).map(|n| n.to_string()).unwrap_or_default(),
            number(sampler.map(|pair| pair.sign_flip.p)),
            number(sampler.map(|pair| pair.sign_flip_holm)),
            number(sampler.map(|pair| pair.superiority.value)),
            number(sampler.map(|pair| pair.superiority.interval.low)),
            number(sampler.map(|pair| pair.superiority.interval.high)),
            number(sampler.and_then(|pair| pair.signed_rank.as_ref()).map(|test| test.p)),
            finding.outcome.as_ref().err().cloned().unwrap_or_default(),
        ]
    }

    /// `ranks.csv`, header and line ends included; `None` where there are no ranks over data sets.
    pub fn ranks_csv(&self) -> Option<Vec<u8>> {
        let mut out = format!("{RANKING_COLUMNS}\n").into_bytes();
        for ranking in &self.rankings {
            for (a, b, p) in &ranking.pairs {
                let (a, b) = (&ranking.learners[*a], &ranking.learners[*b]);
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
        for block in self.blocks.iter().filter(|block| !block.pairs.is_empty()) {
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
        for block in self.blocks.iter().filter(|block| !block.pairs.is_empty()) {
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
        for block in self.blocks.iter().filter(|block| !block.pairs.is_empty()) {
            text.push_str(&self.grid(block).latex());
        }
        self.rankings.iter().for_each(|ranking| text.push_str(&ranking.grid().latex()));
        text
    }
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
