//! Panics of crates that read files: caught where they happen, and told as what they mean, damage.

use std::cell::Cell;
#[cfg(any(feature = "text", test))]
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic of this thread is caught and becomes an error, so that it need not be told by itself.
pub fn is_expected_panic() -> bool {
    EXPECTED.get()
}

/// Runs code of a crate that may panic on damaged files; the panic's sentence where it did.
#[cfg(any(feature = "text", test))]
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let before = EXPECTED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    EXPECTED.set(before);
    outcome.map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        said.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()))
            .unwrap_or_else(|| "it cannot be used".to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_sentence_and_is_expected_inside_alone() {
        assert_eq!(caught(is_expected_panic), Ok(true));
        assert_eq!(caught(|| -> u8 { panic!("no entry {}", 1) }), Err("no entry 1".to_string()));
        assert!(!is_expected_panic());
    }
}
