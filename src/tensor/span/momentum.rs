//! The accelerated iteration of the fits on the host.

/// Steps after which a fit is given up as not converged.
pub(super) const MOST_STEPS: usize = 2_000;

/// Nesterov's sequence with O'Donoghue and Candès' restart (2015): the momentum of the next step, or 0 after a step
/// that went against its own momentum.
#[derive(Clone, Copy)]
pub(super) struct Momentum {
    t: f64,
}

impl Momentum {
    pub(super) fn new() -> Momentum {
        Momentum { t: 1.0 }
    }

    /// The factor on the last difference; `against` says that the step turned back.
    pub(super) fn next(&mut self, against: bool) -> f64 {
        if against {
            self.t = 1.0;
        }
        let next = 0.5 * (1.0 + (1.0 + 4.0 * self.t * self.t).sqrt());
        let factor = (self.t - 1.0) / next;
        self.t = next;
        factor
    }
}
