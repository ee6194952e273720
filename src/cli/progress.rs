//! Progress on standard error: a bar where it is a terminal, one line per stage where it is not.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{signals, tell};
use crate::run::{Stage, Watch};

/// Draws the stages of a run on standard error.
#[derive(Default)]
pub(super) struct Terminal {
    bar: Mutex<Option<ProgressBar>>,
}

impl Terminal {
    /// For work that can go on after a signal: it is asked to end by one, and leaves what it has.
    pub(super) fn heeding_signals() -> Terminal {
        // Without handlers a signal ends the program at once, as it always did.
        let _ = signals::heed();
        Terminal::default()
    }

    fn with(&self, work: impl FnOnce(&ProgressBar)) -> bool {
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        bar.as_ref().map(work).is_some()
    }
}

impl Watch for Terminal {
    fn begin(&self, stage: &Stage<'_>) {
        if !std::io::stderr().is_terminal() {
            tell(&format!("{}: {}", stage.name, stage.size));
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(stage.steps), ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} % {eta} left") {
            bar.set_style(style);
        }
        bar.set_message(stage.name.to_string());
        if stage.done > 0 {
            bar.set_position(stage.done);
            bar.reset_eta();
        }
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }

    fn advance(&self, steps: u64) {
        self.with(|bar| bar.inc(steps));
    }

    fn reach(&self, done: u64) {
        self.with(|bar| bar.set_position(done));
    }

    fn extend(&self, steps: u64) {
        self.with(|bar| bar.set_length(steps));
    }

    fn tell(&self, sentence: &str) {
        if !self.with(|bar| bar.set_message(sentence.to_string())) {
            tell(sentence);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.bar.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }

    fn is_cancelled(&self) -> bool {
        signals::told().is_some()
    }

    fn resumes(&self) -> bool {
        true
    }
}
