//! Weights and images that a formula gives, as `fixtures/backbones/make_reference.py` has them: SplitMix64 of the FNV-1a hash of a
//! name, so that no file of them is kept.

#![allow(dead_code, reason = "each test uses some of it")]

/// Numbers in [0, 1) by SplitMix64, in 24 bits.
pub fn uniform(stream: u64, count: usize) -> impl Iterator<Item = f64> {
    (0..count as u64).map(move |index| {
        let z = stream.wrapping_add(index).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 24)
    })
}

fn hash(name: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    name.bytes().fold(0xCBF2_9CE4_8422_2325, step)
}

/// The numbers of a weight of this name.
pub fn weight(name: &str, shape: &[usize]) -> Vec<f32> {
    let spread = (24.0 / shape.iter().skip(1).product::<usize>() as f64).sqrt();
    let number = |u: f64| {
        if shape.len() > 1 {
            (u - 0.5) * spread
        } else if name.ends_with("running_var") || name.ends_with("weight") {
            0.5 + u
        } else {
            (u - 0.5) * 0.4
        }
    };
    uniform(hash(name), shape.iter().product()).map(|u| number(u) as f32).collect()
}

/// `count` images of (height, width) pixels.
pub fn images(count: usize, (height, width): (usize, usize)) -> Vec<f32> {
    uniform(1 << 32, count * 3 * height * width).map(|u| (2.0 * u - 1.0) as f32).collect()
}
