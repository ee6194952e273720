//! A feature store in the memory of a device: all of it, the rows that an evaluation needs, or none where neither fits.

use std::sync::Arc;

use dfdx::shapes::{Axis, HasShape};
use dfdx::tensor::Tensor;
use dfdx::tensor_ops::{BroadcastTo, GatherTo, ReshapeTo, TryAdd, TryMul, TrySub};

use super::backend::Terms;
use super::error::TensorError;
use super::rows::{HostRows, Rows};
use super::stock::{failure, matmul, scale, transpose};
use super::{Backend, Tensor2, Tensor3};

/// A feature store as a device reaches it, transform applied.
#[derive(Clone)]
pub struct Resident<D: Backend> {
    device: D,
    shape: (usize, usize),
    unit: f64,
    held: Held<D>,
}

#[derive(Clone)]
enum Held<D: Backend> {
    /// On the device, with one row of zeros behind the last item.
    Device {
        features: Tensor2<D>,
        /// (rows, 1)
        squared_norms: Tensor2<D>,
        /// Where each item lies, or [`Rows::EMPTY`]; nothing where all items lie in their order.
        places: Option<Arc<[u32]>>,
    },
    /// On the host: every batch is read there and sent.
    Host(HostRows),
}

impl<D: Backend> Resident<D> {
    /// Copies a store to the device.
    ///
    /// # Errors
    /// When the device has no room, or a file cannot be read.
    pub fn upload(device: &D, rows: &HostRows) -> Result<Self, TensorError> {
        Resident::upload_within(device, rows, usize::MAX, &Vec::new)
    }

    /// Copies a store to the device, where it takes at most `room` bytes; else the `needed` items of it, where these do;
    /// else nothing, and every batch is sent by itself.
    ///
    /// # Errors
    /// When the device has no room, or a file cannot be read.
    pub fn upload_within(
        device: &D,
        rows: &HostRows,
        room: usize,
        needed: &dyn Fn() -> Vec<u32>,
    ) -> Result<Self, TensorError> {
        let (count, dim) = (rows.count(), rows.dim());
        let fits = |items: usize| (items + 1).saturating_mul((dim + 1) * size_of::<f32>()) <= room;
        let held = if fits(count) {
            Held::on_device(device, rows, 0..count as u32, None)?
        } else {
            let needed = needed();
            if fits(needed.len()) {
                let mut places = vec![Rows::EMPTY; count];
                for (place, row) in needed.iter().enumerate() {
                    let missing = TensorError::NoSuchItem { item: *row as usize, rows: count };
                    *places.get_mut(*row as usize).ok_or(missing)? = place as u32;
                }
                Held::on_device(device, rows, needed.into_iter(), Some(places.into()))?
            } else {
                Held::Host(rows.clone())
            }
        };
        Ok(Resident { device: device.clone(), shape: (count, dim), unit: rows.unit(), held })
    }

    /// Items and numbers per item.
    pub fn shape(&self) -> (usize, usize) {
        self.shape
    }

    /// As [`Backend::unit`].
    pub fn unit(&self) -> f64 {
        self.unit
    }

    /// As [`Backend::gather`].
    pub fn gather(&self, rows: &Rows) -> Result<Tensor3<D>, TensorError> {
        match &self.held {
            Held::Device { features, places, .. } => {
                let index = self.index(rows, features.shape().0 - 1, places.as_deref())?;
                let picked: Tensor2<D> = features.clone().try_gather(index).map_err(failure::<D>)?;
                let shape = (rows.episodes(), rows.slots(), self.shape.1);
                picked.try_reshape_like(&shape).map_err(failure::<D>)
            }
            Held::Host(host) => {
                rows.within(self.shape.0)?;
                let dim = self.shape.1;
                let mut values = vec![0.0; rows.all().len() * dim];
                for (row, out) in rows.all().iter().zip(values.chunks_exact_mut(dim.max(1))) {
                    if *row != Rows::EMPTY {
                        host.read(*row as usize, out)?;
                    }
                }
                self.device.tensor3((rows.episodes(), rows.slots(), dim), values)
            }
        }
    }

    /// As [`Backend::squared_norms`].
    pub fn squared_norms(&self, rows: &Rows) -> Result<Tensor2<D>, TensorError> {
        let shape = (rows.episodes(), rows.slots());
        match &self.held {
            Held::Device { squared_norms, places, .. } => {
                let index = self.index(rows, squared_norms.shape().0 - 1, places.as_deref())?;
                let norms: Tensor2<D> = squared_norms.clone().try_gather(index).map_err(failure::<D>)?;
                norms.try_reshape_like(&shape).map_err(failure::<D>)
            }
            Held::Host(host) => {
                rows.within(self.shape.0)?;
                let norm =
                    |row: &u32| if *row == Rows::EMPTY { 0.0 } else { host.squared_norm(*row as usize) };
                self.device.tensor2(shape, rows.all().iter().map(norm).collect())
            }
        }
    }

    /// As [`Backend::linear`].
    pub fn linear(
        &self,
        rows: &Rows,
        weights: &Tensor3<D>,
        terms: &Terms<'_, D>,
    ) -> Result<Tensor3<D>, TensorError> {
        let mut gathered = self.gather(rows)?;
        if let Some(origins) = terms.origins {
            super::error::same("linear scores", "origins", rows.episodes(), origins.episodes())?;
            let shape = *gathered.shape();
            let points =
                self.device.tensor2((origins.episodes(), origins.dim()), origins.points().to_vec())?;
            let points = points.try_broadcast_like::<_, Axis<1>>(&shape).map_err(failure::<D>)?;
            gathered = gathered.try_sub(points).map_err(failure::<D>)?;
        }
        let products = matmul(&gathered, &transpose(weights)?)?;
        let shape = *products.shape();
        let mut out = scale(products, terms.factor)?;
        if let Some(bias) = terms.bias {
            let bias = bias.clone().try_broadcast_like::<_, Axis<1>>(&shape).map_err(failure::<D>)?;
            out = out.try_add(bias).map_err(failure::<D>)?;
        }
        if terms.norm != 0.0 {
            let norms = match terms.origins {
                Some(_) => D::row_norms(&gathered)?,
                None => self.squared_norms(rows)?,
            };
            let norms = norms.try_mul(terms.norm).map_err(failure::<D>)?;
            let norms = norms.try_broadcast_like::<_, Axis<2>>(&shape).map_err(failure::<D>)?;
            out = out.try_add(norms).map_err(failure::<D>)?;
        }
        Ok(out)
    }

    /// Where the rows lie, one list for all episodes; an empty slot is the row of zeros behind the `held` ones.
    ///
    /// Not (episodes, slots), of which dfdx's kernel multiplies a number of 32 bits with the size of the whole store.
    fn index(
        &self,
        rows: &Rows,
        held: usize,
        places: Option<&[u32]>,
    ) -> Result<Tensor<(usize,), usize, D>, TensorError> {
        rows.within(self.shape.0)?;
        let place = |row: &u32| -> Result<usize, TensorError> {
            let item = *row as usize;
            match places {
                _ if *row == Rows::EMPTY => Ok(held),
                None => Ok(item),
                Some(places) => match places[item] {
                    // dfdx would trip an assertion on the device, which nothing survives.
                    Rows::EMPTY => Err(TensorError::NoSuchItem { item, rows: held }),
                    place => Ok(place as usize),
                },
            }
        };
        let places: Vec<usize> = rows.all().iter().map(place).collect::<Result<_, _>>()?;
        let count = places.len();
        self.device.try_tensor_from_vec(places, (count,)).map_err(failure::<D>)
    }
}

impl<D: Backend> Held<D> {
    fn on_device(
        device: &D,
        rows: &HostRows,
        items: impl ExactSizeIterator<Item = u32>,
        places: Option<Arc<[u32]>>,
    ) -> Result<Held<D>, TensorError> {
        let (count, dim) = (items.len(), rows.dim());
        let mut values = vec![0.0; (count + 1) * dim];
        let mut norms = vec![0.0; count + 1];
        for ((item, out), norm) in items.zip(values.chunks_exact_mut(dim.max(1))).zip(&mut norms) {
            rows.read(item as usize, out)?;
            *norm = rows.squared_norm(item as usize);
        }
        let features = device.tensor2((count + 1, dim), values)?;
        Ok(Held::Device { features, squared_norms: device.tensor2((count + 1, 1), norms)?, places })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{open_cpu, to_host};

    #[test]
    fn a_store_reads_the_same_whole_in_part_and_from_the_host() {
        let device = open_cpu();
        let rows = HostRows::dense((0..24).map(|i| i as f32).collect(), 3).unwrap();
        let index = Rows::new(2, 3, vec![7, Rows::EMPTY, 2, 2, 5, 7]).unwrap();
        let weights = device.tensor3((2, 1, 3), vec![1.0, -1.0, 2.0, 0.5, 0.0, 1.0]).unwrap();
        let terms = Terms { norm: -0.5, ..Terms::default() };
        let read = |room: usize| {
            let store = Resident::upload_within(&device, &rows, room, &|| vec![2, 5, 7]).unwrap();
            assert_eq!(store.shape(), (8, 3));
            let host = |t: Tensor3<crate::tensor::Cpu>| to_host(&t).unwrap();
            (host(store.gather(&index).unwrap()), host(store.linear(&index, &weights, &terms).unwrap()))
        };
        let whole = read(usize::MAX);
        assert_eq!(whole.0[..9], [21.0, 22.0, 23.0, 0.0, 0.0, 0.0, 6.0, 7.0, 8.0]);
        assert_eq!(read(9 * 16), whole, "all eight rows and the one of zeros");
        assert_eq!(read(9 * 16 - 1), whole, "the three that are needed");
        assert_eq!(read(0), whole, "from the host");
    }

    #[test]
    fn a_row_that_was_not_said_to_be_needed_is_refused() {
        let device = open_cpu();
        let rows = HostRows::dense(vec![1.0; 8], 1).unwrap();
        let part = Resident::upload_within(&device, &rows, 24, &|| vec![3, 4]).unwrap();
        assert!(part.gather(&Rows::new(1, 1, vec![4]).unwrap()).is_ok());
        assert!(part.gather(&Rows::new(1, 1, vec![5]).unwrap()).is_err());
        assert!(part.gather(&Rows::new(1, 1, vec![9]).unwrap()).is_err());
    }
}
