//! `.pth` and `.pt` files since PyTorch 1.6: an archive of a pickle and the storages that it names.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::{CompressionMethod, ZipArchive};

use super::element::Element;
use super::{NamedTensors, damaged, state, unpickle};
use crate::backbone::error::BackboneError;

/// The pickle of the archive, below a folder of any name.
const PICKLE: &str = "data.pkl";

pub(super) fn read(file: File, path: &Path) -> Result<NamedTensors, BackboneError> {
    let refused = |what: String| damaged(path, what);
    let mut archive =
        ZipArchive::new(BufReader::new(file)).map_err(|e| refused(format!("damaged or cut short: {e}")))?;
    let pickle =
        archive.file_names().flatten().find(|name| name.rsplit('/').next() == Some(PICKLE)).map(String::from);
    let pickle = pickle
        .ok_or_else(|| refused("an archive without data.pkl, which files of torch.save have".to_string()))?;
    let folder = pickle[..pickle.len() - PICKLE.len()].to_string();
    if let Ok(mut order) = archive.by_name(&format!("{folder}byteorder")) {
        let mut text = String::new();
        let _ = (&mut order).take(16).read_to_string(&mut text);
        if text != "little" {
            return Err(refused(format!("its numbers are in byte order `{text}`, expected `little`")));
        }
    }
    let opened = |e: zip::result::ZipError| refused(format!("damaged or cut short: {e}"));
    let pickled = unpickle::read(&mut archive.by_name(&pickle).map_err(opened)?).map_err(refused)?;
    let mut found = NamedTensors { files: vec![path.to_path_buf()], ..NamedTensors::default() };
    let mut tensors = state::tensors(&pickled).map_err(refused)?;
    tensors.sort_by(|(a, left), (b, right)| (&left.storage.key, a).cmp(&(&right.storage.key, b)));
    let mut held: Option<(String, Vec<f32>)> = None;
    for (name, tensor) in tensors {
        if matches!(tensor.storage.element, Element::Whole(_)) {
            found.integers.insert(name);
            continue;
        }
        let key = &tensor.storage.key;
        let numbers = match held.take().filter(|(of, _)| of == key) {
            Some((_, numbers)) => numbers,
            None => {
                let entry = archive.by_name(&format!("{folder}data/{key}")).map_err(opened)?;
                let bytes = (tensor.storage.count as u64).checked_mul(tensor.storage.element.bytes() as u64);
                // Stored as they are, entries are no larger than the file, whatever they claim.
                if entry.compression() != CompressionMethod::Stored || bytes != Some(entry.size()) {
                    return Err(refused(format!(
                        "`{name}` has {} bytes where its storage claims {}",
                        entry.size(),
                        tensor.storage.count
                    )));
                }
                let mut all = Vec::new();
                let size = entry.size();
                entry
                    .take(size)
                    .read_to_end(&mut all)
                    .map_err(|e| refused(format!("damaged or cut short: {e}")))?;
                if all.len() as u64 != size {
                    return Err(refused("damaged or cut short: a storage ends early".to_string()));
                }
                tensor.storage.element.numbers(&all)
            }
        };
        let view = state::view(&tensor, &numbers).map_err(|what| refused(format!("`{name}`: {what}")))?;
        found.push(path, &name, view)?;
        held = Some((key.clone(), numbers));
    }
    Ok(found)
}
