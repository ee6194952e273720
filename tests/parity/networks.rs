//! Convolution, pooling and normalisation with their gradients, whole networks, a training, and the encoder of sentences.

use super::{Results, Suite, Whole, alike, numbers};
use kshot::backbone::{Architecture, Backbone, Conv4, Conv4Config, Trainable};
use kshot::data;
use kshot::episode::Sampler;
use kshot::protocol::Protocol;
use kshot::tensor::conv::{Block, ConvOps, Convolution, Norm, Running, Tensor4, Window};
use kshot::tensor::dfdx::shapes::{HasShape, Shape};
use kshot::tensor::dfdx::tensor::NoneTape;
use kshot::tensor::tape::{Tape, backward, trace};
use kshot::tensor::{Backend, Tensor1, TensorError};
use kshot::train::{Training, TrainingConfig, TrainingInputs};
use kshot::vocab::Form;

type Sizes = (usize, usize, usize, usize);
type Traced<D> = Tensor4<D, Tape<D>>;

/// What an operation is applied to: images, filters, and the numbers per channel.
struct Given<D: Backend> {
    images: Tensor4<D>,
    filters: Tensor4<D>,
    scale: Tensor1<D>,
    shift: Tensor1<D>,
}

impl<D: ConvOps> Given<D> {
    fn new(device: &D, images: Sizes, filters: Sizes) -> Given<D> {
        let count = |s: Sizes| s.0 * s.1 * s.2 * s.3;
        Given {
            images: device.tensor4(images, numbers(count(images), 1)).unwrap(),
            filters: device.tensor4(filters, numbers(count(filters), 2)).unwrap(),
            scale: device.tensor1(filters.0, numbers(filters.0, 4)).unwrap(),
            shift: device.tensor1(filters.0, numbers(filters.0, 5)).unwrap(),
        }
    }

    fn norm(&self) -> Norm<'_, D> {
        Norm { scale: &self.scale, shift: &self.shift, epsilon: 1e-5 }
    }

    /// Notes the result of an operation and all gradients for a fixed one.
    fn note(
        &self,
        results: &mut Results,
        name: &str,
        moved: &[&str],
        operation: impl FnOnce(Traced<D>) -> Result<Traced<D>, TensorError>,
    ) {
        let out = operation(trace(self.images.clone())).unwrap();
        let count = out.shape().num_elements();
        results.note(name, 1e-4, &out.retaped::<NoneTape>());
        let mut gradients = backward(out, numbers(count, 9)).unwrap();
        for what in moved {
            let gradient = match *what {
                "images" => gradients.of(&self.images),
                "filters" => gradients.of(&self.filters),
                "scale" => gradients.of(&self.scale),
                _ => gradients.of(&self.shift),
            };
            results.note_numbers(&format!("{name}, gradient of the {what}"), 1e-3, gradient.unwrap());
        }
    }
}

struct Images;

impl Suite for Images {
    fn run<D: Whole>(device: &D, results: &mut Results) {
        let cases = [
            ((3, 7, 6, 5), (17, 5, 3, 3), Convolution { stride: (1, 1), padding: (1, 1), groups: 1 }),
            ((2, 8, 7, 3), (4, 3, 5, 2), Convolution { stride: (2, 3), padding: (2, 0), groups: 1 }),
            ((2, 6, 6, 8), (12, 2, 3, 3), Convolution { stride: (1, 2), padding: (1, 1), groups: 4 }),
        ];
        for (images, filters, convolution) in cases {
            let given = Given::new(device, images, filters);
            let name = format!("convolution of {images:?} with {filters:?}");
            given.note(results, &name, &["images", "filters", "shift"], |x| {
                D::conv2d(x, &given.filters, Some(&given.shift), &convolution)
            });
        }
        let given = Given::new(device, (2, 8, 7, 19), (19, 1, 1, 1));
        let uneven = Window { kernel: (2, 3), stride: (1, 2), padding: (1, 0), ceil: true };
        for window in [Window::tiles(2), Window::square(3, 2, 1), uneven] {
            given.note(results, &format!("maxima {window:?}"), &["images"], |x| D::max_pool(x, window));
            given.note(results, &format!("means {window:?}"), &["images"], |x| D::average_pool(x, window));
        }
        given.note(results, "mean of an image", &["images"], D::global_average_pool);
        given.note(results, "relu", &["images"], D::relu);
        let learned = ["images", "scale", "shift"];
        given.note(results, "batch norm", &learned, |x| Ok(D::batch_norm(x, &given.norm())?.0));
        let variance = numbers(19, 7).iter().map(|v| v * v + 0.1).collect();
        let running = Running { mean: numbers(19, 6), variance };
        given.note(results, "fixed norm", &learned, |x| D::fixed_norm(x, &given.norm(), &running));
        let given = Given::new(device, (6, 8, 8, 3), (16, 3, 3, 3));
        let block = Block {
            filters: &given.filters,
            convolution: Convolution::padded(1),
            norm: given.norm(),
            pool: Window::tiles(2),
            through: true,
        };
        let all = ["images", "filters", "scale", "shift"];
        given.note(results, "block", &all, |x| Ok(<D as ConvOps>::block(x, &block)?.0));
        let variance = numbers(16, 7).iter().map(|v| v * v + 0.1).collect();
        let running = Running { mean: numbers(16, 6), variance };
        let fixed = D::fixed_block(given.images.clone(), &block, &running).unwrap();
        results.note("fixed block", 1e-4, &fixed);
    }
}

#[test]
fn operations_on_images_are_alike_on_both_devices() {
    alike::<Images>("operations on images");
}

struct Networks;

impl Suite for Networks {
    fn run<D: Whole>(device: &D, results: &mut Results) {
        let form = Form::Image { channels: 1, height: 28, width: 28 };
        let config = Conv4Config::new(form, 16, 4).unwrap();
        let mut values = numbers(200_000, 3).into_iter().map(f64::from);
        let start = config.fresh(|| values.next().unwrap());
        let mut network = Conv4::new(device, config, &start).unwrap();
        let images = numbers(7 * 784, 5);
        results.note("conv4", 1e-4, &network.embed(&images).unwrap());
        let features = network.forward(&images).unwrap();
        results.note("conv4 in training", 1e-4, &features.retaped::<NoneTape>());
        let mut gradients = backward(features, numbers(7 * network.dim(), 6)).unwrap();
        for (number, gradient) in network.gradients(&mut gradients).unwrap().into_iter().enumerate() {
            results.note_numbers(&format!("conv4, gradient {number}"), 2e-3, gradient);
        }
    }
}

#[test]
fn networks_are_alike_on_both_devices() {
    alike::<Networks>("networks");
}

struct Trainings;

const RECIPE: &str = "name = \"short\"\n[data]\ndataset = \"glyphs\"\n[backbone]\nname = \"conv4\"\nwidth = 8\nblocks = 4\n\
    [objective]\nkind = \"prototypical\"\nway = 5\nshot = 1\nquery = 3\n[optimiser]\nkind = \"adam\"\nrate = 1e-3\n\
    [training]\nsteps = 4\nreport = 2\nseed = 1\n[validation]\nway = 5\nshot = 1\nquery = 5\nepisodes = 10\nseed = 7\nevery = 2\n";

const VALIDATION: &str = "name = \"validation\"\nversion = 1\nsource = \"this test\"\nsettings = [\"inductive\"]\n[data]\n\
    split = \"validation\"\n[episode]\nway = 5\nshot = 1\nquery = 5\n[draw]\ncount = 10\nseed = 7\n\
    [report]\nmetrics = [\"accuracy\"]\n";

impl Suite for Trainings {
    fn run<D: Whole>(device: &D, results: &mut Results) {
        let store = data::embedded("glyphs").unwrap().unwrap();
        let recipe = TrainingConfig::parse(RECIPE, "this test").unwrap();
        let rules = Protocol::parse(VALIDATION, "this test").unwrap();
        let draw = Sampler::new(&rules, store.index()).unwrap().episodes(0..10).unwrap();
        let task =
            TrainingInputs { config: &recipe, store: &store, data_sha256: "", validation: Some(&draw) };
        let mut run = Training::new(device, task).unwrap();
        while !run.is_done() {
            run.advance(|_| {}).unwrap();
        }
        let losses = run.rows().iter().map(|row| row.loss as f32).collect();
        results.note_numbers("losses of a training", 1e-2, losses);
        for weight in run.weights().weights.0 {
            // Adam makes a full step of a tiny gradient, whose sign rounding may turn.
            results.note_numbers(&format!("trained {}", weight.name), 1e-2, weight.values);
        }
    }
}

#[test]
fn trainings_are_alike_on_both_devices() {
    alike::<Trainings>("trainings");
}

#[cfg(feature = "text")]
mod sentences {
    use super::*;
    use kshot::backbone::SentenceEncoder;
    use kshot::tensor::encoder::{Pooling, TokenBatch};

    struct Sentences;

    impl Suite for Sentences {
        fn run<D: Whole>(device: &D, results: &mut Results) {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/bert");
            let encoder = SentenceEncoder::read(folder).unwrap();
            let tokens = TokenBatch::new((0..5 * 7u32).map(|i| i * i % 11).collect(), 7).unwrap();
            results.note("sentences", 1e-4, &encoder.on(device).unwrap().features(&tokens).unwrap());
            for (pooling, unit) in [(Pooling::Mean, true), (Pooling::First, true), (Pooling::Mean, false)] {
                let x = device.tensor2((10, 16), numbers(160, 3)).unwrap();
                let pooled = device.pool(&x, 5, pooling, unit).unwrap();
                results.note(&format!("{pooling:?} {unit}"), 1e-5, &pooled);
            }
        }
    }

    #[test]
    fn encoders_are_alike_on_both_devices() {
        alike::<Sentences>("encoders");
    }
}
