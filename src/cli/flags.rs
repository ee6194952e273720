//! Flags that several verbs share, and how their values are read.

use std::path::PathBuf;

use clap::Args;

use crate::run::embed::{Network, data_folder};
use crate::run::until::Until;
use crate::vocab::SawClasses;

/// Reads a whole number in a range, both ends included.
pub(super) fn whole(low: usize, high: usize) -> impl Fn(&str) -> Result<usize, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| (low..=high).contains(number));
        number.ok_or_else(|| format!("must be a whole number from {low} to {high}"))
    }
}

/// Reads a size in bytes: a number with K, M, G or T (powers of 1024), or nothing, behind it.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let power = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 0,
        "K" | "KB" | "KIB" => 1,
        "M" | "MB" | "MIB" => 2,
        "G" | "GB" | "GIB" => 3,
        "T" | "TB" | "TIB" => 4,
        _ => return Err("must be a number of bytes, such as 512M or 8G".to_string()),
    };
    let number: u64 =
        digits.parse().map_err(|_| "must be a number of bytes, such as 512M or 8G".to_string())?;
    number.checked_mul(1 << (10 * power)).ok_or_else(|| "is too large".to_string())
}

/// Reads a cosine.
pub(super) fn cosine(text: &str) -> Result<f32, String> {
    let value = text.parse::<f32>().ok().filter(|v| *v > 0.0 && *v <= 1.0);
    value.ok_or_else(|| "must be a number above 0 and up to 1".to_string())
}

/// Reads the half-width of an interval in points.
pub(super) fn points(text: &str) -> Result<Until, String> {
    let number = text.parse::<f64>().ok().filter(|number| *number > 0.0 && *number < 50.0);
    let number = number.ok_or("must be a half-width in points of accuracy, above 0 and below 50")?;
    Ok(Until { points: text.to_string(), half_width: number / 100.0 })
}

/// Reads a template.
pub(super) fn template(text: &str) -> Result<String, String> {
    match text.matches("{}").count() {
        1 => Ok(text.to_string()),
        count => Err(format!("must have the place of the words, {{}}, once, found it {count} times")),
    }
}

/// Which network makes features of what.
#[derive(Args, Clone, Debug)]
pub(super) struct NetworkFlags {
    /// Network that makes features of a dataset; see `kshot list backbones`.
    #[arg(long, value_name = "NAME")]
    pub(super) backbone: Option<String>,
    /// Its weights: for networks of images a file as `kshot train` writes it, for `bert` a folder as the
    /// sentence-transformers library saves it.
    #[arg(long, value_name = "PATH", requires = "backbone")]
    pub(super) weights: Option<PathBuf>,
    /// Folder in which datasets are looked for by name. Default: KSHOT_DATA, else `data`.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Text around the words of a class, at `{}`, for class vectors; repeat for several, which are averaged.
    #[arg(long = "template", value_name = "TEXT", requires = "backbone", value_parser = template)]
    pub(super) templates: Vec<String>,
    /// Descriptions of classes for class vectors, a .csv of class and description. Default: the names of the classes.
    #[arg(long, value_name = "FILE", requires = "backbone")]
    pub(super) descriptions: Option<PathBuf>,
    /// What the network was trained on, for the record.
    #[arg(long, value_name = "TEXT", requires = "backbone")]
    pub(super) trained_on: Option<String>,
    /// Whether its training saw the classes: none, some, all or unknown, for the record.
    #[arg(long, value_name = "WORD", requires = "backbone", default_value = "unknown")]
    pub(super) saw_classes: SawClasses,
}

impl NetworkFlags {
    /// Where datasets are looked for by name.
    pub(super) fn data(&self) -> PathBuf {
        data_folder(self.data.as_deref())
    }

    /// What is asked for.
    pub(super) fn request(&self) -> Network {
        Network {
            backbone: self.backbone.clone(),
            weights: self.weights.clone(),
            data: self.data(),
            templates: self.templates.clone(),
            descriptions: self.descriptions.clone(),
            trained_on: self.trained_on.clone(),
            saw_classes: self.saw_classes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        assert_eq!(bytes("512"), Ok(512));
        assert_eq!(bytes("8G"), Ok(8 << 30));
        assert_eq!(bytes("768MiB"), Ok(768 << 20));
        assert!(bytes("8X").is_err() && bytes("").is_err() && bytes("99999999T").is_err());
    }

    #[test]
    fn a_half_width_is_a_number_of_points() {
        assert_eq!(points("0.2").unwrap(), Until { points: "0.2".to_string(), half_width: 0.002 });
        for wrong in ["0", "-1", "50", "nan", "inf", "two"] {
            assert!(points(wrong).is_err(), "{wrong}");
        }
    }
}
