//! The traits of a layer and of its definition.

use std::ops::RangeInclusive;

use stepwell_optim::{Code, Error, OptionSet, Result};

use crate::engine::Engine;
use crate::nn::context::{ForwardContext, InitContext};

/// The definition of a layer, which makes one from its options.
pub(crate) trait LayerDefinition {
    type Options: OptionSet;
    /// The name, as in the k-api.
    const NAME: &'static str;
    /// One sentence.
    const ABOUT: &'static str;

    fn make<E: Engine>(options: Self::Options, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>>;
}

/// A layer: its tensors and its forward calculation.
pub(crate) trait Layer<E: Engine> {
    /// Tensors that are trained, by name.
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        Vec::new()
    }

    /// Tensors that belong to the state but are not trained, by name.
    fn buffers(&self) -> Vec<(&str, &E::Tensor)> {
        Vec::new()
    }

    /// How many inputs it takes.
    fn inputs(&self) -> RangeInclusive<usize> {
        1..=1
    }

    /// The output of a layer with one input. A layer with several, or with several outputs, has
    /// [`Layer::forward_all`] instead.
    fn forward(&self, _: &mut ForwardContext<'_, E>, _: &E::Tensor) -> Result<E::Tensor> {
        Err(Error::new(Code::Internal, "a layer without a forward pass of one input"))
    }

    /// The outputs for as many inputs as [`Layer::inputs`] allows.
    fn forward_all(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        self.forward(context, &inputs[0]).map(|output| vec![output])
    }
}
