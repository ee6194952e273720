//! Folders of results as people read them.

use std::path::PathBuf;

use kshot::metric::Metric;
use kshot::report::compare::{EquivalenceMargin, NoMargin};
use kshot::report::{Overview, overviews};
use kshot::results::{ReadTable, ResultsFolder};
use kshot::run::Comparing;
use pyo3::prelude::*;

use crate::errors::{raised, request};

/// The table of a run, as the command line prints it.
#[pyfunction]
pub(crate) fn table(py: Python<'_>, folder: PathBuf) -> PyResult<String> {
    py.detach(|| {
        let rows: Vec<_> = ResultsFolder::read(&folder)?.tables.iter().flat_map(ReadTable::rows).collect();
        Ok(overviews(&rows).iter().map(Overview::text).collect::<Vec<_>>().join("\n"))
    })
    .map_err(|error: kshot::results::ReadError| raised(error))
}

/// A margin as Python has it: a number, or a text such as `10%-of-error`.
#[derive(FromPyObject)]
pub(crate) enum Margin {
    Number(f64),
    Text(String),
}

impl Margin {
    fn read(self) -> PyResult<EquivalenceMargin> {
        match self {
            Margin::Number(number) => Ok(number.into()),
            Margin::Text(text) => text.parse().map_err(|error: NoMargin| request(error.to_string())),
        }
    }
}

fn comparing(
    folders: Vec<PathBuf>,
    baseline: Option<String>,
    margin: Option<Margin>,
    metric: Option<String>,
) -> PyResult<Comparing> {
    let mut comparing = Comparing::of(folders);
    if let Some(metric) = metric {
        let metric = metric.parse::<Metric>().map_err(|error| request(error.to_string()))?;
        comparing = comparing.metric(metric);
    }
    if let Some(baseline) = baseline {
        comparing = comparing.baseline(baseline);
    }
    if let Some(margin) = margin {
        comparing = comparing.margin(margin.read()?);
    }
    Ok(comparing)
}

/// A comparison: as text, `comparison.csv`, `comparison.md`, `comparison.tex`, and `ranks.csv` where there are several data
/// sets.
type Compared = (String, Vec<u8>, String, String, Option<Vec<u8>>);

/// Compares the methods of folders of results.
#[pyfunction]
#[pyo3(signature = (folders, baseline=None, margin=None, metric=None))]
pub(crate) fn compare(
    py: Python<'_>,
    folders: Vec<PathBuf>,
    baseline: Option<String>,
    margin: Option<Margin>,
    metric: Option<String>,
) -> PyResult<Compared> {
    let comparing = comparing(folders, baseline, margin, metric)?;
    let compared = py.detach(|| comparing.run()).map_err(raised)?;
    Ok((compared.text(), compared.csv(), compared.markdown(), compared.latex(), compared.ranks_csv()))
}

/// The name of a plot, what it shows, and its SVG.
type Plot = (String, String, String);

/// The page of folders of results, and its plots.
#[pyfunction]
#[pyo3(signature = (folders, baseline=None, margin=None, features=None))]
pub(crate) fn page(
    py: Python<'_>,
    folders: Vec<PathBuf>,
    baseline: Option<String>,
    margin: Option<Margin>,
    features: Option<&str>,
) -> PyResult<(String, Vec<Plot>)> {
    let comparing = comparing(folders, baseline, margin, None)?;
    let page = py.detach(|| comparing.page(features)).map_err(raised)?;
    let plots = page.plots.iter().map(|plot| (plot.name.clone(), plot.label.clone(), plot.file()));
    Ok((page.html, plots.collect()))
}
