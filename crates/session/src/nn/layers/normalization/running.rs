//! Running statistics of the batches of training.

use stepwell_optim::Result;

use crate::engine::Engine;
use crate::nn::context::InitContext;
use crate::values::data::Data;
use crate::values::device::Device;

/// The buffer that counts the batches of training, as PyTorch's does.
const COUNT: &str = "num_batches_tracked";

/// Running statistics of each channel.
pub(crate) struct Running<T> {
    pub(crate) mean: T,
    pub(crate) variance: T,
    /// The number of batches: one number of type long. No result depends on it; files of PyTorch hold it.
    pub(crate) count: T,
}

impl<T> Running<T> {
    pub(crate) fn new<E: Engine<Tensor = T>>(context: &mut InitContext<'_, E>, channels: usize) -> Result<Self> {
        Ok(Self {
            mean: context.buffer(&[channels], 0.0)?,
            variance: context.buffer(&[channels], 1.0)?,
            count: context.engine.tensor(&Data::Long(vec![0]), &[], Device::Cpu)?,
        })
    }

    /// The buffers by PyTorch's names.
    pub(crate) fn named(&self) -> Vec<(&'static str, &T)> {
        vec![("running_mean", &self.mean), ("running_var", &self.variance), (COUNT, &self.count)]
    }
}

/// True for the buffer that states and files of before PyTorch 0.4.1, and ours of before it was kept, do not have. A module
/// then keeps its own.
pub(crate) fn may_be_missing(kind: &str, name: &str) -> bool {
    matches!(kind, "batchnorm" | "instancenorm")
        && name.strip_suffix(COUNT).is_some_and(|path| path.is_empty() || path.ends_with('.'))
}
