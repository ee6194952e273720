//! The lines of draws, each held against the class index.

use std::path::Path;

use super::draw::Draw;
use super::flaw::{DrawError, Flaw};
use super::naming::Words;
use super::write::{COLUMNS, OOS, OOS_BEFORE, rows};
use crate::data::ClassIndex;
use crate::vocab::{ClassId, ItemId};

impl Draw {
    /// Reads a draw's file by position, whatever items it was drawn from; see [`super::Frozen`] for one that is held
    /// against the items of features.
    ///
    /// # Errors
    /// The file cannot be read, or a line breaks a rule; the sentence names file and line.
    pub fn read(path: impl AsRef<Path>, index: &ClassIndex) -> Result<Draw, DrawError> {
        let origin = path.as_ref().display().to_string();
        match std::fs::read(&path) {
            Ok(bytes) => Draw::parse(&bytes, &origin, index),
            Err(source) => Err(DrawError::Unreadable { origin, source }),
        }
    }

    /// Reads the bytes of a draw's file; `origin` names it in errors.
    ///
    /// # Errors
    /// A line breaks a rule; the sentence names file and line.
    ///
    /// ```
    /// use kshot::data::{Class, ClassIndex};
    /// use kshot::episode::Draw;
    /// use kshot::vocab::{ItemId, Split};
    /// let class = |name: &str, rows: std::ops::Range<u32>| Class {
    ///     name: name.to_string(),
    ///     split: Split::Novel,
    ///     cluster: None,
    ///     items: rows.map(ItemId).collect(),
    /// };
    /// let index = ClassIndex::new(vec![class("owl", 0..3), class("wren", 3..6)], vec![], vec![], vec![]);
    /// let text = "episode,label,class,support,query\n0,0,wren,2,0 1\n0,1,owl,0,1\n";
    /// let draw = Draw::parse(text.as_bytes(), "birds.csv", &index)?;
    /// assert_eq!(draw.episode(0).support(0), &[ItemId(5)]);
    /// assert_eq!(draw.to_csv(&index), text);
    /// # Ok::<(), kshot::episode::DrawError>(())
    /// ```
    pub fn parse(bytes: &[u8], origin: &str, index: &ClassIndex) -> Result<Draw, DrawError> {
        let mut reading = Reading::new(index, Words::Positions);
        reading.all(bytes).map_err(|flaw| DrawError::Flawed {
            origin: origin.to_string(),
            line: reading.line,
            flaw,
        })?;
        Ok(reading.draw)
    }
}

/// A draw while its lines are read.
pub(super) struct Reading<'a> {
    index: &'a ClassIndex,
    words: Words<'a>,
    pub draw: Draw,
    /// The line that is being read, from 1.
    pub line: u64,
    /// Per class, one more than the last episode that had it.
    class_seen: Vec<u32>,
    /// Per item, a mark of the last row that had it, different for support and query.
    item_seen: Vec<u64>,
    row: u64,
    open: Open,
}

/// The episode whose rows are being read.
#[derive(Default)]
struct Open {
    number: u32,
    /// The line of its first row.
    line: u64,
    classes: Vec<ClassId>,
    query: Vec<ItemId>,
    query_ends: Vec<usize>,
    empty_supports: Vec<ClassId>,
    oos: Vec<ItemId>,
}

impl<'a> Reading<'a> {
    pub fn new(index: &'a ClassIndex, words: Words<'a>) -> Reading<'a> {
        Reading {
            index,
            words,
            draw: Draw::default(),
            line: 1,
            class_seen: vec![0; index.classes().len()],
            item_seen: vec![0; rows(index)],
            row: 0,
            open: Open::default(),
        }
    }

    /// Reads all lines of a file.
    pub fn all(&mut self, bytes: &[u8]) -> Result<(), Flaw> {
        let lines = |bytes: &[u8]| 1 + bytes.iter().filter(|b| **b == b'\n').count() as u64;
        if let Err(error) = std::str::from_utf8(bytes) {
            self.line = lines(&bytes[..error.valid_up_to()]);
            return Err(Flaw::NotUtf8);
        }
        if bytes.last().is_some_and(|b| *b != b'\n') {
            self.line = lines(bytes);
            return Err(Flaw::CutOff);
        }
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).flexible(true).from_reader(bytes);
        let header = reader.headers().map_err(broken)?.clone();
        if header.is_empty() {
            return Err(Flaw::Empty);
        }
        self.line = line_before(bytes, reader.position(), header.as_slice());
        let order = columns(&header)?;
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(broken)? {
            self.line = line_before(bytes, reader.position(), record.as_slice());
            if record.len() != COLUMNS.len() {
                return Err(Flaw::Columns { found: record.len() });
            }
            self.one(order.map(|place| &record[place]))?;
        }
        self.close()
    }

    /// One row.
    fn one(&mut self, [episode, label, name, support, query]: [&str; 5]) -> Result<(), Flaw> {
        let episode = number("episode", episode)?;
        if label == OOS || label == OOS_BEFORE {
            return self.oos(episode, name, support, query);
        }
        let label = number("label", label)?;
        let next = self.draw.len() as u32;
        if self.open.classes.is_empty() {
            if episode != next {
                return Err(Flaw::Episode { expected: next.to_string(), found: episode });
            }
        } else if Some(episode) == next.checked_add(1) {
            self.close()?;
        } else if episode != next {
            let expected = format!("{next} or {}", u64::from(next) + 1);
            return Err(Flaw::Episode { expected, found: episode });
        }
        if self.open.classes.is_empty() {
            self.open.number = episode;
            self.open.line = self.line;
        }
        if !self.open.oos.is_empty() {
            return Err(Flaw::OosRow { rule: "the row of out-of-scope queries is the last of its episode" });
        }
        let expected = self.open.classes.len();
        if label as usize != expected {
            return Err(Flaw::Label { expected, found: label });
        }
        let class = self.index.find(name).ok_or_else(|| Flaw::UnknownClass { class: name.to_string() })?;
        if std::mem::replace(&mut self.class_seen[class.index()], episode + 1) == episode + 1 {
            return Err(Flaw::ClassTwice { class: name.to_string(), episode });
        }
        self.row += 1;
        let before = self.draw.items();
        self.side("support", class, support)?;
        self.side("query", class, query)?;
        if self.draw.items() == before {
            self.open.empty_supports.push(class);
        }
        self.draw.end_support(class);
        self.open.classes.push(class);
        self.open.query_ends.push(self.open.query.len());
        Ok(())
    }

    /// The row of the out-of-scope queries.
    fn oos(&mut self, episode: u32, name: &str, support: &str, query: &str) -> Result<(), Flaw> {
        let rule = |rule| Err(Flaw::OosRow { rule });
        if self.open.classes.is_empty() || episode != self.open.number {
            return rule("the row of out-of-scope queries follows the classes of its episode");
        }
        if !self.open.oos.is_empty() {
            return rule("an episode has one row of out-of-scope queries");
        }
        if !support.trim().is_empty() {
            return rule("out-of-scope queries have no support");
        }
        let class = self.index.find(name).ok_or_else(|| Flaw::UnknownClass { class: name.to_string() })?;
        if self.class_seen[class.index()] == episode + 1 {
            return Err(Flaw::ClassTwice { class: name.to_string(), episode });
        }
        self.row += 1;
        let inside = std::mem::take(&mut self.open.query);
        self.side("query", class, query)?;
        self.open.oos = std::mem::replace(&mut self.open.query, inside);
        if self.open.oos.is_empty() {
            return rule("the row of out-of-scope queries names one or more");
        }
        Ok(())
    }

    /// The items of one side of a row.
    fn side(&mut self, side: &'static str, class: ClassId, text: &str) -> Result<(), Flaw> {
        let of = self.index.class(class);
        let is_query = side == "query";
        let mark = 2 * self.row + u64::from(is_query);
        for word in text.split_ascii_whitespace() {
            let item = self.words.item(self.index, class, side, word)?;
            let seen = std::mem::replace(&mut self.item_seen[item.index()], mark);
            if seen == mark {
                return Err(Flaw::ItemTwice { class: of.name.clone(), side, item: word.to_string() });
            }
            if is_query && seen == mark - 1 {
                return Err(Flaw::OnBothSides { class: of.name.clone(), item: word.to_string() });
            }
            if is_query { self.open.query.push(item) } else { self.draw.push(item) }
        }
        Ok(())
    }

    /// Checks and ends the open episode.
    fn close(&mut self) -> Result<(), Flaw> {
        let open = std::mem::take(&mut self.open);
        let (episode, way) = (open.number, open.classes.len());
        let flaw = if way == 0 {
            Some(Flaw::Empty)
        } else if way < 2 {
            Some(Flaw::OneClass { episode, way })
        } else if open.query.is_empty() {
            Some(Flaw::NoQuery { episode })
        } else if !open.empty_supports.is_empty() && open.empty_supports.len() < way {
            let class = self.index.class(open.empty_supports[0]).name.clone();
            Some(Flaw::SomeSupport { episode, class })
        } else {
            None
        };
        if let Some(flaw) = flaw {
            self.line = open.line.max(1);
            return Err(flaw);
        }
        let mut begin = 0;
        for end in open.query_ends {
            open.query[begin..end].iter().for_each(|item| self.draw.push(*item));
            self.draw.end_query();
            begin = end;
        }
        open.oos.iter().for_each(|item| self.draw.push_oos(*item));
        self.draw.end_episode().map_err(|_| Flaw::TooLarge)
    }
}

/// The line on which a record begins that ends at `end`.
///
/// A record's own position is that of the comments before it, and of the LF that a CR LF before it ends in.
fn line_before(bytes: &[u8], end: &csv::Position, record: &str) -> u64 {
    let newlines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count() as u64;
    let last = (end.byte() as usize).checked_sub(1).and_then(|last| bytes.get(last..=last));
    end.line() - newlines(record.as_bytes()) - last.map_or(0, newlines)
}

/// Where each of the five columns stands.
fn columns(header: &csv::StringRecord) -> Result<[usize; 5], Flaw> {
    let mut order = [0; 5];
    for (place, name) in order.iter_mut().zip(COLUMNS) {
        *place = header.iter().position(|h| h == name).ok_or(Flaw::MissingColumn { name })?;
    }
    match (0..header.len()).find(|place| !order.contains(place)) {
        Some(place) => Err(Flaw::UnexpectedColumn { name: header[place].to_string() }),
        None => Ok(order),
    }
}

fn number(column: &'static str, text: &str) -> Result<u32, Flaw> {
    text.parse().map_err(|_| Flaw::NotANumber { column, found: text.to_string() })
}

fn broken(error: csv::Error) -> Flaw {
    Flaw::Csv { message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Class;
    use crate::vocab::Split;

    /// Three classes of four items each; item rows 0–3, 4–7, 8–11.
    fn index() -> ClassIndex {
        let class = |name: &str, first: u32| Class {
            name: name.to_string(),
            split: Split::Novel,
            cluster: None,
            items: (first..first + 4).map(ItemId).collect(),
        };
        let classes = vec![class("owl", 0), class("wren, small", 4), class("a \"b\"", 8)];
        ClassIndex::new(classes, vec![], vec![], vec![])
    }

    fn read(rows: &str) -> Result<Draw, DrawError> {
        let text = format!("episode,label,class,support,query\n{rows}");
        Draw::parse(text.as_bytes(), "d.csv", &index())
    }

    fn refusal(rows: &str) -> String {
        read(rows).unwrap_err().to_string()
    }

    const GOOD: &str = "0,0,\"wren, small\",2 0,1 3\n0,1,owl,0,\n1,0,\"a \"\"b\"\"\",,3\n1,1,owl,,0 1 2\n";

    #[test]
    fn what_is_written_is_what_was_read_byte_for_byte() {
        let draw = read(GOOD).unwrap();
        assert_eq!(draw.to_csv(&index()), format!("episode,label,class,support,query\n{GOOD}"));
        assert_eq!(draw.episode(0).support(0), &[ItemId(6), ItemId(4)]);
        assert_eq!(draw.episode(1).query(0), &[ItemId(11)]);
        assert_eq!(Draw::parse(draw.to_csv(&index()).as_bytes(), "again", &index()).unwrap(), draw);
    }

    #[test]
    fn comments_column_order_and_windows_line_ends_do_not_change_the_meaning() {
        let (header, body) =
            ("query,class,support,label,episode", "1,owl,0,0,0\n# so, it goes\n2 3,\"wren, small\",1,1,0");
        let text = format!("# drawn by hand\n{header}\n{body}\n");
        let expected = read("0,0,owl,0,1\n0,1,\"wren, small\",1,2 3\n").unwrap();
        assert_eq!(Draw::parse(text.as_bytes(), "d", &index()).unwrap(), expected);
        assert_eq!(Draw::parse(text.replace('\n', "\r\n").as_bytes(), "d", &index()).unwrap(), expected);
    }

    #[test]
    fn unknown_classes_and_items_are_named() {
        assert_eq!(
            refusal("0,0,owl,0,1\n0,1,crow,0,1\n"),
            "d.csv line 3: the dataset has no class `crow`\nhint: a draw belongs to the dataset that it was drawn from"
        );
        assert_eq!(
            refusal("0,0,owl,0 4,1\n0,1,a,0,1\n"),
            "d.csv line 2: class owl has 4 items, support names item 4\nhint: items count from 0 within their class"
        );
        assert!(refusal("0,0,owl,0,1 14\n").contains("query names item 14"));
        let text = "# c\r\nepisode,label,class,support,query\r\n# d\r\n0,0,crow,0,1\r\n";
        let error = Draw::parse(text.as_bytes(), "d.csv", &index()).unwrap_err().to_string();
        assert!(error.starts_with("d.csv line 4: the dataset has no class `crow`"), "{error}");
    }

    #[test]
    fn an_item_named_twice_is_refused() {
        assert_eq!(refusal("0,0,owl,2 2,1\n"), "d.csv line 2: support names item 2 of class owl twice");
        assert_eq!(refusal("0,0,owl,2,1 1\n"), "d.csv line 2: query names item 1 of class owl twice");
        assert_eq!(
            refusal("0,0,owl,2 3,1 3\n"),
            "d.csv line 2: item 3 of class owl is in support and in query"
        );
        assert_eq!(
            refusal("0,0,owl,0,1\n0,1,owl,2,3\n"),
            "d.csv line 3: class owl stands twice in episode 0"
        );
    }

    #[test]
    fn episodes_and_labels_follow_each_other_from_zero() {
        let two = "0,0,owl,0,1\n0,1,\"wren, small\",0,1\n";
        assert_eq!(refusal("1,0,owl,0,1\n"), "d.csv line 2: expected episode 0, found 1");
        assert_eq!(refusal(&format!("{two}2,0,owl,0,1\n")), "d.csv line 4: expected episode 0 or 1, found 2");
        let back = format!("{two}{}0,2,owl,0,1\n", two.replace("0,0,", "1,0,").replace("0,1,", "1,1,"));
        assert_eq!(refusal(&back), "d.csv line 6: expected episode 1 or 2, found 0");
        assert_eq!(refusal("0,1,owl,0,1\n"), "d.csv line 2: expected label 0, found 1");
        assert_eq!(refusal(&two.replace("0,1,", "0,2,")), "d.csv line 3: expected label 1, found 2");
    }

    #[test]
    fn an_episode_that_asks_nothing_is_refused_at_its_first_line() {
        assert_eq!(
            refusal("# alone\n0,0,owl,0,1\n1,0,owl,0,1\n1,1,\"wren, small\",0,1\n"),
            "d.csv line 3: episode 0 has 1 class, an episode needs 2 or more"
        );
        assert_eq!(refusal("0,0,owl,0,\n0,1,\"wren, small\",0,\n"), "d.csv line 2: episode 0 has no query");
        assert_eq!(
            refusal("0,0,owl,0,1\n0,1,\"wren, small\",,1\n"),
            "d.csv line 2: episode 0 has no support for class wren, small but for others"
        );
        assert_eq!(refusal(""), "d.csv line 1: the file holds no episode");
        let nothing = Draw::parse(b"", "d.csv", &index()).unwrap_err().to_string();
        assert_eq!(nothing, "d.csv line 1: the file holds no episode");
    }

    #[test]
    fn broken_columns_and_half_lines_are_refused() {
        let parse = |text: &[u8]| Draw::parse(text, "d.csv", &index()).unwrap_err().to_string();
        assert_eq!(
            parse(b"episode,label,class,support\n0,0,owl,0\n"),
            "d.csv line 1: column `query` is missing, expected episode,label,class,support,query"
        );
        assert!(
            parse(b"# c\nepisode,label,class,support,query,id\n")
                .starts_with("d.csv line 2: unexpected column `id`")
        );
        assert_eq!(refusal("0,0,owl,0,1\n0,1,owl\n"), "d.csv line 3: expected 5 columns, found 3");
        assert!(
            refusal("0,0,owl,0,1\n0,1,a,0,1").starts_with("d.csv line 3: the last line has no line break")
        );
        assert_eq!(refusal("0,0,owl,0,1.5\n"), "d.csv line 2: `query` must hold whole numbers, found `1.5`");
        assert_eq!(
            refusal("zero,0,owl,0,1\n"),
            "d.csv line 2: `episode` must hold whole numbers, found `zero`"
        );
        assert_eq!(parse(b"episode,label\n\xff\n"), "d.csv line 2: the text is not UTF-8");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let said = Draw::read("no/such.csv", &index()).unwrap_err().to_string();
        assert!(said.starts_with("cannot read draw no/such.csv: "), "{said}");
    }
}
