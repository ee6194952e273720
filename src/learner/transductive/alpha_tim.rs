//! α-TIM (Veilleux, Boudiaf, Piantanida and Ben Ayed 2021, "Realistic Evaluation of Transductive Few-Shot Learning",
//! arXiv:2204.11181): TIM with entropies of order α, which bear queries of unequal classes.
//!
//! The loss is `CE(support) − H_α(Y) + H_α(Y|X)` with Tsallis' entropy `H_α = (1 − Σ pᵅ)/(α − 1)` (eqs. 5 and 6), the logits are
//! those of TIM with τ = 15. `alpha = 0` takes the authors' tuned orders: 2 at one shot, 7 where labels have five or more on
//! average, and 5 between.
//!
//! Differs from the paper: 100 steps of Adam at 0.001 in place of 1,000 at 0.0001, which go as far; `preset = paper` takes the 1,000.

use super::descent::{Descent, Entropy, Head};
use super::episode::{self, Episode};
use crate::learner::{
    LearnError, Learner, Parameter, Registry, Scale, Signature, Transductive, transform_parameter,
};
use crate::rng::BatchRng;
use crate::tensor::{Backend, SpanOps};
use crate::view::{Items, Scores, Support};
use crate::vocab::Transform;

pub(super) fn register<D: SpanOps>(list: &mut Registry<D>) {
    let about = "mutual information of order alpha, for unbalanced queries (Veilleux et al. 2021)";
    let mut tim = Signature::new("alpha-tim", about);
    let alpha = tim.parameter(Parameter::real("alpha", 0.0, 0.0, 50.0, "order of the entropies; 0: by shot"));
    let temperature = Parameter::real("temperature", 15.0, 1e-3, 1e4, "factor on the logits");
    let temperature = tim.parameter(temperature.search(Scale::Log, 1.0, 100.0));
    let steps = tim.parameter(Parameter::whole("steps", 100, 1, 1000, "steps of Adam"));
    let lr = tim.parameter(Parameter::real("lr", 0.001, 1e-9, 10.0, "learning rate"));
    let transform = tim.parameter(transform_parameter(Transform::L2n));
    let words = &[("none", ()), ("paper", ())];
    let preset = tim.parameter(Parameter::choice("preset", words, "values of another implementation"));
    tim.preset(preset, "paper", &[(steps.name(), "1000"), (lr.name(), "0.0001")]);
    list.add(tim, move |p| {
        let descent = Descent {
            head: Head::SquaredDistance,
            temperature: p[temperature],
            cross_entropy: 1.0,
            marginal: 1.0,
            conditional: 1.0,
            entropy: order(p[alpha]),
            steps: p[steps],
            lr: p[lr],
        };
        let learner = AlphaTim { descent, by_shot: p[alpha] == 0.0 };
        // Adam's steps go along columns.
        Ok(Learner::transductive(learner).with_transform(p[transform]).with_invariances(&[]))
    });
}

/// Tsallis' entropy of order 1 is Shannon's.
fn order(alpha: f64) -> Entropy {
    if (alpha - 1.0).abs() < 1e-6 { Entropy::Shannon } else { Entropy::Tsallis(alpha) }
}

struct AlphaTim {
    descent: Descent,
    by_shot: bool,
}

impl AlphaTim {
    fn answer(&self, episode: &Episode<'_>) -> Vec<f64> {
        if !self.by_shot {
            return self.descent.run(episode);
        }
        let shot = episode.support() as f64 / episode.way as f64;
        let alpha = match shot {
            shot if shot >= 5.0 => 7.0,
            shot if shot > 1.0 => 5.0,
            _ => 2.0,
        };
        Descent { entropy: Entropy::Tsallis(alpha), ..self.descent }.run(episode)
    }
}

impl<D: Backend> Transductive<D> for AlphaTim {
    fn infer(
        &self,
        support: &Support<D>,
        query: &Items<D>,
        _: &BatchRng<'_>,
    ) -> Result<Scores<D>, LearnError> {
        Ok(Scores::probabilities(episode::each(support, query, |episode| self.answer(episode))?))
    }
}
