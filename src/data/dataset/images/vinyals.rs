//! The splits of Vinyals et al. 2016, in the order in which Snell et al. 2017 published them: whole alphabets, but for
//! Gurmukhi, whose last four characters are novel.

use crate::vocab::Split;

/// The list of the classes of a split, a class per line.
pub(super) fn list(split: Split) -> String {
    TABLE.lines().skip(1).filter_map(stretch).filter(|s| s.split == split.word()).map(lines).collect()
}

/// Alphabets, with the first and last number of the characters of a split.
const TABLE: &str = include_str!("vinyals.csv");

struct Stretch<'a> {
    alphabet: &'a str,
    first: u32,
    last: u32,
    split: &'a str,
}

fn stretch(line: &str) -> Option<Stretch<'_>> {
    let mut fields = line.split(',');
    Some(Stretch {
        alphabet: fields.next()?,
        first: fields.next()?.parse().ok()?,
        last: fields.next()?.parse().ok()?,
        split: fields.next()?,
    })
}

fn lines(stretch: Stretch<'_>) -> String {
    let Stretch { alphabet, first, last, .. } = stretch;
    let turned = |character: u32| {
        ["000", "090", "180", "270"].map(|turn| format!("{alphabet}/character{character:02}/rot{turn}\n"))
    };
    (first..=last).flat_map(turned).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn the_lists_have_the_numbers_of_the_paper_and_no_class_twice() {
        let lists = [Split::Base, Split::Validation, Split::Novel].map(list);
        assert_eq!(lists.each_ref().map(|text| text.lines().count()), [4112, 688, 1692]);
        let all: std::collections::BTreeSet<&str> = lists.iter().flat_map(|text| text.lines()).collect();
        assert_eq!(all.len(), 4 * 1623);
        assert!(lists[2].starts_with("Gurmukhi/character42/rot000\nGurmukhi/character42/rot090\n"));
    }

    #[test]
    fn the_lists_are_those_that_others_use_byte_for_byte() {
        let root = std::env::var_os("KSHOT_SHARED")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
        let folder = root.join("data/omniglot");
        if !folder.exists() {
            let _ = writeln!(std::io::stderr(), "SKIPPED: no {}; set KSHOT_SHARED", folder.display());
            return;
        }
        for (name, split) in [("train", Split::Base), ("val", Split::Validation), ("test", Split::Novel)] {
            let path = folder.join(format!("splits/vinyals/{name}.txt"));
            assert!(std::fs::read_to_string(path).unwrap() == list(split), "{name}");
        }
    }
}
