//! The operations of convolutional networks: host loops, stock operations and torch give the same numbers and gradients.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kshot::rng::{Purpose, Stream};
use kshot::tensor::conv::{Block, ConvOps, Convolution, Moments, Norm, Running, Tensor4, Window, stock};
use kshot::tensor::dfdx::shapes::HasShape;
use kshot::tensor::dfdx::tensor::NoneTape;
use kshot::tensor::trail::{Trail, pull, trace};
use kshot::tensor::{Backend, Cpu, Tensor1, TensorError, open_cpu, to_host};
use serde_json::Value;

type Sizes = (usize, usize, usize, usize);
type Traced = Tensor4<Cpu, Trail<Cpu>>;

const EPSILON: f32 = 1e-5;

/// What an operation is applied to: images, filters, and the numbers per channel.
#[derive(Clone)]
struct Given {
    images: Tensor4<Cpu>,
    filters: Tensor4<Cpu>,
    scale: Tensor1<Cpu>,
    shift: Tensor1<Cpu>,
}

impl Given {
    fn new(images: Sizes, filters: Sizes, numbers: impl Fn(u64, usize) -> Vec<f32>) -> Given {
        let device = open_cpu();
        let count = |s: Sizes| s.0 * s.1 * s.2 * s.3;
        Given {
            images: device.tensor4(images, numbers(1, count(images))).unwrap(),
            filters: device.tensor4(filters, numbers(2, count(filters))).unwrap(),
            scale: device.tensor1(filters.0, numbers(4, filters.0)).unwrap(),
            shift: device.tensor1(filters.0, numbers(5, filters.0)).unwrap(),
        }
    }

    fn norm(&self) -> Norm<'_, Cpu> {
        Norm { scale: &self.scale, shift: &self.shift, epsilon: EPSILON }
    }

    fn block(&self, convolution: Convolution, pool: Window) -> Block<'_, Cpu> {
        Block { filters: &self.filters, convolution, norm: self.norm(), pool, through: true }
    }

    /// The same with one number of images, filters, scale or shift moved.
    fn moved(&self, part: usize, place: usize, by: f32) -> Given {
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
struct Outcome {
    shape: Sizes,
    out: Vec<f32>,
    gradients: [Vec<f32>; 4],
}

fn outcome(
    given: &Given,
    gradient: impl Fn(usize) -> Vec<f32>,
    operation: impl FnOnce(Traced) -> Result<Traced, TensorError>,
) -> Outcome {
    let out = operation(trace(given.images.clone())).unwrap();
    let shape = *out.shape();
    let values = to_host(&out.retaped::<NoneTape>()).unwrap();
    let gradient = gradient(values.len());
    let mut slopes = pull(out, gradient).unwrap();
    let gradients = [
        slopes.of(&given.images).unwrap(),
        slopes.of(&given.filters).unwrap(),
        slopes.of(&given.scale).unwrap(),
        slopes.of(&given.shift).unwrap(),
    ];
    Outcome { shape, out: values, gradients }
}

fn random(seed: u64, count: usize) -> Vec<f32> {
    let mut stream = Stream::new(seed, Purpose::Dataset, 0);
    (0..count).map(|_| stream.normal() as f32).collect()
}

/// The numbers of the script beside the fixture.
fn remainders(seed: u64, count: usize) -> Vec<f32> {
    let number = |i: u64| ((i * 7919 + seed * 104_729) % 10_007) as f64 / 10_007.0 - 0.5;
    (0..count as u64).map(|i| number(i) as f32).collect()
}

#[track_caller]
fn close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1.0f32, |l, v| l.max(v.abs()));
    for (place, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * largest, "{what} at {place}: {a} instead of {b}");
    }
}

#[track_caller]
fn alike(what: &str, found: &Outcome, expected: &Outcome) {
    assert_eq!(found.shape, expected.shape, "{what}");
    close(what, &found.out, &expected.out, 1e-4);
    for (name, (found, expected)) in
        ["images", "filters", "scale", "shift"].iter().zip(found.gradients.iter().zip(&expected.gradients))
    {
        close(&format!("{what}, gradient of the {name}"), found, expected, 1e-4);
    }
}

fn both(
    what: &str,
    given: &Given,
    host: impl FnOnce(Traced) -> Result<Traced, TensorError>,
    stock: impl FnOnce(Traced) -> Result<Traced, TensorError>,
) {
    let gradient = |count| random(9, count);
    alike(what, &outcome(given, gradient, host), &outcome(given, gradient, stock));
}

fn convolution(stride: (usize, usize), padding: (usize, usize), groups: usize) -> Convolution {
    Convolution { stride, padding, groups }
}

fn windows() -> Vec<Window> {
    let mut all = vec![Window::tiles(1), Window::tiles(2), Window::square(3, 1, 1), Window::square(3, 2, 0)];
    all.extend(all.clone().into_iter().map(|w| Window { ceil: true, ..w }));
    all.push(Window { kernel: (2, 3), stride: (1, 2), padding: (1, 0), ceil: true });
    all
}

#[test]
fn convolutions_agree_with_stock_operations_at_every_size() {
    let cases = [
        ((3, 7, 6, 5), (17, 5, 3, 3), convolution((1, 1), (1, 1), 1)),
        ((2, 9, 9, 20), (33, 20, 3, 3), convolution((1, 1), (1, 1), 1)),
        ((20, 3, 3, 16), (16, 16, 3, 3), convolution((1, 1), (1, 1), 1)),
        ((2, 8, 7, 3), (4, 3, 5, 2), convolution((2, 3), (2, 0), 1)),
        ((2, 8, 8, 1), (7, 1, 3, 3), convolution((1, 1), (1, 1), 1)),
        ((2, 6, 6, 8), (12, 2, 3, 3), convolution((1, 2), (1, 1), 4)),
        ((2, 6, 6, 6), (6, 1, 3, 3), convolution((1, 1), (0, 2), 6)),
        ((1, 4, 4, 2), (3, 2, 1, 1), convolution((3, 3), (2, 2), 1)),
        ((1, 3, 3, 2), (3, 2, 3, 3), convolution((1, 1), (4, 4), 1)),
    ];
    for (images, filters, convolution) in cases {
        let given = Given::new(images, filters, random);
        let what = format!("{images:?} {filters:?} {convolution:?}");
        both(
            &what,
            &given,
            |x| Cpu::conv2d(x, &given.filters, Some(&given.shift), &convolution),
            |x| stock::conv2d(x, &given.filters, Some(&given.shift), &convolution),
        );
    }
}

#[test]
fn poolings_agree_with_stock_operations_at_every_window() {
    let given = Given::new((2, 8, 7, 19), (1, 1, 1, 1), random);
    for window in windows() {
        let what = format!("{window:?}");
        both(&what, &given, |x| Cpu::max_pool(x, window), |x| stock::max_pool(x, window));
        both(&what, &given, |x| Cpu::average_pool(x, window), |x| stock::average_pool(x, window));
    }
    both("relu", &given, Cpu::relu, stock::relu);
}

#[test]
fn normalisations_agree_with_stock_operations() {
    let given = Given::new((5, 4, 3, 18), (18, 1, 1, 1), random);
    let running =
        Running { mean: random(6, 18), variance: random(7, 18).iter().map(|v| v * v + 0.1).collect() };
    let first = |result: Result<(Traced, Moments), TensorError>| result.map(|(out, _)| out);
    both(
        "own moments",
        &given,
        |x| first(Cpu::batch_norm(x, &given.norm())),
        |x| first(stock::batch_norm(x, &given.norm())),
    );
    both(
        "given moments",
        &given,
        |x| Cpu::fixed_norm(x, &given.norm(), &running),
        |x| stock::fixed_norm(x, &given.norm(), &running),
    );
    let moments = |result: Result<(Tensor4<Cpu>, Moments), TensorError>| result.unwrap().1;
    let host = moments(Cpu::batch_norm(given.images.clone(), &given.norm()));
    let stock = moments(stock::batch_norm(given.images.clone(), &given.norm()));
    close("means", &host.mean, &stock.mean, 1e-5);
    close("variances", &host.variance, &stock.variance, 1e-5);
    assert_eq!((host.count, stock.count), (60, 60));
}

#[test]
fn a_block_agrees_with_its_parts() {
    let cases = [
        ((6, 8, 8, 1), (16, 1, 3, 3), Window::tiles(2)),
        ((3, 9, 9, 3), (20, 3, 3, 3), Window::tiles(2)),
        ((40, 3, 3, 16), (16, 16, 3, 3), Window::tiles(2)),
        ((4, 7, 5, 8), (24, 8, 3, 3), Window::square(3, 2, 1)),
        ((2, 5, 5, 8), (8, 8, 3, 3), Window::tiles(1)),
    ];
    for (images, filters, pool) in cases {
        let given = Given::new(images, filters, random);
        let what = format!("{images:?} {filters:?}");
        let block = given.block(Convolution::padded(1), pool);
        let host = |x: Traced| Cpu::block(x, &block).map(|(out, _)| out);
        both(&what, &given, host, |x| stock::block(x, &block).map(|(out, _)| out));
        let parts = |x: Traced| {
            let x = Cpu::conv2d(x, &given.filters, None, &block.convolution)?;
            let (x, _) = Cpu::batch_norm(x, &given.norm())?;
            Cpu::max_pool(Cpu::relu(x)?, pool)
        };
        both(&what, &given, host, parts);
        let running = Running {
            mean: random(6, filters.0),
            variance: random(7, filters.0).iter().map(|v| v * v + 0.1).collect(),
        };
        let fixed = to_host(&Cpu::fixed_block(given.images.clone(), &block, &running).unwrap()).unwrap();
        let stock = to_host(&stock::fixed_block(given.images.clone(), &block, &running).unwrap()).unwrap();
        close(&what, &fixed, &stock, 1e-4);
    }
}

#[test]
fn a_block_on_data_gives_its_images_no_gradient_and_the_same_to_its_filters() {
    let given = Given::new((3, 6, 6, 2), (5, 2, 3, 3), random);
    let block = given.block(Convolution::padded(1), Window::tiles(2));
    let ones = |count| vec![1.0; count];
    let whole = outcome(&given, ones, |x| Cpu::block(x, &block).map(|(out, _)| out));
    let data = Block { through: false, ..given.block(Convolution::padded(1), Window::tiles(2)) };
    let found = outcome(&given, ones, |x| Cpu::block(x, &data).map(|(out, _)| out));
    assert_eq!(found.gradients[1..], whole.gradients[1..]);
    assert!(found.gradients[0].iter().all(|g| *g == 0.0) && whole.gradients[0].iter().any(|g| *g != 0.0));
}

type Operation = fn(&Given, Traced) -> Result<Traced, TensorError>;

/// Every operation, and how far its slopes may lie from finite differences: farther where a step turns a maximum.
const OPERATIONS: [(&str, Sizes, Operation, f64); 10] = [
    (
        "conv2d",
        (4, 4, 3, 3),
        |g, x| Cpu::conv2d(x, &g.filters, Some(&g.shift), &convolution((2, 1), (1, 0), 1)),
        2e-3,
    ),
    (
        "grouped conv2d",
        (6, 2, 3, 3),
        |g, x| Cpu::conv2d(x, &g.filters, None, &convolution((1, 2), (1, 1), 2)),
        2e-3,
    ),
    (
        "depthwise conv2d",
        (4, 1, 3, 3),
        |g, x| Cpu::conv2d(x, &g.filters, None, &convolution((1, 1), (1, 1), 4)),
        2e-3,
    ),
    (
        "max pooling",
        (4, 1, 1, 1),
        |_, x| Cpu::max_pool(x, Window { ceil: true, ..Window::square(3, 2, 1) }),
        2e-3,
    ),
    (
        "average pooling",
        (4, 1, 1, 1),
        |_, x| Cpu::average_pool(x, Window { ceil: true, ..Window::square(3, 2, 1) }),
        2e-3,
    ),
    ("global pooling", (4, 1, 1, 1), |_, x| Cpu::global_average_pool(x), 2e-3),
    ("relu", (4, 1, 1, 1), |_, x| Cpu::relu(x), 2e-3),
    ("batch norm", (4, 1, 1, 1), |g, x| Cpu::batch_norm(x, &g.norm()).map(|(out, _)| out), 1e-2),
    ("fixed norm", (4, 1, 1, 1), |g, x| Cpu::fixed_norm(x, &g.norm(), &Running::new(4)), 2e-3),
    (
        "block",
        (4, 4, 3, 3),
        |g, x| Cpu::block(x, &g.block(Convolution::padded(1), Window::tiles(2))).map(|(o, _)| o),
        3e-2,
    ),
];

#[test]
fn gradients_agree_with_finite_differences() {
    const STEP: f32 = 2e-3;
    let weights = |count| random(9, count);
    for (name, filters, operation, tolerance) in OPERATIONS {
        let given = Given::new((3, 6, 5, 4), filters, remainders);
        let found = outcome(&given, weights, |x| operation(&given, x));
        let value = |given: &Given| -> f64 {
            let out = outcome(given, weights, |x| operation(given, x)).out;
            out.iter().zip(random(9, out.len())).map(|(o, w)| f64::from(*o) * f64::from(w)).sum()
        };
        for (part, gradients) in found.gradients.iter().enumerate() {
            let mut reached = false;
            for place in (0..gradients.len().min(110)).step_by(if part < 2 { 7 } else { 1 }) {
                let (up, down) = (given.moved(part, place, STEP), given.moved(part, place, -STEP));
                let slope = (value(&up) - value(&down)) / (2.0 * f64::from(STEP));
                let gradient = f64::from(gradients[place]);
                let scale = slope.abs().max(1.0);
                assert!(
                    (slope - gradient).abs() < tolerance * scale,
                    "{name} {part} {place}: {slope} {gradient}"
                );
                reached |= gradient != 0.0;
            }
            // The images are part of every operation.
            assert!(reached || part > 0, "{name}");
        }
    }
}

#[test]
fn every_operation_agrees_with_torch() {
    let text = include_str!("fixtures/convolution/convolution.json");
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    for case in &cases {
        let list = |value: &Value| -> Vec<f32> {
            value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
        };
        let sizes = |key: &str| -> Sizes {
            let v = list(&case[key]);
            (v[0] as usize, v[1] as usize, v[2] as usize, v[3] as usize)
        };
        let pair = |key: &str| {
            let v = list(&case[key]);
            (v[0] as usize, v[1] as usize)
        };
        let kind = case["kind"].as_str().unwrap();
        let images = sizes("images");
        let filters = if case["filters"].is_null() { (images.3, 1, 1, 1) } else { sizes("filters") };
        let mut given = Given::new(images, filters, remainders);
        if kind == "conv2d" {
            given.shift = open_cpu().tensor1(filters.0, remainders(3, filters.0)).unwrap();
        }
        let window = || Window {
            kernel: pair("kernel"),
            stride: pair("stride"),
            padding: pair("padding"),
            ceil: case["ceil"].as_bool().unwrap(),
        };
        let mut batch = None;
        let found = outcome(
            &given,
            |count| remainders(9, count),
            |x| match kind {
                "conv2d" => {
                    let groups = case["groups"].as_u64().unwrap() as usize;
                    let convolution = convolution(pair("stride"), pair("padding"), groups);
                    Cpu::conv2d(x, &given.filters, Some(&given.shift), &convolution)
                }
                "max" => Cpu::max_pool(x, window()),
                "mean" => Cpu::average_pool(x, window()),
                "global" => Cpu::global_average_pool(x),
                "norm" => Cpu::batch_norm(x, &given.norm()).map(|(out, moments)| {
                    batch = Some(moments);
                    out
                }),
                "fixed-norm" => {
                    let running = Running { mean: list(&case["mean"]), variance: list(&case["variance"]) };
                    Cpu::fixed_norm(x, &given.norm(), &running)
                }
                _ => {
                    let block = given.block(Convolution::padded(1), Window::tiles(2));
                    Cpu::block(x, &block).map(|(out, _)| out)
                }
            },
        );
        assert_eq!(found.shape, sizes("shape"), "{kind}");
        close(kind, &found.out, &list(&case["out"]), 1e-5);
        let places: &[usize] = match kind {
            "conv2d" => &[0, 1, 3],
            "norm" | "fixed-norm" => &[0, 2, 3],
            "block" => &[0, 1, 2, 3],
            _ => &[0],
        };
        for (place, expected) in places.iter().zip(case["gradients"].as_array().unwrap()) {
            close(&format!("{kind} {place}"), &found.gradients[*place], &list(expected), 1e-5);
        }
        if let Some(batch) = batch {
            let mut running = Running::new(images.3);
            running.update(&batch, 0.1);
            close("running means", &running.mean, &list(&case["mean"]), 1e-6);
            close("running variances", &running.variance, &list(&case["variance"]), 1e-6);
        }
    }
    assert_eq!(cases.len(), 20);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let given = Given::new((37, 10, 10, 8), (20, 8, 3, 3), random);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let block = given.block(Convolution::padded(1), Window::tiles(2));
            let found = outcome(
                &given,
                |count| random(9, count),
                |x| {
                    let (x, _) =
                        Cpu::batch_norm(x, &Norm { scale: &ones(8), shift: &ones(8), epsilon: EPSILON })?;
                    Cpu::block(x, &block).map(|(out, _)| out)
                },
            );
            (found.out, found.gradients)
        })
    };
    let alone = run(1);
    assert_eq!(alone, run(2));
    assert_eq!(alone, run(5));
}

fn ones(count: usize) -> Tensor1<Cpu> {
    open_cpu().tensor1(count, vec![1.0; count]).unwrap()
}

#[test]
fn sizes_that_do_not_fit_are_one_sentence() {
    let given = Given::new((1, 4, 4, 3), (4, 2, 3, 3), random);
    let told = |result: Result<Tensor4<Cpu>, TensorError>| result.err().unwrap().to_string();
    let images = || given.images.clone();
    assert_eq!(
        told(Cpu::conv2d(images(), &given.filters, None, &Convolution::padded(1))),
        "a convolution needs channels = 2, found 3"
    );
    assert_eq!(
        told(Cpu::max_pool(images(), Window::tiles(5))),
        "max pooling with a window of 5×5, stride 5×5 and padding 0×0 does not fit an image of 4×4 pixels"
    );
    assert_eq!(
        told(Cpu::max_pool(images(), Window::square(2, 1, 2))),
        "max pooling needs a padding of at most half the window = 1, found 2"
    );
    let one = ones(1);
    let norm = Norm { scale: &one, shift: &one, epsilon: EPSILON };
    assert_eq!(
        told(Cpu::batch_norm(images(), &norm).map(|(out, _)| out)),
        "a normalisation needs scales = 3, found 1"
    );
}
