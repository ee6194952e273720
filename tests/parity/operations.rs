//! Operations on tensors, and the heads in the span of a support.

use super::{Results, Suite, Whole, alike, numbers};
use kshot::numbers::Values;
use kshot::rng::{Purpose, Stream};
use kshot::tensor::span::{Descent, Head, Init, Solution};
use kshot::tensor::{Backend, HostRows, Labels, Rows, Tensor3, Terms, ops};

const DIM: usize = 23;
const SLOTS: usize = 15;

/// Three episodes of five labels with 15, 11 and 5 support items, padded to 15; rows of norm one.
fn task<D: Backend>(device: &D) -> (Tensor3<D>, Labels) {
    let (mut labels, mut values) = (Vec::new(), Vec::new());
    for (episode, filled) in [15, 11, 5].into_iter().enumerate() {
        labels.extend((0..SLOTS).map(|i| if i < filled { (i % 5) as u16 } else { Labels::EMPTY }));
        let mut features = numbers(filled * DIM, episode as u64);
        for row in features.chunks_exact_mut(DIM) {
            let norm = row.iter().map(|v| v * v).sum::<f32>().sqrt();
            row.iter_mut().for_each(|v| *v /= norm);
        }
        features.resize(SLOTS * DIM, 0.0);
        values.extend(features);
    }
    (device.tensor3((3, SLOTS, DIM), values).unwrap(), Labels::new(3, SLOTS, 5, labels).unwrap())
}

struct Elements;

impl Suite for Elements {
    fn run<D: Whole>(device: &D, results: &mut Results) {
        let tensor = |rows: usize, seed: u64| device.tensor3((3, rows, 7), numbers(21 * rows, seed)).unwrap();
        let (a, b) = (tensor(5, 1), tensor(5, 2));
        let positive = ops::exp(&a).unwrap();
        results.note("add", 1e-6, &ops::add(&a, &b).unwrap());
        results.note("subtract", 1e-6, &ops::subtract(&a, &b).unwrap());
        results.note("multiply", 1e-6, &ops::multiply(&a, &b).unwrap());
        results.note("scale", 1e-6, &ops::scale(a.clone(), -2.5).unwrap());
        results.note("add a scalar", 1e-6, &ops::add_scalar(&a, 1.5).unwrap());
        results.note("exp", 1e-5, &positive);
        results.note("ln", 1e-5, &ops::ln(&positive).unwrap());
        results.note("sqrt", 1e-5, &ops::sqrt(&positive).unwrap());
        results.note("relu", 1e-6, &ops::relu(&a).unwrap());
        results.note("softmax", 1e-5, &ops::softmax(a.clone()).unwrap());
        results.note("log-softmax", 1e-5, &ops::log_softmax(&a).unwrap());
        results.note("row sums", 1e-5, &ops::row_sums(&a).unwrap());
        results.note("column sums", 1e-5, &ops::column_sums(&a).unwrap());
        results.note("row maxima", 1e-6, &ops::row_max(&a).unwrap());
        let squared = ops::squared_norms(&a).unwrap();
        results.note("squared norms", 1e-5, &squared);
        results.note("negate", 1e-5, &ops::negate(&squared).unwrap());
        results.note("normalise", 1e-5, &ops::normalise(&a).unwrap());
        results.note("divide rows", 1e-5, &ops::divide_rows(&a, &squared).unwrap());
        results.note("add to rows", 1e-5, &ops::add_to_rows(&a, &squared).unwrap());
        let columns = device.tensor2((3, 7), numbers(21, 3)).unwrap();
        results.note("add to columns", 1e-6, &ops::add_to_columns(&a, &columns).unwrap());
        results.note("transpose", 0.0, &ops::transpose(&a).unwrap());
        results.note("matmul", 1e-5, &ops::matmul(&a, &ops::transpose(&b).unwrap()).unwrap());
        let map = device.tensor2((7, 4), numbers(28, 4)).unwrap();
        results.note("map of rows", 1e-5, &ops::map_rows(&a, &map).unwrap());
        results.note("gram", 1e-5, &ops::gram(&a).unwrap());
        results.note("squared distances", 1e-5, &ops::squared_distances(&a, &tensor(4, 5)).unwrap());
        let (features, labels) = task(device);
        results.note("class means", 1e-5, &ops::class_means(&features, &labels).unwrap());
        // More numbers than one block of threads adds up.
        let long = device.tensor3((2, 3, 3000), numbers(18_000, 6)).unwrap();
        results.note("long row sums", 1e-4, &ops::row_sums(&long).unwrap());
        results.note("long softmax", 1e-5, &ops::softmax(long).unwrap());
    }
}

#[test]
fn operations_are_alike_on_both_devices() {
    alike::<Elements>("operations");
}

struct Stores;

impl Suite for Stores {
    fn run<D: Whole>(device: &D, results: &mut Results) {
        let scale: Vec<f32> = numbers(40, 9).iter().map(|v| v.abs() + 0.1).collect();
        for shifted in [false, true] {
            let rows = HostRows::new(
                Values::F32(numbers(40 * DIM, 7).into()),
                40,
                DIM,
                shifted.then(|| numbers(DIM, 8).into()),
                Some(scale.clone().into()),
                vec![0.5; 40].into(),
            );
            let store = device.upload(&rows.unwrap()).unwrap();
            let mut places: Vec<u32> = (0..2 * 19).map(|i| i * 7 % 40).collect();
            places[18] = Rows::EMPTY;
            let index = Rows::new(2, 19, places).unwrap();
            results.note("gather", 1e-6, &device.gather(&store, &index).unwrap());
            results.note("norms", 1e-6, &device.squared_norms(&store, &index).unwrap());
            for count in [1, 5, 40] {
                let weights = device.tensor3((2, count, DIM), numbers(2 * count * DIM, 3)).unwrap();
                let bias = device.tensor2((2, count), numbers(2 * count, 4)).unwrap();
                let terms = Terms { factor: 2.0, bias: Some(&bias), norm: -1.0, origins: None };
                results.note("linear", 1e-5, &device.linear(&store, &index, &weights, &terms).unwrap());
                let plain = Terms::default();
                results.note("products", 1e-5, &device.linear(&store, &index, &weights, &plain).unwrap());
            }
        }
    }
}

#[test]
fn stores_are_alike_on_both_devices() {
    alike::<Stores>("stores");
}

struct Neighbours;

impl Suite for Neighbours {
    fn run<D: Whole>(device: &D, results: &mut Results) {
        let (_, labels) = task(device);
        // Whole numbers give ties.
        let values = numbers(3 * 4 * SLOTS, 6).iter().map(|v| (v * 2.0).round()).collect();
        let values = device.tensor3((3, 4, SLOTS), values).unwrap();
        results.note("best of a label", 1e-6, &device.best_of_label(&values, &labels).unwrap());
        results.note("attention", 1e-5, &device.attention(&values, &labels).unwrap());
        for k in [1, 3, 15] {
            results.note(&format!("{k} votes"), 1e-6, &device.votes(&values, &labels, k).unwrap());
        }
    }
}

#[test]
fn neighbours_are_alike_on_both_devices() {
    alike::<Neighbours>("neighbours");
}

struct Heads;

fn solution<D: Backend>(results: &mut Results, name: &str, tolerance: f32, found: &Solution<D>) {
    results.note(name, tolerance, &found.coefficients);
    if let Some(bias) = &found.bias {
        results.note(&format!("{name}, bias"), tolerance, bias);
    }
}

impl Suite for Heads {
    fn run<D: Whole>(device: &D, results: &mut Results) {
        let (features, labels) = task(device);
        let gram = ops::gram(&features).unwrap();
        let ridge: Vec<f32> = (0..3 * 225).map(|i| if i % 225 % 16 == 0 { 0.1 } else { 0.0 }).collect();
        let matrix = ops::add(&gram, &device.tensor3((3, SLOTS, SLOTS), ridge).unwrap()).unwrap();
        results.note("inverse", 1e-3, &device.spd_inverse(&matrix).unwrap());
        for strength in [0.1, 1.0, 10.0] {
            let found = device.ridge(&features, &labels, strength).unwrap();
            solution(results, &format!("ridge {strength}"), 1e-3, &found);
            let found = device.hinge(&features, &labels, strength).unwrap();
            solution(results, &format!("hinge {strength}"), 2e-3, &found);
            let found = device.logistic(&features, &labels, strength).unwrap();
            solution(results, &format!("logistic {strength}"), 2e-3, &found);
        }
        let batches = |episode: usize, n: usize| -> Vec<Vec<usize>> {
            let mut stream = Stream::new(5, Purpose::Learner, episode as u32);
            let mut order: Vec<usize> = (0..n).collect();
            let mut pass = || {
                stream.shuffle(&mut order);
                order.chunks(4).map(<[usize]>::to_vec).collect::<Vec<_>>()
            };
            (0..6).flat_map(|_| pass()).collect()
        };
        let plain = Descent {
            epochs: 30,
            lr: 0.1,
            momentum: 0.0,
            dampening: 0.0,
            weight_decay: 0.0,
            init: Init::Zero,
            head: Head::Linear,
            batches: None,
        };
        let heavy =
            Descent { momentum: 0.9, dampening: 0.5, weight_decay: 0.01, init: Init::Prototype, ..plain };
        let cosine = Descent { head: Head::Cosine { scale: 5.0 }, ..heavy };
        for (name, settings) in [("plain", plain), ("heavy", heavy), ("cosine", cosine)] {
            let found = device.descent(&features, &labels, &settings).unwrap();
            solution(results, &format!("{name} descent"), 1e-3, &found);
            let settings = Descent { batches: Some(&batches), epochs: 6, ..settings };
            let found = device.descent(&features, &labels, &settings).unwrap();
            solution(results, &format!("{name} descent in batches"), 1e-3, &found);
        }
    }
}

#[test]
fn heads_are_alike_on_both_devices() {
    alike::<Heads>("heads");
}
