//! Fractions or percent: on which scale the scores of a table stand.

/// The scale of scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Between 0 and 1.
    Fraction,
    /// Above 1 where they are worth something.
    Percent,
}

impl Scale {
    /// The scale of some scores: percent as soon as one is above 1 or below −1.
    pub fn of(scores: impl IntoIterator<Item = f64>) -> Scale {
        let percent = scores.into_iter().any(|score| score.abs() > 1.0);
        if percent { Scale::Percent } else { Scale::Fraction }
    }

    /// What one point, a hundredth of the whole, is on this scale.
    pub fn point(self) -> f64 {
        match self {
            Scale::Fraction => 0.01,
            Scale::Percent => 1.0,
        }
    }
}
