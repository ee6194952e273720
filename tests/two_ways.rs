//! Host loops and compositions of stock operations are two ways to the same numbers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kshot::rng::{Purpose, Stream};
use kshot::tensor::span::{
    Descent, Head, Init, Solution, SpanOps, descent, hinge, logistic, neighbours, ridge,
};
use kshot::tensor::stock;
use kshot::tensor::{Backend, Cpu, HostRows, Labels, Resident, Rows, Tensor3, Terms, open_cpu, ops};

const DIM: usize = 23;

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut stream = Stream::new(seed, Purpose::Dataset, 0);
    (0..count).map(|_| stream.normal() as f32).collect()
}

/// Three episodes of five labels with 15, 11 and 5 support items, padded to 15.
fn task(device: &Cpu) -> (Tensor3<Cpu>, Labels) {
    let slots = 15;
    let mut labels = Vec::new();
    let mut values = Vec::new();
    for (episode, filled) in [15, 11, 5].into_iter().enumerate() {
        labels.extend((0..slots).map(|i| if i < filled { (i % 5) as u16 } else { Labels::EMPTY }));
        let mut features = numbers(filled * DIM, episode as u64);
        features.resize(slots * DIM, 0.0);
        values.extend(features);
    }
    let features = device.tensor3((3, slots, DIM), values).unwrap();
    (ops::normalise(&features).unwrap(), Labels::new(3, slots, 5, labels).unwrap())
}

#[track_caller]
fn close(a: &[f32], b: &[f32], tolerance: f32) {
    assert_eq!(a.len(), b.len());
    let far = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(far <= tolerance, "largest difference {far}");
}

#[track_caller]
fn alike(host: Solution<Cpu>, stock: Solution<Cpu>, tolerance: f32) {
    assert_eq!((host.unconverged, stock.unconverged), (0, 0));
    let numbers = |s: &Solution<Cpu>| ops::to_host(&s.coefficients).unwrap();
    close(&numbers(&host), &numbers(&stock), tolerance);
    let bias = |s: &Solution<Cpu>| s.bias.as_ref().map_or(Vec::new(), |b| ops::to_host(b).unwrap());
    close(&bias(&host), &bias(&stock), tolerance);
}

#[test]
fn heads_agree() {
    let device = open_cpu();
    let (features, labels) = task(&device);
    // In the span, and with fewer columns than support items.
    let narrow = numbers(3 * 15 * 4, 40);
    let narrow: Vec<f32> = (0..narrow.len())
        .map(|i| if i / 4 % 15 < labels.of(i / 60).len() { narrow[i] } else { 0.0 })
        .collect();
    let narrow = device.tensor3((3, 15, 4), narrow).unwrap();
    let both = [(&features, 0.1), (&features, 1.0), (&features, 10.0), (&narrow, 0.5), (&narrow, 2.0)];
    for (g, strength) in both {
        let l = &labels;
        let host = device.ridge(g, l, strength).unwrap();
        alike(host, ridge::stock(&device, g, l, strength).unwrap(), 1e-4);
        alike(device.hinge(g, l, strength).unwrap(), hinge::stock(&device, g, l, strength).unwrap(), 2e-3);
        let host = device.logistic(g, l, strength).unwrap();
        alike(host, logistic::stock(&device, g, l, strength).unwrap(), 2e-3);
    }
}

#[test]
fn means_and_norms_agree() {
    let device = open_cpu();
    let (features, labels) = task(&device);
    let means = ops::matmul(&labels.averaging(&device).unwrap(), &features).unwrap();
    let host = ops::to_host(&ops::class_means(&features, &labels).unwrap()).unwrap();
    close(&host, &ops::to_host(&means).unwrap(), 1e-6);
    let norms = ops::row_sums(&ops::multiply(&means, &means).unwrap()).unwrap();
    let host = ops::to_host(&ops::squared_norms(&means).unwrap()).unwrap();
    close(&host, &ops::to_host(&norms).unwrap(), 1e-6);
}

#[test]
fn descents_agree() {
    let device = open_cpu();
    let (features, labels) = task(&device);
    let gram = features;
    let batches = |episode: usize, n: usize| -> Vec<Vec<usize>> {
        let mut stream = Stream::new(5, Purpose::Learner, episode as u32);
        let mut order: Vec<usize> = (0..n).collect();
        (0..6)
            .flat_map(|_| {
                stream.shuffle(&mut order);
                order.chunks(4).map(<[usize]>::to_vec).collect::<Vec<_>>()
            })
            .collect()
    };
    let plain = Descent {
        epochs: 50,
        lr: 0.1,
        momentum: 0.0,
        dampening: 0.0,
        weight_decay: 0.0,
        init: Init::Zero,
        head: Head::Linear,
        batches: None,
    };
    let heavy = Descent { momentum: 0.9, dampening: 0.5, weight_decay: 0.01, init: Init::Prototype, ..plain };
    let cosine = Descent { head: Head::Cosine { scale: 5.0 }, ..heavy };
    for settings in [plain, heavy, cosine] {
        let host = device.descent(&gram, &labels, &settings).unwrap();
        alike(host, descent::stock(&device, &gram, &labels, &settings).unwrap(), 1e-4);
    }
    // Mini-batches: the plans of smaller supports end sooner.
    for settings in [plain, heavy, cosine] {
        let settings = Descent { batches: Some(&batches), epochs: 6, ..settings };
        let host = device.descent(&gram, &labels, &settings).unwrap();
        alike(host, descent::stock(&device, &gram, &labels, &settings).unwrap(), 1e-4);
    }
}

#[test]
fn inverses_agree() {
    let device = open_cpu();
    let (features, _) = task(&device);
    let gram = ops::gram(&features).unwrap();
    let unit: Vec<f32> = (0..3 * 225).map(|i| if i % 225 % 16 == 0 { 0.1 } else { 0.0 }).collect();
    let matrix = ops::add(&gram, &device.tensor3((3, 15, 15), unit).unwrap()).unwrap();
    let host = ops::to_host(&device.spd_inverse(&matrix).unwrap()).unwrap();
    close(&host, &ops::to_host(&stock::spd_inverse(&device, &matrix).unwrap()).unwrap(), 2e-3);
}

#[test]
fn gathered_scores_agree() {
    let device = open_cpu();
    let shift = numbers(DIM, 8);
    let scale: Vec<f32> = numbers(40, 9).iter().map(|v| v.abs() + 0.1).collect();
    let values = numbers(40 * DIM, 7);
    let norms = vec![0.5; 40];
    for shifted in [false, true] {
        let rows = HostRows::new(
            kshot::numbers::Values::F32(values.clone().into()),
            40,
            DIM,
            shifted.then(|| shift.clone().into()),
            Some(scale.clone().into()),
            norms.clone().into(),
        )
        .unwrap();
        let resident = Resident::upload(&device, &rows).unwrap();
        let mut places: Vec<u32> = (0..2 * 19).map(|i| i * 7 % 40).collect();
        places[18] = Rows::EMPTY;
        let index = Rows::new(2, 19, places).unwrap();
        for count in [1, 5, 7, 40] {
            let weights = device.tensor3((2, count, DIM), numbers(2 * count * DIM, 3)).unwrap();
            let bias = device.tensor2((2, count), numbers(2 * count, 4)).unwrap();
            let terms = Terms { factor: 2.0, bias: Some(&bias), norm: -1.0, origins: None };
            let host = ops::to_host(&device.linear(&rows, &index, &weights, &terms).unwrap()).unwrap();
            let stock = ops::to_host(&resident.linear(&index, &weights, &terms).unwrap()).unwrap();
            close(&host, &stock, 1e-4);
        }
        let host = ops::to_host(&device.gather(&rows, &index).unwrap()).unwrap();
        close(&host, &ops::to_host(&resident.gather(&index).unwrap()).unwrap(), 1e-6);
    }
}

#[test]
fn distances_and_cosines_agree_near_and_far_from_zero() {
    let device = open_cpu();
    for (common, count) in [(0.0, 5), (1000.0, 5), (1000.0, 40)] {
        let moved = |mut values: Vec<f32>| {
            values.iter_mut().step_by(DIM).for_each(|x| *x += common);
            values
        };
        let rows = HostRows::dense(moved(numbers(40 * DIM, 7)), DIM).unwrap();
        let index = Rows::new(2, 19, (0..2 * 19).map(|i| i * 7 % 40).collect()).unwrap();
        let mut centres = moved(numbers(2 * count * DIM, 3));
        // A slot without an item, and a direction without a length.
        centres[..DIM].fill(0.0);
        let centres = device.tensor3((2, count, DIM), centres).unwrap();
        let gathered = device.gather(&rows, &index).unwrap();
        let host = device.negative_squared_distances(&rows, &index, &centres).unwrap();
        let stock = stock::negative_squared_distances(&gathered, &centres).unwrap();
        let (host, stock) = (ops::to_host(&host).unwrap(), ops::to_host(&stock).unwrap());
        // The zero is far away from all others.
        let near = |values: &[f32]| values.iter().copied().filter(|v| *v > -1e5).collect::<Vec<_>>();
        close(&near(&host), &near(&stock), 1e-4);
        assert!(near(&host).len() >= 2 * 19 * (count - 1) && host.len() == stock.len());
        let directions = ops::normalise(&centres).unwrap();
        let host = ops::to_host(&device.cosines_less_one(&rows, &index, &directions).unwrap()).unwrap();
        let unit = ops::normalise(&gathered).unwrap();
        let stock = ops::to_host(&stock::cosines_less_one(&unit, &directions).unwrap()).unwrap();
        close(&host, &stock, 1e-5);
        assert!((host[0] + 1.0).abs() < 1e-6, "the cosine with no direction is 0, not {}", host[0] + 1.0);
        // Cosines that differ by millionths do so to some digits.
        let exact = |slot: usize, c: usize| -> f64 {
            let values =
                |t: &Tensor3<Cpu>, at: usize| ops::to_host(t).unwrap()[at * DIM..(at + 1) * DIM].to_vec();
            let (x, d) = (values(&gathered, slot), values(&centres, c));
            let dot = |a: &[f32], b: &[f32]| {
                a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>()
            };
            dot(&x, &d) / (dot(&x, &x) * dot(&d, &d)).sqrt() - 1.0
        };
        for (c, found) in host.iter().enumerate().take(count.min(5)).skip(1) {
            let (found, expected) = (f64::from(*found), exact(0, c));
            assert!((found - expected).abs() <= 2e-3 * expected.abs(), "{found}, not {expected}");
        }
    }
}

#[test]
fn neighbours_agree() {
    let device = open_cpu();
    let (_, labels) = task(&device);
    // Whole numbers give ties.
    let values = numbers(3 * 4 * 15, 6).iter().map(|v| (v * 2.0).round()).collect();
    let values = device.tensor3((3, 4, 15), values).unwrap();
    let host = |t: Tensor3<Cpu>| ops::to_host(&t).unwrap();
    let best = host(neighbours::stock_best_of_label(&values, &labels).unwrap());
    close(&host(device.best_of_label(&values, &labels).unwrap()), &best, 0.0);
    let attention = host(neighbours::stock_attention(&values, &labels).unwrap());
    close(&host(device.attention(&values, &labels).unwrap()), &attention, 1e-6);
    for k in [1, 3, 7, 15, 30] {
        let votes = host(neighbours::stock_votes(&values, &labels, k).unwrap());
        close(&host(device.votes(&values, &labels, k).unwrap()), &votes, 1e-6);
    }
}
