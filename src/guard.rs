//! Panics of crates that read files which may be damaged, as values.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static GUARDED: Cell<usize> = const { Cell::new(0) };
}

/// Runs the code of another crate on the bytes of a file, on this thread alone. Where it panics, the message is the error,
/// and nothing is printed.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if GUARDED.get() == 0 {
                before(info);
            }
        }));
    });
    GUARDED.set(GUARDED.get() + 1);
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(GUARDED.get() - 1);
    done.map_err(|panic| message(panic.as_ref()))
}

/// The first line of what a panic says.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.and_then(|text| text.lines().next()).unwrap_or("it cannot be read").to_string()
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_panic_is_an_error_with_its_first_line() {
        assert_eq!(guarded(|| 7), Ok(7));
        let numbers: Vec<u32> = Vec::new();
        assert!(guarded(|| numbers[3]).unwrap_err().starts_with("index out of bounds"));
        let inner = || guarded(|| panic!("one\ntwo")).unwrap_or(0);
        assert_eq!(guarded(inner), Ok(0));
    }
}
