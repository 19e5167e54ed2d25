//! The traits of a layer and of its definition.

use stepwell_optim::{OptionSet, OptionSpec, OptionValue, Result};

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

    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor>;
}

/// A kind of layer.
pub(crate) struct LayerKind<E: Engine> {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) options: &'static [OptionSpec],
    pub(crate) make: MakeLayer<E>,
}

type MakeLayer<E> = fn(&[OptionValue], &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>>;
