//! The numbers of a network on the host: what is learned, and what is only counted.

/// One tensor of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    /// Its name in a file of weights.
    pub name: String,
    /// Its sizes.
    pub shape: Vec<usize>,
    /// Its numbers, in row order.
    pub values: Vec<f32>,
    /// Whether it is learned by gradients; running moments are not.
    pub learned: bool,
}

/// All tensors of a network, in the network's own order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights(pub Vec<Weight>);

impl Weights {
    /// Adds a tensor.
    pub fn push(&mut self, name: String, shape: &[usize], values: Vec<f32>, learned: bool) {
        self.0.push(Weight { name, shape: shape.to_vec(), values, learned });
    }

    /// The tensors that gradients change.
    pub fn learned(&self) -> impl Iterator<Item = &Weight> {
        self.0.iter().filter(|p| p.learned)
    }

    /// The same, to change.
    pub fn learned_mut(&mut self) -> impl Iterator<Item = &mut Weight> {
        self.0.iter_mut().filter(|p| p.learned)
    }

    /// Names and shapes.
    pub fn shapes(&self) -> Vec<(String, Vec<usize>)> {
        self.0.iter().map(|p| (p.name.clone(), p.shape.clone())).collect()
    }
}
