//! All learners of a program, on every kind of device: one value, made once and lent to everything that runs.

use super::{Registry, Shipped};
#[cfg(feature = "cuda")]
use crate::tensor::Cuda;
use crate::tensor::conv::ConvOps;
use crate::tensor::{Cpu, SpanOps};

/// Learners that are registered together, those of kshot or of another crate.
///
/// The function is generic over the device, so that one list of learners fills the registry of every device.
///
/// ```
/// use kshot::learner::{Learners, Plugin, Registered, Registry};
///
/// struct Mine;
/// impl Plugin for Mine {
///     fn register<D: Registered>(&self, list: &mut Registry<D>) {
///         // list.add("my-learner", |parameters| …);
///     }
/// }
/// let learners = Learners::shipped().with(Mine);
/// assert!(learners.cpu().entry("prototypical").is_ok());
/// ```
pub trait Plugin {
    /// Adds its learners to the registry of one kind of device.
    fn register<D: Registered>(&self, list: &mut Registry<D>);
}

/// A registry for each kind of device, all with the same learners.
#[derive(Default)]
pub struct Learners {
    cpu: Registry<Cpu>,
    #[cfg(feature = "cuda")]
    cuda: Registry<Cuda>,
}

impl Learners {
    /// The learners that ship with kshot.
    pub fn shipped() -> Learners {
        Learners::default().with(Shipped)
    }

    /// The same with those of a plugin; one of a known name takes the place of the earlier one.
    pub fn with(mut self, plugin: impl Plugin) -> Learners {
        plugin.register(&mut self.cpu);
        #[cfg(feature = "cuda")]
        plugin.register(&mut self.cuda);
        self
    }

    /// The registry that answers all questions about learners: which there are, and what their parameters mean.
    pub fn cpu(&self) -> &Registry<Cpu> {
        &self.cpu
    }

    /// The registry of a kind of device.
    pub fn on<D: Registered>(&self) -> &Registry<D> {
        D::registry(self)
    }
}

/// A kind of device for which [`Learners`] keeps a registry.
pub trait Registered: SpanOps + ConvOps {
    /// Its registry.
    fn registry(learners: &Learners) -> &Registry<Self>;
}

impl Registered for Cpu {
    fn registry(learners: &Learners) -> &Registry<Cpu> {
        &learners.cpu
    }
}

#[cfg(feature = "cuda")]
impl Registered for Cuda {
    fn registry(learners: &Learners) -> &Registry<Cuda> {
        &learners.cuda
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learner::LearnError;

    struct Mine;

    impl Plugin for Mine {
        fn register<D: Registered>(&self, list: &mut Registry<D>) {
            list.add("ridge", |parameters| Err(parameters.conflict("not this one")));
        }
    }

    #[test]
    fn a_plugin_replaces_a_learner_of_the_same_name() {
        let learners = Learners::shipped().with(Mine);
        let named = |name: &str| learners.cpu().entries().iter().filter(|e| e.name() == name).count();
        assert_eq!((named("ridge"), named("svm")), (1, 1));
        assert!(matches!(learners.on::<Cpu>().check("ridge"), Err(LearnError::Conflict { .. })));
    }

    #[test]
    fn workers_can_share_the_learners() {
        fn shared<T: Send + Sync>(_: &T) {}
        shared(&Learners::shipped());
    }
}
