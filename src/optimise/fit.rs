//! A network with a head, trained on a device step by step: weights and moments stay where they are.

use super::error::OptimiseError;
use super::head::{Head, HeadKind};
use super::objective::{Prototypes, cross_entropy};
use super::optimiser::Optimiser;
use crate::backbone::Traced;
use crate::tensor::conv::ConvOps;
use crate::tensor::dfdx::shapes::HasShape;
use crate::tensor::dfdx::tensor_ops::{ReshapeTo, TryMul};
use crate::tensor::net::{Graph, Learner, Norms, Value};
use crate::tensor::tape::{differentiate, trace};
use crate::tensor::{Moments, Slot, Step, TensorError, device_error};

/// How a [`Fit`] trains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FitSettings {
    /// The rule for steps, with the rate of the network.
    pub optimiser: Optimiser,
    /// The rate of the head.
    pub head_rate: f64,
    /// What the rate is multiplied by from each block of the network to the one below.
    pub layer_decay: f64,
    /// The largest norm of a gradient, where it is clipped.
    pub clip: Option<f64>,
    /// By which moments batch normalisations normalise.
    pub norms: Norms,
    /// The part of each label's probability that is shared out.
    pub smoothing: f32,
    /// Items that pass the network together; the gradients of the parts of a larger batch are added up. 0 for all of them.
    pub together: usize,
}

/// A network that is trained, with what it takes: nothing where the items are features themselves.
pub struct Body<D: ConvOps> {
    learner: Learner<D>,
    result: Value,
    image: (usize, usize),
    /// Of each weight what the rate is multiplied by.
    rates: Vec<f64>,
    moments: Vec<Moments<D>>,
}

/// A network with a head, about to be trained.
pub struct Fit<D: ConvOps> {
    device: D,
    body: Option<Body<D>>,
    head: Head<D>,
    head_moments: Vec<Moments<D>>,
    settings: FitSettings,
    step: u32,
}

/// The gradients of network and head.
type Both<D> = [Vec<Slot<D>>; 2];

/// The support of a prototype head: a label for each of the first items of a batch, and how many labels there are.
pub type PrototypeSupport<'a> = (&'a [usize], usize);

impl<D: ConvOps> Body<D> {
    /// A network up to a result of one pixel, for images of this size.
    ///
    /// # Errors
    /// When a weight has another size, or the device has no room.
    pub fn new(
        device: &D,
        graph: &Graph,
        values: &[Vec<f32>],
        (result, image): (Value, (usize, usize)),
        layer_decay: f64,
    ) -> Result<Body<D>, TensorError> {
        let learner = Learner::new(device, graph, values)?;
        let learned = graph.parameters().iter().filter(|p| p.learned).count();
        let moments = (0..learned).map(|_| Moments::default()).collect();
        Ok(Body { learner, result, image, rates: rates(graph, layer_decay), moments })
    }

    /// The features of items, on a tape.
    fn forward(&mut self, items: &[f32], norms: Norms) -> Result<Traced<D>, TensorError> {
        let out = self.learner.forward_by(norms, items, self.image, self.result)?;
        let (batch, height, width, channels) = *out.shape();
        out.try_reshape_like(&(batch, height * width * channels)).map_err(device_error::<D>)
    }
}

/// Of each weight what the rate is multiplied by: `decay` to the number of blocks between its own and the top.
fn rates(graph: &Graph, decay: f64) -> Vec<f64> {
    let mut rates = vec![1.0; graph.parameters().len()];
    let cuts: Vec<usize> = graph.cuts().iter().map(|(_, value)| value.index()).collect();
    for place in 0..graph.ops().len() {
        let above = cuts.iter().filter(|cut| **cut >= place).count().saturating_sub(1);
        graph.used(place).iter().for_each(|param| rates[param.index()] = decay.powi(above as i32));
    }
    rates
}

impl<D: ConvOps> Fit<D> {
    /// A training from here.
    pub fn new(device: &D, body: Option<Body<D>>, head: Head<D>, settings: FitSettings) -> Fit<D> {
        let head_moments = (0..2).map(|_| Moments::default()).collect();
        Fit { device: device.clone(), body, head, head_moments, settings, step: 0 }
    }

    /// Steps that are done.
    pub fn steps(&self) -> u32 {
        self.step
    }

    /// One step on items with labels, at `factor` times the rate; gives the loss before it. Where the head is of prototypes,
    /// the first items are their support, and the labels are those of the items behind it.
    ///
    /// # Errors
    /// When a number is not finite any more, sizes do not fit, or the device fails.
    pub fn step(
        &mut self,
        items: &[f32],
        labels: &[usize],
        support: PrototypeSupport<'_>,
        factor: f64,
    ) -> Result<f64, OptimiseError> {
        let prototypes = self.head.kind() == HeadKind::Prototype;
        let support = if prototypes { support } else { (&[][..], support.1) };
        let each = items.len() / (labels.len() + support.0.len()).max(1);
        let together = match self.settings.together {
            0 => labels.len(),
            _ if prototypes => labels.len(),
            most => most,
        };
        let mut loss = 0.0;
        let mut sums: Option<Both<D>> = None;
        for (part, labels_of_part) in labels.chunks(together.max(1)).enumerate() {
            let first = part * together * each;
            let count = (labels_of_part.len() + support.0.len()) * each;
            let share = labels_of_part.len() as f64 / labels.len() as f64;
            let (value, gradients) =
                self.gradients(&items[first..first + count], labels_of_part, support, share)?;
            loss += share * value;
            sums = Some(match sums {
                None => gradients,
                Some(sums) => added(sums, gradients)?,
            });
        }
        self.finite("the loss", loss)?;
        if let Some(gradients) = sums {
            self.descend(gradients, factor)?;
        }
        Ok(loss)
    }

    /// The loss of a part of a batch, and the gradients of network and head times its share.
    fn gradients(
        &mut self,
        items: &[f32],
        labels: &[usize],
        (support, way): PrototypeSupport<'_>,
        share: f64,
    ) -> Result<(f64, Both<D>), TensorError> {
        let features = match &mut self.body {
            Some(body) => body.forward(items, self.settings.norms)?,
            None => {
                let rows = labels.len() + support.len();
                trace(self.device.tensor2((rows, items.len() / rows.max(1)), items.to_vec())?)
            }
        };
        let logits = if support.is_empty() {
            self.head.logits(features)?
        } else {
            let queries: Vec<usize> = (support.len()..support.len() + labels.len()).collect();
            Prototypes { support, way, queries: &queries }.logits(features)?
        };
        let loss = cross_entropy(logits, labels, self.settings.smoothing)?;
        let traced = loss.traced.try_mul(share as f32).map_err(device_error::<D>)?;
        let mut all = differentiate(traced)?;
        let of_body = self.body.as_ref().map(|body| body.learner.take_gradients(&mut all)).transpose()?;
        let of_head = self.head.take_gradients(&mut all)?;
        Ok((loss.value, [of_body.unwrap_or_default(), of_head]))
    }

    fn descend(&mut self, [of_body, of_head]: Both<D>, factor: f64) -> Result<(), OptimiseError> {
        let squares = of_body.iter().chain(&of_head).map(Slot::squared_norm);
        let norm = squares.sum::<Result<f64, TensorError>>()?.sqrt();
        self.finite("the norm of the gradient", norm)?;
        let clipped = self.settings.clip.filter(|most| norm > *most).map_or(1.0, |most| (most / norm) as f32);
        let FitSettings { optimiser, head_rate, .. } = self.settings;
        self.step += 1;
        let of = |rate: f64| Step { factor: clipped, ..optimiser.of(self.step, rate * factor) };
        if let Some(body) = &mut self.body {
            let rates = &body.rates;
            let step = |place: usize| of(optimiser.rate() * rates[place]);
            body.learner.descend(&of_body, &mut body.moments, step)?;
        }
        self.head.descend(&of_head, &mut self.head_moments, &of(head_rate))?;
        Ok(())
    }

    fn finite(&self, what: &'static str, value: f64) -> Result<(), OptimiseError> {
        if value.is_finite() {
            return Ok(());
        }
        Err(OptimiseError::Diverged { what, step: self.step + 1, value })
    }

    /// The numbers of the network, in the order of its description, and of the head.
    ///
    /// # Errors
    /// When one of them is not finite, or the device fails.
    pub fn values(&self) -> Result<[Vec<Vec<f32>>; 2], OptimiseError> {
        let of_body = self.body.as_ref().map(|body| body.learner.values()).transpose()?.unwrap_or_default();
        let of_head = self.head.values()?;
        if let Some(value) = of_body.iter().chain(&of_head).flatten().find(|value| !value.is_finite()) {
            return Err(OptimiseError::Diverged {
                what: "a weight",
                step: self.step,
                value: (*value).into(),
            });
        }
        Ok([of_body, of_head])
    }

    /// The head, once training is over.
    pub fn into_head(self) -> Head<D> {
        self.head
    }
}

fn added<D: ConvOps>(
    [mut body, mut head]: Both<D>,
    [of_body, of_head]: Both<D>,
) -> Result<Both<D>, TensorError> {
    body.iter_mut().zip(of_body).try_for_each(|(sum, part)| sum.add(part))?;
    head.iter_mut().zip(of_head).try_for_each(|(sum, part)| sum.add(part))?;
    Ok([body, head])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::nets::{NetConfig, Plan, kind};
    use crate::backbone::{Architecture, Conv4Config, Described};
    use crate::optimise::Schedule;
    use crate::tensor::net::First;
    use crate::tensor::{Cpu, open_cpu};
    use crate::vocab::Form;

    /// Uniform numbers of variance one, as the script beside the fixture makes them.
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> f64 {
            self.0 = (self.0 * 1_664_525 + 1_013_904_223) % (1 << 32);
            3f64.sqrt() * (2.0 * self.0 as f64 / 4_294_967_296.0 - 1.0)
        }
    }

    struct Case {
        body: Body<Cpu>,
        dim: usize,
        items: Vec<f32>,
    }

    fn case(network: &str, seed: u64) -> Case {
        let described = match network {
            "conv4" => Conv4Config::new(Form::Image { channels: 1, height: 12, width: 12 }, 6, 2)
                .unwrap()
                .described(),
            _ => {
                let kind = kind("resnet20").unwrap();
                let plan = Plan { image: (16, 16), classes: None, thousandths: 250, ..Plan::new(kind) };
                NetConfig::new(kind).with(plan).described()
            }
        };
        let Described { graph, features, image } = described.unwrap();
        let mut numbers = Numbers(seed);
        let values: Vec<Vec<f32>> = graph
            .parameters()
            .iter()
            .map(|p| match p.first {
                First::Normal(_) => {
                    let deviation = (2.0 / (9 * p.shape[0]) as f64).sqrt();
                    (0..p.count()).map(|_| (deviation * numbers.next()) as f32).collect()
                }
                First::Constant(value) => vec![value; p.count()],
            })
            .collect();
        let count = 12 * graph.channels() * image.0 * image.1;
        let items = (0..count).map(|_| numbers.next() as f32).collect();
        let dim = graph.size(features, image).unwrap().channels;
        let body = Body::new(&open_cpu(), &graph, &values, (features, image), 1.0).unwrap();
        Case { body, dim, items }
    }

    fn fit(case: Body<Cpu>, dim: usize, settings: FitSettings) -> Fit<Cpu> {
        let device = open_cpu();
        let head = Head::new(&device, HeadKind::Linear, (&[], dim), &[], 3).unwrap();
        Fit::new(&device, Some(case), head, settings)
    }

    fn settings(optimiser: Optimiser, head_rate: f64) -> FitSettings {
        let (norms, smoothing, together) = (Norms::Batch, 0.0, 0);
        FitSettings { optimiser, head_rate, layer_decay: 1.0, clip: None, norms, smoothing, together }
    }

    fn labels() -> Vec<usize> {
        (0..12).map(|item| item % 3).collect()
    }

    #[test]
    fn twenty_steps_follow_torch() {
        let text = include_str!("../../tests/fixtures/training/steps.json");
        let fixture: serde_json::Value = serde_json::from_str(text).unwrap();
        for told in fixture["cases"].as_array().unwrap() {
            let number = |key: &str| told[key].as_f64().unwrap();
            let (rate, weight_decay) = (number("rate"), number("decay"));
            let optimiser = match told["rule"].as_str().unwrap() {
                "adam" => Optimiser::Adam { rate, weight_decay },
                "adam-w" => Optimiser::AdamW { rate, weight_decay },
                _ => Optimiser::Sgd { rate, momentum: 0.9, weight_decay },
            };
            let network = told["network"].as_str().unwrap();
            let Case { body, dim, items } = case(network, told["seed"].as_u64().unwrap());
            let mut fit = fit(
                body,
                dim,
                FitSettings {
                    clip: Some(number("clip")).filter(|most| *most > 0.0),
                    norms: if told["batch_norm"] == "batch" { Norms::Batch } else { Norms::Running },
                    smoothing: number("smoothing") as f32,
                    ..settings(optimiser, number("head_rate"))
                },
            );
            let schedule = match told["warm_up"].as_u64().unwrap() as u32 {
                0 => Schedule::Constant {},
                warm_up => Schedule::Cosine { warm_up },
            };
            for (step, expected) in told["losses"].as_array().unwrap().iter().enumerate() {
                let factor = schedule.factor(step as u32, 20);
                let loss = fit.step(&items, &labels(), (&[], 3), factor).unwrap();
                let expected = expected.as_f64().unwrap();
                let near = (loss - expected).abs() < 1e-3 * expected.max(0.1);
                assert!(near, "{network} {optimiser:?} step {step}: {loss}, torch {expected}");
            }
        }
    }

    #[test]
    fn gradients_of_parts_add_up_to_those_of_the_batch() {
        let run = |together: usize| {
            let Case { body, dim, items } = case("conv4", 3);
            let sgd = Optimiser::Sgd { rate: 0.05, momentum: 0.9, weight_decay: 0.0 };
            let mut fit =
                fit(body, dim, FitSettings { together, norms: Norms::Running, ..settings(sgd, 0.05) });
            (0..5).map(|_| fit.step(&items, &labels(), (&[], 3), 1.0).unwrap()).collect::<Vec<f64>>()
        };
        let (whole, parts) = (run(0), run(5));
        assert!(
            whole[4] < whole[0] && whole.iter().zip(&parts).all(|(a, b)| (a - b).abs() < 1e-4),
            "{whole:?} {parts:?}"
        );
    }

    #[test]
    fn a_rate_that_is_too_high_is_told() {
        let Case { body, dim, items } = case("conv4", 3);
        let sgd = Optimiser::Sgd { rate: 1e30, momentum: 0.9, weight_decay: 0.0 };
        let mut fit = fit(body, dim, settings(sgd, 1e30));
        let told =
            (0..20).find_map(|_| fit.step(&items, &labels(), (&[], 3), 1.0).err()).unwrap().to_string();
        assert!(told.contains(", the training diverges\nhint: take a lower rate"), "{told}");
    }

    #[test]
    fn lower_blocks_move_slower() {
        let graph = Conv4Config::new(Form::Image { channels: 1, height: 12, width: 12 }, 6, 2).unwrap();
        let found = rates(&graph.described().unwrap().graph, 0.5);
        assert_eq!((found[0], found[1], found[5]), (0.5, 0.5, 1.0));
    }
}
