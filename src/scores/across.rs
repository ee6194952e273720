//! Ranks over several data sets, of the methods that stand in all of them.

use super::checked::Scores;
use crate::stats;

/// More data sets than this, and more methods than that, and Friedman's test holds (Demšar 2006, JMLR 7:1, section 3.2.2).
const DATA_SETS: usize = 10;
const METHODS: usize = 5;

/// A method over all data sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// Its name.
    pub name: String,
    /// The mean of its ranks.
    pub mean_rank: f64,
    /// The methods that it beats, over all data sets; half of one where it ties (de Borda 1781).
    pub borda: f64,
}

/// The methods over all data sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Across {
    /// Data sets.
    pub data_sets: usize,
    /// By mean rank.
    pub methods: Vec<Placed>,
    /// Mean ranks further apart than this differ (Nemenyi 1963); absent where there are too few data sets or methods for a
    /// test of ranks.
    pub critical_difference: Option<f64>,
    /// Friedman's test in Iman and Davenport's form, where it holds.
    pub p: Option<f64>,
}

impl Across {
    /// Ranks the methods that stand in every data set, and says which do not; nothing is filled in.
    pub(super) fn of(scores: &Scores) -> (Option<Across>, Option<String>) {
        let sets = &scores.data_sets;
        if sets.len() < 2 {
            return (None, None);
        }
        let absent = scores.absent();
        let common: Vec<&str> = sets[0]
            .methods
            .iter()
            .map(|method| method.name.as_str())
            .filter(|name| absent.binary_search_by(|(other, _)| (*other).cmp(name)).is_err())
            .collect();
        let note = (!absent.is_empty()).then(|| {
            let (name, lacking) = absent.iter().max_by_key(|(_, lacking)| *lacking).unwrap_or(&absent[0]);
            let rest = if common.len() < 2 { "so that no ranks are given over data sets" } else { "and have no rank over data sets" };
            format!(
                "{} methods do not stand in all {} data sets (`{name}` lacks in {lacking}), {rest}; nothing is filled in",
                absent.len(),
                sets.len()
            )
        });
        if common.len() < 2 {
            return (None, note);
        }
        let values: Vec<Vec<f64>> = sets
            .iter()
            .map(|set| {
                let common = set.methods.iter().filter(|method| common.contains(&method.name.as_str()));
                common.map(|method| stats::mean(&method.scores()).unwrap_or(f64::NAN)).collect()
            })
            .collect();
        (Some(Across::ranked(&common, &values)), note)
    }

    fn ranked(names: &[&str], values: &[Vec<f64>]) -> Across {
        let rank = |row: &[f64], of: f64| {
            let above = row.iter().filter(|other| **other > of).count() as f64;
            let alike = row.iter().filter(|other| **other == of).count() as f64;
            above + (alike + 1.0) / 2.0
        };
        let placed = names.iter().enumerate().map(|(place, name)| {
            let ranks: f64 = values.iter().map(|row| rank(row, row[place])).sum();
            let borda = (values.len() * names.len()) as f64 - ranks;
            Placed { name: (*name).to_string(), mean_rank: ranks / values.len() as f64, borda }
        });
        let mut methods: Vec<Placed> = placed.collect();
        methods.sort_by(|a, b| a.mean_rank.total_cmp(&b.mean_rank).then_with(|| a.name.cmp(&b.name)));
        let enough = values.len() > DATA_SETS && names.len() > METHODS;
        let friedman = enough.then(|| stats::friedman(values)).flatten();
        Across {
            data_sets: values.len(),
            methods,
            critical_difference: enough
                .then(|| stats::nemenyi_difference(names.len(), values.len(), 0.05))
                .flatten(),
            p: friedman.map(|friedman| friedman.iman_davenport_p),
        }
    }
}
