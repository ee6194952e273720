//! One block on the host, a few sequences at a time, so that what lies between its layers stays in the cache.

use super::attention::{self, Scratch};
use super::elementwise::add_and_normalise;
use super::linear::apply;
use super::weights::{Block, EncoderWeights};

/// Tokens that pass all layers of a block before the next; a longer sequence passes whole.
const CHUNK: usize = 96;

/// A block applied in place to `x`, sequences of `length` rows.
pub(super) fn run(encoder: &EncoderWeights, block: &Block, x: &mut [f32], length: usize) {
    let hidden = encoder.hidden();
    let middle = block.up.shape().1;
    let chunk = (CHUNK / length).max(1) * length;
    let mut scratch = Scratch::new(encoder.heads, hidden / encoder.heads, length);
    let mut joint = vec![0.0; chunk * 3 * hidden];
    let mut gathered = vec![0.0; chunk * hidden];
    let mut change = vec![0.0; chunk * hidden];
    let mut wide = vec![0.0; chunk * middle];
    for x in x.chunks_mut(chunk * hidden) {
        let tokens = x.len() / hidden;
        let joint = &mut joint[..tokens * 3 * hidden];
        let gathered = &mut gathered[..tokens * hidden];
        let change = &mut change[..tokens * hidden];
        let wide = &mut wide[..tokens * middle];
        apply(&block.attend, x, None, joint);
        attention::attend(joint, &mut scratch, gathered);
        apply(&block.mix, gathered, None, change);
        add_and_normalise(x, change, &block.attend_norm);
        apply(&block.up, x, Some(encoder.activation), wide);
        apply(&block.down, wide, None, change);
        add_and_normalise(x, change, &block.feed_norm);
    }
}
