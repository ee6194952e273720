//! Numbers by the million: the memory that they lie in, and what is done to each of them.

mod exponential;
mod memory;

pub use exponential::{exp, exp_all};
pub use memory::Numbers;
