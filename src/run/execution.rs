//! How a run is carried out: where, by how many workers, into which folder. Results do not depend on it, device apart.

use std::path::PathBuf;

use super::device::Device;
use crate::eval::Meter;
use crate::results::{LeftOver, Shard};

/// How a run is carried out.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Where it is computed.
    pub device: Device,
    /// Workers; none: as many as the device has use for.
    pub workers: Option<usize>,
    /// Episodes that are computed together; none: as many as fit.
    pub batch: Option<usize>,
    /// The folder of the results; none: they are kept until [`Done`](super::Done) is dropped.
    pub out: Option<PathBuf>,
    /// Whether results that the folder holds are replaced.
    pub overwrite: bool,
    /// What is done with the journal of a run that was killed there.
    pub left_over: LeftOver,
    /// The part of every draw that is evaluated; none: the whole.
    pub shard: Option<Shard>,
    /// Whether the cost of every method is measured behind the run.
    pub costs: bool,
    /// What counts allocated bytes, where the program has it.
    pub meter: Option<Meter>,
    /// How the run was started, for its record.
    pub command: Vec<String>,
}

impl Default for Execution {
    fn default() -> Execution {
        Execution {
            device: Device::Cpu,
            workers: None,
            batch: None,
            out: None,
            overwrite: false,
            left_over: LeftOver::Refuse,
            shard: None,
            costs: false,
            meter: None,
            command: Vec::new(),
        }
    }
}
