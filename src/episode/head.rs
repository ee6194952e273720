//! The comment lines at the head of a draw's file: which items it was drawn from, and how it names them.

use std::fmt::Write as _;

use super::flaw::Flaw;
use super::write::sha256;

/// How a draw's file names items within their class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// By place in item order, from 0.
    #[default]
    Positions,
    /// By id, so that the draw holds for the same items in any order.
    Ids,
}

/// What the head of a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub naming: Naming,
    /// The items that it was drawn from, whatever their order.
    pub items_sha256: Option<String>,
    /// The same items in their order.
    pub order_sha256: Option<String>,
    /// Codes of the items in the order in which the file first names them.
    pub codes: Vec<u16>,
    /// The hash of the same draw by position, and that of the lines below for which it holds.
    pub same_as: Option<(String, String)>,
    /// Comments that say none of this.
    pub others: Vec<u8>,
    /// Its bytes in the file.
    pub length: usize,
}

/// Keys of the head.
const ITEMS: &str = "items";
const ITEMS_SHA256: &str = "items_sha256";
const ORDER_SHA256: &str = "items_order_sha256";
const CODES: &str = "items_check";
const DRAW_SHA256: &str = "draw_sha256";
const IDS_SHA256: &str = "ids_sha256";

impl Head {
    /// Reads the comment lines that a file begins with. Those that are no `# key = value` of a known key are passed
    /// over; the line of a flaw comes with it.
    pub fn read(bytes: &[u8]) -> Result<Head, (u64, Flaw)> {
        let (mut head, mut draw, mut ids) = (Head::default(), None, None);
        for (number, line) in (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            let Some(comment) = line.strip_prefix(b"#") else { break };
            head.length += line.len();
            let comment = std::str::from_utf8(comment).map_err(|_| (number, Flaw::NotUtf8))?;
            let (key, value) = comment.split_once('=').unwrap_or_default();
            let (key, value) = (key.trim(), value.trim());
            let flaw = |key, expected| (number, Flaw::Head { key, expected, found: short(value) });
            let hash = |key| match value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()) {
                true => Ok(Some(value.to_ascii_lowercase())),
                false => Err(flaw(key, "a SHA-256 in 64 hexadecimal digits")),
            };
            match key {
                ITEMS if value == "ids" => head.naming = Naming::Ids,
                ITEMS if value == "positions" => head.naming = Naming::Positions,
                ITEMS => return Err(flaw(ITEMS, "`ids` or `positions`")),
                ITEMS_SHA256 => head.items_sha256 = hash(ITEMS_SHA256)?,
                ORDER_SHA256 => head.order_sha256 = hash(ORDER_SHA256)?,
                CODES => {
                    head.codes =
                        codes(value).ok_or_else(|| flaw(CODES, "four hexadecimal digits an item"))?;
                }
                DRAW_SHA256 => draw = hash(DRAW_SHA256)?,
                IDS_SHA256 => ids = hash(IDS_SHA256)?,
                _ => head.others.extend_from_slice(line),
            }
        }
        head.same_as = draw.zip(ids);
        Ok(head)
    }

    /// Its lines.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |key: &str, value: &str| text += &format!("# {key} = {value}\n");
        if self.naming == Naming::Ids {
            line(ITEMS, "ids");
        }
        let hashes = [(ITEMS_SHA256, &self.items_sha256), (ORDER_SHA256, &self.order_sha256)];
        hashes.into_iter().for_each(|(key, hash)| hash.iter().for_each(|hash| line(key, hash)));
        if !self.codes.is_empty() {
            let mut digits = String::with_capacity(4 * self.codes.len());
            // Writing to a String cannot fail.
            for code in &self.codes {
                let _ = write!(digits, "{code:04x}");
            }
            line(CODES, &digits);
        }
        if let Some((draw, ids)) = &self.same_as {
            line(DRAW_SHA256, draw);
            line(IDS_SHA256, ids);
        }
        text
    }

    /// The hash of the draw whose lines are `body`: their own, or that of the same draw by position where they are by
    /// id and unchanged.
    pub fn draw_sha256(&self, body: &[u8]) -> String {
        let own = match self.others.as_slice() {
            [] => sha256(body),
            others => sha256(&[others, body].concat()),
        };
        match &self.same_as {
            Some((draw, ids)) if *ids == own => draw.clone(),
            _ => own,
        }
    }
}

/// The SHA-256 by which a draw is known, of the bytes of its file.
///
/// It is over the file without the lines of its head that say which items it was drawn from and how it names them; a
/// draw by ids is known by the hash of the same draw by positions, which its head names.
///
/// ```
/// let rows = "episode,label,class,support,query\n0,0,owl,0,1\n0,1,wren,1,0\n";
/// let file = format!("# items_sha256 = {}\n{rows}", "0".repeat(64));
/// let hash = kshot::episode::draw_sha256(file.as_bytes());
/// assert_eq!(hash, kshot::episode::sha256(rows.as_bytes()));
/// ```
pub fn draw_sha256(bytes: &[u8]) -> String {
    match Head::read(bytes) {
        Ok(head) => head.draw_sha256(&bytes[head.length..]),
        Err(_) => sha256(bytes),
    }
}

fn codes(digits: &str) -> Option<Vec<u16>> {
    if !digits.len().is_multiple_of(4) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let code = |at: usize| u16::from_str_radix(&digits[at..at + 4], 16).ok();
    (0..digits.len()).step_by(4).map(code).collect()
}

fn short(value: &str) -> String {
    value.chars().take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_it_was_written_and_other_comments_are_passed_over() {
        let head = Head {
            naming: Naming::Ids,
            items_sha256: Some("a1".repeat(32)),
            order_sha256: Some("b2".repeat(32)),
            codes: vec![0, 0xab, 0xffff],
            same_as: Some(("c3".repeat(32), "d4".repeat(32))),
            others: Vec::new(),
            length: 0,
        };
        let text = head.text();
        assert!(
            text.starts_with("# items = ids\n# items_sha256 = a1a1") && text.contains(" = 000000abffff\n")
        );
        let read = Head::read(format!("{text}episode\n# items = no\n").as_bytes()).unwrap();
        assert_eq!(read, Head { length: text.len(), ..head });
        let none = Head::read(b"# drawn by hand\n# mood = glad\nepisode\n").unwrap();
        let others = b"# drawn by hand\n# mood = glad\n".to_vec();
        assert_eq!(none, Head { length: 30, others, ..Head::default() });
        let windows = Head::read(b"# items = ids\r\nepisode\r\n").unwrap();
        assert_eq!((windows.naming, windows.length), (Naming::Ids, 15));
    }

    #[test]
    fn a_head_that_says_what_it_cannot_is_refused() {
        let refused = |text: &str| {
            let (line, flaw) = Head::read(text.as_bytes()).unwrap_err();
            format!("{line}: {flaw}")
        };
        assert_eq!(refused("# items = names\n"), "1: `items` must be `ids` or `positions`, found `names`");
        let hash = "2: `items_sha256` must be a SHA-256 in 64 hexadecimal digits, found `12`";
        assert_eq!(refused("#\n# items_sha256 = 12\n"), hash);
        let check = "1: `items_check` must be four hexadecimal digits an item, found `0ab`";
        assert_eq!(refused("# items_check = 0ab\n"), check);
        assert!(refused("# items_check = +0ab\n").ends_with("found `+0ab`"));
    }

    #[test]
    fn what_the_head_says_of_items_does_not_change_the_hash_and_other_comments_do() {
        let rows = "episode,label,class,support,query\n";
        let items = format!("# items_sha256 = {}\n", "e5".repeat(32));
        assert_eq!(draw_sha256(format!("{items}{rows}").as_bytes()), sha256(rows.as_bytes()));
        let said = format!("# by hand\n{rows}");
        assert_eq!(draw_sha256(format!("{items}{said}").as_bytes()), sha256(said.as_bytes()));
        assert_eq!(draw_sha256(said.as_bytes()), sha256(said.as_bytes()));
        assert_ne!(draw_sha256(format!("{rows}# a\n").as_bytes()), sha256(rows.as_bytes()));
        let (same, body) = ("ab".repeat(32), sha256(rows.as_bytes()));
        let head = format!("# draw_sha256 = {same}\n# ids_sha256 = {body}\n");
        assert_eq!(draw_sha256(format!("{head}{rows}").as_bytes()), same);
        // A line that was changed since makes another draw.
        assert_eq!(
            draw_sha256(format!("{head}{rows}0\n").as_bytes()),
            sha256(format!("{rows}0\n").as_bytes())
        );
    }
}
