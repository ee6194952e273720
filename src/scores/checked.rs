//! Scores as they are meant: data sets, their methods, and the draws of each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::columns::Columns;
use super::error::ScoresError;
use super::scale::Scale;
use super::written::Written;

/// Whether draw i of one method is draw i of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// It is: the user, or the file by equal `draw_sha256`, says so.
    Paired,
    /// It is not: methods are compared as independent samples.
    Unpaired,
    /// Nothing says; both answers are given.
    Unknown,
}

/// How a table is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The column of the score; by default `score`, else `accuracy`, else `correct`.
    pub score: Option<String>,
    /// Whether draws are paired; `None` asks the file.
    pub paired: Option<bool>,
}

/// The draws of one method on one data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// The score of each draw, by the name of the draw.
    pub draws: BTreeMap<String, f64>,
    /// The mean over draws of each query's answers, by the name of the query; empty where the file has no queries.
    pub queries: BTreeMap<String, f64>,
}

impl Method {
    /// The scores in the order of their draws.
    pub fn scores(&self) -> Vec<f64> {
        self.draws.values().copied().collect()
    }
}

/// A data set with the methods that were tried on it.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSet {
    /// Its name.
    pub name: String,
    /// The scale of its scores.
    pub scale: Scale,
    /// In alphabetical order.
    pub methods: Vec<Method>,
}

/// A checked table of scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// The file.
    pub file: String,
    /// The column of the scores.
    pub column: String,
    /// In alphabetical order; each has two methods or more.
    pub data_sets: Vec<DataSet>,
    /// Whether draws are paired.
    pub pairing: Pairing,
    /// Whether answers of single queries are there.
    pub queries: bool,
    /// What a reader must know, as sentences.
    pub notes: Vec<String>,
}

/// The answers of one draw: their sum and number, and the line of the first.
#[derive(Default)]
struct Cell {
    sum: f64,
    count: u32,
    line: u64,
    hash: String,
}

type Cells = BTreeMap<String, BTreeMap<String, BTreeMap<String, Cell>>>;
type Answers = HashMap<(String, String, String), (f64, u32)>;

impl Scores {
    /// Understands a table.
    ///
    /// # Errors
    /// Absent columns, cells without a number, doubled rows, two scales in one data set, single draws, and draws that are
    /// said to be paired and are not.
    pub fn checked(written: &Written, options: &Options) -> Result<Scores, ScoresError> {
        let columns = Columns::of(written, options.score.as_deref())?;
        let (cells, answers) = read(written, &columns)?;
        let mut notes = written.notes.clone();
        let mut data_sets = Vec::new();
        let mut alone = Vec::new();
        for (name, methods) in &cells {
            if methods.len() < 2 {
                alone.push(name.as_str());
                continue;
            }
            data_sets.push(data_set(written, &columns, name, methods, &answers)?);
        }
        if data_sets.is_empty() {
            let found = match cells.len() {
                0 => "no rows".to_string(),
                sets => format!("{} rows of {sets} data sets with one method each", written.rows.len()),
            };
            return Err(ScoresError::Alone { file: written.file.clone(), found });
        }
        if !alone.is_empty() {
            notes.push(format!("left out, because a single method was tried: {}", some(&alone)));
        }
        let pairing = pairing(&cells, columns.hash.is_some(), options.paired);
        let scores = Scores {
            file: written.file.clone(),
            column: written.columns[columns.score].clone(),
            data_sets,
            pairing,
            queries: columns.query.is_some(),
            notes,
        };
        if options.paired == Some(true) {
            scores.check_pairs()?;
        }
        Ok(scores)
    }

    /// That the methods of each data set can be paired at all.
    fn check_pairs(&self) -> Result<(), ScoresError> {
        for set in &self.data_sets {
            let shared =
                |a: &Method, b: &Method| a.draws.keys().filter(|draw| b.draws.contains_key(*draw)).count();
            let first = &set.methods[0];
            if set.methods[1..].iter().all(|method| shared(first, method) < 2) {
                let why = format!("no method has two draws in common with `{}`", first.name);
                let (file, data_set) = (self.file.clone(), set.name.clone());
                return Err(ScoresError::NotPaired { file, data_set, why });
            }
        }
        Ok(())
    }

    /// Methods that stand in some data sets and not in all.
    pub fn absent(&self) -> Vec<(&str, usize)> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for method in self.data_sets.iter().flat_map(|set| &set.methods) {
            *counts.entry(&method.name).or_default() += 1;
        }
        let all = self.data_sets.len();
        counts
            .into_iter()
            .filter(|(_, count)| *count < all)
            .map(|(name, count)| (name, all - count))
            .collect()
    }
}

/// The cells of a table, and the answers of its queries.
fn read(written: &Written, columns: &Columns) -> Result<(Cells, Answers), ScoresError> {
    let names = names(written, columns);
    let mut cells = Cells::new();
    let mut answers = Answers::new();
    let mut seen: BTreeSet<(String, String, String, String)> = BTreeSet::new();
    for (number, row) in written.rows.iter().enumerate() {
        let place = || written.place(number);
        if let Some(column) = columns.empty(row) {
            return Err(ScoresError::Empty { place: place(), column: written.columns[column].clone() });
        }
        let score = score(written, columns, number)?;
        let (data_set, method, draw) = (columns.data_set(row), names[number].clone(), columns.draw(row));
        let methods = cells.entry(data_set.clone()).or_default();
        let cell = methods.entry(method.clone()).or_default().entry(draw.clone()).or_default();
        let twice = match columns.query {
            Some(query) => !seen.insert((data_set.clone(), method.clone(), draw.clone(), row[query].clone())),
            None => cell.count > 0 && !columns.answers,
        };
        if twice {
            return Err(ScoresError::Twice { place: place(), method, draw, data_set, first: cell.line });
        }
        if cell.count == 0 {
            cell.line = written.lines.get(number).copied().unwrap_or(0);
            cell.hash = columns.hash.map(|place| row[place].clone()).unwrap_or_default();
        }
        cell.sum += score;
        cell.count += 1;
        if let Some(query) = columns.query {
            let answer = answers.entry((data_set, method, row[query].clone())).or_default();
            *answer = (answer.0 + score, answer.1 + 1);
        }
    }
    Ok((cells, answers))
}

/// The method of every row: with its revision where one model has several.
fn names(written: &Written, columns: &Columns) -> Vec<String> {
    let plain: Vec<String> = written.rows.iter().map(|row| columns.method(row)).collect();
    let Some(revision) = columns.revision else { return plain };
    let mut revisions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, row) in plain.iter().zip(&written.rows) {
        revisions.entry(name).or_default().insert(&row[revision]);
    }
    let several: BTreeSet<&str> =
        revisions.into_iter().filter(|(_, found)| found.len() > 1).map(|(name, _)| name).collect();
    let named = plain.iter().zip(&written.rows).map(|(name, row)| match several.contains(name.as_str()) {
        true => format!("{name}@{}", row[revision].chars().take(8).collect::<String>()),
        false => name.clone(),
    });
    named.collect()
}

fn score(written: &Written, columns: &Columns, number: usize) -> Result<f64, ScoresError> {
    let found = &written.rows[number][columns.score];
    let truth = columns.answers.then(|| match found.to_lowercase().as_str() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        _ => None,
    });
    let number_of = || found.parse::<f64>().ok().filter(|score| score.is_finite());
    truth.flatten().or_else(number_of).ok_or_else(|| ScoresError::Number {
        place: written.place(number),
        column: written.columns[columns.score].clone(),
        found: found.clone(),
    })
}

fn data_set(
    written: &Written,
    columns: &Columns,
    name: &str,
    methods: &BTreeMap<String, BTreeMap<String, Cell>>,
    answers: &Answers,
) -> Result<DataSet, ScoresError> {
    let mut checked = Vec::new();
    for (method, cells) in methods {
        if cells.len() < 2 {
            let (file, data_set) = (written.file.clone(), name.to_string());
            return Err(ScoresError::OneDraw { file, method: method.clone(), data_set });
        }
        let draws =
            cells.iter().map(|(draw, cell)| (draw.clone(), cell.sum / f64::from(cell.count))).collect();
        checked.push(Method { name: method.clone(), draws, queries: BTreeMap::new() });
    }
    for ((of, method, query), (sum, count)) in answers {
        if of == name
            && let Ok(place) = checked.binary_search_by(|other| other.name.cmp(method))
        {
            checked[place].queries.insert(query.clone(), sum / f64::from(*count));
        }
    }
    let scale = one_scale(written, columns, name, &checked, methods)?;
    Ok(DataSet { name: name.to_string(), scale, methods: checked })
}

/// The scale of a data set; refused where one method is on another scale than the others.
fn one_scale(
    written: &Written,
    columns: &Columns,
    name: &str,
    methods: &[Method],
    cells: &BTreeMap<String, BTreeMap<String, Cell>>,
) -> Result<Scale, ScoresError> {
    let of = |method: &Method| Scale::of(method.draws.values().copied());
    let informative = |method: &&Method| method.draws.values().any(|score| *score != 0.0);
    let percent = methods.iter().find(|method| of(method) == Scale::Percent);
    let fraction = methods.iter().filter(informative).find(|method| of(method) == Scale::Fraction);
    let (Some(percent), Some(fraction)) = (percent, fraction) else {
        return Ok(if percent.is_some() { Scale::Percent } else { Scale::Fraction });
    };
    let first = |method: &Method| cells[&method.name].values().map(|cell| cell.line).min().unwrap_or(0);
    Err(ScoresError::Scales {
        place: format!("{}:{}", written.file, first(percent).max(first(fraction))),
        data_set: name.to_string(),
        fraction: format!("those of `{}`", fraction.name),
        percent: format!("those of `{}`", percent.name),
        column: written.columns[columns.score].clone(),
    })
}

/// What is known of the draws: the user's word, else equal hashes in the file.
fn pairing(cells: &Cells, hashes: bool, asked: Option<bool>) -> Pairing {
    if let Some(paired) = asked {
        return if paired { Pairing::Paired } else { Pairing::Unpaired };
    }
    if !hashes {
        return Pairing::Unknown;
    }
    let agree = cells.values().all(|methods| {
        let mut hashes: BTreeMap<&str, &str> = BTreeMap::new();
        let mut all = methods.values().flatten();
        all.all(|(draw, cell)| {
            !cell.hash.is_empty() && *hashes.entry(draw).or_insert(&cell.hash) == cell.hash
        })
    });
    if agree { Pairing::Paired } else { Pairing::Unpaired }
}

/// The first names of a list, and how many more there are.
fn some(names: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}
