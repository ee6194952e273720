//! What numbers features hold, as a hash: the numbers alone, wherever and in whatever format they are written.

use std::io;

use half::f16;
use half::slice::HalfFloatSliceExt;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::store::Store;
use super::values::Values;
use crate::numbers::BLOCK;

/// The SHA-256 of the numbers of one item.
pub(super) type RowHash = [u8; 32];

/// The hash of every row: over its numbers, little-endian, 16-bit floats as such and all others as the 32-bit numbers
/// that they are read as.
pub(super) fn row_hashes(store: &Store) -> io::Result<Vec<RowHash>> {
    let (dim, step) = (store.dim, (BLOCK / store.dim.max(1)).max(1));
    let blocks = (0..store.rows.div_ceil(step)).into_par_iter().map(|block| {
        let first = block * step;
        hashes_of(store, first, step.min(store.rows - first), dim)
    });
    Ok(blocks.collect::<io::Result<Vec<_>>>()?.concat())
}

/// The hash of one row.
pub(super) fn row_hash(store: &Store, row: usize) -> io::Result<RowHash> {
    Ok(hashes_of(store, row, 1, store.dim)?.pop().unwrap_or_default())
}

fn hashes_of(store: &Store, first: usize, count: usize, dim: usize) -> io::Result<Vec<RowHash>> {
    let range = first * dim..(first + count) * dim;
    let (mut bytes, mut floats) = (Vec::new(), Vec::new());
    match &store.values {
        Values::F16(values) => of_halves(&values[range], &mut bytes),
        Values::F32(values) => of_floats(&values[range], &mut bytes),
        Values::File(file) => {
            floats.resize(count * dim, 0.0);
            file.read_block(first, &mut floats)?;
            if store.half {
                // Widened as it was read, and narrowed without loss.
                let mut halves = vec![f16::ZERO; floats.len()];
                halves.convert_from_f32_slice(&floats);
                of_halves(&halves, &mut bytes);
            } else {
                of_floats(&floats, &mut bytes);
            }
        }
    }
    let size = bytes.len() / count.max(1);
    Ok(bytes.chunks_exact(size.max(1)).map(|row| Sha256::digest(row).into()).collect())
}

fn of_floats(values: &[f32], bytes: &mut Vec<u8>) {
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn of_halves(values: &[f16], bytes: &mut Vec<u8>) {
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

/// The hash of all numbers: over a line with their type (`f2` or `f4`), rows and columns, and the hashes of the rows.
pub(super) fn features_sha256(store: &Store, rows: &[RowHash]) -> String {
    let kind = if store.half { "f2" } else { "f4" };
    let mut hash = Sha256::new();
    hash.update(format!("kshot features 1\n{kind} {} {}\n", store.rows, store.dim));
    rows.iter().for_each(|row| hash.update(row));
    hex(hash.finalize())
}

/// Bytes in lower-case hexadecimal digits.
pub(super) fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
