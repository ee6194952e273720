//! The rows of a feature store in the host's memory or in a file, with a transform that is applied when a row is read.

use std::sync::Arc;

use half::slice::HalfFloatSliceExt;

use super::error::TensorError;
use crate::numbers::Values;

/// Rows (items, dim) of a store on the host, and the transform `(x − shift) · scale[item]` that every reader applies.
#[derive(Clone)]
pub struct HostRows {
    values: Values,
    count: usize,
    dim: usize,
    shift: Option<Arc<[f32]>>,
    scale: Option<Arc<[f32]>>,
    squared_norms: Arc<[f32]>,
    unit: f64,
    /// Where the numbers of each item lie, or [`Rows::EMPTY`]; nothing where all items lie in their order.
    places: Option<Arc<[u32]>>,
}

impl HostRows {
    /// Rows of a store whose numbers have been checked; `squared_norms` (items) are those after the transform.
    ///
    /// # Errors
    /// When lengths do not agree.
    pub fn new(
        values: Values,
        count: usize,
        dim: usize,
        shift: Option<Arc<[f32]>>,
        scale: Option<Arc<[f32]>>,
        squared_norms: Arc<[f32]>,
    ) -> Result<HostRows, TensorError> {
        let shape = |what, expected, found| super::error::same("a store", what, expected, found);
        match &values {
            Values::F32(v) => shape("numbers", count * dim, v.len())?,
            Values::F16(v) => shape("numbers", count * dim, v.len())?,
            Values::File(_) => {}
        }
        shape("columns of the shift", dim, shift.as_ref().map_or(dim, |s| s.len()))?;
        shape("scales", count, scale.as_ref().map_or(count, |s| s.len()))?;
        shape("norms", count, squared_norms.len())?;
        Ok(HostRows { values, count, dim, shift, scale, squared_norms, unit: 1.0, places: None })
    }

    /// Rows from plain numbers (items × dim), without a transform.
    ///
    /// # Errors
    /// When a number is NaN or infinite, or `dim` does not divide their count.
    pub fn dense(values: Vec<f32>, dim: usize) -> Result<HostRows, TensorError> {
        let count = values.len().checked_div(dim).unwrap_or(0);
        super::error::same("a store", "numbers", count * dim, values.len())?;
        if let Some(place) = values.iter().position(|v| !v.is_finite()) {
            let (item, column) = (place / dim, place % dim);
            return Err(TensorError::NotFinite { item, column, value: values[place] });
        }
        let norms = values
            .chunks_exact(dim.max(1))
            .map(|row| row.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>() as f32);
        let squared_norms = norms.collect();
        HostRows::new(Values::F32(values.into()), count, dim, None, None, squared_norms)
    }

    /// The same rows, of which a number counts as so many times what it is after the transform.
    #[must_use]
    pub fn with_unit(self, unit: f64) -> HostRows {
        HostRows { unit, ..self }
    }

    /// The same rows as those of other items: `places` says of each item which row is its own, or [`Rows::EMPTY`] of one that
    /// has none and cannot be read. Rows with a scale of their own have no such places.
    #[must_use]
    pub fn of_items(self, places: Arc<[u32]>) -> HostRows {
        HostRows { count: places.len(), places: Some(places), ..self }
    }

    /// The row of an item.
    fn place(&self, item: usize) -> Result<usize, TensorError> {
        let Some(places) = &self.places else { return Ok(item) };
        match places.get(item) {
            Some(place) if *place != Rows::EMPTY => Ok(*place as usize),
            _ => Err(TensorError::NoSuchItem { item, rows: self.count }),
        }
    }

    /// What a number after the transform is a multiple of: a power of two, 1 but for features so large or so small that
    /// their squares leave single precision.
    pub fn unit(&self) -> f64 {
        self.unit
    }

    /// The square of the unit, or what is nearest to it of the factors that leave squared distances their digits.
    pub(super) fn square_factor(unit: f64) -> f32 {
        (unit * unit).clamp(2f64.powi(-90), 2f64.powi(90)) as f32
    }

    /// How many items there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Numbers per item.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Whether there is no transform.
    pub(super) fn is_plain(&self) -> bool {
        self.shift.is_none() && self.scale.is_none()
    }

    /// What is subtracted from every item, where anything is.
    pub fn shift(&self) -> Option<&[f32]> {
        self.shift.as_deref()
    }

    /// What an item is multiplied by after the shift.
    pub fn scale(&self, row: usize) -> f32 {
        self.scale.as_ref().map_or(1.0, |s| s[row])
    }

    /// The squared norm of an item after the transform.
    pub fn squared_norm(&self, row: usize) -> f32 {
        self.place(row).map_or(0.0, |row| self.squared_norms[row])
    }

    /// The bytes of an item, where they lie in memory.
    pub(super) fn bytes(&self, row: usize) -> Option<&[u8]> {
        let row = self.place(row).ok()?;
        let range = row * self.dim..(row + 1) * self.dim;
        match &self.values {
            Values::F32(values) => Some(bytemuck::cast_slice(&values[range])),
            Values::F16(values) => Some(bytemuck::cast_slice(&values[range])),
            Values::File(_) => None,
        }
    }

    /// The numbers of an item before the transform: where they lie, or copied into `scratch` (dim).
    pub(super) fn raw<'a>(&'a self, row: usize, scratch: &'a mut [f32]) -> Result<&'a [f32], TensorError> {
        let row = self.place(row)?;
        let range = row * self.dim..(row + 1) * self.dim;
        match &self.values {
            Values::F32(values) => Ok(&values[range]),
            Values::F16(values) => {
                values[range].convert_to_f32_slice(scratch);
                Ok(scratch)
            }
            Values::File(file) => {
                file.read_block(row, scratch).map_err(|source| TensorError::Read { item: row, source })?;
                Ok(scratch)
            }
        }
    }

    /// Writes an item after the transform into `out` (dim).
    pub fn read(&self, row: usize, out: &mut [f32]) -> Result<(), TensorError> {
        let place = self.place(row)?;
        let read = self.values.read_block(self.dim, place, out);
        read.map_err(|source| TensorError::Read { item: row, source })?;
        let scale = self.scale(row);
        match &self.shift {
            Some(shift) => out.iter_mut().zip(shift.iter()).for_each(|(x, s)| *x = (*x - s) * scale),
            None if self.scale.is_some() => out.iter_mut().for_each(|x| *x *= scale),
            None => {}
        }
        Ok(())
    }
}

/// Which rows stand where: (episodes, slots) numbers of store rows; an empty slot holds [`Rows::EMPTY`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    episodes: usize,
    slots: usize,
    rows: Arc<[u32]>,
}

impl Rows {
    /// The mark of a slot without an item; it reads as a row of zeros.
    pub const EMPTY: u32 = u32::MAX;

    /// Row numbers, episode after episode.
    ///
    /// # Errors
    /// When there are not `episodes × slots` of them.
    pub fn new(episodes: usize, slots: usize, rows: Vec<u32>) -> Result<Rows, TensorError> {
        super::error::same("an index", "row numbers", episodes * slots, rows.len())?;
        Ok(Rows { episodes, slots, rows: rows.into() })
    }

    /// Episodes.
    pub fn episodes(&self) -> usize {
        self.episodes
    }

    /// Slots per episode.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// The row numbers of one episode.
    pub fn of(&self, episode: usize) -> &[u32] {
        &self.rows[episode * self.slots..(episode + 1) * self.slots]
    }

    /// All row numbers.
    pub fn all(&self) -> &[u32] {
        &self.rows
    }

    /// Fails when a row number is not below `count`.
    pub(super) fn within(&self, count: usize) -> Result<(), TensorError> {
        match self.rows.iter().find(|r| **r != Rows::EMPTY && **r as usize >= count) {
            Some(row) => Err(TensorError::NoSuchItem { item: *row as usize, rows: count }),
            None => Ok(()),
        }
    }
}
