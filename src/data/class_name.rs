//! When two class names are the same, and when they only look alike.

use std::borrow::Cow;
use std::collections::HashMap;

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A name with its letters and accents composed (Unicode form NFC), as names are compared.
fn composed(name: &str) -> Cow<'_, str> {
    if is_nfc(name) { Cow::Borrowed(name) } else { Cow::Owned(name.nfc().collect()) }
}

/// Whether two names are the same, in whatever Unicode form each is written.
pub(in crate::data) fn same(one: &str, other: &str) -> bool {
    one == other || composed(one) == composed(other)
}

/// Places of names: a name is found as it is written, else in another Unicode form.
#[derive(Debug, Default)]
pub(in crate::data) struct Places<'a> {
    written: HashMap<&'a str, usize>,
    composed: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Places<'a> {
    pub fn of(names: impl IntoIterator<Item = &'a str>) -> Places<'a> {
        let mut places = Places::default();
        for (place, name) in names.into_iter().enumerate() {
            places.written.insert(name, place);
            places.composed.entry(composed(name)).or_insert(place);
        }
        places
    }

    pub fn find(&self, name: &str) -> Option<usize> {
        self.written.get(name).or_else(|| self.composed.get(&composed(name))).copied()
    }

    /// A name that differs from this one only in space, case or leading zeros.
    pub fn alike(&self, name: &str) -> Option<&'a str> {
        let key = plain(name);
        self.written.keys().filter(|known| plain(known) == key).min().copied()
    }
}

/// Pairs of names that differ only in space, case, leading zeros or Unicode form: the first of its kind and the other.
pub(in crate::data) fn alike<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<(String, String)> {
    let mut first: HashMap<String, &str> = HashMap::new();
    let mut pairs = Vec::new();
    for name in names {
        match first.entry(plain(name)) {
            std::collections::hash_map::Entry::Occupied(known) => {
                pairs.push((known.get().to_string(), name.to_string()));
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(name);
            }
        }
    }
    pairs
}

/// A name without what writers of names differ in.
fn plain(name: &str) -> String {
    let folded: String = name.nfkc().flat_map(char::to_lowercase).collect();
    let mut plain = String::with_capacity(folded.len());
    for (number, word) in folded.split_whitespace().enumerate() {
        if number > 0 {
            plain.push(' ');
        }
        let mut chars = word.chars().peekable();
        while let Some(c) = chars.next() {
            let inside = plain.chars().next_back().is_some_and(|before| before.is_ascii_digit());
            if c == '0' && !inside && chars.peek().is_some_and(char::is_ascii_digit) {
                continue;
            }
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_whatever_form_accents_are_written() {
        assert!(same("caf\u{e9}", "cafe\u{301}") && !same("café", "cafe") && !same("a", "A"));
        let places = Places::of(["cafe\u{301}", "b", "caf\u{e9}"]);
        assert_eq!(places.find("caf\u{e9}"), Some(2), "as it is written goes before");
        assert_eq!(Places::of(["cafe\u{301}"]).find("caf\u{e9}"), Some(0));
        assert_eq!((places.find("c"), places.alike(" B ")), (None, Some("b")));
    }

    #[test]
    fn names_that_differ_only_in_space_case_zeros_or_form_look_alike() {
        let names = [
            "dog",
            "Dog",
            "class 1",
            "class 01",
            "class 10",
            "class  1 ",
            "a0",
            "a00",
            "a",
            "cafe\u{301}",
            "café",
        ];
        let pairs = alike(names);
        let shown: Vec<String> = pairs.iter().map(|(one, other)| format!("{one}~{other}")).collect();
        assert_eq!(shown, ["dog~Dog", "class 1~class 01", "class 1~class  1 ", "a0~a00", "cafe\u{301}~café"]);
    }
}
