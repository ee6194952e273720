//! ranking.csv, pairs.csv, survival.csv and ranks.csv.

use serde::{Deserialize, Serialize};

use crate::results::cells;
use crate::scores::{RankedPair, RankedSet, Ranking, Survival};

/// A row of `ranking.csv`: a method of a data set under a rule.
#[derive(Debug, Serialize, Deserialize)]
struct StandingRow {
    dataset: String,
    methods: usize,
    method: String,
    draws: usize,
    rank: usize,
    #[serde(serialize_with = "cells::number")]
    mean: f64,
    #[serde(serialize_with = "cells::optional")]
    margin: Option<f64>,
    rule: String,
    dense_rank: usize,
    rank_low: usize,
    rank_high: usize,
}

/// A row of `pairs.csv`: two methods of a data set under a rule.
#[derive(Debug, Serialize, Deserialize)]
struct PairRow {
    dataset: String,
    rule: String,
    rank_a: usize,
    method_a: String,
    rank_b: usize,
    method_b: String,
    draws: usize,
    test: String,
    #[serde(serialize_with = "cells::number")]
    difference: f64,
    #[serde(serialize_with = "cells::optional")]
    low: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    high: Option<f64>,
    #[serde(serialize_with = "cells::number")]
    degrees: f64,
    #[serde(serialize_with = "cells::number")]
    p: f64,
    #[serde(serialize_with = "cells::optional")]
    p_sign_flip: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    p_holm_adjacent: Option<f64>,
    #[serde(serialize_with = "cells::number")]
    p_holm_all: f64,
}

/// A row of `survival.csv`: a data set, or all, under a rule.
#[derive(Debug, Serialize, Deserialize)]
struct SurvivalRow {
    dataset: String,
    rule: String,
    holm: bool,
    adjacent: u64,
    adjacent_significant: u64,
    small_gaps: u64,
    small_gaps_significant: u64,
    top_ten: u64,
    top_ten_significant: u64,
}

/// A row of `ranks.csv`: a method over all data sets.
#[derive(Debug, Serialize, Deserialize)]
struct AcrossRow {
    method: String,
    data_sets: usize,
    #[serde(serialize_with = "cells::number")]
    mean_rank: f64,
    #[serde(serialize_with = "cells::number")]
    borda: f64,
    #[serde(serialize_with = "cells::optional")]
    critical_difference: Option<f64>,
    #[serde(serialize_with = "cells::optional")]
    p_iman_davenport: Option<f64>,
}

/// `ranking.csv`: every method of every data set, rule by rule.
pub fn standings(ranking: &Ranking) -> Vec<u8> {
    let rows = ranking.data_sets.iter().flat_map(|set| {
        set.methods.iter().flat_map(move |method| {
            method.places.iter().map(move |place| StandingRow {
                dataset: set.name.clone(),
                methods: set.methods.len(),
                method: method.name.clone(),
                draws: method.draws,
                rank: method.rank,
                mean: method.mean,
                margin: method.margin,
                rule: place.rule.word().to_string(),
                dense_rank: place.dense_rank,
                rank_low: place.low,
                rank_high: place.high,
            })
        })
    });
    sheet(rows)
}

/// `pairs.csv`: neighbours in rank, or all pairs.
pub fn pairs(ranking: &Ranking, all: bool) -> Vec<u8> {
    let wanted = move |pair: &&RankedPair| all || pair.b == pair.a + 1;
    let rows = ranking
        .data_sets
        .iter()
        .flat_map(|set| set.pairs.iter().filter(wanted).map(move |pair| pair_row(set, pair)));
    sheet(rows)
}

fn pair_row(set: &RankedSet, pair: &RankedPair) -> PairRow {
    let (a, b) = (&set.methods[pair.a], &set.methods[pair.b]);
    let interval = pair.difference.interval();
    PairRow {
        dataset: set.name.clone(),
        rule: pair.rule.word().to_string(),
        rank_a: a.rank,
        method_a: a.name.clone(),
        rank_b: b.rank,
        method_b: b.name.clone(),
        draws: pair.difference.draws,
        test: if pair.difference.paired { "paired-t" } else { "welch-t" }.to_string(),
        difference: pair.difference.estimate.value,
        low: interval.map(|interval| interval.low),
        high: interval.map(|interval| interval.high),
        degrees: pair.difference.estimate.degrees,
        p: pair.difference.p,
        p_sign_flip: pair.p_signs,
        p_holm_adjacent: pair.p_adjacent,
        p_holm_all: pair.p_all,
    }
}

/// `survival.csv`: what survives of each ranking, and of all.
pub fn survival(ranking: &Ranking) -> Vec<u8> {
    let of_sets =
        ranking.data_sets.iter().flat_map(|set| set.survival.iter().map(|found| (set.name.as_str(), found)));
    let all = ranking.survival.iter().map(|found| ("all", found));
    sheet(of_sets.chain(all).map(|(dataset, found)| survival_row(dataset, found)))
}

fn survival_row(dataset: &str, found: &Survival) -> SurvivalRow {
    SurvivalRow {
        dataset: dataset.to_string(),
        rule: found.rule.word().to_string(),
        holm: found.holm,
        adjacent: found.adjacent.of,
        adjacent_significant: found.adjacent.apart,
        small_gaps: found.small_gaps.of,
        small_gaps_significant: found.small_gaps.apart,
        top_ten: found.top_ten.of,
        top_ten_significant: found.top_ten.apart,
    }
}

/// `ranks.csv`: mean ranks and Borda counts; absent where no two methods stand in all data sets.
pub fn over_data_sets(ranking: &Ranking) -> Option<Vec<u8>> {
    let across = ranking.across.as_ref()?;
    Some(sheet(across.methods.iter().map(|method| AcrossRow {
        method: method.name.clone(),
        data_sets: across.data_sets,
        mean_rank: method.mean_rank,
        borda: method.borda,
        critical_difference: across.critical_difference,
        p_iman_davenport: across.p,
    })))
}

/// A head line, and a line a row.
fn sheet<T: Serialize + for<'de> Deserialize<'de>>(rows: impl Iterator<Item = T>) -> Vec<u8> {
    let mut out = cells::columns::<T>().join(",").into_bytes();
    out.push(b'\n');
    cells::append(&mut out, rows);
    out
}
