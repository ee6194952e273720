//! What can be wrong with features, each as one sentence.

use std::io;
use std::path::{Path, PathBuf};

use super::format::feature_columns::quoted;
use super::format::known;
use super::store::Leak;
use crate::vocab::{Form, Split, UnknownWord};

pub use super::place::{ItemName, Place};

/// Why features are refused.
///
/// [`DataError::is_request`] tells a wrong request from wrong data.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The path leads nowhere.
    #[error("{}: no such file or folder\nhint: {}", path.display(), known())]
    Missing {
        /// The path as given.
        path: PathBuf,
    },
    /// A folder without the files that it must have, or a file of another format.
    #[error("{}: cannot be read as features, {why}\nhint: {}", path.display(), known())]
    NotFeatures {
        /// The path as given.
        path: PathBuf,
        /// What is missing or unknown.
        why: String,
    },
    /// Features without classes.
    #[error("{at}: {what}\nhint: add --labels FILE, with a class for every row")]
    NoLabels {
        /// The file or array of the features.
        at: Place,
        /// What is missing.
        what: &'static str,
    },
    /// Labels in a file of another format.
    #[error(
        "{}: labels are read from .npy, .txt, .csv, .tsv, .parquet or .feather\nhint: a .npy or .txt holds a class for every row, a \
         table the column `class` and optionally `part`, `group`, `id` and `split`", path.display()
    )]
    OtherLabels {
        /// The path as given.
        path: PathBuf,
    },
    /// Labels that contradict those of the features.
    #[error(
        "{at}: item {row} is `{here}`, and `{there}` in {against}\nhint: labels belong to the rows that they were made with"
    )]
    OtherClass {
        /// The file of the labels.
        at: Place,
        /// The item's row, counted from 0.
        row: usize,
        /// Its class there.
        here: String,
        /// Its class among the features.
        there: String,
        /// Where the features have it.
        against: String,
    },
    /// Two arrays of which either gives the same thing.
    #[error("{at}: `{one}` and `{other}` are both there, each gives the {what}\nhint: leave one of them out")]
    NamedTwice {
        /// The file.
        at: Place,
        /// The thing.
        what: &'static str,
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// Pickled objects that are more than texts.
    #[error(
        "{at}: pickled objects that are no list of texts, {what}\nhint: nothing pickled is run here; save \
         `names.astype(str)`"
    )]
    Pickled {
        /// The file or array.
        at: Place,
        /// What was found.
        what: String,
    },
    /// The build cannot read parquet.
    #[error(
        "{}: this kshot was built without parquet\nhint: build it with `--features parquet`, or save the table as \
         .csv", path.display()
    )]
    NoParquet {
        /// The path as given.
        path: PathBuf,
    },
    /// A file that was named and is not there.
    #[error("{}: no such file", path.display())]
    NoFile {
        /// The path as given.
        path: PathBuf,
    },
    /// Class embeddings in a file of another form than the table that was asked for.
    #[error(
        "{}: class embeddings are read from a table, expected a .csv with a column `class` and a number per class in each \
         other\nhint: a matrix goes into the folder of the features, as class_embeddings.npy with rows as in splits.csv",
        path.display()
    )]
    EmbeddingsNoTable {
        /// The path as given.
        path: PathBuf,
    },
    /// Images that cannot be decoded.
    #[error(
        "{count} of {of} images of dataset `{dataset}` cannot be read: {list}\nhint: repair them, or leave them out with --skip-broken; the features of \
         the others are kept for that"
    )]
    BrokenImages {
        /// The dataset.
        dataset: String,
        /// How many cannot be read.
        count: usize,
        /// How many there are.
        of: usize,
        /// The first ones, with what is wrong.
        list: String,
    },
    /// The operating system refuses.
    #[error("{at}: cannot be read: {source}")]
    Unreadable {
        /// The file.
        at: Place,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of no bytes.
    #[error("{at}: the file is empty")]
    Empty {
        /// The file.
        at: Place,
    },
    /// A file that breaks the rules of its own format, or ends early.
    #[error("{at}: damaged or cut short: {what}")]
    Damaged {
        /// The file.
        at: Place,
        /// Which rule is broken.
        what: String,
    },
    /// An array in column order.
    #[error(
        "{at}: the array is in Fortran order, expected C order\nhint: save numpy.ascontiguousarray(features)"
    )]
    Fortran {
        /// The array.
        at: Place,
    },
    /// An array of the wrong element type.
    #[error("{at}: elements of type `{found}`, expected {expected}")]
    ElementType {
        /// The array.
        at: Place,
        /// The type in the words of the format.
        found: String,
        /// The admitted types.
        expected: String,
    },
    /// An array of the wrong shape.
    #[error("{at}: an array of shape ({}), expected {expected}", shape_text(found))]
    Shape {
        /// The array.
        at: Place,
        /// The shape.
        found: Vec<u64>,
        /// The admitted shapes.
        expected: String,
    },
    /// An array or a piece of metadata that must be there is not.
    #[error("{at}: no `{name}`, expected {expected}")]
    NoMember {
        /// The file.
        at: Place,
        /// What is missing.
        name: &'static str,
        /// What it would hold.
        expected: &'static str,
    },
    /// A column, array or key that nobody reads.
    #[error("{at}: unknown {what} `{found}`, expected one of {known}")]
    UnknownName {
        /// The file.
        at: Place,
        /// Column, array or key.
        what: &'static str,
        /// The name.
        found: String,
        /// The known names.
        known: String,
    },
    /// A table without a column that it must have.
    #[error("{at}: no column `{column}`, found {found}")]
    NoColumn {
        /// The file.
        at: Place,
        /// The missing column.
        column: &'static str,
        /// The first columns of the file.
        found: String,
    },
    /// A table of which no rule says which columns are features.
    #[error(
        "{at}: which columns are features is not clear, {what}\nhint: list them by name or by a pattern with `*`, such \
         as --feature-columns 'x*'"
    )]
    NoFeatureRule {
        /// The file.
        at: Place,
        /// What keeps the rules from fitting.
        what: String,
    },
    /// Feature columns that are asked for and not there.
    #[error(
        "{at}: --feature-columns `{pattern}` matches none of the columns that can be features, found {found}"
    )]
    NoFeatureColumn {
        /// The file.
        at: Place,
        /// The name or pattern.
        pattern: String,
        /// The columns there are.
        found: String,
    },
    /// Columns that are asked for of a file that has none.
    #[error(
        "{}: --feature-columns is for tables, in this file all numbers of the matrix are features\nhint: leave \
         --feature-columns out", path.display()
    )]
    NotATable {
        /// The path as given.
        path: PathBuf,
    },
    /// Columns of a table that give the class or the place in the file away.
    #[error(
        "{at}: {}\nhint: leave such columns out of the table; what is a feature all the same is taken where \
         --feature-columns lists it by its name",
        leak_text(columns)
    )]
    LeakingColumns {
        /// The file.
        at: Place,
        /// The columns, with what each is a function of.
        columns: Vec<(String, Leak)>,
    },
    /// Two columns of one name.
    #[error("{at}: column `{column}` appears twice")]
    ColumnTwice {
        /// The file.
        at: Place,
        /// Its name.
        column: String,
    },
    /// A column without a name.
    #[error(
        "{at}: column {place} has no name\nhint: pandas writes its index as such a column unless index=False"
    )]
    ColumnUnnamed {
        /// The file.
        at: Place,
        /// Its place, counted from 1.
        place: usize,
    },
    /// A quotation mark that opens a field and is never closed.
    #[error(
        "{at}: a quotation mark opens here and is never closed\nhint: in a .csv file a field that holds one is quoted \
         whole, and the mark in it written twice"
    )]
    OpenQuote {
        /// The line.
        at: Place,
    },
    /// No feature at all.
    #[error("{at}: no features: every item needs at least one number")]
    NoFeatures {
        /// The file.
        at: Place,
    },
    /// No item at all.
    #[error("{at}: no items")]
    NoItems {
        /// The file.
        at: Place,
    },
    /// More items, classes or parts than there are numbers for.
    #[error("{at}: {found} {what}, at most {most} are possible")]
    TooMany {
        /// The file.
        at: Place,
        /// Items, classes or parts.
        what: &'static str,
        /// How many.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// Two files or arrays that must have one row per item disagree.
    #[error("{at}: {found} rows, expected {expected} as in {against}")]
    RowCount {
        /// The file or array.
        at: Place,
        /// Its rows.
        found: usize,
        /// The rows of the other.
        expected: usize,
        /// The other.
        against: String,
    },
    /// A line with more or fewer fields than the header.
    #[error("{at}: expected {expected} fields, found {found}")]
    Ragged {
        /// The line.
        at: Place,
        /// The fields of the header.
        expected: usize,
        /// The fields of the line.
        found: usize,
    },
    /// Sentences where features should be.
    #[error(
        "{at}: column `text` holds `{found}`, features are numbers alone\nhint: a network makes features of \
         sentences: add --backbone bert --weights FOLDER, or run `kshot embed` once"
    )]
    TextsNotFeatures {
        /// The line.
        at: Place,
        /// The field, or the beginning of it.
        found: String,
    },
    /// A field that is no number.
    #[error("{at}: column `{column}` must be a number, got `{found}`")]
    BadNumber {
        /// The line.
        at: Place,
        /// The column.
        column: String,
        /// The field.
        found: String,
    },
    /// One list of objects where each line should be one.
    #[error(
        "{at}: the file is one JSON list, a .jsonl file has one object per line\nhint: `jq -c '.[]' FILE` writes it so, \
         or `pandas.DataFrame.to_json(FILE, orient=\"records\", lines=True)`"
    )]
    NotJsonLines {
        /// The file.
        at: Place,
    },
    /// Text that is not UTF-8.
    #[error("{at}: the text is not UTF-8")]
    NotUtf8 {
        /// The line or array.
        at: Place,
    },
    /// NaN, infinity or a number beyond 32 bits.
    #[error("{at}: {item} has {found} in column {column}, features must be finite 32-bit numbers")]
    NotFinite {
        /// The file or line.
        at: Place,
        /// The item.
        item: Box<ItemName>,
        /// The column's name, or its number counted from 0.
        column: String,
        /// The value as found.
        found: String,
    },
    /// NaN or infinity in a class embedding.
    #[error(
        "{at}: the embedding of class `{class}` has {found} in column {column}, class embeddings must be finite\nhint: fill \
         what is missing, for instance with the mean of its column"
    )]
    EmbeddingNotFinite {
        /// The file or array.
        at: Place,
        /// The class.
        class: String,
        /// The column, counted from 0.
        column: usize,
        /// The value as found.
        found: f32,
    },
    /// A class or part without a name.
    #[error("{at}: item {row} has an empty `{column}`{}", empty_hint(column))]
    EmptyName {
        /// The file or line.
        at: Place,
        /// The item's row, counted from 0.
        row: usize,
        /// `class`, `part` or a column of texts.
        column: &'static str,
    },
    /// Two items of a class with one id.
    #[error(
        "{at}: items {} and {} of class `{class}` have the same id `{id}`\nhint: an id tells an item from all others of \
         its class; leave the column out if there is none", rows.0, rows.1
    )]
    IdTwice {
        /// The file or array.
        at: Place,
        /// The class.
        class: String,
        /// The id.
        id: String,
        /// The rows of the items, counted from 0.
        rows: (usize, usize),
    },
    /// A class code without a name.
    #[error(
        "{at}: item {row} has class code {code}, and `classes` has {names} names, counted from 0{}", code_hint(*code)
    )]
    BadCode {
        /// The file or array.
        at: Place,
        /// The item's row, counted from 0.
        row: usize,
        /// The code.
        code: i64,
        /// The names there are.
        names: usize,
    },
    /// A word that must be one of a few.
    #[error("{at}: {source}{}", part_hint(source))]
    UnknownWord {
        /// The file or line.
        at: Place,
        /// The word and the known ones.
        source: UnknownWord,
    },
    /// A class that is listed twice in one split.
    #[error("{at}: class `{class}` is listed twice")]
    ClassTwice {
        /// The file or line.
        at: Place,
        /// The class.
        class: String,
    },
    /// A class in two splits.
    #[error("{at}: class `{class}` is in two splits, {first} and {second}")]
    ClassInTwoSplits {
        /// The file or line.
        at: Place,
        /// The class.
        class: String,
        /// The split named first.
        first: Split,
        /// The other.
        second: Split,
    },
    /// A class without an embedding.
    #[error("{at}: class `{class}` has no embedding\nhint: every class of the store needs a row")]
    ClassWithoutEmbedding {
        /// The file of the embeddings.
        at: Place,
        /// The class.
        class: String,
    },
    /// A class that is there under a name that only looks like its own.
    #[error(
        "{at}: class {class:?} has no {lacks}, {alike:?} has\nhint: space, case and leading zeros count in names; write the \
         class in one way"
    )]
    AlikeClass {
        /// The file or line.
        at: Place,
        /// The class.
        class: String,
        /// What it lacks: items, or an embedding.
        lacks: &'static str,
        /// The name there is.
        alike: String,
    },
    /// A table of class embeddings without numbers.
    #[error("{at}: no numbers beside the column `class`")]
    NoEmbeddings {
        /// The file.
        at: Place,
    },
    /// An array of class embeddings without columns.
    #[error("{at}: class embeddings without numbers, every class needs at least one")]
    EmptyEmbeddings {
        /// The file or array.
        at: Place,
    },
    /// Class embeddings of which nothing says which class each row belongs to.
    #[error(
        "{at}: nothing says which class each of the {rows} class embeddings belongs to\nhint: {}",
        order_hint(at)
    )]
    EmbeddingsWithoutOrder {
        /// The file or array.
        at: Place,
        /// How many there are.
        rows: usize,
    },
    /// Splits of classes of which nothing says which class each belongs to.
    #[error(
        "{at}: nothing says which class each of the {found} splits belongs to, and the classes do not appear in sorted \
         order\nhint: add an array `classes` with the name of the class of each"
    )]
    SplitsWithoutOrder {
        /// The array.
        at: Place,
        /// How many there are.
        found: usize,
    },
    /// Class embeddings in two files of one store.
    #[error("{at}: the folder has class embeddings in another file, too")]
    EmbeddingsTwice {
        /// The table.
        at: Place,
    },
    /// A listed class that no item has.
    #[error("{at}: class `{class}` has no items")]
    ClassWithoutItems {
        /// The file or line.
        at: Place,
        /// The class.
        class: String,
    },
    /// A class of items that the list of splits leaves out.
    #[error(
        "{at}: class `{class}` has items and no split\nhint: list every class, or leave the splits out altogether"
    )]
    ClassWithoutSplit {
        /// The file that lists the splits.
        at: Place,
        /// The class.
        class: String,
    },
    /// store.toml or metadata that does not parse.
    #[error("{at}: {what}")]
    Written {
        /// The file or line.
        at: Place,
        /// The parser's sentence.
        what: String,
    },
    /// A form that needs another number of features.
    #[error("{at}: form `{form}` has {needs} numbers per item, the features have {dim}")]
    FormAndDim {
        /// The file.
        at: Place,
        /// The form.
        form: Form,
        /// The numbers it needs.
        needs: usize,
        /// The numbers there are.
        dim: usize,
    },
    /// A dataset specification that cannot be met.
    #[error("dataset `{spec}`: {what}")]
    Spec {
        /// The text as given.
        spec: String,
        /// The rule and what was found.
        what: String,
    },
    /// A pipe, a device or a socket where a file should be: it cannot be read twice, or never ends.
    #[error("{} is not a file, features are read from files", path.display())]
    NotAFile {
        /// What is there.
        path: PathBuf,
    },
    /// A dataset that is not where it was looked for.
    #[error(
        "{}: no such file or folder, dataset `{name}` is looked for there\nhint: name the folder of datasets with \
         --data or KSHOT_DATA, or write `{name}:PATH`", path.display()
    )]
    NoDataset {
        /// The dataset.
        name: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// A folder of images that is not where it was said to be.
    #[error("{}: no such folder, the images of `{spec}` are looked for there", path.display())]
    NoFolder {
        /// The dataset as it was named.
        spec: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// A folder without images, in it or deeper.
    #[error("{}: no images in it or in its folders{}\nhint: name the folder of the images that have no classes", folder.display(), noted(notes))]
    NoPictures {
        /// The folder.
        folder: PathBuf,
        /// What there is, as sentences.
        notes: String,
    },
    /// A folder in whose class folders there are no images.
    #[error("{}: no folder with images in it{}\nhint: a folder per class with its images in it is expected", folder.display(), noted(notes))]
    NoImages {
        /// The folder.
        folder: PathBuf,
        /// What there is, as sentences.
        notes: String,
    },
    /// A folder whose images lie deeper than in folders of classes.
    #[error(
        "{}: no images in its folders, but deeper: {}\nhint: name the folder whose folders are the classes, or move the images of each class into one folder",
        folder.display(), found.display()
    )]
    DeepImages {
        /// The folder.
        folder: PathBuf,
        /// The first image.
        found: PathBuf,
    },
    /// A file of a cache that is not as it was written.
    #[error(
        "{}\nhint: delete the folder {}; it is a cache, and is made anew", first_line(source), folder.display()
    )]
    DamagedCache {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with it.
        source: Box<DataError>,
    },
    /// A file that cannot be written.
    #[error("{at}: cannot be written: {source}")]
    Unwritable {
        /// The file or folder.
        at: Place,
        /// The system's reason.
        source: io::Error,
    },
    /// A file that a server does not send.
    #[error(
        "cannot download {url}: {what}\nhint: run it again, what has arrived is kept; or fetch the file from elsewhere, or name a mirror with --from"
    )]
    NotDownloaded {
        /// The address.
        url: String,
        /// What happened.
        what: String,
    },
    /// A hub of weights that does not give what is asked for.
    #[error("{url}: {what}")]
    HubRefuses {
        /// The address.
        url: String,
        /// What it answers, with a way on.
        what: String,
    },
    /// A file that was downloaded and is not the one that is published.
    #[error("{url} is another file than the one that is published: {what}")]
    OtherFile {
        /// The address.
        url: String,
        /// What is different.
        what: String,
    },
    /// An image of another size than the others.
    #[error(
        "{at}: an image of {}×{} pixels, expected {}×{} as in {}\nhint: write folder:DIR,side=PIXELS to scale them",
        found.0, found.1, expected.0, expected.1, first.display()
    )]
    ImageSize {
        /// The image.
        at: Place,
        /// Its height and width.
        found: (usize, usize),
        /// What they must be.
        expected: (usize, usize),
        /// The first image.
        first: PathBuf,
    },
    /// An image that is not square, of a dataset whose images are.
    #[error("{at}: an image of {}×{} pixels, expected a square one", found.0, found.1)]
    NotSquare {
        /// The image.
        at: Place,
        /// Its height and width.
        found: (usize, usize),
    },
    /// A class of the dataset that a file of descriptions leaves out.
    #[error(
        "{at}: class `{class}` has no description\nhint: every class of the dataset needs a line `class,description` or more"
    )]
    NoDescription {
        /// The file of descriptions.
        at: Place,
        /// The class.
        class: String,
    },
    /// A described class that the dataset does not have.
    #[error("{at}: class `{class}` is not in the dataset")]
    DescribedClass {
        /// The line.
        at: Place,
        /// The class.
        class: String,
    },
    /// Centring without base classes.
    #[error(
        "store `{store}` has no base classes, transform `cl2n` subtracts the mean of their items\nhint: name base \
         classes in the splits, or take `l2n`"
    )]
    NoBaseClasses {
        /// The name of the store.
        store: String,
    },
}

impl DataError {
    /// Whether the request is wrong rather than the data: the build lacks a reader, or a
    /// dataset specification or transform cannot be met.
    pub fn is_request(&self) -> bool {
        matches!(
            self,
            DataError::NoParquet { .. }
                | DataError::HubRefuses { .. }
                | DataError::Spec { .. }
                | DataError::NoBaseClasses { .. }
                | DataError::EmbeddingsNoTable { .. }
                | DataError::NoFeatureColumn { .. }
                | DataError::NotATable { .. }
        )
    }

    /// Whether neither the request nor the data is to blame.
    pub fn is_failure(&self) -> bool {
        matches!(self, DataError::NotDownloaded { .. })
    }

    /// The same, of a store that a folder keeps only so that it need not be made again.
    pub fn in_cache(self, folder: &Path) -> DataError {
        DataError::DamagedCache { folder: folder.to_path_buf(), source: Box::new(self) }
    }

    /// A class that no item has, and perhaps a name that looks like it.
    pub(super) fn without_items(at: Place, class: &str, alike: Option<&str>) -> DataError {
        let class = class.to_string();
        match alike {
            None => DataError::ClassWithoutItems { at, class },
            Some(alike) => DataError::AlikeClass { at, class, lacks: "items", alike: alike.to_string() },
        }
    }

    /// A class that has no embedding, and perhaps a name that looks like it.
    pub(super) fn without_embedding(at: Place, class: &str, alike: Option<&str>) -> DataError {
        let class = class.to_string();
        match alike {
            None => DataError::ClassWithoutEmbedding { at, class },
            Some(alike) => DataError::AlikeClass { at, class, lacks: "embedding", alike: alike.to_string() },
        }
    }

    pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> DataError + '_ {
        |source| DataError::Unreadable { at: Place::file(path), source }
    }

    /// As [`DataError::unreadable`], for a file that somebody has named: it may not be there.
    pub(super) fn unreadable_named(path: &Path) -> impl FnOnce(io::Error) -> DataError + '_ {
        |source| match source.kind() {
            io::ErrorKind::NotFound => DataError::NoFile { path: path.to_path_buf() },
            _ => DataError::unreadable(path)(source),
        }
    }
}

/// A remedy for a split of classes that is a word for parts of items.
fn part_hint(word: &UnknownWord) -> &'static str {
    const PARTS: [&str; 8] = ["train", "training", "test", "testing", "val", "valid", "dev", "eval"];
    match word.what == "split" && PARTS.contains(&word.found.to_lowercase().as_str()) {
        true => {
            "\nhint: a split is one of whole classes; to divide the items of a class, such words belong in the column `part`"
        }
        false => "",
    }
}

/// How class embeddings are given an order.
fn order_hint(at: &Place) -> &'static str {
    match at.path.extension().and_then(|extension| extension.to_str()) {
        Some("npz") => "add an array `classes` with the name of the class of each row",
        Some("safetensors") => "add metadata `classes`, a JSON list with the name of the class of each row",
        _ => {
            "add splits.csv with a line `class,split` for each row in its order, or save the embeddings as \
             class_embeddings.csv with a column `class`"
        }
    }
}

/// What columns are a function of.
fn leak_text(columns: &[(String, Leak)]) -> String {
    let of = |kind: Leak| {
        let names: Vec<&String> =
            columns.iter().filter(|(_, leak)| *leak == kind).map(|(name, _)| name).collect();
        let noun = if names.len() == 1 { "column" } else { "columns" };
        let verb = if names.len() == 1 { "is" } else { "are" };
        (!names.is_empty()).then(|| format!("{noun} {} {verb} {kind}", quoted(names)))
    };
    [Leak::Class, Leak::Row].into_iter().filter_map(of).collect::<Vec<_>>().join(", and ")
}

/// A remedy for a code that stands for nothing.
fn code_hint(code: i64) -> &'static str {
    match code {
        -1 => "\nhint: pandas writes -1 where a label is missing; leave such rows out",
        _ => "",
    }
}

/// A remedy for an empty field.
fn empty_hint(column: &str) -> &'static str {
    match column {
        "text" | "description" => "\nhint: fill it, or leave the line out",
        _ => "",
    }
}

/// The sentence without its hint.
fn noted(notes: &str) -> String {
    if notes.is_empty() { String::new() } else { format!(" ({notes})") }
}

fn first_line(error: &DataError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}

fn shape_text(shape: &[u64]) -> String {
    shape.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
