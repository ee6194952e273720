//! The flag `--device`: where the work is done.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::str::FromStr;

use clap::Args;

use super::error::CliError;
use super::tell;
use crate::run::Device;
use crate::tensor::TensorError;

/// The flag `--device`.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct DeviceFlag {
    /// Where the work is done: `cpu`, `cuda` or `cuda:N` (an NVIDIA GPU by its number), or `auto`, which is `cpu` and says
    /// so where a GPU is idle.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: Wanted,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Auto,
    Cpu,
    Cuda(usize),
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Wanted, String> {
        match (text, text.strip_prefix("cuda:")) {
            ("auto", _) => Ok(Wanted::Auto),
            ("cpu", _) => Ok(Wanted::Cpu),
            ("cuda", _) => Ok(Wanted::Cuda(0)),
            (_, Some(number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => {
                let number = number.parse().ok().filter(|number| *number < 1024);
                number.map(Wanted::Cuda).ok_or_else(|| "the number of a GPU is 0 to 1023".to_string())
            }
            _ => Err("expected `cpu`, `cuda`, `cuda:N` or `auto`".to_string()),
        }
    }
}

/// Runs a verb. A panic is a bug and goes on as one, but for those of a GPU: it may lose its memory or its driver at any
/// time, and dfdx knows no other way to say so.
pub(super) fn guarded<T>(
    flag: Option<DeviceFlag>,
    verb: impl FnOnce() -> Result<T, CliError>,
) -> Result<T, CliError> {
    match flag.map(|flag| flag.device) {
        Some(Wanted::Cuda(_)) => {
            // The caller prints it as one sentence, so that it prints nothing itself.
            std::panic::set_hook(Box::new(|_| {}));
            catch_unwind(AssertUnwindSafe(verb))
                .unwrap_or_else(|panic| Err(TensorError::of_panic("cuda", panic.as_ref()).into()))
        }
        _ => verb(),
    }
}

impl DeviceFlag {
    /// The device, asked whether it is there: what follows may take hours.
    pub(super) fn chosen(&self) -> Result<Device, CliError> {
        match self.device {
            Wanted::Cpu => Ok(Device::Cpu),
            Wanted::Auto => {
                if has_gpu(Path::new("/proc/driver/nvidia/gpus")) {
                    tell(&format!("note: {}", idle_gpu()));
                }
                Ok(Device::Cpu)
            }
            Wanted::Cuda(number) => Ok(Device::gpu(number)?),
        }
    }
}

fn idle_gpu() -> &'static str {
    match cfg!(feature = "cuda") {
        true => "this machine has an NVIDIA GPU, which stays idle\nhint: --device cuda works on it",
        false => {
            "this machine has an NVIDIA GPU, and this build has no CUDA\nhint: build with --features cuda"
        }
    }
}

/// Whether NVIDIA's driver lists a GPU in this folder.
fn has_gpu(listed: &Path) -> bool {
    std::fs::read_dir(listed).is_ok_and(|mut entries| entries.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_written_in_one_of_four_ways() {
        for (text, wanted) in [
            ("auto", Wanted::Auto),
            ("cpu", Wanted::Cpu),
            ("cuda", Wanted::Cuda(0)),
            ("cuda:3", Wanted::Cuda(3)),
        ] {
            assert_eq!(text.parse(), Ok(wanted), "{text}");
        }
        for wrong in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:1024", "cuda 0", "CUDA"] {
            assert!(wrong.parse::<Wanted>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_gpu_is_there_when_the_driver_lists_one() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_gpu(&folder.path().join("gpus")));
        assert!(!has_gpu(folder.path()));
        std::fs::create_dir(folder.path().join("0000:01:00.0")).unwrap();
        assert!(has_gpu(folder.path()));
    }
}
