//! Draws into files: `episode,label,class,support,query`, one row per class of an episode.
//!
//! `support` and `query` count the items of their class in item order, from 0, separated by spaces. Queries outside the
//! task stand in a row behind the classes, with `outside` as label and no support. The text is a
//! function of the draw alone, byte for byte, and so is its hash.

use std::fmt::Write as _;
use std::io;

use sha2::{Digest, Sha256};

use super::draw::Draw;
use crate::data::ClassIndex;
use crate::vocab::ItemId;

/// The header of a draw's file.
pub(super) const COLUMNS: [&str; 5] = ["episode", "label", "class", "support", "query"];

/// The label of the row of an episode's queries outside the task.
pub(super) const OUTSIDE: &str = "outside";

/// The SHA-256 of these bytes in 64 lower-case hexadecimal digits.
///
/// ```
/// assert!(kshot::episode::sha256(b"").starts_with("e3b0c44298fc1c14"));
/// ```
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Draw {
    /// The text of its file. `index` is the one that it was read or drawn with.
    ///
    /// # Panics
    /// When `index` lacks a class of the draw.
    pub fn to_csv(&self, index: &ClassIndex) -> String {
        let mut bytes = Vec::new();
        self.write_csv(index, &mut bytes).expect("writing to memory cannot fail");
        String::from_utf8(bytes).expect("numbers and names are text")
    }

    /// Writes the text of its file. `index` is the one that it was read or drawn with.
    ///
    /// # Errors
    /// The sink cannot be written.
    ///
    /// # Panics
    /// When `index` lacks a class of the draw.
    pub fn write_csv(&self, index: &ClassIndex, sink: impl io::Write) -> io::Result<()> {
        let mut places = vec![0u32; rows(index)];
        for class in index.classes() {
            class.items.iter().zip(0..).for_each(|(item, place)| places[item.index()] = place);
        }
        let mut digits = itoa::Buffer::new();
        let mut text = |items: &[ItemId], field: &mut String| {
            field.clear();
            for item in items {
                if !field.is_empty() {
                    field.push(' ');
                }
                field.push_str(digits.format(places[item.index()]));
            }
        };
        let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(sink);
        writer.write_record(COLUMNS)?;
        let (mut support, mut query) = (String::new(), String::new());
        for episode in self.episodes() {
            let number = episode.number().to_string();
            for (label, class) in episode.classes().iter().enumerate() {
                text(episode.support(label), &mut support);
                text(episode.query(label), &mut query);
                let name = index.class(*class).name.as_str();
                writer.write_record([&number, &label.to_string(), name, &support, &query])?;
            }
            if let Some(first) = episode.outside().first() {
                text(episode.outside(), &mut query);
                let home = index.classes().iter().find(|class| class.items.binary_search(first).is_ok());
                let name = home.map_or("", |class| class.name.as_str());
                writer.write_record([&number, OUTSIDE, name, "", &query])?;
            }
        }
        writer.flush()
    }
}

/// One more than the largest item row of an index.
pub(super) fn rows(index: &ClassIndex) -> usize {
    index.classes().iter().flat_map(|c| &c.items).map(|i| i.index() + 1).max().unwrap_or(0)
}
