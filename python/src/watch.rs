//! A run on a thread of its own, while Python shows how it goes and may end it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use kshot::run::{RunError, Stage, Watch};
use pyo3::prelude::*;

use crate::errors::ComputationError;

/// How often Python is asked whether the run shall end, and shown how it goes.
const TICK: Duration = Duration::from_millis(50);

/// The stack of the thread of a run: that of a main thread.
const STACK: usize = 8 << 20;

/// What is known of a run that goes on; written by it and read by Python's thread.
#[derive(Default)]
pub(crate) struct Told {
    cancelled: Arc<AtomicBool>,
    stage: Mutex<Shown>,
    done: AtomicU64,
}

/// The stage of a run, and whether Python has been told of it.
#[derive(Default)]
struct Shown {
    /// Counts the stages.
    number: u64,
    name: String,
    steps: u64,
    open: bool,
}

impl Told {
    /// Whether the run shall end; for learners that are called in it.
    pub(crate) fn cancelled(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    fn with<T>(&self, change: impl FnOnce(&mut Shown) -> T) -> T {
        change(&mut self.stage.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells Python: `progress(number, name, steps, done, open)`.
    fn show(&self, progress: &Bound<'_, PyAny>) -> PyResult<()> {
        let stage = self.with(|shown| (shown.number, shown.name.clone(), shown.steps, shown.open));
        let (number, name, steps, open) = stage;
        progress.call1((number, name, steps, self.done.load(Ordering::Relaxed), open)).map(drop)
    }
}

impl Watch for Told {
    fn begin(&self, stage: &Stage<'_>) {
        self.done.store(stage.done, Ordering::Relaxed);
        self.with(|shown| {
            shown.number += 1;
            shown.name = stage.name.to_string();
            shown.steps = stage.steps;
            shown.open = true;
        });
    }

    fn advance(&self, steps: u64) {
        self.done.fetch_add(steps, Ordering::Relaxed);
    }

    fn reach(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    fn extend(&self, steps: u64) {
        self.with(|shown| shown.steps = steps);
    }

    fn tell(&self, sentence: &str) {
        self.with(|shown| shown.name = sentence.to_string());
    }

    fn end(&self) {
        self.with(|shown| shown.open = false);
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// Does work with Python's lock released. A signal of Python ends it, and so does an exception of `progress`.
pub(crate) fn watched<T: Send>(
    py: Python<'_>,
    told: &Told,
    progress: Option<&Py<PyAny>>,
    work: impl FnOnce(&Told) -> Result<T, RunError> + Send,
) -> PyResult<Result<T, RunError>> {
    py.detach(|| {
        thread::scope(|scope| {
            let (ended, end) = channel::<()>();
            let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
                let outcome = work(told);
                drop(ended);
                outcome
            });
            let thread = thread.map_err(|error| RunError::Threads { why: error.to_string() });
            let thread = match thread {
                Ok(thread) => thread,
                Err(error) => return Ok(Err(error)),
            };
            let mut raised = None;
            while end.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                if let Err(error) = Python::attach(|py| told.look(py, progress)) {
                    told.cancelled.store(true, Ordering::Relaxed);
                    raised.get_or_insert(error);
                }
            }
            let outcome = thread.join();
            // Whatever the end, a bar that is open is closed.
            let closed = Python::attach(|py| told.look(py, progress));
            match (raised, closed, outcome) {
                (Some(error), _, _) | (None, Err(error), _) => Err(error),
                (None, Ok(()), Ok(outcome)) => Ok(outcome),
                (None, Ok(()), Err(_)) => {
                    Err(ComputationError::new_err("the run panicked, which is an error in kshot"))
                }
            }
        })
    })
}

impl Told {
    fn look(&self, py: Python<'_>, progress: Option<&Py<PyAny>>) -> PyResult<()> {
        py.check_signals()?;
        progress.map_or(Ok(()), |progress| self.show(progress.bind(py)))
    }
}
