//! The machine that a run ran on: times mean nothing without it.

use serde::{Deserialize, Serialize};

/// The machine, as far as it tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Operating system.
    pub os: String,
    /// Architecture of the processor.
    pub arch: String,
    /// Name of the processor; absent where the system does not say (only Linux is asked).
    pub cpu: Option<String>,
    /// Cores that this process may use.
    pub cores: Option<usize>,
    /// Memory in bytes; absent likewise.
    pub memory: Option<u64>,
    /// Vector instructions that the processor has: results are the same bytes only where these are the same.
    pub cpu_features: Vec<String>,
}

impl Machine {
    /// The machine that this process runs on.
    pub fn here() -> Machine {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        Machine {
            os: std::env::consts::OS.to_string(),
            arch: std::env::consts::ARCH.to_string(),
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().ok().map(usize::from),
            memory: field(&read("/proc/meminfo"), "MemTotal").and_then(|text| kibibytes(&text)),
            cpu_features: cpu_features(),
        }
    }
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_string())
}

fn kibibytes(text: &str) -> Option<u64> {
    text.strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<String> {
    let features = [
        ("sse4.2", std::is_x86_feature_detected!("sse4.2")),
        ("avx", std::is_x86_feature_detected!("avx")),
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("fma", std::is_x86_feature_detected!("fma")),
        ("f16c", std::is_x86_feature_detected!("f16c")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
    ];
    features.into_iter().filter(|(_, there)| *there).map(|(name, _)| name.to_string()).collect()
}

#[cfg(target_arch = "aarch64")]
fn cpu_features() -> Vec<String> {
    let features = [
        ("neon", std::arch::is_aarch64_feature_detected!("neon")),
        ("fp16", std::arch::is_aarch64_feature_detected!("fp16")),
        ("sve", std::arch::is_aarch64_feature_detected!("sve")),
    ];
    features.into_iter().filter(|(_, there)| *there).map(|(name, _)| name.to_string()).collect()
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn cpu_features() -> Vec<String> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_from_what_the_system_prints() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2: fast\nmodel name\t: other\n";
        assert_eq!(field(text, "model name").as_deref(), Some("Some CPU @ 2: fast"));
        assert_eq!(field(text, "MemTotal"), None);
        assert_eq!(kibibytes("2048 kB"), Some(2 << 20));
        assert_eq!(kibibytes("2048"), None);
    }

    #[test]
    fn this_machine_has_an_architecture() {
        assert_eq!(Machine::here().arch, std::env::consts::ARCH);
    }
}
