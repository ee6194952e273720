//! Panics that are no bugs: a system that starts no more threads, and crates that read damaged files.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::error::CliError;
use crate::guard::is_expected_panic;
use crate::run::RunError;

/// How the panic of the standard library begins when the system starts no thread.
const NO_THREAD: &str = "failed to spawn thread";

/// Runs a verb with threads to work on: one sentence where the system gives none. Other panics are bugs and go on.
pub(super) fn with_threads<T>(verb: impl FnOnce() -> Result<T, CliError>) -> Result<T, CliError> {
    quiet();
    // Found out before the work; whoever asks for the pool later has it.
    rayon::ThreadPoolBuilder::new().build_global().or_else(already).map_err(|error| no_threads(&error))?;
    catch_unwind(AssertUnwindSafe(verb)).unwrap_or_else(|panic| match said(panic.as_ref()) {
        Some(text) if text.starts_with(NO_THREAD) => Err(no_threads(text)),
        _ => resume_unwind(panic),
    })
}

/// That there is a pool already is no failure.
fn already(error: rayon::ThreadPoolBuildError) -> Result<(), String> {
    let text = error.to_string();
    if text.contains("already been initialized") { Ok(()) } else { Err(text) }
}

fn no_threads(why: &str) -> CliError {
    CliError::Run(RunError::Threads { why: why.to_string() })
}

/// Panics that become errors do not tell of themselves.
fn quiet() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let no_thread = said(panic.payload()).is_some_and(|text| text.starts_with(NO_THREAD));
        if !no_thread && !is_expected_panic() {
            usual(panic);
        }
    }));
}

fn said(panic: &(dyn std::any::Any + Send)) -> Option<&str> {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_threads_is_a_sentence_and_a_bug_stays_a_panic() {
        let verb = || -> Result<(), CliError> { panic!("failed to spawn thread: Os {{ code: 11 }}") };
        let said = with_threads(verb).unwrap_err().to_string();
        assert!(said.starts_with("the system starts no more threads: failed to spawn thread"), "{said}");
        assert!(catch_unwind(|| with_threads(|| -> Result<(), CliError> { panic!("bug") })).is_err());
        assert!(with_threads(|| Ok(())).is_ok());
    }
}
