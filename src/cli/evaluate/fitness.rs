//! Whether protocol, draw and features go together.

use crate::cli::check;
use crate::cli::error::CliError;
use crate::cli::source::Dealer;
use crate::data::{Store, StoreWarning};
use crate::episode::{Finding, Severity};
use crate::protocol::Protocol;
use crate::report::Warning;

/// Refuses a draw that does not fit; what may pass comes back as warnings.
pub(super) fn checked(
    protocol: &Protocol,
    dealer: &Dealer,
    store: &Store,
    near: Option<f32>,
) -> Result<Vec<Warning>, CliError> {
    let mut warnings = Vec::new();
    for (severity, finding) in dealer.findings(protocol, store) {
        let draw = dealer.name(protocol);
        match (severity, &finding) {
            (Severity::Refused, _) => return Err(CliError::Finding { draw, finding }),
            (Severity::Warning, Finding::Duplicate { .. }) => {
                let (episodes, of) = (finding.count() as u64, dealer.draw.len() as u64);
                warnings.push(Warning::Duplicates { draw, episodes, of });
            }
            (Severity::Warning, _) => {
                warnings.push(Warning::OtherDraw { draw, finding: finding.to_string() });
            }
        }
    }
    if let Some(threshold) = near {
        let sentences = check::near_duplicates(protocol, &dealer.draw, store, threshold)?;
        if let Some(sentence) = sentences.into_iter().next() {
            return Err(CliError::NearDuplicate(sentence));
        }
    }
    Ok(warnings)
}

/// What the store itself gives reason to warn of.
pub(super) fn of_store(store: &Store) -> impl Iterator<Item = Warning> {
    let features = || store.name().to_string();
    store.warnings().iter().filter_map(move |warning| match warning {
        StoreWarning::ZeroRows { count } => {
            Some(Warning::ZeroRows { features: features(), rows: *count as u64 })
        }
        StoreWarning::Truncated { count } => Some(Warning::Cut { features: features(), items: *count }),
        StoreWarning::ZeroEmbeddings { count } => {
            Some(Warning::ZeroVectors { features: features(), classes: *count as u64 })
        }
        StoreWarning::IdenticalRows { .. } => None,
    })
}
