//! Learners that are written in Python, on the episodes of kshot.
//!
//! They are given arrays of a support, its labels and the queries of a batch of episodes; the lock of Python is taken once a
//! batch.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kshot::learner::{
    Classifier, Inductive, LearnError, Learner, Plugin, Registered, Registry, Signature, Transductive,
};
use kshot::rng::BatchRng;
use kshot::tensor::{Backend, to_host};
use kshot::view::{Items, Scores, Support};
use kshot::vocab::{Meaning, Transform};
use numpy::{PyArray1, PyArray3, PyArrayMethods, PyReadonlyArray2, PyReadonlyArray3};
use pyo3::prelude::*;

use crate::errors::request;

/// A learner that is written in Python.
#[pyclass(frozen, module = "kshot._kshot")]
pub(crate) struct Own {
    name: &'static str,
    function: Arc<Py<PyAny>>,
    meaning: Meaning,
    takes: Transform,
    batched: bool,
    transductive: bool,
}

#[pymethods]
impl Own {
    #[new]
    fn new(
        name: &str,
        function: Py<PyAny>,
        meaning: &str,
        takes: &str,
        batched: bool,
        transductive: bool,
    ) -> PyResult<Own> {
        let meaning = match meaning {
            "ranking" => Meaning::Ranking,
            "logits" => Meaning::Logits,
            "probabilities" => Meaning::Probabilities,
            other => {
                return Err(request(format!(
                    "scores mean `ranking`, `logits` or `probabilities`, got `{other}`"
                )));
            }
        };
        let takes = takes.parse::<Transform>().map_err(|error| request(error.to_string()))?;
        Ok(Own { name: kept(name), function: Arc::new(function), meaning, takes, batched, transductive })
    }
}

/// A name for as long as the program runs, as those of registered learners are; each is kept once.
fn kept(name: &str) -> &'static str {
    static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    match names.get(name) {
        Some(known) => known,
        None => {
            let new: &'static str = Box::leak(name.to_string().into_boxed_str());
            names.insert(new);
            new
        }
    }
}

/// The learners of a run that are written in Python, and the first exception that one of them raised.
#[derive(Clone)]
pub(crate) struct Owns {
    learners: Vec<Calls>,
    raised: Arc<Mutex<Option<PyErr>>>,
}

impl Owns {
    pub(crate) fn of(learners: &[PyRef<'_, Own>], cancelled: &Arc<AtomicBool>) -> Owns {
        let raised = Arc::default();
        let calls = |own: &PyRef<'_, Own>| Calls {
            name: own.name,
            function: Arc::clone(&own.function),
            meaning: own.meaning,
            takes: own.takes,
            batched: own.batched,
            transductive: own.transductive,
            cancelled: Arc::clone(cancelled),
            raised: Arc::clone(&raised),
        };
        Owns { learners: learners.iter().map(calls).collect(), raised }
    }

    /// The exception that ended the run, where one did.
    pub(crate) fn raised(&self) -> Option<PyErr> {
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Plugin for Owns {
    fn register<D: Registered>(&self, list: &mut Registry<D>) {
        for calls in &self.learners {
            let calls = calls.clone();
            list.add(Signature::new(calls.name, "a learner written in Python"), move |_| {
                let learner = match calls.transductive {
                    true => Learner::transductive(calls.clone()),
                    false => Learner::inductive(calls.clone()),
                };
                Ok(learner.with_transform(calls.takes))
            });
        }
    }
}

/// How a learner of Python is called.
#[derive(Clone)]
struct Calls {
    name: &'static str,
    function: Arc<Py<PyAny>>,
    meaning: Meaning,
    takes: Transform,
    batched: bool,
    transductive: bool,
    cancelled: Arc<AtomicBool>,
    raised: Arc<Mutex<Option<PyErr>>>,
}

/// Items of a batch on the host: (episodes, items, dim).
struct Rows {
    values: Vec<f32>,
    items: usize,
    dim: usize,
}

/// The supports of a batch on the host.
#[derive(Clone)]
struct Fitted {
    rows: Arc<Rows>,
    /// By episode, the labels of its items; padding has none.
    labels: Arc<[Vec<i64>]>,
    way: usize,
}

impl Fitted {
    fn of<D: Backend>(support: &Support<D>) -> Result<Fitted, LearnError> {
        let labels = support.labels();
        let of = |episode| labels.of(episode).iter().map(|label| i64::from(*label)).collect();
        let values = to_host(support.features()?)?;
        Ok(Fitted {
            rows: Arc::new(Rows { values, items: support.slots(), dim: support.dim() }),
            labels: (0..support.episodes()).map(of).collect(),
            way: support.way(),
        })
    }
}

impl<D: Backend> Inductive<D> for Calls {
    fn adapt(&self, support: &Support<D>, _: &BatchRng<'_>) -> Result<Box<dyn Classifier<D>>, LearnError> {
        Ok(Box::new(Asked { calls: self.clone(), fitted: Fitted::of(support)? }))
    }
}

impl<D: Backend> Transductive<D> for Calls {
    fn infer(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        _: &BatchRng<'_>,
    ) -> Result<Scores<D>, LearnError> {
        self.scores(&Fitted::of(support)?, query)
    }
}

/// A learner that has seen its supports.
struct Asked {
    calls: Calls,
    fitted: Fitted,
}

impl<D: Backend> Classifier<D> for Asked {
    fn scores(&self, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        self.calls.scores(&self.fitted, items)
    }
}

impl Calls {
    fn scores<D: Backend>(&self, fitted: &Fitted, items: &Items<D>) -> Result<Scores<D>, LearnError> {
        let rows = Rows { values: to_host(&items.features()?)?, items: items.count(), dim: items.dim() };
        let (episodes, count, way) = (fitted.labels.len(), rows.items, fitted.way);
        let answered = Python::attach(|py| self.answers(py, fitted, rows));
        let values = answered.map_err(|error| self.failed(error))?;
        let values = items.device().tensor3((episodes, count, way), values)?;
        Ok(Scores { values, meaning: self.meaning })
    }

    /// Keeps the first exception and makes a sentence of it.
    fn failed(&self, error: PyErr) -> LearnError {
        let problem = error.to_string();
        self.raised.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        LearnError::Conflict { learner: self.name.to_string(), problem }
    }

    /// The scores of a batch: (episodes, items, way).
    fn answers(&self, py: Python<'_>, fitted: &Fitted, query: Rows) -> PyResult<Vec<f32>> {
        let (episodes, count) = (fitted.labels.len(), query.items);
        let support = cube(py, fitted.rows.values.clone(), (episodes, fitted.rows.items, fitted.rows.dim))?;
        let query = cube(py, query.values, (episodes, count, query.dim))?;
        let function = self.function.bind(py);
        let equal = fitted.labels.iter().all(|labels| labels.len() == fitted.rows.items);
        if self.batched && equal {
            let labels = PyArray1::from_vec(py, fitted.labels.concat());
            let labels = labels.reshape([episodes, fitted.rows.items])?;
            let scores = function.call1((support, labels, query))?;
            return read3(&scores, (episodes, count, fitted.way));
        }
        let mut all = Vec::with_capacity(episodes * count * fitted.way);
        for (episode, labels) in fitted.labels.iter().enumerate() {
            if self.cancelled.load(Ordering::Relaxed) {
                return Err(pyo3::exceptions::PyKeyboardInterrupt::new_err(()));
            }
            let own = support.get_item(episode)?;
            let own = match labels.len() == fitted.rows.items {
                true => own,
                false => own.get_item(pyo3::types::PySlice::new(py, 0, labels.len() as isize, 1))?,
            };
            let labels = PyArray1::from_slice(py, labels);
            let asked = query.get_item(episode)?;
            let shape = (count, fitted.way);
            if self.batched {
                // Supports of different sizes: a batch of one episode.
                let none = py.None();
                let one = |array: Bound<'_, PyAny>| array.get_item(&none).map(Bound::unbind);
                let scores = function.call1((one(own)?, one(labels.into_any())?, one(asked)?))?;
                all.extend(read3(&scores, (1, shape.0, shape.1))?);
            } else {
                read2(&function.call1((own, labels, asked))?, shape, &mut all)?;
            }
        }
        Ok(all)
    }
}

fn cube<'py>(
    py: Python<'py>,
    values: Vec<f32>,
    (episodes, items, dim): (usize, usize, usize),
) -> PyResult<Bound<'py, PyArray3<f32>>> {
    PyArray1::from_vec(py, values).reshape([episodes, items, dim])
}

/// Anything as an array of 32-bit floats.
fn floats<'py>(scores: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    scores.py().import("kshot._scores")?.getattr("floats")?.call1((scores,))
}

fn other_shape(found: &[usize], expected: String) -> PyErr {
    request(format!(
        "its scores have shape {found:?}, expected {expected}: a row per query, a column per class"
    ))
}

fn read2(scores: &Bound<'_, PyAny>, shape: (usize, usize), out: &mut Vec<f32>) -> PyResult<()> {
    let expected = || format!("({}, {})", shape.0, shape.1);
    let read = |array: &PyReadonlyArray2<'_, f32>, out: &mut Vec<f32>| {
        let view = array.as_array();
        if view.dim() != shape {
            return Err(other_shape(view.shape(), expected()));
        }
        out.extend(view.iter());
        Ok(())
    };
    if let Ok(array) = scores.extract::<PyReadonlyArray2<'_, f32>>() {
        return read(&array, out);
    }
    let array = floats(scores)?;
    match array.extract::<PyReadonlyArray2<'_, f32>>() {
        Ok(array) => read(&array, out),
        Err(_) => Err(other_shape(&array.getattr("shape")?.extract::<Vec<usize>>()?, expected())),
    }
}

fn read3(scores: &Bound<'_, PyAny>, shape: (usize, usize, usize)) -> PyResult<Vec<f32>> {
    let array = floats(scores)?;
    let expected = format!("({}, {}, {})", shape.0, shape.1, shape.2);
    let wrong = |array: &Bound<'_, PyAny>| -> PyErr {
        match array.getattr("shape").and_then(|shape| shape.extract::<Vec<usize>>()) {
            Ok(found) => other_shape(&found, expected.clone()),
            Err(error) => error,
        }
    };
    let read = array.extract::<PyReadonlyArray3<'_, f32>>().map_err(|_| wrong(&array))?;
    let view = read.as_array();
    if view.dim() != shape {
        return Err(wrong(&array));
    }
    Ok(view.iter().copied().collect())
}
