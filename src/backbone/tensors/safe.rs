//! A `.safetensors` file, read tensor by tensor.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::element::Element;
use super::{NamedTensor, NamedTensors, count, damaged};
use crate::backbone::error::BackboneError;

/// Bytes of a header, of which the format itself admits no more.
const LARGEST_HEADER: u64 = 100_000_000;

pub(super) fn read(mut file: File, path: &Path) -> Result<NamedTensors, BackboneError> {
    let unreadable = |source| BackboneError::Unreadable { path: path.to_path_buf(), source };
    let cut = |what: &str| damaged(path, format!("damaged or cut short: {what}"));
    let length = file.metadata().map_err(unreadable)?.len();
    let mut size = [0; 8];
    file.read_exact(&mut size).map_err(unreadable)?;
    let size = u64::from_le_bytes(size);
    if size > LARGEST_HEADER.min(length - 8) {
        return Err(cut("the header is longer than the file"));
    }
    let mut header = Vec::new();
    (&mut file).take(size).read_to_end(&mut header).map_err(unreadable)?;
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|error| cut(&error.to_string()))?;
    let mut found = NamedTensors { files: vec![path.to_path_buf()], ..NamedTensors::default() };
    let said = metadata.metadata().iter().flatten();
    found.metadata = said.map(|(key, value)| (key.clone(), value.clone())).collect();
    let mut tensors: Vec<_> = metadata.tensors().into_iter().collect();
    tensors.sort_by_key(|(name, info)| (info.data_offsets.0, name.clone()));
    for (name, info) in tensors {
        let (start, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
        if end > length - 8 - size || start > end {
            return Err(cut(&format!("`{name}` ends behind the file")));
        }
        let element = element(info.dtype).ok_or_else(|| BackboneError::ElementType {
            path: path.to_path_buf(),
            name: name.clone(),
            found: format!("{:?}", info.dtype),
        })?;
        if count(&info.shape).and_then(|numbers| numbers.checked_mul(element.bytes()))
            != Some((end - start) as usize)
        {
            return Err(cut(&format!("`{name}` has not the bytes of its shape")));
        }
        if matches!(element, Element::Whole(_)) {
            found.integers.insert(name);
            continue;
        }
        let mut bytes = Vec::with_capacity((end - start) as usize);
        file.seek(SeekFrom::Start(8 + size + start)).map_err(unreadable)?;
        (&mut file).take(end - start).read_to_end(&mut bytes).map_err(unreadable)?;
        let tensor = NamedTensor { shape: info.shape.clone(), values: element.numbers(&bytes) };
        found.push(path, &name, tensor)?;
    }
    Ok(found)
}

fn element(dtype: Dtype) -> Option<Element> {
    Some(match dtype {
        Dtype::F64 => Element::F64,
        Dtype::F32 => Element::F32,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::BF16,
        Dtype::BOOL | Dtype::U8 | Dtype::I8 => Element::Whole(1),
        Dtype::I16 | Dtype::U16 => Element::Whole(2),
        Dtype::I32 | Dtype::U32 => Element::Whole(4),
        Dtype::I64 | Dtype::U64 => Element::Whole(8),
        _ => return None,
    })
}
