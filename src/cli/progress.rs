//! Progress on standard error: a bar where it is a terminal, one line per protocol where it is not.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The progress of one protocol.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Begins; `size` says in words how much there is to do, `steps` is the number of episodes times learners and shots.
    pub(super) fn start(what: &str, size: &str, steps: u64) -> Progress {
        let bar = Progress::bar(what, steps);
        if bar.is_none() {
            eprintln!("{what}: {size}");
        }
        Progress { bar }
    }

    /// A bar, where there is a terminal to draw it on.
    fn bar(what: &str, steps: u64) -> Option<ProgressBar> {
        if !std::io::stderr().is_terminal() {
            return None;
        }
        let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr_with_hz(10));
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} % {eta} left") {
            bar.set_style(style);
        }
        bar.set_message(what.to_string());
        Some(bar)
    }

    /// Begins with items of which so many are to be done.
    pub(super) fn of_items(what: &str, items: usize) -> Progress {
        let bar = Progress::bar(what, items as u64);
        if bar.is_none() {
            eprintln!("{what}: {items} items");
        }
        Progress { bar }
    }

    /// Begins with steps of which so many are done already.
    pub(super) fn of_steps(what: &str, done: u32, steps: u32) -> Progress {
        let bar = Progress::bar(what, u64::from(steps));
        if let Some(bar) = &bar {
            bar.set_position(u64::from(done));
            bar.reset_eta();
        } else {
            eprintln!("{what}: {} steps", steps - done);
        }
        Progress { bar }
    }

    /// Begins with bytes, of which so many are expected where that is known.
    #[cfg(feature = "download")]
    pub(super) fn of_bytes(what: &str, bytes: Option<u64>) -> Progress {
        let bar = Progress::bar(what, bytes.unwrap_or(0));
        if bar.is_none() {
            eprintln!("downloading {what}");
        }
        Progress { bar }
    }

    /// So many are there, of so many where that is known.
    #[cfg(feature = "download")]
    pub(super) fn reach_of(&self, done: u64, all: Option<u64>) {
        if let Some(bar) = &self.bar {
            bar.set_length(all.unwrap_or(done));
            bar.set_position(done);
        }
    }

    /// Says how it stands: beside the bar where there is one, as a line where there is none.
    pub(super) fn tell(&self, sentence: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(sentence.to_string()),
            None => eprintln!("{sentence}"),
        }
    }

    /// So many are done.
    pub(super) fn reach(&self, done: usize) {
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
        }
    }

    /// Goes on.
    pub(super) fn advance(&self, steps: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(steps);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
