//! Which vector instructions a loop is compiled for.

use pulp::{Simd, WithSimd};

/// Runs a loop with the vector instructions that every processor of the last ten years has: eight single numbers at a time on
/// x86-64, where wider ones gain little in loops that wait for memory and would give other last digits.
#[cfg(target_arch = "x86_64")]
pub fn with_lanes<Op: WithSimd>(op: Op) -> Op::Output {
    match pulp::x86::V3::try_new() {
        Some(simd) => Simd::vectorize(simd, op),
        None => Simd::vectorize(pulp::Scalar::new(), op),
    }
}

/// Runs a loop with the vector instructions of the processor.
#[cfg(not(target_arch = "x86_64"))]
pub fn with_lanes<Op: WithSimd>(op: Op) -> Op::Output {
    with_widest_lanes(op)
}

/// Runs a loop with the widest vector instructions that the processor has: for products that are bound by multiplications.
pub fn with_widest_lanes<Op: WithSimd>(op: Op) -> Op::Output {
    pulp::Arch::new().dispatch(op)
}
