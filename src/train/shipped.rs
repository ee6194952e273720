//! The training configs that ship with kshot, inside the program.

macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../training/", $name, ".toml")))),+]
    };
}

/// All training configs that ship with kshot, as (name, text).
pub const SHIPPED_CONFIGS: &[(&str, &str)] = shipped![
    "conv4-glyphs",
    "conv4-omniglot-1shot",
    "conv4-omniglot-5shot",
    "conv4-omniglot-1shot-choose",
    "conv4-omniglot-5shot-choose",
    "conv4-omniglot-cross-entropy",
    "conv4-omniglot-triplet",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::TrainingConfig;

    #[test]
    fn every_shipped_config_reads_and_is_called_as_its_file() {
        for (name, text) in SHIPPED_CONFIGS {
            assert_eq!(TrainingConfig::parse(text, name).unwrap().name, *name);
        }
    }
}
