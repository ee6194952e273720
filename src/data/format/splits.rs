//! splits.csv of a folder: which class is in which split, and in which cluster.

use std::path::Path;

use super::cut::unclosed_line;
use super::header::{no_column, text};
use super::lines::line_at;
use super::written::{Listed, Listing};
use crate::data::{DataError, Place};
use crate::vocab::Split;

pub(in crate::data) fn read(path: &Path) -> Result<Listing, DataError> {
    let at = Place::file(path);
    let damaged = |_| DataError::Damaged { at: at.clone(), what: "not a .csv file".to_string() };
    let bytes = std::fs::read(path).map_err(DataError::unreadable(path))?;
    if let Some(line) = unclosed_line(&bytes, b',') {
        return Err(DataError::OpenQuote { at: Place::line(path, line) });
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&bytes[..]);
    let mut record = csv::ByteRecord::new();
    if !reader.read_byte_record(&mut record).map_err(damaged)? {
        return Err(DataError::Empty { at });
    }
    let (mut columns, mut names) = ([None; COLUMNS.len()], Vec::new());
    for (place, field) in record.iter().enumerate() {
        let name = text(field, || Place::line(path, 1))?;
        let Some(known) = COLUMNS.iter().position(|known| *known == name) else {
            let known = "`class`, `split`, `cluster`".to_string();
            return Err(DataError::UnknownName { at, what: "column", found: name.to_string(), known });
        };
        if columns[known].replace(place).is_some() {
            return Err(DataError::ColumnTwice { at, column: name.to_string() });
        }
        names.push(name.to_string());
    }
    let width = record.len();
    let missing = |column| no_column(column, &names, at.clone());
    let class_column = columns[0].ok_or_else(|| missing(COLUMNS[0]))?;
    let split_column = columns[1].ok_or_else(|| missing(COLUMNS[1]))?;
    let mut classes = Vec::new();
    while reader.read_byte_record(&mut record).map_err(damaged)? {
        let line = line_at(&bytes, record.position());
        let here = || Place::line(path, line);
        if record.len() != width {
            return Err(DataError::Ragged { at: here(), expected: width, found: record.len() });
        }
        let field = |column: usize| text(&record[column], here);
        let split = field(split_column)?.parse();
        let cluster = columns[2].map(field).transpose()?.filter(|cluster| !cluster.is_empty());
        classes.push(Listed {
            class: field(class_column)?.to_string(),
            split: split.map_err(|source| DataError::UnknownWord { at: here(), source })?,
            cluster: cluster.map(str::to_string),
            line: Some(line),
        });
    }
    Ok(Listing { at, classes })
}

const COLUMNS: [&str; 3] = ["class", "split", "cluster"];

/// Notes the split of a class, which must be the one it had before.
pub(in crate::data) fn note_split(
    splits: &mut Vec<(Split, u64)>,
    class: u32,
    split: Split,
    line: u64,
    named: impl FnOnce() -> (String, Place),
) -> Result<(), DataError> {
    match splits.get(class as usize) {
        None => splits.push((split, line)),
        Some((first, _)) if *first != split => {
            let (class, at) = named();
            return Err(DataError::ClassInTwoSplits { at, class, first: *first, second: split });
        }
        Some(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::data::fixtures::folder_refusal;

    #[test]
    fn splits_that_contradict_the_items_or_themselves_are_refused() {
        let refused = |splits: &str| folder_refusal(&[("splits.csv", splits.as_bytes())]);
        assert_eq!(refused(""), "store/splits.csv: the file is empty");
        let word = "store/splits.csv line 3: unknown split `test`, expected one of `base`, `validation`, `novel`, `oos`\nhint: ";
        assert!(refused("class,split\ndog,base\ncat,test\n").starts_with(word));
        assert!(refused("class,split\r\ndog,base\r\ncat,test\r\n").starts_with(word));
        let all = "class,split\ndog,base\ncat,base\nant,base\n";
        assert_eq!(refused(&format!("{all}bee,base\n")), "store/splits.csv line 5: class `bee` has no items");
        assert_eq!(
            refused(&format!("{all}dog,base\n")),
            "store/splits.csv line 5: class `dog` is listed twice"
        );
        let both = "store/splits.csv line 5: class `dog` is in two splits, base and novel";
        assert_eq!(refused(&format!("{all}dog,novel\n")), both);
        let left_out = refused("class,split\ndog,base\nant,base\n");
        assert!(
            left_out.starts_with("store/splits.csv: class `cat` has items and no split\nhint: "),
            "{left_out}"
        );
        assert_eq!(
            refused(&format!("{all}\"a\nb\"\n")),
            "store/splits.csv line 5: expected 2 fields, found 1"
        );
        let columns = "store/splits.csv: unknown column `fold`, expected one of `class`, `split`, `cluster`";
        assert_eq!(refused("class,fold\n"), columns);
        assert_eq!(
            refused("class,cluster\n"),
            "store/splits.csv: no column `split`, found `class`, `cluster`"
        );
        assert_eq!(refused("class,class\n"), "store/splits.csv: column `class` appears twice");
    }
}
