//! Top-K accuracy: the right label is among the K with the highest scores; of equal scores the lower label comes first.

use crate::metric::{Direction, EpisodeAnswers, Formula, Record};

macro_rules! top {
    ($($name:ident, $word:literal, $k:literal;)+) => {
        $(
            #[doc = concat!("The first ", stringify!($k), " labels.")]
            pub static $name: Record = Record {
                name: $word,
                about: concat!("share of queries whose label is among the ", stringify!($k), " with the highest scores"),
                direction: Direction::Higher,
                rate: true,
                needs: &[],
                with: &[],
                formula: Formula::Episode(|answered| Some(within(answered, $k))),
            };
        )+
    };
}

top! {
    TOP_2, "top-2", 2;
    TOP_3, "top-3", 3;
    TOP_5, "top-5", 5;
    TOP_10, "top-10", 10;
}

fn within(answered: &EpisodeAnswers<'_>, k: usize) -> f64 {
    let (mut total, mut right) = (0.0, 0.0);
    for (label, row) in answered.scored() {
        let Some(own) = row.get(label) else { continue };
        let before = row.iter().enumerate().filter(|(c, v)| *v > own || (*v == own && *c < label)).count();
        right += f64::from(u8::from(before < k));
        total += 1.0;
    }
    if total > 0.0 { right / total } else { 0.0 }
}
