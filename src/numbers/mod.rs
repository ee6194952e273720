//! Numbers by the million: the memory or the file that they lie in, and what is done to each of them.

mod exponential;
mod joined;
mod lanes;
mod memory;
mod values;

pub use exponential::{exp, exp_all};
pub use lanes::{with_lanes, with_widest_lanes};
pub use memory::Numbers;
pub use values::{BLOCK, ReadRows, Values};
