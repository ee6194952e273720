//! Any table of sentences, as .csv or as JSON Lines.

use std::collections::HashSet;
use std::path::Path;

use super::{Sentences, TextItems, json_lines};
use crate::data::dataset::kind::{Holds, Kind, Opens};
use crate::data::format::cut::unclosed_line;
use crate::data::format::header::no_column;
use crate::data::format::lines::line_at;
use crate::data::format::splits::note_split;
use crate::data::format::written::Names;
use crate::data::{DataError, OpenOptions, Place};
use crate::vocab::Split;

/// The dataset by name.
pub(in crate::data::dataset) const KIND: Kind = Kind {
    name: "texts",
    usage: "texts:FILE",
    about: "any table: a .csv, .tsv or .jsonl file with text, class and optional part, split, id; write texts:FILE",
    holds: Holds::Texts,
    opens: Opens::Read {
        home: None,
        lies_at: |path| {
            let ends_in = |ending| path.extension().is_some_and(|own| own.eq_ignore_ascii_case(ending));
            ["csv", "tsv", "jsonl"].into_iter().any(ends_in)
        },
        open: |asked| {
            let own = asked.rest.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            TextItems::open("texts", own.as_deref().unwrap_or("texts"), asked, |path| texts(path))
        },
    },
};

/// One line of a table.
#[derive(Debug, Default)]
pub(in crate::data::dataset) struct Written {
    pub text: String,
    pub class: String,
    pub part: Option<String>,
    pub split: Option<String>,
    pub id: Option<String>,
    pub group: Option<String>,
}

/// The lines of a table with their numbers.
#[derive(Debug, Default)]
pub(in crate::data::dataset) struct Table {
    pub lines: Vec<(u64, Written)>,
    /// Columns or keys that are not read, in order of appearance; a column may have no name.
    pub ignored: Vec<String>,
    pub(super) known: HashSet<String>,
}

impl Table {
    /// Notes a column or key that is not read.
    pub fn ignore(&mut self, name: String) {
        if !self.known.contains(&name) {
            self.known.insert(name.clone());
            self.ignored.push(name);
        }
    }
}

pub(super) const COLUMNS: [&str; 5] = ["text", "class", "part", "split", "id"];

/// Reads a table of sentences: `.csv` or `.tsv` with a header, or `.jsonl` with one object per line.
///
/// Columns or keys are `text` and `class`, and optionally `part`, `split` (of the class: `base`, `validation` or
/// `novel`, the same on all its lines) and `id`. Others are not read, and named in [`Sentences::ignored`]. Items keep the
/// order of the file; one without an id is called by its row, `row:0` being the first.
///
/// # Errors
/// When the file cannot be read, a column is missing, a field is empty, or a class has two splits.
pub fn texts(path: impl AsRef<Path>) -> Result<Sentences, DataError> {
    let path = path.as_ref();
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    let table = match extension.as_deref() {
        Some("csv" | "tsv") => csv(path, &COLUMNS, true)?,
        Some("jsonl") => json_lines::read(path, true)?,
        _ => {
            let why = "a table of texts ends in .csv, .tsv or .jsonl".to_string();
            return Err(DataError::Spec { spec: path.display().to_string(), what: why });
        }
    };
    gather(path, table)
}

/// Items with their classes, out of the lines of a table.
pub(in crate::data::dataset) fn gather(
    path: &Path,
    Table { lines, ignored, .. }: Table,
) -> Result<Sentences, DataError> {
    let has = |of: fn(&Written) -> bool| lines.iter().any(|(_, line)| of(line));
    let (parts, split) = (has(|l| l.part.is_some()), has(|l| l.split.is_some()));
    let groups = has(|l| l.group.is_some());
    let mut sentences = Sentences {
        parts: parts.then(Vec::new),
        groups: groups.then(Vec::new),
        files: vec![path.to_path_buf()],
        ignored,
        ..Sentences::default()
    };
    let (mut names, mut splits) = (Names::default(), Vec::new());
    for (row, (line, written)) in lines.into_iter().enumerate() {
        let at = || Place::line(path, line);
        if let Some(parts) = &mut sentences.parts {
            parts.push(filled(written.part, "part", at, row)?);
        }
        if split {
            let word = filled(written.split, "split", at, row)?;
            let split: Split = word.parse().map_err(|source| DataError::UnknownWord { at: at(), source })?;
            let class = names.place(&written.class);
            note_split(&mut splits, class, split, line, || (written.class.clone(), at()))?;
        }
        sentences.groups.iter_mut().for_each(|groups| groups.push(written.group.clone().unwrap_or_default()));
        let id = written.id.filter(|id| !id.is_empty());
        sentences.ids.push(id.unwrap_or_else(|| format!("row:{row}")));
        sentences.texts.push(written.text);
        sentences.classes.push(written.class);
    }
    sentences.splits = split.then(|| names.names.into_iter().zip(splits.into_iter().map(|s| s.0)).collect());
    Ok(sentences)
}

/// A field that may not be empty in a column that is there.
fn filled(
    value: Option<String>,
    column: &'static str,
    at: impl Fn() -> Place,
    row: usize,
) -> Result<String, DataError> {
    let value = value.filter(|value| !value.trim().is_empty());
    value.ok_or_else(|| DataError::EmptyName { at: at(), row, column })
}

/// The lines of a .csv file with their numbers; the first two of `columns` are text and class, and must be there. Without `classes`
/// only the first must, and all are of the class of items without classes, whatever they say.
pub(in crate::data::dataset) fn csv(
    path: &Path,
    columns: &[&'static str],
    classes: bool,
) -> Result<Table, DataError> {
    let bytes = std::fs::read(path).map_err(DataError::unreadable_named(path))?;
    let ends_in_tsv = path.extension().is_some_and(|own| own.eq_ignore_ascii_case("tsv"));
    let delimiter = if ends_in_tsv { b'\t' } else { b',' };
    if let Some(line) = unclosed_line(&bytes, delimiter) {
        return Err(DataError::OpenQuote { at: Place::line(path, line) });
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(&bytes[..]);
    let (mut header, mut table) = (None, Table::default());
    let mut record = csv::StringRecord::new();
    loop {
        let found = reader.read_record(&mut record);
        let line = line_at(&bytes, record.position());
        let at = || Place::line(path, line);
        if !found.map_err(|error| broken(error, at()))? {
            break;
        }
        let Some(places) = &header else {
            let needed = if classes { 2 } else { 1 };
            header = Some(places_of(path, &record, columns, needed, &mut table)?);
            continue;
        };
        if record.len() != places.len() {
            return Err(DataError::Ragged { at: at(), expected: places.len(), found: record.len() });
        }
        let field = |column| {
            let place = places.iter().position(|p| *p == Some(column));
            place.map(|place| record[place].to_string())
        };
        let row = table.lines.len();
        let written = Written {
            text: filled(field(0), columns[0], at, row)?,
            class: match classes {
                true => filled(field(1), columns[1], at, row)?,
                false => OpenOptions::UNLABELLED.to_string(),
            },
            part: field(2),
            split: field(3),
            id: field(4),
            group: field(5),
        };
        table.lines.push((line, written));
    }
    match (header, table.lines.is_empty()) {
        (None, _) => Err(DataError::Empty { at: Place::file(path) }),
        (Some(_), true) => Err(DataError::NoItems { at: Place::file(path) }),
        (Some(_), false) => Ok(table),
    }
}

fn broken(error: csv::Error, at: Place) -> DataError {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => DataError::NotUtf8 { at },
        _ => DataError::Damaged { at, what: "not a .csv file".to_string() },
    }
}

/// For each column of a file its place among the known ones; others are noted in the table.
fn places_of(
    path: &Path,
    header: &csv::StringRecord,
    columns: &[&'static str],
    needed: usize,
    table: &mut Table,
) -> Result<Vec<Option<usize>>, DataError> {
    let at = || Place::file(path);
    let names: Vec<String> = header.iter().map(str::to_string).collect();
    for column in &columns[..needed] {
        if !names.iter().any(|name| name == column) {
            return Err(no_column(column, &names, at()));
        }
    }
    let mut before = HashSet::with_capacity(names.len());
    let mut place = |name: &String| {
        let known = columns.iter().position(|column| column == name);
        match known {
            None => table.ignore(name.clone()),
            Some(_) if !before.insert(name.clone()) => {
                return Err(DataError::ColumnTwice { at: at(), column: name.clone() });
            }
            Some(_) => {}
        }
        Ok(known)
    };
    names.iter().map(&mut place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, content: &[u8]) -> Result<Sentences, String> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(name);
        std::fs::write(&path, content).unwrap();
        let sentences =
            texts(&path).map_err(|e| e.to_string().replace(&format!("{}/", place.path().display()), ""));
        sentences.map(|s| Sentences { files: Vec::new(), ..s })
    }

    #[test]
    fn a_csv_file_and_json_lines_give_the_same_sentences() {
        let table = "id,text,class,part,split\n1,\"hi, you\",greet,train,base\nx,bye,leave,test,novel\n,yo,greet,test,base\n";
        let lines = r#"{"text": "hi, you", "class": "greet", "part": "train", "split": "base", "id": 1}

            {"class": "leave", "text": "bye", "split": "novel", "part": "test", "id": "x"}
            {"text": "yo", "class": "greet", "part": "test", "split": "base"}"#;
        let sentences = read("t.csv", table.as_bytes()).unwrap();
        assert_eq!(sentences, read("t.jsonl", lines.as_bytes()).unwrap());
        assert_eq!(sentences.texts, ["hi, you", "bye", "yo"]);
        assert_eq!(sentences.ids, ["1", "x", "row:2"]);
        let splits = [("greet".to_string(), Split::Base), ("leave".to_string(), Split::Novel)];
        assert_eq!(sentences.splits.unwrap(), splits);
        assert!(sentences.ignored.is_empty());
        let plain = read("t.csv", b"class,text\nb,one\na,two\n").unwrap();
        assert_eq!((plain.parts, plain.splits), (None, None));
        assert_eq!(plain.ids, ["row:0", "row:1"]);
        assert_eq!(plain.classes, ["b", "a"]);
    }

    #[test]
    fn what_nobody_reads_is_passed_over_and_named() {
        let table = b",text,class,mood,mood\n0,hi,greet,glad,1\n1,bye,leave,sad,2\n";
        let lines = b"{\"text\": \"hi\", \"class\": \"greet\", \"mood\": {\"a\": [1]}}\n{\"mood\": null, \"text\": \"bye\", \"class\": \"leave\", \"age\": 3}";
        let (table, lines) = (read("t.csv", table).unwrap(), read("t.jsonl", lines).unwrap());
        assert_eq!(table.ignored, ["", "mood"]);
        assert_eq!(lines.ignored, ["mood", "age"]);
        assert_eq!((table.texts, table.classes), (lines.texts, lines.classes));
    }

    #[test]
    fn whole_numbers_are_text_wherever_they_name_something() {
        let lines = b"{\"text\": \"hi\", \"class\": 3, \"part\": 1, \"id\": -7}";
        let table = b"text,class,part,id\nhi,3,1,-7\n";
        assert_eq!(read("t.jsonl", lines).unwrap(), read("t.csv", table).unwrap());
    }

    #[test]
    fn every_refusal_names_the_file_and_the_line() {
        let cases: [(&str, &[u8], &str); 15] = [
            ("t.csv", b"", "t.csv: the file is empty"),
            ("t.csv", b"text,class\n", "t.csv: no items"),
            ("t.csv", b"text,label\na,b\n", "t.csv: no column `class`, found `text`, `label`"),
            ("t.csv", b"text,class,text\na,b,c\n", "t.csv: column `text` appears twice"),
            (
                "t.csv",
                b"text,class\na,b\n  ,b\n",
                "t.csv line 3: item 1 has an empty `text`\nhint: fill it, or leave the line out",
            ),
            ("t.csv", b"text,class\na,b\nc\n", "t.csv line 3: expected 2 fields, found 1"),
            ("t.csv", b"text,class\r\na,b\r\n\r\nc\r\n", "t.csv line 4: expected 2 fields, found 1"),
            ("t.csv", b"text,class\na,b\n\xff,b\n", "t.csv line 3: the text is not UTF-8"),
            (
                "t.csv",
                b"text,class,split\na,b,base\nc,b,novel\n",
                "t.csv line 3: class `b` is in two splits, base and novel",
            ),
            (
                "t.jsonl",
                b"{\"text\": \"\", \"class\": \"b\"}",
                "t.jsonl line 1: item 0 has an empty `text`\nhint: fill it, or leave the line out",
            ),
            (
                "t.jsonl",
                b"{\"text\": \"a\", \"class\": \"b\", \"part\": \"p\"}\n{\"text\": \"a\", \"class\": \"b\"}",
                "t.jsonl line 2: item 1 has an empty `part`",
            ),
            ("t.jsonl", b"\n{\"text\": \"a\"}", "t.jsonl line 2: missing field `class`"),
            ("t.jsonl", b"\n{\"text\" \"a\"}", "t.jsonl line 2: expected `:` at column 9"),
            (
                "t.jsonl",
                b"{\"text\": \"a\", \"class\": 0.5}",
                "t.jsonl line 1: invalid type: floating point `0.5`, expected text or a whole number",
            ),
            ("t.txt", b"a", "dataset `t.txt`: a table of texts ends in .csv, .tsv or .jsonl"),
        ];
        for (name, content, expected) in cases {
            assert_eq!(read(name, content).unwrap_err(), expected);
        }
    }
}
