//! Calibrated stacking: a number subtracted from the scores of seen classes, and how queries stand before it.

pub use crate::stats::Standing;
use crate::stats::TradeOff;
use crate::view::Answers;

/// How one query stands between the seen and the unseen labels of its episode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueryMargin {
    /// Its label.
    pub label: u16,
    /// The highest score of a seen label minus that of an unseen one.
    pub margin: f32,
    /// Whether its label has the highest score among those of its own side.
    pub right: bool,
}

/// The margins of the queries (episodes × items) of a batch by their scores (episodes × items × way); `seen` (episodes ×
/// way) says which labels are seen. Nothing where an episode has labels of one side only, or sizes do not fit.
pub fn standing(
    values: &[f32],
    way: usize,
    seen: &[bool],
    answers: &Answers,
) -> Option<Vec<Vec<QueryMargin>>> {
    let (items, labels) = (answers.items(), answers.labels_for_grading());
    if values.len() != labels.len() * way || seen.len() != answers.episodes() * way {
        return None;
    }
    let best = |row: &[f32], mask: &[bool], side: bool| {
        let of_side = (0..row.len()).filter(|label| mask[*label] == side);
        of_side.fold(None, |best: Option<usize>, label| match best {
            Some(known) if row[label] <= row[known] => best,
            _ => Some(label),
        })
    };
    let episode = |episode: usize| {
        let mask = &seen[episode * way..(episode + 1) * way];
        let rows = values[episode * items * way..(episode + 1) * items * way].chunks_exact(way);
        let asked = rows.zip(&labels[episode * items..]).filter(|(_, label)| **label != Answers::OUTSIDE);
        let one = |(row, label): (&[f32], &u16)| {
            let (of_seen, of_unseen) = (best(row, mask, true)?, best(row, mask, false)?);
            let own = if mask[usize::from(*label)] { of_seen } else { of_unseen };
            let margin = row[of_seen] - row[of_unseen];
            Some(QueryMargin { label: *label, margin, right: own == usize::from(*label) })
        };
        asked.map(one).collect()
    };
    (0..answers.episodes()).map(episode).collect()
}

/// Subtracts `gamma` from the scores (episodes × items × way) of seen labels.
pub fn stack(values: &mut [f32], way: usize, seen: &[bool], gamma: f32) {
    let episodes = seen.len() / way.max(1);
    let size = values.len().checked_div(episodes).unwrap_or(0);
    for (episode, mask) in values.chunks_exact_mut(size.max(1)).zip(seen.chunks_exact(way.max(1))) {
        for row in episode.chunks_exact_mut(way) {
            row.iter_mut().zip(mask).filter(|(_, seen)| **seen).for_each(|(score, _)| *score -= gamma);
        }
    }
}

/// The γ with the largest harmonic mean of class-averaged seen and unseen accuracy; nothing without queries.
pub fn best_gamma(margins: &[Standing]) -> Option<f32> {
    TradeOff::of(margins).best_gamma().map(|gamma| gamma as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn margins_and_stacked_scores_on_paper() {
        let answers = Answers::new(1, 2, vec![0, 2]).unwrap();
        let seen = [false, true, true];
        let mut values = vec![1.0, 4.0, 2.0, 0.5, 3.0, 2.5];
        let found = standing(&values, 3, &seen, &answers).unwrap().remove(0);
        assert_eq!(found[0], QueryMargin { label: 0, margin: 3.0, right: true });
        assert_eq!(found[1], QueryMargin { label: 2, margin: 2.5, right: false });
        stack(&mut values, 3, &seen, 2.0);
        assert_eq!(values, [1.0, 2.0, 0.0, 0.5, 1.0, 0.5]);
        assert!(standing(&values, 3, &[true; 3], &answers).is_none());
    }
}
