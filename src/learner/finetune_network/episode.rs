//! One episode: the upper part of the network and the head, trained on its support.

use super::super::LearnError;
use super::parameters::Settings;
use super::split::Split;
use crate::optimise::{Body, Fit, FitSettings, Head, HeadKind};
use crate::rng::Stream;
use crate::tensor::conv::ConvOps;
use crate::tensor::net::Passes;
use crate::tensor::{TensorError, to_host};

/// Items that pass a network together where no gradient is wanted.
const TOGETHER: usize = 32;

/// Epochs without a lower loss on what is held out after which training ends.
const PATIENCE: usize = 10;

/// What an episode gives.
pub(super) struct Episode<'a, D: ConvOps> {
    pub device: &'a D,
    pub split: &'a Split,
    pub settings: &'a Settings,
    /// The support, item after item.
    pub items: &'a [f32],
    pub labels: Vec<usize>,
    pub way: usize,
    /// Whether the items have passed the frozen part.
    pub passed: bool,
}

/// A network without a tape up to what it gives.
type Runs<D> = Box<dyn Passes<D>>;

/// A part of a network, with height and width of the images that it takes.
type Part<D> = (Runs<D>, (usize, usize));

/// The numbers of the network and of the head.
type Trained = [Vec<Vec<f32>>; 2];

/// An adapted network.
pub(super) struct Adapted<D: ConvOps> {
    device: D,
    /// The frozen part, where queries are raw items.
    below: Option<Part<D>>,
    /// The trained part; nothing where what comes in are features.
    above: Option<Part<D>>,
    head: Head<D>,
}

impl<D: ConvOps> Adapted<D> {
    /// The scores of items of `dim` numbers: (items, way).
    pub fn scores(&self, items: &[f32], dim: usize) -> Result<Vec<f32>, LearnError> {
        let mut all = Vec::new();
        for part in items.chunks(TOGETHER * dim) {
            let inside = match &self.below {
                Some((below, image)) => below.maps(part, *image)?,
                None => part.to_vec(),
            };
            let count = part.len() / dim;
            let features = match &self.above {
                Some((above, image)) => above.features(&inside, *image)?,
                None => self.device.tensor2((count, inside.len() / count), inside)?,
            };
            all.extend(to_host(&self.head.logits(features)?)?);
        }
        Ok(all)
    }
}

impl<D: ConvOps> Episode<'_, D> {
    /// Trains; `stream` shuffles the support and changes its images.
    pub fn adapt(&self, mut stream: Stream) -> Result<Adapted<D>, LearnError> {
        let held_out = self.held_out(&mut stream);
        let own: Vec<usize> = (0..self.labels.len()).filter(|item| !held_out.contains(item)).collect();
        let below = self.below()?;
        let plain = self.inside(&below, self.items)?;
        let size = plain.len() / self.labels.len().max(1);
        let mut fit = self.fit(&plain, size, &own)?;
        let batch = if self.settings.batch == 0 { own.len() } else { self.settings.batch.min(own.len()) };
        let per_epoch = own.len().div_ceil(batch.max(1));
        let steps = (self.settings.epochs * per_epoch) as u32;
        let schedule = self.settings.schedule.of(steps);
        let mut order = own.clone();
        let mut best: Option<(f64, usize, Trained)> = None;
        for epoch in 0..self.settings.epochs {
            if per_epoch > 1 {
                stream.shuffle(&mut order);
            }
            for chosen in order.chunks(batch.max(1)) {
                let views = self.views(&below, &plain, size, chosen, &mut stream)?;
                let (items, support) = match self.settings.head {
                    HeadKind::Prototype => {
                        ([gathered(&plain, size, &own), views].concat(), self.labels_of(&own))
                    }
                    _ => (views, Vec::new()),
                };
                let factor = schedule.factor(fit.steps(), steps);
                fit.step(&items, &self.labels_of(chosen), (&support, self.way), factor)?;
            }
            if held_out.is_empty() {
                continue;
            }
            let values = fit.values()?;
            let loss = self.loss(&values, &plain, size, &own, &held_out)?;
            if best.as_ref().is_none_or(|(least, ..)| loss < *least) {
                best = Some((loss, epoch, values));
            } else if best.as_ref().is_some_and(|(_, at, _)| epoch - at >= PATIENCE) {
                break;
            }
        }
        let values = best.map_or_else(|| fit.values(), |(_, _, values)| Ok(values))?;
        let all: Vec<usize> = (0..self.labels.len()).collect();
        let mut adapted = self.settled(&values, &plain, size, &all)?;
        adapted.below = below;
        Ok(adapted)
    }

    /// The frozen part, where the items have not passed it.
    fn below(&self) -> Result<Option<Part<D>>, TensorError> {
        let below = self.split.below.as_ref().filter(|_| !self.passed);
        below.map(|b| Ok((self.device.passes(&b.graph, &b.values, b.result)?, b.image))).transpose()
    }

    /// What items are where training begins.
    fn inside(&self, below: &Option<Part<D>>, items: &[f32]) -> Result<Vec<f32>, TensorError> {
        let Some((below, image)) = below else { return Ok(items.to_vec()) };
        let dim = self.items.len() / self.labels.len().max(1);
        let mut all = Vec::new();
        for part in items.chunks(TOGETHER * dim) {
            all.extend(below.maps(part, *image)?);
        }
        Ok(all)
    }

    fn labels_of(&self, items: &[usize]) -> Vec<usize> {
        items.iter().map(|item| self.labels[*item]).collect()
    }

    /// Items as a step takes them: changed where that is asked for.
    fn views(
        &self,
        below: &Option<Part<D>>,
        plain: &[f32],
        size: usize,
        chosen: &[usize],
        stream: &mut Stream,
    ) -> Result<Vec<f32>, TensorError> {
        let augmentation = &self.settings.augmentation;
        if augmentation.is_none() {
            return Ok(gathered(plain, size, chosen));
        }
        let (_, height, width) = self.split.form;
        let dim = self.items.len() / self.labels.len().max(1);
        let mut raw = gathered(self.items, dim, chosen);
        let mut scratch = Vec::new();
        for image in raw.chunks_exact_mut(dim) {
            augmentation.apply(stream, image, (height, width), &mut scratch);
        }
        self.inside(below, &raw)
    }

    /// Network and head where they start.
    fn fit(&self, plain: &[f32], size: usize, own: &[usize]) -> Result<Fit<D>, LearnError> {
        let settings = self.settings;
        let (mut start, mut body) = (None, None);
        if let Some(upper) = &self.split.above {
            let place = (upper.features, upper.image);
            body = Some(Body::new(self.device, &upper.graph, &upper.values, place, settings.layer_decay)?);
            if let HeadKind::Cosine { .. } = settings.head {
                let passes = self.device.passes(&upper.graph, &upper.values, upper.features)?;
                start = Some(features(passes.as_ref(), plain, size, upper.image)?);
            }
        }
        let dim = match &self.split.above {
            Some(upper) => upper.graph.size(upper.features, upper.image)?.channels,
            None => size,
        };
        let begun =
            gathered(start.as_deref().unwrap_or(plain), if start.is_some() { dim } else { size }, own);
        let head = Head::new(self.device, settings.head, (&begun, dim), &self.labels_of(own), self.way)?;
        let settings = FitSettings {
            optimiser: settings.optimiser,
            head_rate: settings.head_rate,
            layer_decay: settings.layer_decay,
            clip: settings.clip,
            norms: settings.norms,
            smoothing: settings.smoothing,
            together: settings.together,
        };
        Ok(Fit::new(self.device, body, head, settings))
    }

    /// The network with these numbers, ready to answer; prototypes are those of the `support`.
    fn settled(
        &self,
        [of_body, of_head]: &Trained,
        plain: &[f32],
        size: usize,
        support: &[usize],
    ) -> Result<Adapted<D>, LearnError> {
        let mut above = None;
        let (mut rows, mut dim) = (gathered(plain, size, support), size);
        if let Some(upper) = &self.split.above {
            let passes = self.device.passes(&upper.graph, of_body, upper.features)?;
            dim = upper.graph.size(upper.features, upper.image)?.channels;
            if self.settings.head == HeadKind::Prototype {
                rows = features(passes.as_ref(), &rows, size, upper.image)?;
            }
            above = Some((passes, upper.image));
        }
        let labels = self.labels_of(support);
        let blank = vec![0.0; labels.len() * dim];
        let mut head = Head::new(self.device, self.settings.head, (&blank, dim), &labels, self.way)?;
        head.load(of_head)?;
        let head = head.settled(self.device, (&rows, dim), &labels)?;
        Ok(Adapted { device: self.device.clone(), below: None, above, head })
    }

    /// The items of each class that are not trained on: a share of them, rounded down, and never the last one.
    fn held_out(&self, stream: &mut Stream) -> Vec<usize> {
        let share = self.settings.early_stopping;
        let mut held = Vec::new();
        for label in (0..self.way).filter(|_| share > 0.0) {
            let mut own: Vec<usize> =
                (0..self.labels.len()).filter(|item| self.labels[*item] == label).collect();
            let count = ((own.len() as f64 * share) as usize).max(1).min(own.len().saturating_sub(1));
            stream.choose(&mut own, count);
            held.extend(&own[..count]);
        }
        held
    }

    /// The mean cross-entropy of what is held out.
    fn loss(
        &self,
        values: &Trained,
        plain: &[f32],
        size: usize,
        own: &[usize],
        held_out: &[usize],
    ) -> Result<f64, LearnError> {
        let adapted = self.settled(values, plain, size, own)?;
        let scores = adapted.scores(&gathered(plain, size, held_out), size)?;
        let losses = scores.chunks_exact(self.way).zip(held_out).map(|(row, item)| {
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f64 = row.iter().map(|score| f64::from(score - largest).exp()).sum();
            sum.ln() - f64::from(row[self.labels[*item]] - largest)
        });
        Ok(losses.sum::<f64>() / held_out.len() as f64)
    }
}

/// Rows of `size` numbers with these places.
fn gathered(rows: &[f32], size: usize, places: &[usize]) -> Vec<f32> {
    places.iter().flat_map(|place| &rows[place * size..(place + 1) * size]).copied().collect()
}

/// The features of items of `size` numbers.
fn features<D: ConvOps>(
    passes: &dyn Passes<D>,
    items: &[f32],
    size: usize,
    image: (usize, usize),
) -> Result<Vec<f32>, TensorError> {
    let mut all = Vec::new();
    for part in items.chunks(TOGETHER * size) {
        all.extend(to_host(&passes.features(part, image)?)?);
    }
    Ok(all)
}
