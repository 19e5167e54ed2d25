//! The traits of a layer and of its definition.

use std::ops::RangeInclusive;

use stepwell_optim::{Code, Error, OptionSet, OptionSpec, OptionValue, Result};

use crate::engine::Engine;
use crate::mathematics::activation::Activation;
use crate::nn::context::{ForwardContext, InitContext};
use crate::nn::function_layer::{ActivationLayer, FunctionLayer, LayerFunction, Settings};

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

/// A kind of layer.
pub(crate) struct LayerKind<E: Engine> {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) options: &'static [OptionSpec],
    pub(crate) maker: LayerMaker<E>,
}

/// How a kind of layer is made.
pub(crate) enum LayerMaker<E: Engine> {
    /// By its definition.
    Definition(MakeLayer<E>),
    /// As a function of so many inputs and the options.
    Function(usize, LayerFunction<E>),
    /// As an activation with its numbers.
    Activation(Activation<E>),
}

type MakeLayer<E> = fn(&[OptionValue], &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>>;

impl<E: Engine> LayerKind<E> {
    /// The layer of checked options.
    pub(crate) fn make(&self, options: &[OptionValue], context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let settings = Settings(options.to_vec());
        Ok(match self.maker {
            LayerMaker::Definition(make) => make(options, context)?,
            LayerMaker::Function(inputs, function) => Box::new(FunctionLayer { inputs, settings, function }),
            LayerMaker::Activation(function) => Box::new(ActivationLayer { settings, function }),
        })
    }
}

/// The name of a layer, one sentence, and its options.
#[cfg(test)]
pub(crate) type LayerTable = (&'static str, &'static str, &'static [OptionSpec]);
