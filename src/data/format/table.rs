//! .csv tables with one line per item: items.csv of a folder, labels, and whole features in one table.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use memchr::memchr_iter;
use rayon::prelude::*;

use super::Reader;
use super::cut::Cutter;
use super::header::{Header, Reading, Role, list_items, text};
use super::lines::line_at;
use super::splits::note_split;
use super::written::{FeatureColumns, Features, Labels, Listed, Listing, Names, Written};
use crate::data::OpenOptions;
use crate::data::store::values::{Element, Values};
use crate::data::{DataError, ItemName, Place};
use crate::numbers::Numbers;
use crate::vocab::Split;

/// A table, or a piece of one.
#[derive(Debug, Default)]
pub(in crate::data) struct Table {
    pub class: Names,
    rows: usize,
    /// Per class, its split and the line that names it first; empty without a column `split`.
    pub splits: Vec<(Split, u64)>,
    pub part: Option<Names>,
    pub group: Option<Names>,
    pub id: Option<Vec<String>>,
    /// Items of `dim` numbers, piece after piece.
    features: Vec<Vec<f32>>,
    dim: usize,
    columns: FeatureColumns,
}

/// A whole set of features in one .csv table.
pub(super) struct Csv;

impl Reader for Csv {
    fn extension(&self) -> Option<&'static str> {
        Some("csv")
    }

    fn about(&self) -> &'static str {
        "a .csv table"
    }

    fn has_columns(&self, _: &Path) -> bool {
        true
    }

    fn read(&self, path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
        features(path, Reading::of_features(options, b','))
    }
}

/// The same with tabulators between fields.
pub(super) struct Tsv;

impl Reader for Tsv {
    fn extension(&self) -> Option<&'static str> {
        Some("tsv")
    }

    fn about(&self) -> &'static str {
        "a .tsv table"
    }

    fn has_columns(&self, _: &Path) -> bool {
        true
    }

    fn read(&self, path: &Path, options: &OpenOptions) -> Result<Written, DataError> {
        features(path, Reading::of_features(options, b'\t'))
    }
}

fn features(path: &Path, reading: Reading<'_>) -> Result<Written, DataError> {
    let mut table = read(path, reading)?;
    let (rows, dim) = (table.rows, table.dim);
    let at = Place::file(path);
    if dim == 0 {
        return Err(DataError::NoFeatures { at });
    }
    let mut values = Numbers::<f32>::zeros(rows * dim);
    let mut rest = values.unshared().expect("made one line above");
    for piece in table.features.drain(..) {
        let (head, tail) = rest.split_at_mut(piece.len());
        head.copy_from_slice(&piece);
        rest = tail;
    }
    let features = Features { at: at.clone(), values: Values::F32(values), element: Element::F32, rows, dim };
    let columns = Some(std::mem::take(&mut table.columns));
    Ok(Written { columns, ..Written::of_file(path, features, Some(table.labels(&at))) })
}

/// Bytes that one thread parses at a time.
const PIECE: usize = 4 << 20;

/// Reads a table in pieces that are parsed in parallel.
pub(in crate::data) fn read(path: &Path, reading: Reading<'_>) -> Result<Table, DataError> {
    let mut file = File::open(path).map_err(DataError::unreadable_named(path))?;
    let (mut buffer, mut header, mut line) = (Vec::new(), None, 1);
    let (mut table, mut cutter) = (Table::default(), Cutter::new(reading.delimiter));
    loop {
        let read = file
            .by_ref()
            .take(PIECE as u64 * rayon::current_num_threads() as u64)
            .read_to_end(&mut buffer)
            .map_err(DataError::unreadable(path))?;
        let last = read == 0;
        let mut end = cutter.scan(&buffer);
        if last {
            if let Some(open) = cutter.unclosed(&buffer) {
                let at = Place::line(path, line + newlines(&buffer[..open]));
                return Err(DataError::OpenQuote { at });
            }
            end = buffer.len();
        }
        if end > 0 {
            let mut start = 0;
            if header.is_none() {
                let (found, length) = Header::read(path, &buffer[..end], reading)?;
                line += newlines(&buffer[..length]);
                start = length;
                table.dim = found.dim();
                table.columns = found.columns.clone();
                header = Some(found);
            }
            let header = header.as_ref().expect("made above where it was absent");
            table.take_lines(header, &buffer[start..end], &mut line)?;
            if !last {
                cutter.drain(end);
            }
            buffer.drain(..end);
        }
        if last {
            break;
        }
    }
    if header.is_none() {
        return Err(DataError::Empty { at: Place::file(path) });
    }
    Ok(table)
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

impl Table {
    fn take_lines(&mut self, header: &Header, mut bytes: &[u8], line: &mut u64) -> Result<(), DataError> {
        let (mut pieces, mut cutter) = (Vec::new(), Cutter::new(header.delimiter));
        while !bytes.is_empty() {
            let end = cutter.scan_until(bytes, PIECE);
            let (piece, rest) = bytes.split_at(end);
            pieces.push((*line, piece));
            *line += newlines(piece);
            cutter = Cutter::new(header.delimiter);
            bytes = rest;
        }
        let parsed: Vec<_> = pieces.into_par_iter().map(|(line, piece)| parse(header, piece, line)).collect();
        for piece in parsed {
            let rows = self.rows;
            self.append(piece.map_err(|error| later(error, rows))?, header.path)?;
        }
        Ok(())
    }

    fn append(&mut self, piece: Table, path: &Path) -> Result<(), DataError> {
        self.rows += piece.rows;
        self.class.append(&piece.class);
        for (name, (split, line)) in piece.class.names.iter().zip(piece.splits) {
            let class = self.class.place(name);
            note_split(&mut self.splits, class, split, line, || (name.clone(), Place::line(path, line)))?;
        }
        let columns = [(&mut self.part, piece.part), (&mut self.group, piece.group)];
        for (mine, other) in columns {
            if let Some(other) = other {
                mine.get_or_insert_default().append(&other);
            }
        }
        if let Some(id) = piece.id {
            self.id.get_or_insert_default().extend(id);
        }
        self.features.extend(piece.features);
        Ok(())
    }

    /// What the table says of its items.
    pub fn labels(self, at: &Place) -> Labels {
        let listing = self.listing(at);
        Labels { at: at.clone(), listing, class: self.class, part: self.part, group: self.group, id: self.id }
    }

    /// The classes with their splits, where the table has any.
    fn listing(&self, at: &Place) -> Option<Listing> {
        let classes = self.class.names.iter().zip(&self.splits).map(|(class, (split, line))| Listed {
            class: class.clone(),
            split: *split,
            cluster: None,
            line: Some(*line),
        });
        (!self.splits.is_empty()).then(|| Listing { at: at.clone(), classes: classes.collect() })
    }
}

/// The same error, of an item that many rows later.
fn later(mut error: DataError, rows: usize) -> DataError {
    match &mut error {
        DataError::NotFinite { item, .. } => item.row += rows,
        DataError::EmptyName { row, .. } => *row += rows,
        _ => {}
    }
    error
}

fn parse(header: &Header, bytes: &[u8], first_line: u64) -> Result<Table, DataError> {
    let has = |role| header.roles.contains(&role);
    let mut table = Table {
        part: has(Role::Part).then(Names::default),
        group: has(Role::Group).then(Names::default),
        id: has(Role::Id).then(Vec::new),
        dim: header.dim(),
        ..Table::default()
    };
    let labelled = has(Role::Class);
    // A number of eight digits takes eleven bytes, and room that stays empty costs nothing.
    let mut features = Vec::with_capacity(if table.dim == 0 { 0 } else { bytes.len() / 8 });
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(header.delimiter)
        .buffer_capacity(1 << 16)
        .from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    loop {
        let found = reader.read_byte_record(&mut record);
        let line = first_line + line_at(bytes, record.position()) - 1;
        let at = || Place::line(header.path, line);
        if !found.map_err(|_| DataError::Damaged { at: at(), what: "not a .csv file".to_string() })? {
            break;
        }
        if record.len() != header.roles.len() {
            return Err(DataError::Ragged { at: at(), expected: header.roles.len(), found: record.len() });
        }
        let row = table.rows;
        table.rows += 1;
        if let Some(class) = header.field(Role::Class, &record) {
            table.class.push(filled(text(class, at)?, "class", row, at)?);
        }
        if let Some(field) = header.field(Role::Split, &record) {
            let split = text(field, at)?.parse();
            let split = split.map_err(|source| DataError::UnknownWord { at: at(), source })?;
            let class = table.class.of[row];
            note_split(&mut table.splits, class, split, line, || (table.class.name(row).to_string(), at()))?;
        }
        if let (Some(part), Some(field)) = (&mut table.part, header.field(Role::Part, &record)) {
            part.push(filled(text(field, at)?, "part", row, at)?);
        }
        if let (Some(group), Some(field)) = (&mut table.group, header.field(Role::Group, &record)) {
            group.push(text(field, at)?);
        }
        if let (Some(id), Some(field)) = (&mut table.id, header.field(Role::Id, &record)) {
            id.push(text(field, at)?.to_string());
        }
        if table.dim == 0 {
            continue;
        }
        let item = || {
            Box::new(ItemName {
                row,
                class: if labelled { table.class.name(row).to_string() } else { String::new() },
                id: table.id.as_ref().and_then(|id| id.last().cloned()),
            })
        };
        let before = features.len();
        for (place, (field, role)) in record.iter().zip(&header.roles).enumerate() {
            if *role != Role::Feature {
                continue;
            }
            let taken = match header.list {
                None => number(field, &mut features),
                Some(_) => list_items(field).try_for_each(|field| number(field, &mut features)),
            };
            taken.map_err(|bad| bad.error(&header.names[place], at(), item))?;
        }
        let (expected, found) = (table.dim, features.len() - before);
        if found != expected {
            return Err(DataError::Ragged { at: at(), expected, found });
        }
    }
    table.features.push(features);
    Ok(table)
}

/// A field that is no finite number, with what it was read as.
struct Bad<'a> {
    field: &'a [u8],
    value: Option<f32>,
}

/// Reads a number behind the others.
fn number<'a>(field: &'a [u8], features: &mut Vec<f32>) -> Result<(), Bad<'a>> {
    match fast_float2::parse::<f32, _>(field.trim_ascii()) {
        Ok(value) if value.is_finite() => {
            features.push(value);
            Ok(())
        }
        parsed => Err(Bad { field, value: parsed.ok() }),
    }
}

impl Bad<'_> {
    fn error(&self, column: &str, at: Place, item: impl FnOnce() -> Box<ItemName>) -> DataError {
        let found = String::from_utf8_lossy(self.field).into_owned();
        match self.value {
            Some(_) => DataError::NotFinite { at, item: item(), column: format!("`{column}`"), found },
            None if column == "text" => {
                DataError::TextsNotFeatures { at, found: found.chars().take(20).collect() }
            }
            None => DataError::BadNumber { at, column: column.to_string(), found },
        }
    }
}

fn filled<'a>(
    name: &'a str,
    column: &'static str,
    row: usize,
    at: impl Fn() -> Place,
) -> Result<&'a str, DataError> {
    if name.is_empty() { Err(DataError::EmptyName { at: at(), row, column }) } else { Ok(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Store;
    use crate::data::fixtures::{numbers, open, refusal};

    fn refused(text: impl AsRef<[u8]>) -> String {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.csv");
        std::fs::write(&path, text).unwrap();
        refusal(place.path(), &path)
    }

    #[test]
    fn a_table_is_a_store_whose_unknown_columns_are_features_in_file_order() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.csv");
        std::fs::write(&path, "b,class,a,split\r\n1,x, 2,base\r\n\r\n-3e-2,\"y\nz\",.5,novel\r\n").unwrap();
        let store = open(&path).unwrap();
        assert_eq!((store.name(), store.dim(), numbers(&store)), ("s", 2, vec![1.0, 2.0, -0.03, 0.5]));
        let classes: Vec<_> = store.index().classes().iter().map(|c| (c.name.as_str(), c.split)).collect();
        assert_eq!(classes, [("x", Split::Base), ("y\nz", Split::Novel)]);
    }

    #[test]
    fn a_table_of_many_pieces_is_read_as_one() {
        let mut text = "class,id,split,group,f\n".to_string();
        let rows = 400_000;
        for row in 0..rows {
            text.push_str(&format!(
                "\"c{}\",{row},{},g{},{row}.5\n",
                row % 7,
                ["base", "novel"][row % 7 % 2],
                row / 2
            ));
        }
        assert!(text.len() > 2 * PIECE);
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.csv");
        std::fs::write(&path, &text).unwrap();
        // Of a column that ascends, to be seen line by line.
        let options = OpenOptions { feature_columns: vec!["f".to_string()], ..OpenOptions::default() };
        let store = Store::open(&path, &options).unwrap();
        assert!(numbers(&store).iter().zip(0..rows).all(|(v, row)| *v == row as f32 + 0.5));
        assert!(store.ids().unwrap().iter().zip(0..rows).all(|(id, row)| *id == row.to_string()));
        assert_eq!(store.index().group(crate::vocab::ItemId(399_999)), 399_998);
        assert_eq!(store.index().classes().len(), 7);

        let line = text.rfind("399998,").unwrap();
        text.replace_range(line..line + 7, "399998x,");
        let bad = text.replace("399998x,base,g199999,399998.5", "399998x,base,g199999,nan");
        let bad = bad.replace("399998x,novel,g199999,399998.5", "399998x,novel,g199999,nan");
        let sentence = "s.csv line 400000: item 399998 (class `c4`, id `399998x`) has nan in column `f`, features must \
                        be finite 32-bit numbers";
        assert_eq!(refused(bad), sentence);
        let split = text.replace("399998x,base", "399998x,validation");
        assert_eq!(refused(split), "s.csv line 400000: class `c4` is in two splits, base and validation");
    }

    type Cell = fn(usize) -> String;

    /// A table of twelve items of two classes in turn; each column is a function of the row.
    fn of_columns(columns: &[(&str, Cell)]) -> String {
        let mut text =
            format!("class,{}\n", columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(","));
        for row in 0..12 {
            let cells: Vec<String> = columns.iter().map(|(_, cell)| cell(row)).collect();
            text.push_str(&format!("c{},{}\n", row % 2, cells.join(",")));
        }
        text
    }

    const NOISE: Cell = |row| (1 + row * 7 % 5).to_string();

    #[test]
    fn columns_that_are_no_features_are_left_out_and_named() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.csv");
        let text = of_columns(&[
            ("", |row| row.to_string()),
            ("f0", NOISE),
            ("f1", NOISE),
            ("label", |row| (row % 2).to_string()),
        ]);
        std::fs::write(&path, &text).unwrap();
        let store = open(&path).unwrap();
        assert_eq!(store.dim(), 2);
        let said: Vec<String> = store.warnings().iter().map(ToString::to_string).collect();
        assert_eq!(
            *said.last().unwrap(),
            "columns one without a name, `label` are not taken, features are the 2 columns `f0` to `f1`"
        );
        let tabs = place.path().join("s.tsv");
        std::fs::write(&tabs, text.replace(',', "\t")).unwrap();
        assert_eq!(numbers(&open(&tabs).unwrap()), numbers(&store));
    }

    #[test]
    fn a_column_that_tells_the_class_or_the_row_is_refused_unless_it_is_listed_by_name() {
        let by_class = of_columns(&[("a", NOISE), ("b", |row| (row % 2).to_string())]);
        let sentence = "s.csv: column `b` is the same in all items of a class, and so a label\nhint: ";
        assert!(refused(&by_class).starts_with(sentence), "{}", refused(&by_class));
        let by_row = of_columns(&[
            ("a", NOISE),
            ("b", |row| (9 - row as i64).to_string()),
            ("c", |row| (row * row).to_string()),
        ]);
        let sentence = "s.csv: columns `b`, `c` are in the order of the rows, and so a row number\nhint: ";
        assert!(refused(&by_row).starts_with(sentence), "{}", refused(&by_row));
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.csv");
        std::fs::write(&path, &by_class).unwrap();
        let listed = |columns: &[&str]| {
            let feature_columns = columns.iter().map(ToString::to_string).collect();
            Store::open(&path, &OpenOptions { feature_columns, ..OpenOptions::default() })
        };
        assert_eq!(listed(&["b", "a"]).unwrap().dim(), 2);
        assert!(listed(&["*"]).is_err(), "a pattern names no column");
        assert_eq!(listed(&["a"]).unwrap().dim(), 1);
    }

    #[test]
    fn a_column_of_lists_is_the_features() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.csv");
        std::fs::write(&path, "class,emb,size\na,\"[1, 2.5, -3]\",7\nb,[4 5. 6e0 ],8\n").unwrap();
        assert_eq!(numbers(&open(&path).unwrap()), [1.0, 2.5, -3.0, 4.0, 5.0, 6.0]);
        let ragged = refused("class,emb\na,\"[1, 2]\"\nb,[1]\n");
        assert_eq!(ragged, "s.csv line 3: expected 2 fields, found 1");
    }

    #[test]
    fn a_large_table_is_cut_where_records_end() {
        // An inch mark that opens nothing, and quoted cells with lines that look like records.
        let cell = |row: usize| match row {
            5 => "5\" pipe".to_string(),
            row if row % 2 == 1 => format!("\"note {row}\nc0,7,see above\""),
            row => format!("plain {row}"),
        };
        let rows = 300_000;
        let mut text = "class,f,id\n".to_string();
        (0..rows)
            .for_each(|row| text.push_str(&format!("c{},{},{}\n", row % 5, row * 7919 % 1000, cell(row))));
        assert!(text.len() > PIECE);
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s.csv");
        std::fs::write(&path, &text).unwrap();
        let opened = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| open(&path)).unwrap()
        };
        for threads in [1, 3] {
            let store = opened(threads);
            assert_eq!(store.rows(), rows);
            assert_eq!(store.ids().unwrap()[rows - 1], format!("note {}\nc0,7,see above", rows - 1));
        }
    }

    #[test]
    fn a_table_that_is_no_store_is_refused() {
        assert_eq!(refused(""), "s.csv: the file is empty");
        assert_eq!(refused("class,f\n"), "s.csv: no items");
        assert_eq!(refused("class,id\na,1\n"), "s.csv: no features: every item needs at least one number");
        assert_eq!(
            refused("label,f0,f1,f2,f3\n"),
            "s.csv: no column `class`, found `label`, `f0`, `f1`, `f2`, …"
        );
        let open = refused("class,f\na,1\nb,\"2\nc,3\n");
        assert!(
            open.starts_with("s.csv line 3: a quotation mark opens here and is never closed\nhint: "),
            "{open}"
        );
        assert_eq!(refused("f,class,f\n"), "s.csv: column `f` appears twice");
        assert_eq!(refused("class,f,g\na,1,2\nb,1\n"), "s.csv line 3: expected 3 fields, found 2");
        assert_eq!(refused("class,f\na,1\nb,one\n"), "s.csv line 3: column `f` must be a number, got `one`");
        assert_eq!(refused("class,f\na,\n"), "s.csv line 2: column `f` must be a number, got ``");
        let words =
            "s.csv line 2: column `text` holds `why is it so cold in`, features are numbers alone\nhint: ";
        assert!(refused("text,class\nwhy is it so cold in here,a\n").starts_with(words));
        assert!(refused("text,class,label\nwhy is it so cold in here,a,1\n").starts_with(words));
        let infinite =
            "s.csv line 2: item 0 (class `a`) has 1e39 in column `f`, features must be finite 32-bit numbers";
        assert_eq!(refused("class,f\na,1e39\n"), infinite);
        let split = |word| {
            format!(
                "s.csv line 2: unknown split `{word}`, expected one of `base`, `validation`, `novel`, `oos`"
            )
        };
        assert_eq!(refused("class,split,f\na,left,1\n"), split("left"));
        let part = refused("class,split,f\na,train,1\n");
        assert!(part.starts_with(&format!("{}\nhint: ", split("train"))), "{part}");
        assert!(part.ends_with("belong in the column `part`"), "{part}");
        let two = "s.csv line 3: class `a` is in two splits, base and novel";
        assert_eq!(refused("class,split,f\na,base,1\na,novel,1\n"), two);
        assert_eq!(refused(b"class,f\n\xff,1\n"), "s.csv line 2: the text is not UTF-8");
        assert_eq!(refused("class,f\n,1\n"), "s.csv line 2: item 0 has an empty `class`");
        let crlf = "class,f\r\na,1\r\nb,one\r\n";
        assert_eq!(refused(crlf), "s.csv line 3: column `f` must be a number, got `one`");
    }
}
