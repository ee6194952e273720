//! `.pth` files from before PyTorch 1.6, as torchvision's of VGG are: four pickles, the keys of the storages, and these one
//! after the other.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::element::Element;
use super::unpickle::{Tensor, Value};
use super::{NamedTensors, damaged, state, unpickle};
use crate::backbone::error::BackboneError;

pub(super) fn read(file: File, path: &Path) -> Result<NamedTensors, BackboneError> {
    let refused = |what: String| damaged(path, what);
    let length = file.metadata().map(|of| of.len()).unwrap_or(0);
    let mut file = BufReader::new(file);
    // A magic number, the version of the format, and the sizes of the machine that wrote it.
    for _ in 0..3 {
        unpickle::read(&mut file).map_err(refused)?;
    }
    let pickled = unpickle::read(&mut file).map_err(refused)?;
    let keys = unpickle::read(&mut file).map_err(refused)?;
    let Value::List(order) = keys.root() else { return Err(refused("it lists no storages".to_string())) };
    let mut found = NamedTensors { files: vec![path.to_path_buf()], ..NamedTensors::default() };
    let mut views: BTreeMap<String, Vec<(String, Tensor)>> = BTreeMap::new();
    for (name, tensor) in state::tensors(&pickled).map_err(refused)? {
        views.entry(tensor.storage.key.clone()).or_default().push((name, tensor));
    }
    for key in order {
        let own = keys.text(*key).and_then(|key| views.remove(key));
        // A storage that no tensor of the state dict uses cannot be skipped: its element is not known.
        let own = own.ok_or_else(|| {
            refused("it holds more than a state dict\nhint: save model.state_dict() alone".to_string())
        })?;
        let storage = &own[0].1.storage;
        let mut count = [0; 8];
        file.read_exact(&mut count).map_err(|_| refused("it ends early".to_string()))?;
        let bytes = (storage.count as u64).checked_mul(storage.element.bytes() as u64);
        let bytes =
            bytes.filter(|bytes| *bytes <= length && u64::from_le_bytes(count) == storage.count as u64);
        let bytes =
            bytes.ok_or_else(|| refused(format!("`{}` claims more numbers than there are", own[0].0)))?;
        let mut all = Vec::new();
        (&mut file).take(bytes).read_to_end(&mut all).map_err(|e| refused(e.to_string()))?;
        if all.len() as u64 != bytes {
            return Err(refused("it ends early".to_string()));
        }
        let numbers = storage.element.numbers(&all);
        for (name, tensor) in &own {
            if matches!(tensor.storage.element, Element::Whole(_)) {
                found.integers.insert(name.clone());
                continue;
            }
            let view = state::view(tensor, &numbers).map_err(|what| refused(format!("`{name}`: {what}")))?;
            found.push(path, name, view)?;
        }
    }
    match views.into_values().flatten().next() {
        None => Ok(found),
        Some((name, _)) => Err(refused(format!("the numbers of `{name}` are not there"))),
    }
}
