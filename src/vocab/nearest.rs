//! The word that somebody most likely meant.

/// The known word that is nearest to one that is not known; nothing where none is near.
///
/// Near is another case, a beginning of three letters or more that only one known word has, or one slip of the keyboard
/// (a letter too many, too few, wrong, or two exchanged) in three letters.
///
/// ```
/// use kshot::vocab::nearest;
/// let known = ["prototypical", "linear-probe", "ridge"];
/// assert_eq!(nearest("protoypical", known), Some("prototypical"));
/// assert_eq!(nearest("linear", known), Some("linear-probe"));
/// assert_eq!(nearest("resnet", known), None);
/// ```
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let slips = word.chars().count() / 3;
    let near = known.iter().map(|candidate| (distance(word, candidate), *candidate));
    let nearest = near.filter(|(distance, _)| *distance <= slips).min_by_key(|(distance, _)| *distance);
    let mut longer = known.iter().filter(|candidate| slips > 0 && candidate.starts_with(word));
    nearest
        .map(|(_, candidate)| candidate)
        .or_else(|| longer.next().copied().filter(|_| longer.next().is_none()))
}

/// Words that had another name in early versions: the old one, and the one that is known now.
const RENAMED: &[(&str, &str)] = &[
    ("steps", "epochs"),
    ("rate", "lr"),
    ("informed", "semantic"),
    ("outside", "oos"),
    ("outside-recall", "oos-recall"),
    ("accuracy-at-95", "in-scope-accuracy-at-95"),
    ("aurc-outside", "aurc-open-set"),
    ("fpr-at-95", "fpr95"),
    ("nll-tempered", "nll-ts"),
    ("ece-tempered", "ece-ts"),
];

/// A line for the end of a message, with its line break, that names the known word which was meant, or which has taken the
/// place of an old one; empty where there is none.
///
/// ```
/// use kshot::vocab::did_you_mean;
/// assert_eq!(did_you_mean("epoch", ["epochs", "lr"]), "\nhint: did you mean `epochs`?");
/// assert_eq!(did_you_mean("steps", ["epochs", "lr"]), "\nhint: `steps` is called `epochs` now");
/// assert_eq!(did_you_mean("c", ["epochs", "lr"]), "");
/// ```
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let renamed = RENAMED.iter().find(|(old, new)| *old == word && known.contains(new));
    match (renamed, nearest(word, known)) {
        (Some((_, new)), _) => format!("\nhint: `{word}` is called `{new}` now"),
        (None, Some(meant)) => format!("\nhint: did you mean `{meant}`?"),
        (None, None) => String::new(),
    }
}

/// Letters to insert, delete, replace or exchange with their neighbour (optimal string alignment), case apart.
fn distance(a: &str, b: &str) -> usize {
    let [a, b] = [a, b].map(|text| text.to_lowercase().chars().collect::<Vec<char>>());
    // By rows of the first word: the distances of its beginning to every beginning of the second.
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let above = &rows[i - 1];
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_slips() {
        let pairs =
            [("ridge", "ridge"), ("Ridge", "ridge"), ("rigde", "ridge"), ("rdge", "ridge"), ("svm", "sae")];
        assert_eq!(pairs.map(|(a, b)| distance(a, b)), [0, 0, 1, 1, 2]);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn short_words_are_near_to_nothing_but_their_own_case() {
        assert_eq!(nearest("d", ["c"]), None);
        assert_eq!(nearest("C", ["c"]), Some("c"));
    }

    #[test]
    fn a_beginning_that_two_words_share_names_neither() {
        assert_eq!(nearest("prototyp", ["prototypical", "prototypical-zero-shot"]), None);
        assert_eq!(
            did_you_mean("semantic", ["semantic-prototypical", "svm"]),
            "\nhint: did you mean `semantic-prototypical`?"
        );
    }
}
