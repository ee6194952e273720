//! Sentences without classes: a .txt of one a line, or a table as that of [`texts`](super::texts) whose classes are not read.

use std::path::Path;

use super::table::{COLUMNS, Table, Written, csv, gather};
use super::{Sentences, TextItems, json_lines};
use crate::data::dataset::kind::{Holds, Kind, Opens};
use crate::data::{DataError, OpenOptions, Place};

/// The dataset by name.
pub(in crate::data::dataset) const KIND: Kind = Kind {
    name: "sentences",
    usage: "sentences:FILE",
    about: "sentences without classes: a .txt of one a line, or a .csv, .tsv or .jsonl file with text and optional id; for `kshot predict`",
    holds: Holds::Texts,
    opens: Opens::Read {
        home: None,
        lies_at: |_| false,
        open: |asked| {
            let own = asked.rest.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            TextItems::open("sentences", own.as_deref().unwrap_or("sentences"), asked, sentences)
        },
    },
};

/// Reads sentences, in the order of the file; one without an id is called by its row, `row:0` being the first.
fn sentences(path: &Path) -> Result<Sentences, DataError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let table = match ending.as_deref() {
        Some("txt") => lines(path)?,
        Some("csv" | "tsv") => csv(path, &COLUMNS, false)?,
        Some("jsonl") => json_lines::read(path, false)?,
        _ => {
            let what = "sentences stand in a .txt, .csv, .tsv or .jsonl".to_string();
            return Err(DataError::Spec { spec: path.display().to_string(), what });
        }
    };
    let plain = |(line, written): (u64, Written)| (line, Written { part: None, split: None, ..written });
    let lines = table.lines.into_iter().map(plain).collect();
    gather(path, Table { lines, ignored: table.ignored, ..Table::default() })
}

/// The lines of a text; empty ones are passed over.
fn lines(path: &Path) -> Result<Table, DataError> {
    let bytes = std::fs::read(path).map_err(DataError::unreadable_named(path))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| DataError::NotUtf8 { at: Place::file(path) })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let said = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    let class = || OpenOptions::UNLABELLED.to_string();
    let written =
        |text: &str| Written { text: text.trim().to_string(), class: class(), ..Written::default() };
    let lines: Vec<(u64, Written)> = said.map(|(line, number)| (number, written(line))).collect();
    match lines.is_empty() {
        true => Err(DataError::NoItems { at: Place::file(path) }),
        false => Ok(Table { lines, ..Table::default() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, content: &str) -> Result<Sentences, String> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join(name);
        std::fs::write(&path, content).unwrap();
        sentences(&path).map_err(|e| e.to_string().replace(&format!("{}/", place.path().display()), ""))
    }

    #[test]
    fn sentences_are_read_from_lines_and_from_tables_with_classes_and_without() {
        for (name, content) in [
            ("t.txt", "hello there\n\nbye\n"),
            ("t.csv", "text\nhello there\nbye\n"),
            ("t.csv", "class,text,split\n,hello there,base\nb,bye,novel\n"),
            ("t.jsonl", "{\"text\": \"hello there\"}\n{\"text\": \"bye\", \"class\": \"b\"}"),
        ] {
            let read = read(name, content).unwrap();
            assert_eq!(read.texts, ["hello there", "bye"], "{name}");
            assert_eq!((read.class_names(), &read.splits), (vec![OpenOptions::UNLABELLED], &None), "{name}");
            assert_eq!(read.ids, ["row:0", "row:1"], "{name}");
        }
    }

    #[test]
    fn what_holds_no_sentences_is_refused() {
        assert_eq!(read("t.txt", "\n\n").unwrap_err(), "t.txt: no items");
        assert!(read("t.csv", "words\na\n").unwrap_err().starts_with("t.csv: no column `text`"));
        assert!(read("t.md", "a").unwrap_err().contains("sentences stand in a .txt, .csv, .tsv or .jsonl"));
    }
}
