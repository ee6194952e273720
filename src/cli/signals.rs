//! Signals that ask a long run to end: a scheduler that wants the machine back, or a hand on the keyboard.
//!
//! The first one ends the run at the next place where nothing is lost, the second one at once.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of a second signal: that of a program which a signal killed is 128 and its number.
const KILLED: i32 = 128;

/// The number of the last signal, 0 before.
static LAST: OnceLock<Arc<AtomicUsize>> = OnceLock::new();

/// The signals that are heeded. SIGUSR1 is what schedulers send ahead of the end (`sbatch --signal=B:USR1@60`).
#[cfg(unix)]
const HEEDED: [i32; 3] = [SIGINT, SIGTERM, signal_hook::consts::SIGUSR1];
#[cfg(not(unix))]
const HEEDED: [i32; 2] = [SIGINT, SIGTERM];

/// Heeds signals from now on; for work that asks [`told`] often.
///
/// # Errors
/// A system that takes no handlers.
pub(super) fn heed() -> io::Result<()> {
    let last = LAST.get_or_init(|| Arc::new(AtomicUsize::new(0)));
    let told = Arc::new(AtomicBool::new(false));
    for signal in HEEDED {
        // Handlers run in the order in which they were given: the first signal finds nothing told.
        flag::register_conditional_shutdown(signal, KILLED + signal, Arc::clone(&told))?;
        flag::register(signal, Arc::clone(&told))?;
        flag::register_usize(signal, Arc::clone(last), signal.unsigned_abs() as usize)?;
    }
    Ok(())
}

/// The signal that asked to end.
pub(super) fn told() -> Option<&'static str> {
    let signal = LAST.get().map_or(0, |last| last.load(Ordering::Relaxed));
    match i32::try_from(signal).unwrap_or(0) {
        0 => None,
        SIGINT => Some("SIGINT"),
        SIGTERM => Some("SIGTERM"),
        _ => Some("SIGUSR1"),
    }
}
