//! The operations of convolutional networks: host loops, stock operations and torch give the same numbers and gradients.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod differences;
mod given;
mod torch;

use kshot::tensor::conv::{Block, ConvOps, Convolution, Moments, Norm, Running, Tensor4, Window, stock};
use kshot::tensor::{Backend, Cpu, Tensor1, TensorError, open_cpu, to_host};

use given::{EPSILON, Given, Traced, alike, close, convolution, outcome, random};

fn both(
    what: &str,
    given: &Given,
    host: impl FnOnce(Traced) -> Result<Traced, TensorError>,
    stock: impl FnOnce(Traced) -> Result<Traced, TensorError>,
) {
    let gradient = |count| random(9, count);
    alike(what, &outcome(given, gradient, host), &outcome(given, gradient, stock));
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
