//! Ids of items in the columns of a draw: words that spaces separate, and so without spaces of their own.

use std::borrow::Cow;
use std::collections::HashMap;

use super::flaw::Flaw;
use crate::data::ClassIndex;
use crate::vocab::{ClassId, ItemId};

/// An id as one word: `%`, spaces and control characters stand as `%` and two hexadecimal digits for each byte.
///
/// ```
/// assert_eq!(kshot::episode::escaped_id("a b/50%.png"), "a%20b/50%25.png");
/// ```
pub fn escaped_id(id: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte > b' ' && byte != b'%' && byte != 0x7f;
    if id.bytes().all(plain) {
        return Cow::Borrowed(id);
    }
    let mut word = String::with_capacity(id.len() + 8);
    for c in id.chars() {
        match u8::try_from(c) {
            Ok(byte) if byte < 0x80 && !plain(byte) => word += &format!("%{byte:02X}"),
            _ => word.push(c),
        }
    }
    Cow::Owned(word)
}

/// The id that a word stands for; nothing where a `%` is not followed by two digits of text.
fn unescaped(word: &str) -> Option<Cow<'_, str>> {
    if !word.contains('%') {
        return Some(Cow::Borrowed(word));
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(word.len()), word.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok().filter(|d| !d.starts_with('+'))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// How the words of a file are items.
pub(super) enum Words<'a> {
    /// Places within the class.
    Positions,
    /// Ids; each class with the items of its ids.
    Ids(Vec<HashMap<&'a str, ItemId>>),
}

impl<'a> Words<'a> {
    /// The items of all classes by id.
    pub fn of_ids(index: &ClassIndex, ids: &'a [String]) -> Words<'a> {
        let of = |items: &[ItemId]| items.iter().map(|item| (ids[item.index()].as_str(), *item)).collect();
        Words::Ids(index.classes().iter().map(|class| of(&class.items)).collect())
    }

    /// The item of a word in a row of this class.
    pub fn item(
        &self,
        index: &ClassIndex,
        class: ClassId,
        side: &'static str,
        word: &str,
    ) -> Result<ItemId, Flaw> {
        let of = index.class(class);
        match self {
            Words::Positions => {
                let number: u32 =
                    word.parse().map_err(|_| Flaw::NotANumber { column: side, found: word.to_string() })?;
                of.items.get(number as usize).copied().ok_or_else(|| Flaw::NoSuchItem {
                    class: of.name.clone(),
                    items: of.items.len(),
                    side,
                    number,
                })
            }
            Words::Ids(ids) => {
                let id = unescaped(word).ok_or_else(|| Flaw::NotAnId { side, found: word.to_string() })?;
                let known = ids[class.index()].get(id.as_ref()).copied();
                known.ok_or_else(|| Flaw::NoSuchId { class: of.name.clone(), side, id: id.into_owned() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_from_its_word_whatever_it_holds() {
        for id in ["a", "a b", "%", "%20", "tab\there", "line\nbreak", "é\u{a0}ü", "a,\"b\"", "\u{7f}"] {
            let word = escaped_id(id);
            assert!(!word.contains(|c: char| c.is_ascii_whitespace()), "{word}");
            assert_eq!(unescaped(&word).unwrap(), id);
        }
        for word in ["%", "a%2", "%zz", "%+1", "%ff"] {
            assert_eq!(unescaped(word), None, "{word}");
        }
    }
}
