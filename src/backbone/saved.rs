//! Weights of networks of images in a file: what is written, and what must be there to read them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::architecture::Architecture;
use super::card::WeightCard;
use super::enrolled::Configuration;
use super::error::BackboneError;
use super::network::Backbone;
use super::weight_file::WeightFile;
use super::weights::Weights;
use crate::tensor::conv::ConvOps;

/// Weights that ship inside the program.
#[derive(Clone, Copy, Debug)]
pub struct ShippedWeights {
    /// Their name, as in `--weights`.
    pub name: &'static str,
    /// Their file.
    pub bytes: &'static [u8],
}

/// All weights that ship with kshot.
pub const SHIPPED_WEIGHTS: &[ShippedWeights] = &[
    ShippedWeights { name: "conv4-glyphs", bytes: include_bytes!("../../weights/conv4-glyphs.safetensors") },
    ShippedWeights {
        name: "conv4-omniglot-1shot",
        bytes: include_bytes!("../../weights/conv4-omniglot-1shot.safetensors"),
    },
    ShippedWeights {
        name: "conv4-omniglot-5shot",
        bytes: include_bytes!("../../weights/conv4-omniglot-5shot.safetensors"),
    },
];

/// Bytes of a header that are looked at.
const LONGEST_HEADER: u64 = 1 << 24;

/// Numbers of a network that may be laid out whatever its file holds, before the two are compared name by name.
const LEAST_CLAIM: usize = 1 << 24;

/// A network as its file has it: sizes, numbers, and how it was trained.
#[derive(Clone, Debug)]
pub struct Saved<A: Architecture = Configuration> {
    /// The sizes.
    pub config: A,
    /// The numbers.
    pub weights: Weights,
    /// What the file says of the training: `protocol`, which is the whole training config, `trained_on`, `data_sha256`, `seed`, …
    pub metadata: BTreeMap<String, String>,
    /// What lies beside the file; only published networks have such a card.
    pub card: Option<WeightCard>,
}

impl Saved {
    /// Reads weights from a file, or takes those of that name that ship with kshot. `backbone` is the network that is
    /// asked for.
    ///
    /// # Errors
    /// When the file cannot be read, is of another backbone, or its tensors are not those of its configuration.
    pub fn read(named: &Path, backbone: &str) -> Result<Saved, BackboneError> {
        let shipped = SHIPPED_WEIGHTS.iter().find(|s| Path::new(s.name) == named && !named.exists());
        match shipped {
            Some(shipped) => Saved::parse(shipped.bytes, named, Some(backbone)),
            None => {
                let hint = "`kshot train` writes weights; `kshot list weights` names those that ship";
                Saved::parse(&super::read_file(named, hint)?, named, Some(backbone))
            }
        }
    }

    /// Whether a file was written by `kshot train`, so that it says its own sizes.
    pub(super) fn is_own(path: &Path) -> bool {
        let header = || -> Option<serde_json::Value> {
            let mut file = File::open(path).ok()?;
            let mut length = [0; 8];
            file.read_exact(&mut length).ok()?;
            let length = u64::from_le_bytes(length);
            let mut text = Vec::new();
            file.take(length.min(LONGEST_HEADER)).read_to_end(&mut text).ok()?;
            serde_json::from_slice(&text).ok()
        };
        header().is_some_and(|header| !header["__metadata__"]["configuration"].is_null())
    }

    /// As [`Saved::read`], from the bytes of a file that `path` names in errors; without a backbone that of the file.
    ///
    /// # Errors
    /// As [`Saved::read`].
    pub fn parse(bytes: &[u8], path: &Path, backbone: Option<&str>) -> Result<Saved, BackboneError> {
        Saved::parse_as(bytes, path, backbone, Configuration::parse)
    }
}

impl<A: Architecture> Saved<A> {
    /// As [`Saved::parse`], for an architecture of which `sizes` reads the text, given its name and that.
    ///
    /// # Errors
    /// As [`Saved::read`].
    pub fn parse_as(
        bytes: &[u8],
        path: &Path,
        backbone: Option<&str>,
        sizes: impl Fn(&str, &str) -> Option<A>,
    ) -> Result<Saved<A>, BackboneError> {
        // Whose weights these are comes before what they are like: another network may store other types of numbers.
        let mut metadata = WeightFile::parse(bytes, path, |_| None)?.metadata().clone();
        let mut take = |key: &'static str| {
            metadata.remove(key).ok_or_else(|| BackboneError::NoMetadata { path: path.to_path_buf(), key })
        };
        let name = take("backbone")?;
        if let Some(backbone) = backbone.filter(|backbone| *backbone != name) {
            let (path, expected) = (path.to_path_buf(), backbone.to_string());
            return Err(BackboneError::OtherBackbone { path, expected, found: name });
        }
        let text = take("configuration")?;
        let config = sizes(&name, &text).ok_or_else(|| BackboneError::Unknown {
            path: path.to_path_buf(),
            key: "configuration",
            found: text,
            known: "the sizes of its network as `kshot train` writes them",
        })?;
        let mut file = WeightFile::parse(bytes, path, |name| Some(name.to_string()))?;
        let (asked, held) = (config.count(), file.count());
        if asked.is_none_or(|asked| asked > held.saturating_mul(16).max(LEAST_CLAIM)) {
            let asked = asked.map_or("more than there are".to_string(), |asked| asked.to_string());
            return Err(BackboneError::Claims { path: path.to_path_buf(), asked, held });
        }
        let mut weights = config.fresh(|| 0.0);
        file.expect(&weights.shapes())?;
        for weight in &mut weights.0 {
            weight.values = file.take(&weight.name)?;
        }
        Ok(Saved { config, weights, metadata, card: None })
    }

    /// The bytes of a file that [`Saved::read`] reads back; equal networks give equal bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut metadata = self.metadata.clone();
        metadata.insert("backbone".to_string(), self.config.name().to_string());
        metadata.insert("configuration".to_string(), self.config.text());
        let tensors: Vec<(&str, &[usize], &[f32])> = self
            .weights
            .0
            .iter()
            .map(|p| (p.name.as_str(), p.shape.as_slice(), p.values.as_slice()))
            .collect();
        tensor_file(&tensors, &metadata)
    }

    /// The network on a device.
    ///
    /// # Errors
    /// When the device has no room.
    pub fn on<D: ConvOps>(&self, device: &D) -> Result<Box<dyn Backbone<D>>, BackboneError> {
        Ok(self.config.on(device, &self.weights)?)
    }
}

/// A .safetensors file of named tensors with metadata, whose bytes depend on nothing else: the format's own writer keeps
/// metadata in an order that changes from run to run. Eight bytes of length, a JSON header, the numbers.
pub fn tensor_file(tensors: &[(&str, &[usize], &[f32])], metadata: &BTreeMap<String, String>) -> Vec<u8> {
    let text = |value: &str| serde_json::Value::from(value).to_string();
    let mut header = String::from("{\"__metadata__\":{");
    let pairs: Vec<String> =
        metadata.iter().map(|(key, value)| format!("{}:{}", text(key), text(value))).collect();
    header.push_str(&pairs.join(","));
    header.push('}');
    let mut numbers = Vec::new();
    for (name, shape, values) in tensors {
        let start = numbers.len();
        numbers.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        let (name, end) = (text(name), numbers.len());
        header.push_str(&format!(
            ",{name}:{{\"dtype\":\"F32\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}"
        ));
    }
    header.push('}');
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(&numbers);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Form;

    fn saved() -> Saved {
        let form = Form::Image { channels: 1, height: 8, width: 8 };
        let sizes = [("width", 4), ("blocks", 2)].map(|(key, size)| (key.to_string(), size)).into();
        let config = Configuration::fit("conv4", form, &sizes).unwrap();
        let mut number = 0.0;
        let weights = config.fresh(|| {
            number += 0.01;
            number
        });
        let metadata = [("seed", "1"), ("trained_on", "\"a\" and b")];
        let metadata = metadata.map(|(k, v)| (k.to_string(), v.to_string())).into();
        Saved { config, weights, metadata, card: None }
    }

    #[test]
    fn a_network_reads_back_and_equal_networks_give_equal_bytes() {
        let bytes = saved().bytes();
        assert_eq!(bytes, saved().bytes());
        let back = Saved::parse(&bytes, Path::new("w"), Some("conv4")).unwrap();
        let expected = saved();
        assert_eq!(
            (back.weights, back.config, back.metadata),
            (expected.weights, expected.config, expected.metadata)
        );
    }

    #[test]
    fn weights_that_ship_are_small_and_read() {
        for shipped in SHIPPED_WEIGHTS {
            assert!(shipped.bytes.len() < 600_000, "{}", shipped.name);
            let saved = Saved::read(Path::new(shipped.name), "conv4").unwrap();
            assert_eq!(saved.metadata["recipe"], shipped.name);
            let config = std::fs::read_to_string(format!("training/{}.toml", shipped.name)).unwrap();
            assert_eq!(saved.metadata["protocol"], config);
            assert!(saved.bytes() == shipped.bytes, "{} is as `kshot train` writes it", shipped.name);
        }
    }

    #[test]
    fn a_configuration_is_believed_no_further_than_its_file_reaches() {
        let told = |backbone: &str, configuration: &str| {
            let metadata = [("backbone", backbone), ("configuration", configuration)];
            let metadata = metadata.map(|(key, value)| (key.to_string(), value.to_string())).into();
            let bytes = tensor_file(&[("a", &[1], &[1.0])], &metadata);
            Saved::parse(&bytes, Path::new("w"), Some(backbone)).unwrap_err().to_string()
        };
        for channels in ["500000000", "9000000000000000000"] {
            let conv4 =
                told("conv4", &format!("blocks=4,channels={channels},height=28,image_width=28,width=64"));
            assert!(conv4.starts_with("w: its `configuration` asks for "), "{conv4}");
            assert!(conv4.contains(" weights, the file holds 1\nhint: "), "{conv4}");
            let mlp = told("mlp", &format!("channels={channels},height=28,hidden=9,image_width=28,width=64"));
            assert!(mlp.starts_with("w: its `configuration` asks for "), "{mlp}");
        }
    }

    #[test]
    fn wrong_weights_are_one_sentence() {
        let told = |bytes: &[u8], backbone: &str| {
            Saved::parse(bytes, Path::new("w.safetensors"), Some(backbone)).unwrap_err().to_string()
        };
        let bytes = saved().bytes();
        let other = told(&bytes, "resnet12");
        assert_eq!(other, "w.safetensors: these are weights of backbone `conv4`, expected `resnet12`");
        let bare = tensor_file(&[("a", &[1], &[1.0])], &BTreeMap::new());
        assert!(told(&bare, "conv4").starts_with("w.safetensors: the metadata has no `backbone`"));
        let Saved { config, weights, metadata, .. } = saved();
        let mut fewer = Weights(weights.0[1..].to_vec());
        fewer.0[0].name = "block1.norm.gain".to_string();
        let text = told(&Saved { config, weights: fewer, metadata, card: None }.bytes(), "conv4");
        let differ = "w.safetensors: the weights do not fit the sizes of the network: 2 missing (`block1.conv.weight`, \
                      `block1.norm.weight`); 1 unexpected (`block1.norm.gain`)\nhint: ";
        assert!(text.starts_with(differ), "{text}");
    }
}
