//! Draws into files: `episode,label,class,support,query`, one row per class of an episode.
//!
//! `support` and `query` count the items of their class in item order, from 0, separated by spaces. Out-of-scope queries
//! stand in a row behind the classes, with `oos` as label and no support. The text is a
//! function of the draw alone, byte for byte, and so is its hash.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::draw::Draw;
use super::naming::escaped_id;
use crate::data::ClassIndex;
use crate::vocab::ItemId;

/// The header of a draw's file.
pub(super) const COLUMNS: [&str; 5] = ["episode", "label", "class", "support", "query"];

/// The label of the row of an episode's out-of-scope queries.
pub(super) const OOS: &str = "oos";

/// The same label in draws of before.
pub(super) const OOS_BEFORE: &str = "outside";

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
        self.to_text(index, &Names::Positions)
    }

    /// Writes the text of its file. `index` is the one that it was read or drawn with.
    ///
    /// # Errors
    /// The sink cannot be written.
    ///
    /// # Panics
    /// When `index` lacks a class of the draw.
    pub fn write_csv(&self, index: &ClassIndex, sink: impl Write) -> io::Result<()> {
        self.write_text(index, &Names::Positions, sink)
    }

    /// As [`Draw::to_csv`], with items named in this way.
    pub(super) fn to_text(&self, index: &ClassIndex, names: &Names<'_>) -> String {
        let mut bytes = Vec::new();
        self.write_text(index, names, &mut bytes).expect("writing to memory cannot fail");
        String::from_utf8(bytes).expect("numbers and names are text")
    }

    fn write_text(&self, index: &ClassIndex, names: &Names<'_>, sink: impl Write) -> io::Result<()> {
        let text = Text::of(index, names);
        let mut writer = writer(sink);
        writer.write_record(COLUMNS)?;
        let mut sink = writer.into_inner().map_err(csv::IntoInnerError::into_error)?;
        let mut first = 0;
        while first < self.len() {
            let end = self.len().min(first + WAVE);
            let blocks: Vec<usize> = (first..end).step_by(BLOCK).collect();
            let written: Vec<Vec<u8>> = blocks
                .into_par_iter()
                .map(|block| text.episodes(self, block..end.min(block + BLOCK)))
                .collect::<io::Result<_>>()?;
            written.iter().try_for_each(|bytes| sink.write_all(bytes))?;
            first = end;
        }
        sink.flush()
    }
}

/// Episodes that one thread writes at once.
const BLOCK: usize = 256;

/// Episodes whose text is in memory at once.
const WAVE: usize = 64 * BLOCK;

fn writer<W: Write>(sink: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(sink)
}

/// How the items of a row are named.
pub(super) enum Names<'a> {
    /// By place in their class.
    Positions,
    /// By these ids, one an item.
    Ids(&'a [String]),
}

/// What is needed to write an episode's rows.
struct Text<'a> {
    index: &'a ClassIndex,
    names: &'a Names<'a>,
    /// By item row, its place in its class.
    places: Vec<u32>,
}

impl Text<'_> {
    fn of<'a>(index: &'a ClassIndex, names: &'a Names<'a>) -> Text<'a> {
        let mut places = vec![0u32; rows(index)];
        for class in index.classes() {
            class.items.iter().zip(0..).for_each(|(item, place)| places[item.index()] = place);
        }
        Text { index, names, places }
    }

    fn items(&self, items: &[ItemId], field: &mut String) {
        let mut digits = itoa::Buffer::new();
        field.clear();
        for item in items {
            if !field.is_empty() {
                field.push(' ');
            }
            match self.names {
                Names::Positions => field.push_str(digits.format(self.places[item.index()])),
                Names::Ids(ids) => field.push_str(&escaped_id(&ids[item.index()])),
            }
        }
    }

    /// The rows of these episodes.
    fn episodes(&self, draw: &Draw, places: Range<usize>) -> io::Result<Vec<u8>> {
        let mut writer = writer(Vec::new());
        let (mut support, mut query) = (String::new(), String::new());
        for place in places {
            let episode = draw.episode(place);
            let number = episode.number().to_string();
            for (label, class) in episode.classes().iter().enumerate() {
                self.items(episode.support(label), &mut support);
                self.items(episode.query(label), &mut query);
                let name = self.index.class(*class).name.as_str();
                writer.write_record([&number, &label.to_string(), name, &support, &query])?;
            }
            if let Some(first) = episode.oos().first() {
                self.items(episode.oos(), &mut query);
                let home = self.index.classes().iter().find(|class| class.items.binary_search(first).is_ok());
                let name = home.map_or("", |class| class.name.as_str());
                writer.write_record([&number, OOS, name, "", &query])?;
            }
        }
        writer.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// One more than the largest item row of an index.
pub(super) fn rows(index: &ClassIndex) -> usize {
    index.classes().iter().flat_map(|c| &c.items).map(|i| i.index() + 1).max().unwrap_or(0)
}
