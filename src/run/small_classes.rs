//! Classes with too few items for an episode, left out where that is asked for.

use super::error::RunError;
use super::plan::Plan;
use super::rules::Rules;
use crate::data::Store;
use crate::episode::by_size;
use crate::results::Warning;

/// The rules without the classes that are too small, and the warning that names them; as they are where nobody asked or
/// none is.
pub(crate) fn without(
    plan: &Plan<'_>,
    rules: &Rules,
    store: &Store,
) -> Result<(Rules, Option<Warning>), RunError> {
    let same = || Ok((rules.clone(), None));
    if !plan.request.drop_small_classes {
        return same();
    }
    let name = rules.protocol.name().to_string();
    let (large, small) = by_size(&rules.protocol, store.index())
        .map_err(|source| RunError::Sample { protocol: name.clone(), source })?;
    if small.is_empty() {
        return same();
    }
    if plan.request.draw.is_some() || rules.protocol.draw_sha256().is_some() {
        return Err(RunError::Request(format!(
            "--drop-small-classes makes another draw, and protocol {name} has a frozen one\nhint: take a protocol without \
             one, such as any-5way-1shot"
        )));
    }
    let protocol = rules.protocol.to_builder().classes(large).build()?;
    Ok((Rules { protocol, ..rules.clone() }, Some(Warning::SmallClasses { protocol: name, classes: small })))
}
