//! Results and gradients are those of torch.

use kshot::tensor::conv::{ConvOps, Convolution, Running, Window};
use kshot::tensor::{Backend, Cpu, open_cpu};
use serde_json::Value;

use super::given::{Given, Sizes, close, convolution, outcome, remainders};

#[test]
fn every_operation_agrees_with_torch() {
    let text = include_str!("../fixtures/convolution/convolution.json");
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
