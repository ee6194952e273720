//! Which column of a table is what.

use super::error::ScoresError;
use super::written::Written;

/// The places of the columns that count.
pub(super) struct Columns {
    data_set: Vec<usize>,
    method: Vec<usize>,
    pub(super) revision: Option<usize>,
    pub(super) draw: usize,
    /// Columns without which a draw of one number is not the same: the shot, and the revision of the data.
    versions: Vec<usize>,
    version: Option<usize>,
    pub(super) hash: Option<usize>,
    pub(super) score: usize,
    pub(super) query: Option<usize>,
    /// Whether the score is `correct`, a column of right and wrong answers.
    pub(super) answers: bool,
}

impl Columns {
    /// Finds them by name; `score` is the one asked for.
    pub(super) fn of(written: &Written, score: Option<&str>) -> Result<Columns, ScoresError> {
        if written.columns.is_empty() {
            return Err(ScoresError::Damaged {
                place: written.file.clone(),
                why: "the file is empty".to_string(),
            });
        }
        for (place, name) in written.columns.iter().enumerate() {
            if written.columns[..place].contains(name) {
                return Err(ScoresError::TwoColumns { file: written.file.clone(), name: name.clone() });
            }
        }
        let find = |name: &str| written.columns.iter().position(|column| column == name);
        let one = |names: &[&str]| names.iter().find_map(|name| find(name));
        let all = |names: &[&str]| names.iter().filter_map(|name| find(name)).collect::<Vec<_>>();
        let lacking = |what, expected: &str, hint| ScoresError::NoColumn {
            file: written.file.clone(),
            what,
            expected: expected.to_string(),
            found: listed(&written.columns),
            hint,
        };
        let named = find("dataset");
        let data_set = match named {
            Some(place) => vec![place],
            None => all(&["task", "subset"]),
        };
        if data_set.is_empty() {
            return Err(lacking("data set", "`dataset`, or `task` and perhaps `subset`", ""));
        }
        let method = match find("method").or(find("model")) {
            Some(place) => [all(&["backbone"]), vec![place], all(&["shot"])].concat(),
            None => return Err(lacking("method", "`method` or `model`", "")),
        };
        let draw = one(&["draw", "seed", "fold"]).or(if named.is_some() { find("task") } else { None });
        let draw = draw.ok_or_else(|| {
            let expected = "`draw`, `seed` or `fold`, or `task` beside `dataset`";
            lacking("draw", expected, "\nhint: means alone have no spread; bring the score of every draw")
        })?;
        let correct = find("correct");
        let (score, answers) = match score {
            Some(name) => {
                let place =
                    find(name).ok_or_else(|| lacking("score", &format!("`{name}` as asked for"), ""))?;
                (place, correct == Some(place))
            }
            None => match one(&["score", "accuracy"]) {
                Some(place) => (place, false),
                None => {
                    let expected = "`score`, `accuracy` or `correct`";
                    let place = correct
                        .ok_or_else(|| lacking("score", expected, "\nhint: name it with --score COLUMN"))?;
                    (place, true)
                }
            },
        };
        Ok(Columns {
            data_set,
            method,
            revision: find("model_revision"),
            draw,
            versions: all(&["shot", "dataset_revision"]),
            version: find("mteb_version"),
            hash: find("draw_sha256"),
            score,
            query: find("query").filter(|_| answers),
            answers,
        })
    }

    /// The name of the data set of a row.
    pub(super) fn data_set(&self, row: &[String]) -> String {
        joined(&self.data_set, row, " ")
    }

    /// The name of the method of a row.
    pub(super) fn method(&self, row: &[String]) -> String {
        joined(&self.method, row, "+")
    }

    /// What a draw must have in common with another one to be the same: its number, the shot, the revision of the data and the
    /// major version of the tool.
    pub(super) fn draw(&self, row: &[String]) -> String {
        let version = self.version.and_then(|place| row[place].split('.').next());
        let versions = self.versions.iter().map(|place| row[*place].as_str());
        [row[self.draw].as_str()].into_iter().chain(versions).chain(version).collect::<Vec<_>>().join("@")
    }

    /// The first name of a row that is empty, as its column.
    pub(super) fn empty(&self, row: &[String]) -> Option<usize> {
        let names = self.data_set.iter().chain(&self.method).chain([&self.draw]).chain(&self.query);
        names.copied().find(|place| row[*place].is_empty())
    }
}

fn joined(places: &[usize], row: &[String], between: &str) -> String {
    places.iter().map(|place| row[*place].as_str()).collect::<Vec<_>>().join(between)
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
