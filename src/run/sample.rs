//! The episodes of a protocol, for programs that answer them themselves.

use super::draws;
use super::error::RunError;
use super::features::Features;
use super::rules::rules;
use crate::episode::Draw;
use crate::results::Text;

/// The episodes that an evaluation of these features under this protocol would have.
///
/// # Errors
/// A wrong protocol, or features from which its episodes cannot be drawn.
pub fn sample(protocol: &Text, features: &Features) -> Result<Draw, RunError> {
    Ok(draws::draw(&rules(protocol)?, None, &features.store)?.draw)
}
