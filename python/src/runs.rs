//! Evaluations and selections.

use std::path::PathBuf;

use kshot::learner::Learners;
use kshot::results::{LeftOver, Warning};
use kshot::run::{self, Device, Execution, Inputs, Request, RunError, SelectRequest, Text};
use kshot::select::By;
use pyo3::prelude::*;

use crate::errors::{ComputationError, raised, request as wrong};
use crate::features::Features;
use crate::own::{Own, Owns};
use crate::watch::{Told, watched};

/// How a run is carried out.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct How {
    workers: Option<usize>,
    batch: Option<usize>,
    device: String,
    out: Option<PathBuf>,
    overwrite: bool,
    resume: bool,
    command: Vec<String>,
}

fn device(named: &str) -> PyResult<Device> {
    let number = match (named, named.strip_prefix("cuda:")) {
        ("cpu", _) => return Ok(Device::Cpu),
        ("cuda", _) => Some(0),
        (_, Some(number)) => number.parse().ok(),
        _ => None,
    };
    let number =
        number.ok_or_else(|| wrong(format!("`device` must be cpu, cuda or cuda:N, got `{named}`")))?;
    Device::gpu(number).map_err(raised)
}

/// A request as `run.json` holds it.
fn read<T: serde::de::DeserializeOwned>(json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| wrong(format!("the request is wrong: {error}")))
}

/// The exception of a run; one that a learner in Python raised is its cause.
fn told_of(py: Python<'_>, error: RunError, owns: &Owns) -> PyErr {
    match owns.raised() {
        None => raised(error),
        Some(cause) => {
            let raised = ComputationError::new_err(error.to_string());
            raised.set_cause(py, Some(cause));
            raised
        }
    }
}

/// What a reader should know, as the command line says it.
fn sentences(warnings: &[Warning]) -> Vec<String> {
    let said = warnings.iter().filter(|warning| !matches!(warning, Warning::SamplerInterval { .. }));
    said.map(ToString::to_string).collect()
}

/// Evaluates, and leaves the files in the folder of `how`; gives back what a reader should know.
#[pyfunction]
#[pyo3(signature = (request, features, own, how, progress=None))]
pub(crate) fn evaluate(
    py: Python<'_>,
    request: &str,
    features: Vec<PyRef<'_, Features>>,
    own: Vec<PyRef<'_, Own>>,
    how: How,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<String>> {
    let request: Request = read(request)?;
    let told = Told::default();
    let owns = Owns::of(&own, &told.cancelled());
    let learners = Learners::shipped().with(owns.clone());
    let given: Vec<run::Features> = features.iter().map(|set| set.given.clone()).collect();
    let execution = Execution {
        device: device(&how.device)?,
        workers: how.workers.map(|workers| workers.max(1)),
        batch: how.batch,
        out: how.out,
        overwrite: how.overwrite,
        left_over: if how.resume { LeftOver::GoOn } else { LeftOver::Refuse },
        shard: None,
        command: how.command,
        ..Execution::default()
    };
    let work = |told: &Told| run::evaluate(&request, given, &execution, &learners, told);
    let done = watched(py, &told, progress.as_ref(), work)?.map_err(|error| told_of(py, error, &owns))?;
    Ok(sentences(done.warnings()))
}

/// What a selection is asked for.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Selecting {
    protocol: (String, String),
    inputs: String,
    learners: Vec<String>,
    budget: usize,
    by: String,
    episodes: Option<usize>,
    seed: Option<u32>,
    device: String,
    workers: Option<usize>,
}

/// The name of a file, and its bytes.
type File = (String, Vec<u8>);

/// Selects: the files by name, and what a reader should know.
#[pyfunction]
#[pyo3(signature = (asked, features, progress=None))]
pub(crate) fn select(
    py: Python<'_>,
    asked: Selecting,
    features: Vec<PyRef<'_, Features>>,
    progress: Option<Py<PyAny>>,
) -> PyResult<(Vec<File>, Vec<String>)> {
    let by = [By::Validation, By::SupportCv, By::Oracle].into_iter().find(|by| by.word() == asked.by);
    let inputs: Inputs = read(&asked.inputs)?;
    let request = SelectRequest {
        protocol: Text { origin: asked.protocol.0, text: asked.protocol.1 },
        inputs,
        learners: asked.learners,
        space: None,
        budget: asked.budget.max(1),
        by: by.ok_or_else(|| {
            wrong(format!("`by` must be validation, support-cv or oracle, got `{}`", asked.by))
        })?,
        episodes: asked.episodes,
        seed: asked.seed,
        device: device(&asked.device)?,
        workers: asked.workers.map(|workers| workers.max(1)),
    };
    let given: Vec<run::Features> = features.iter().map(|set| set.given.clone()).collect();
    let learners = Learners::shipped();
    let work = |told: &Told| run::select(&request, given, &learners, told);
    let done = watched(py, &Told::default(), progress.as_ref(), work)?.map_err(raised)?;
    let files = done.files().iter().map(|(name, bytes)| (name.to_string(), bytes.clone())).collect();
    Ok((files, sentences(&done.warnings)))
}
