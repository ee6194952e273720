//! How a run reports what it is doing, to whoever watches: a terminal, a notebook, nobody.

use super::error::RunError;

/// A chunk of work with a known length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage<'a> {
    /// What is done, such as the name of a protocol.
    pub name: &'a str,
    /// How much there is to do, in words.
    pub size: &'a str,
    /// The same in steps; 0 where it is not known.
    pub steps: u64,
    /// Steps that an earlier run has done.
    pub done: u64,
}

/// Is told how a run goes. All methods have an empty default, and may be called from any thread.
pub trait Watch: Sync {
    /// A stage begins; there is one at a time.
    fn begin(&self, _: &Stage<'_>) {}

    /// Steps that were done since the last call.
    fn advance(&self, _: u64) {}

    /// All steps that are done.
    fn reach(&self, _: u64) {}

    /// The stage turns out to have this many steps.
    fn extend(&self, _: u64) {}

    /// How the stage stands, as a sentence.
    fn tell(&self, _: &str) {}

    /// The stage has ended, well or not.
    fn end(&self) {}

    /// Whether the run is to end as soon as it can, with [`RunError::Cancelled`](super::RunError::Cancelled). Asked often.
    fn is_cancelled(&self) -> bool {
        false
    }

    /// Whether a run that was cancelled leaves what it has in its folder, to be resumed; otherwise nothing is left.
    fn resumes(&self) -> bool {
        false
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Watch for Silent {}

/// A stage that ends when it is dropped.
pub(crate) struct Progress<'a>(&'a dyn Watch);

impl<'a> Progress<'a> {
    /// Begins a stage of `steps` steps, told in words by `size`.
    pub(crate) fn start(watch: &'a dyn Watch, name: &str, size: &str, steps: u64) -> Progress<'a> {
        watch.begin(&Stage { name, size, steps, done: 0 });
        Progress(watch)
    }

    /// Begins a stage of which an earlier run has done a part.
    pub(crate) fn resume(
        watch: &'a dyn Watch,
        name: &str,
        size: &str,
        steps: u64,
        done: u64,
    ) -> Progress<'a> {
        watch.begin(&Stage { name, size, steps, done });
        Progress(watch)
    }

    /// Begins with a number of items.
    pub(crate) fn of_items(watch: &'a dyn Watch, name: &str, items: usize) -> Progress<'a> {
        Progress::start(watch, name, &format!("{items} items"), items as u64)
    }

    pub(crate) fn advance(&self, steps: u64) {
        self.0.advance(steps);
    }

    pub(crate) fn reach(&self, done: u64) {
        self.0.reach(done);
    }

    /// Fails once the run is to end.
    pub(crate) fn go_on(&self) -> Result<(), RunError> {
        if self.0.is_cancelled() { Err(RunError::Cancelled) } else { Ok(()) }
    }

    pub(crate) fn tell(&self, sentence: &str) {
        self.0.tell(sentence);
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}
