//! A device with all that the learners need beyond dfdx's own operations.

use dfdx::shapes::{Axis, Shape};
use dfdx::tensor::Tensor;
use dfdx::tensor_ops::{Device, SumTo};

use super::error::{TensorError, same};
use super::origin::Origins;
use super::rows::{HostRows, Rows};
use super::{HostBatch, Labels, Tensor1, Tensor2, Tensor3, Tensor4, stock};

/// A device of dfdx that can hold a feature store and evaluate learners on it.
pub trait Backend: Device<f32> + Clone + 'static {
    /// Its name in results.
    const NAME: &'static str;

    /// A feature store where the device reaches it.
    type Store: Clone;

    /// Puts the rows of a store where the device reaches them.
    ///
    /// # Errors
    /// When the device has no room, or a file cannot be read.
    fn upload(&self, rows: &HostRows) -> Result<Self::Store, TensorError>;

    /// The same for work that reads the `needed` rows alone: a device without room for all may hold only those.
    ///
    /// # Errors
    /// As [`Backend::upload`].
    fn upload_needed(
        &self,
        rows: &HostRows,
        needed: &dyn Fn() -> Vec<u32>,
    ) -> Result<Self::Store, TensorError> {
        let _ = needed;
        self.upload(rows)
    }

    /// How much work it takes at once.
    fn batch_limits(&self) -> BatchLimits;

    /// How many items it likes to take through a network at once, each of which makes this many bytes on its way.
    fn batch_size(&self, bytes_each: usize) -> usize;

    /// Gives back memory that it keeps for later, where little is left; between pieces of work.
    ///
    /// # Errors
    /// When the device fails.
    fn release_unused(&self) -> Result<(), TensorError> {
        Ok(())
    }

    /// An error of the device as ours.
    fn failure(error: Self::Err) -> TensorError;

    /// Copies the numbers of a contiguous tensor into `out`, which has as many.
    ///
    /// # Errors
    /// When the device fails.
    fn copy_out<S: Shape>(tensor: &Tensor<S, f32, Self>, out: &mut [f32]) -> Result<(), TensorError> {
        tensor.copy_into(out);
        Ok(())
    }

    /// Items of the store and numbers per item.
    fn shape(store: &Self::Store) -> (usize, usize);

    /// What a number of the store is a multiple of; see [`HostRows::unit`].
    fn unit(store: &Self::Store) -> f64;

    /// The rows' features: (episodes, slots, dim); an empty slot is a row of zeros.
    fn gather(&self, store: &Self::Store, rows: &Rows) -> Result<Tensor3<Self>, TensorError>;

    /// The rows' features as the host reads them; without empty slots.
    ///
    /// # Errors
    /// When a row does not exist, or the device fails.
    fn host_batch(&self, store: &Self::Store, rows: &Rows) -> Result<HostBatch, TensorError> {
        HostBatch::copied(&self.gather(store, rows)?, Self::unit(store))
    }

    /// Each episode's rows times one matrix that all share: (episodes, rows, a) · (a, b) = (episodes, rows, b); sizes agree.
    ///
    /// # Errors
    /// When the device fails.
    fn shared_product(rows: &Tensor3<Self>, map: &Tensor2<Self>) -> Result<Tensor3<Self>, TensorError>;

    /// The squared norms of the rows: (episodes, slots); 0 for an empty slot.
    fn squared_norms(&self, store: &Self::Store, rows: &Rows) -> Result<Tensor2<Self>, TensorError>;

    /// Scores that are linear in the rows, `x` after the origin was subtracted: `factor · x·w + bias + norm · ‖x‖²` with `weights` (episodes, count, dim):
    /// (episodes, slots, count), gathered and multiplied in one pass over the store.
    fn linear(
        &self,
        store: &Self::Store,
        rows: &Rows,
        weights: &Tensor3<Self>,
        terms: &Terms<'_, Self>,
    ) -> Result<Tensor3<Self>, TensorError>;

    /// The mean of the rows (episodes, support, dim) of each label: (episodes, way, dim); sizes agree.
    ///
    /// # Errors
    /// When the device fails.
    fn class_means(features: &Tensor3<Self>, labels: &Labels) -> Result<Tensor3<Self>, TensorError> {
        stock::matmul(&labels.averaging(features.device())?, features)
    }

    /// The means of the rows of each label: (episodes, way, dim), as [`Backend::class_means`] of what is gathered.
    ///
    /// # Errors
    /// When sizes differ, or a row cannot be read.
    fn means(&self, store: &Self::Store, rows: &Rows, labels: &Labels) -> Result<Tensor3<Self>, TensorError> {
        Self::class_means(&self.gather(store, rows)?, labels)
    }

    /// `−‖x − c‖²` of the rows to `centres` (episodes, count, dim): (episodes, slots, count). Rows and centres are seen
    /// from the midst of the centres where these lie far from zero and near each other, so that no digits are lost. They count in the
    /// store's unit as far as single precision reaches.
    ///
    /// # Errors
    /// When sizes differ, or a row cannot be read.
    fn negative_squared_distances(
        &self,
        store: &Self::Store,
        rows: &Rows,
        centres: &Tensor3<Self>,
    ) -> Result<Tensor3<Self>, TensorError> {
        let distances = stock::negative_squared_distances(&self.gather(store, rows)?, centres)?;
        match HostRows::square_factor(Self::unit(store)) {
            1.0 => Ok(distances),
            factor => stock::scale(distances, factor),
        }
    }

    /// The cosines of the rows with `directions` (episodes, count, dim), which are unit vectors or zero, less one: (episodes,
    /// slots, count). As `−½‖x/‖x‖ − d‖²`, which keeps its digits where all cosines are nearly 1.
    ///
    /// # Errors
    /// When sizes differ, or a row cannot be read.
    fn cosines_less_one(
        &self,
        store: &Self::Store,
        rows: &Rows,
        directions: &Tensor3<Self>,
    ) -> Result<Tensor3<Self>, TensorError> {
        let rows = super::ops::normalise(&self.gather(store, rows)?)?;
        stock::cosines_less_one(&rows, directions)
    }

    /// `‖row‖²` of every row: (episodes, rows).
    ///
    /// # Errors
    /// When the device fails.
    fn row_norms(rows: &Tensor3<Self>) -> Result<Tensor2<Self>, TensorError> {
        let squares = rows.clone().try_square().map_err(device_error::<Self>)?;
        squares.try_sum::<_, Axis<2>>().map_err(device_error::<Self>)
    }

    /// Inverses of symmetric positive definite matrices (episodes, n, n).
    ///
    /// # Errors
    /// When a matrix is not square or not positive definite, or the device fails.
    fn spd_inverse(&self, matrices: &Tensor3<Self>) -> Result<Tensor3<Self>, TensorError> {
        stock::spd_inverse(self, matrices)
    }

    /// [`Backend::linear`] for several heads, with the same bits as one by one.
    fn linears(
        &self,
        store: &Self::Store,
        rows: &Rows,
        heads: &[LinearHead<'_, Self>],
    ) -> Result<Vec<Tensor3<Self>>, TensorError> {
        heads.iter().map(|head| head.scores(self, store, rows)).collect()
    }

    /// A tensor (n) of these numbers.
    fn tensor1(&self, n: usize, values: Vec<f32>) -> Result<Tensor1<Self>, TensorError> {
        same("a tensor", "numbers", n, values.len())?;
        self.try_tensor_from_vec(values, (n,)).map_err(device_error::<Self>)
    }

    /// A tensor (rows, columns) of these numbers.
    fn tensor2(&self, shape: (usize, usize), values: Vec<f32>) -> Result<Tensor2<Self>, TensorError> {
        same("a tensor", "numbers", shape.0 * shape.1, values.len())?;
        self.try_tensor_from_vec(values, shape).map_err(device_error::<Self>)
    }

    /// A tensor (episodes, rows, columns) of these numbers.
    fn tensor3(&self, shape: (usize, usize, usize), values: Vec<f32>) -> Result<Tensor3<Self>, TensorError> {
        same("a tensor", "numbers", shape.0 * shape.1 * shape.2, values.len())?;
        self.try_tensor_from_vec(values, shape).map_err(device_error::<Self>)
    }

    /// A tensor (batch, height, width, channels), or filters (out, in, height, width), of these numbers.
    fn tensor4(
        &self,
        shape: (usize, usize, usize, usize),
        values: Vec<f32>,
    ) -> Result<Tensor4<Self>, TensorError> {
        same("a tensor", "numbers", shape.0 * shape.1 * shape.2 * shape.3, values.len())?;
        self.try_tensor_from_vec(values, shape).map_err(device_error::<Self>)
    }
}

/// How much work a device takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// Bytes of features in a batch of episodes.
    pub bytes: usize,
    /// Episodes in a batch at most.
    pub episodes: usize,
}

/// What is added to inner products by [`Backend::linear`].
pub struct Terms<'a, D: Backend> {
    /// The factor on the inner product.
    pub factor: f32,
    /// A bias per label (episodes, count).
    pub bias: Option<&'a Tensor2<D>>,
    /// The factor on the row's squared norm.
    pub norm: f32,
    /// What is subtracted from the rows of an episode before anything else.
    pub origins: Option<&'a Origins>,
}

impl<D: Backend> Default for Terms<'_, D> {
    fn default() -> Self {
        Terms { factor: 1.0, bias: None, norm: 0.0, origins: None }
    }
}

/// A head that is linear in the rows of its episode, seen from its origin.
pub struct LinearHead<'a, D: Backend> {
    /// Weights (episodes, count, dim).
    pub weights: &'a Tensor3<D>,
    /// A bias (episodes, count), where there is one.
    pub bias: Option<&'a Tensor2<D>>,
    /// What is subtracted from the rows first, where anything is.
    pub origins: Option<&'a Origins>,
}

impl<D: Backend> LinearHead<'_, D> {
    pub(super) fn scores(
        &self,
        device: &D,
        store: &D::Store,
        rows: &Rows,
    ) -> Result<Tensor3<D>, TensorError> {
        let terms = Terms { bias: self.bias, origins: self.origins, ..Terms::default() };
        device.linear(store, rows, self.weights, &terms)
    }
}

/// A device's own error as ours.
pub(crate) fn device_error<D: Backend>(error: D::Err) -> TensorError {
    D::failure(error)
}
