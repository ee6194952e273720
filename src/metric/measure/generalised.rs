//! Seen and unseen classes among the same candidates (Chao et al. 2016, arXiv:1605.04253; Xian et al. 2019).

use crate::metric::{Direction, Formula, Need, Pooled, Record};
use crate::stats;

/// One side.
pub static SEEN: Record = Record {
    name: "seen",
    about: "class accuracy on the seen classes",
    direction: Direction::Higher,
    rate: true,
    needs: &[Need::SeenAndUnseen],
    with: &[],
    formula: Formula::Pooled(|pooled| side(pooled, true)),
};

/// The other side.
pub static UNSEEN: Record = Record {
    name: "unseen",
    about: "class accuracy on the unseen classes",
    direction: Direction::Higher,
    rate: true,
    needs: &[Need::SeenAndUnseen],
    with: &[],
    formula: Formula::Pooled(|pooled| side(pooled, false)),
};

/// Both sides, as the weaker one allows.
pub static HARMONIC: Record = Record {
    name: "harmonic",
    about: "harmonic mean of seen and unseen",
    direction: Direction::Higher,
    rate: true,
    needs: &[Need::SeenAndUnseen],
    with: &[],
    formula: Formula::Pooled(|pooled| Some(stats::harmonic(side(pooled, true)?, side(pooled, false)?))),
};

/// Both sides, whatever is subtracted from the scores of seen classes.
pub static AUSUC: Record = Record {
    name: "ausuc",
    about: "area under the curve of seen and unseen class accuracy",
    direction: Direction::Higher,
    rate: true,
    needs: &[Need::SeenAndUnseen],
    with: &[],
    formula: Formula::Pooled(|pooled| Some(pooled.curve?.area())),
};

/// Class accuracy on one side, 0 where it has no queries; nothing where the candidates have no sides.
fn side(pooled: &Pooled<'_>, seen: bool) -> Option<f64> {
    pooled.curve?;
    Some(pooled.mean_accuracy(|class| class.seen == seen).unwrap_or(0.0))
}
