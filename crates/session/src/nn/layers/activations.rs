//! Elementwise functions.

use stepwell_optim::{Result, options};

use crate::engine::Engine;
use crate::engine::operations::Activation;
use crate::nn::context::{ForwardContext, InitContext, floating};
use crate::nn::layer::{Layer, LayerDefinition};

struct Elementwise(Activation);

impl<E: Engine> Layer<E> for Elementwise {
    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        if matches!(self.0, Activation::Gelu { .. }) {
            floating(context.engine, input)?;
        }
        context.engine.activation(input, self.0)
    }
}

options! {
    /// No options.
    pub(crate) struct NoOptions {}
}

macro_rules! activations {
    ($($layer:ident, $name:literal, $about:literal;)*) => {$(
        pub(crate) struct $layer;

        impl LayerDefinition for $layer {
            type Options = NoOptions;
            const NAME: &'static str = $name;
            const ABOUT: &'static str = $about;

            fn make<E: Engine>(_: NoOptions, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
                Ok(Box::new(Elementwise(Activation::$layer)))
            }
        }
    )*};
}

activations! {
    Relu, "relu", "The larger of 0 and x.";
    Tanh, "tanh", "The hyperbolic tangent.";
    Sigmoid, "sigmoid", "1 / (1 + exp(-x)).";
}

options! {
    /// Options of GELU.
    pub(crate) struct GeluOptions {
        /// Use the tanh approximation.
        tanh: bool = false;
    }
}

pub(crate) struct Gelu;

impl LayerDefinition for Gelu {
    type Options = GeluOptions;
    const NAME: &'static str = "gelu";
    const ABOUT: &'static str = "x times the share of a normal distribution below x.";

    fn make<E: Engine>(o: GeluOptions, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        Ok(Box::new(Elementwise(Activation::Gelu { tanh: o.tanh })))
    }
}
