//! Panics of crates that read files which may be damaged, as values.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread is caught and becomes an error, so that it need not be told by itself.
pub fn is_expected_panic() -> bool {
    EXPECTED.get()
}

/// Runs the code of another crate on the bytes of a file, on this thread alone. Where it panics, the first line of what it
/// says is the error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let before = EXPECTED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    EXPECTED.set(before);
    done.map_err(|panic| message(panic.as_ref()))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.and_then(|text| text.lines().next()).unwrap_or("it cannot be read").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_first_line_and_is_expected_inside_alone() {
        assert_eq!(guarded(is_expected_panic), Ok(true));
        let numbers: Vec<u32> = Vec::new();
        assert!(guarded(|| numbers[3]).unwrap_err().starts_with("index out of bounds"));
        let inner = || guarded(|| panic!("one\ntwo")).unwrap_or(0);
        assert_eq!(guarded(inner), Ok(0));
        assert!(!is_expected_panic());
    }
}
