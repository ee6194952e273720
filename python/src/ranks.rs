//! Tables of scores that other tools made, ranked.

use std::path::PathBuf;

use kshot::report::ranks;
use kshot::run::RunError;
use kshot::scores::{Options, Ranking, Scores, ScoresError, Written};
use pyo3::prelude::*;

use crate::errors::raised;

/// A ranking: as text, `ranking.md`, `survival.svg`, and the tables that it has, by name.
type Ranked = (String, String, String, Vec<(&'static str, Vec<u8>)>);

/// Ranks the methods of a table: bytes of a .csv, or a file.
#[pyfunction]
#[pyo3(signature = (table=None, path=None, score=None, paired=None, all_pairs=false))]
pub(crate) fn rank(
    py: Python<'_>,
    table: Option<Vec<u8>>,
    path: Option<PathBuf>,
    score: Option<String>,
    paired: Option<bool>,
    all_pairs: bool,
) -> PyResult<Ranked> {
    let work = || -> Result<Ranked, RunError> {
        let written = match path {
            Some(path) => Written::read(&path)?,
            None => Written::from_csv(&table.unwrap_or_default(), "the frame")?,
        };
        let ranking = Ranking::of(&Scores::checked(&written, &Options { score, paired })?);
        let figure = ranks::figure(&ranking).map_err(|error| RunError::Page(error.into()))?;
        let mut tables = vec![
            ("ranking", ranks::standings(&ranking)),
            ("pairs", ranks::pairs(&ranking, all_pairs)),
            ("survival", ranks::survival(&ranking)),
        ];
        tables.extend(ranks::over_data_sets(&ranking).map(|ranks| ("ranks", ranks)));
        Ok((ranks::text(&ranking), ranks::markdown(&ranking), figure.file(), tables))
    };
    py.detach(work).map_err(raised)
}

/// A table of scores, or a folder of MTEB results, as columns and rows of texts.
#[pyfunction]
pub(crate) fn read_scores(py: Python<'_>, path: PathBuf) -> PyResult<(Vec<String>, Vec<Vec<String>>)> {
    let written = py.detach(|| Written::read(&path)).map_err(|error: ScoresError| raised(error))?;
    Ok((written.columns, written.rows))
}
