//! What operations are applied to, and how results are compared.

use kshot::rng::{Purpose, Stream};
use kshot::tensor::conv::{Block, Convolution, Norm, Tensor4, Window};
use kshot::tensor::dfdx::shapes::HasShape;
use kshot::tensor::dfdx::tensor::NoneTape;
use kshot::tensor::tape::{Tape, backward, trace};
use kshot::tensor::{Backend, Cpu, Tensor1, TensorError, open_cpu, to_host};

pub type Sizes = (usize, usize, usize, usize);
pub type Traced = Tensor4<Cpu, Tape<Cpu>>;

pub const EPSILON: f32 = 1e-5;

/// What an operation is applied to: images, filters, and the numbers per channel.
#[derive(Clone)]
pub struct Given {
    pub images: Tensor4<Cpu>,
    pub filters: Tensor4<Cpu>,
    pub scale: Tensor1<Cpu>,
    pub shift: Tensor1<Cpu>,
}

impl Given {
    pub fn new(images: Sizes, filters: Sizes, numbers: impl Fn(u64, usize) -> Vec<f32>) -> Given {
        let device = open_cpu();
        let count = |s: Sizes| s.0 * s.1 * s.2 * s.3;
        Given {
            images: device.tensor4(images, numbers(1, count(images))).unwrap(),
            filters: device.tensor4(filters, numbers(2, count(filters))).unwrap(),
            scale: device.tensor1(filters.0, numbers(4, filters.0)).unwrap(),
            shift: device.tensor1(filters.0, numbers(5, filters.0)).unwrap(),
        }
    }

    pub fn norm(&self) -> Norm<'_, Cpu> {
        Norm { scale: &self.scale, shift: &self.shift, epsilon: EPSILON }
    }

    pub fn block(&self, convolution: Convolution, pool: Window) -> Block<'_, Cpu> {
        Block { filters: &self.filters, convolution, norm: self.norm(), pool, through: true }
    }

    /// The same with one number of images, filters, scale or shift moved.
    pub fn moved(&self, part: usize, place: usize, by: f32) -> Given {
        let (device, mut given) = (open_cpu(), self.clone());
        let of4 = |tensor: &Tensor4<Cpu>| {
            let mut values = to_host(tensor).unwrap();
            values[place] += by;
            device.tensor4(*tensor.shape(), values).unwrap()
        };
        let of1 = |tensor: &Tensor1<Cpu>| {
            let mut values = to_host(tensor).unwrap();
            values[place] += by;
            device.tensor1(values.len(), values).unwrap()
        };
        match part {
            0 => given.images = of4(&self.images),
            1 => given.filters = of4(&self.filters),
            2 => given.scale = of1(&self.scale),
            _ => given.shift = of1(&self.shift),
        }
        given
    }
}

/// The result of an operation, and the gradients of images, filters, scale and shift for a fixed gradient.
#[derive(Debug)]
pub struct Outcome {
    pub shape: Sizes,
    pub out: Vec<f32>,
    pub gradients: [Vec<f32>; 4],
}

pub fn outcome(
    given: &Given,
    gradient: impl Fn(usize) -> Vec<f32>,
    operation: impl FnOnce(Traced) -> Result<Traced, TensorError>,
) -> Outcome {
    let out = operation(trace(given.images.clone())).unwrap();
    let shape = *out.shape();
    let values = to_host(&out.retaped::<NoneTape>()).unwrap();
    let gradient = gradient(values.len());
    let mut gradients = backward(out, gradient).unwrap();
    let gradients = [
        gradients.of(&given.images).unwrap(),
        gradients.of(&given.filters).unwrap(),
        gradients.of(&given.scale).unwrap(),
        gradients.of(&given.shift).unwrap(),
    ];
    Outcome { shape, out: values, gradients }
}

pub fn random(seed: u64, count: usize) -> Vec<f32> {
    let mut stream = Stream::new(seed, Purpose::Dataset, 0);
    (0..count).map(|_| stream.normal() as f32).collect()
}

/// The numbers of the script beside the fixture.
pub fn remainders(seed: u64, count: usize) -> Vec<f32> {
    let number = |i: u64| ((i * 7919 + seed * 104_729) % 10_007) as f64 / 10_007.0 - 0.5;
    (0..count as u64).map(|i| number(i) as f32).collect()
}

#[track_caller]
pub fn close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1.0f32, |l, v| l.max(v.abs()));
    for (place, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * largest, "{what} at {place}: {a} instead of {b}");
    }
}

#[track_caller]
pub fn alike(what: &str, found: &Outcome, expected: &Outcome) {
    assert_eq!(found.shape, expected.shape, "{what}");
    close(what, &found.out, &expected.out, 1e-4);
    for (name, (found, expected)) in
        ["images", "filters", "scale", "shift"].iter().zip(found.gradients.iter().zip(&expected.gradients))
    {
        close(&format!("{what}, gradient of the {name}"), found, expected, 1e-4);
    }
}

pub fn convolution(stride: (usize, usize), padding: (usize, usize), groups: usize) -> Convolution {
    Convolution { stride, padding, groups }
}
