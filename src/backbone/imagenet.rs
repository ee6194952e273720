//! The classes of ILSVRC 2012, on which most networks were trained.

use std::collections::HashSet;
use std::sync::LazyLock;

/// A line per class: wordnet id and names, as `make_imagenet_1k.py` wrote them.
const CLASSES: &str = include_str!("imagenet_1k.txt");

/// Ids and names, each in its plain form.
static KNOWN: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let lines = CLASSES.lines().filter_map(|line| line.split_once(' '));
    lines.flat_map(|(id, names)| [id].into_iter().chain(names.split(", ")).map(plain)).collect()
});

/// A name as names are compared: in lower case, with spaces for `_` and `-`.
pub(super) fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace(['_', '-'], " ")
}

/// Whether a class is one of these: by its wordnet id, which more may stand behind, or by one of its names.
pub(super) fn has(class: &str) -> bool {
    let plain = plain(class);
    let id = plain.split([' ', '.', '/']).next().unwrap_or_default();
    let is_id = id.len() == 9 && id.starts_with('n') && id[1..].bytes().all(|b| b.is_ascii_digit());
    KNOWN.contains(if is_id { id } else { &plain })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_a_thousand_classes_with_an_id_each() {
        assert_eq!(CLASSES.lines().count(), 1000);
        let ids: HashSet<&str> = CLASSES.lines().map(|line| &line[..9]).collect();
        assert!(ids.len() == 1000 && ids.iter().all(|id| has(id)));
        assert!(has("tabby cat") && has("toilet-paper") && !has("character12") && !has("n00000000"));
    }
}
