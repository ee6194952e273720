//! What is known of the candidate classes beside their items.

use crate::tensor::{Backend, Tensor3, TensorError};

/// One vector per candidate class, such as its attributes or the embedding of its description: (episodes, way, class_dim).
pub struct ClassEmbeddings<D: Backend> {
    device: D,
    rows: Tensor3<D>,
    shape: (usize, usize, usize),
}

impl<D: Backend> ClassEmbeddings<D> {
    /// Vectors (episodes × way × class_dim) in the order of the labels.
    ///
    /// # Errors
    /// When a number is NaN or infinite, their count is wrong, or the device has no room.
    pub fn new(
        device: &D,
        shape: (usize, usize, usize),
        values: Vec<f32>,
    ) -> Result<ClassEmbeddings<D>, TensorError> {
        let (_, way, class_dim) = shape;
        if let Some(place) = values.iter().position(|v| !v.is_finite()) {
            let label = place / class_dim.max(1) % way.max(1);
            return Err(TensorError::VectorNotFinite {
                label,
                column: place % class_dim.max(1),
                value: values[place],
            });
        }
        Ok(ClassEmbeddings { device: device.clone(), rows: device.tensor3(shape, values)?, shape })
    }

    /// The device that the vectors are on.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// Episodes of the batch.
    pub fn episodes(&self) -> usize {
        self.shape.0
    }

    /// Labels per episode.
    pub fn way(&self) -> usize {
        self.shape.1
    }

    /// Numbers per class.
    pub fn class_dim(&self) -> usize {
        self.shape.2
    }

    /// The vectors: (episodes, way, class_dim).
    pub fn rows(&self) -> &Tensor3<D> {
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::open_cpu;

    #[test]
    fn a_vector_that_is_not_finite_is_refused_by_its_label() {
        let values = vec![0.0, 1.0, 2.0, 3.0, 4.0, f32::NAN, 6.0, 7.0];
        let error = ClassEmbeddings::new(&open_cpu(), (2, 2, 2), values).err().unwrap();
        let text = "the embedding of label 0 is NaN in column 1, class embeddings must be finite numbers";
        assert_eq!(error.to_string(), text);
        assert!(ClassEmbeddings::new(&open_cpu(), (1, 2, 2), vec![0.0; 3]).is_err());
    }
}
