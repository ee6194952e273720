//! A run from a program: rows and labels in; table, comparison and report out.

use std::convert::Infallible;
use std::path::PathBuf;

use super::device::Device;
use super::done::Done;
use super::error::RunError;
use super::evaluate::evaluate;
use super::execution::Execution;
use super::features::Features;
use super::watch::{Silent, Watch};
use crate::learner::{Learners, Plugin};
use crate::protocol::Protocol;
use crate::results::{Inputs, Request, Text};

/// An evaluation that is put together step by step.
///
/// Nothing is read or computed before [`Run::evaluate`].
///
/// ```
/// use kshot::protocol::Protocol;
/// use kshot::run::{Features, Run};
///
/// // Six classes of thirty items in two dimensions.
/// let labels: Vec<usize> = (0..180).map(|item| item % 6).collect();
/// let place = |item: usize| ((item % 6) as f32, (item / 6) as f32 * 0.1);
/// let rows: Vec<f32> = (0..180).flat_map(|item| [place(item).0, place(item).1]).collect();
///
/// let done = Run::new(Protocol::episodes().way(5).shots([1, 5]).query(15).count(100).seed(7))
///     .features(Features::from_rows(&rows, 2, &labels)?.named("mine"))
///     .learners(["prototypical", "k-nn:k=3"])?
///     .evaluate()?;
/// println!("{}", done.table());
/// # assert!(done.table().contains("mine+prototypical"));
/// # Ok::<(), kshot::run::RunError>(())
/// ```
pub struct Run<'a> {
    protocols: Vec<Result<Protocol, RunError>>,
    given: Vec<Features>,
    request: Request,
    execution: Execution,
    learners: Learners,
    watch: &'a dyn Watch,
}

impl From<Infallible> for RunError {
    fn from(never: Infallible) -> RunError {
        match never {}
    }
}

impl<'a> Run<'a> {
    /// An evaluation under a protocol, or what makes one.
    pub fn new<P>(protocol: P) -> Run<'a>
    where
        P: TryInto<Protocol>,
        P::Error: Into<RunError>,
    {
        Run {
            protocols: vec![protocol.try_into().map_err(Into::into)],
            given: Vec::new(),
            request: Request::default(),
            execution: Execution::default(),
            learners: Learners::shipped(),
            watch: &Silent,
        }
    }

    /// Under one protocol more.
    #[must_use]
    pub fn protocol<P>(mut self, protocol: P) -> Run<'a>
    where
        P: TryInto<Protocol>,
        P::Error: Into<RunError>,
    {
        self.protocols.push(protocol.try_into().map_err(Into::into));
        self
    }

    /// With one feature set more; all of a run must be of the same items.
    #[must_use]
    pub fn features(mut self, features: Features) -> Run<'a> {
        self.given.push(features);
        self
    }

    /// With feature sets from files and datasets, and with networks, as on the command line.
    #[must_use]
    pub fn inputs(mut self, inputs: Inputs) -> Run<'a> {
        self.request.inputs = inputs;
        self
    }

    /// With learners of another crate, beside those of kshot.
    #[must_use]
    pub fn register(mut self, plugin: impl Plugin) -> Run<'a> {
        self.learners = self.learners.with(plugin);
        self
    }

    /// These learners, `[NAME=]name:key=value,…`; without, all that the protocols admit.
    ///
    /// # Errors
    /// A learner or parameter that nobody registered, or a value out of its range.
    pub fn learners<S: Into<String>>(
        mut self,
        specs: impl IntoIterator<Item = S>,
    ) -> Result<Run<'a>, RunError> {
        self.request.learners.extend(specs.into_iter().map(Into::into));
        super::admission::asked_learners(self.learners.cpu(), &self.request.learners)?;
        Ok(self)
    }

    /// With every learner held against chance first, on episodes with permuted answers.
    #[must_use]
    pub fn audited(mut self) -> Run<'a> {
        self.request.audit = true;
        self
    }

    /// Where it is computed; by default the processor.
    #[must_use]
    pub fn device(mut self, device: Device) -> Run<'a> {
        self.execution.device = device;
        self
    }

    /// On so many cores; results do not depend on it.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Run<'a> {
        self.execution.workers = Some(workers.max(1));
        self
    }

    /// Told how it goes.
    #[must_use]
    pub fn watch(mut self, watch: &'a dyn Watch) -> Run<'a> {
        self.watch = watch;
        self
    }

    /// With its result files in this folder, which must not hold any.
    #[must_use]
    pub fn write(mut self, folder: impl Into<PathBuf>) -> Run<'a> {
        self.execution.out = Some(folder.into());
        self
    }

    /// Evaluates.
    ///
    /// # Errors
    /// What [`evaluate`] refuses.
    pub fn evaluate(self) -> Result<Done, RunError> {
        let text = |protocol: Result<Protocol, RunError>| {
            let protocol = protocol?;
            Ok(Text { origin: protocol.name().to_string(), text: protocol.to_toml() })
        };
        let protocols = self.protocols.into_iter().map(text).collect::<Result<_, RunError>>()?;
        let request = Request { protocols, ..self.request };
        evaluate(&request, self.given, &self.execution, &self.learners, self.watch)
    }
}
