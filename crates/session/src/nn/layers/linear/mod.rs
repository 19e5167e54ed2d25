//! A linear map: `input [*, in]` to `[*, out]`.
//!
//! Weight and bias start uniform in ±1/√in, as in PyTorch.

pub(crate) mod products;

use stepwell_optim::{Limit::*, Result, count, options};

use crate::engine::Engine;
use crate::nn::context::{ForwardContext, InitContext, misfit, weight_and_bias};
use crate::nn::layer::{Layer, LayerDefinition};

options! {
    /// Options of a linear layer.
    pub(crate) struct LinearOptions {
        /// Size of the last dimension of the input.
        inputs: i64, limit AtLeast(1.0), alias "in_features";
        /// Size of the last dimension of the output.
        outputs: i64, limit AtLeast(1.0), alias "out_features";
        /// Add a bias.
        bias: bool = true;
    }
}

pub(crate) struct Linear<T = ()> {
    inputs: usize,
    weight: T,
    bias: Option<T>,
}

impl LayerDefinition for Linear {
    type Options = LinearOptions;
    const NAME: &'static str = "linear";
    const ABOUT: &'static str = "A linear map of the last dimension.";

    fn make<E: Engine>(o: LinearOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let (inputs, outputs) = (count(o.inputs), count(o.outputs));
        let bound = 1.0 / (inputs as f64).sqrt();
        let weight = context.uniform(&[outputs, inputs], bound)?;
        let bias = if o.bias { Some(context.uniform(&[outputs], bound)?) } else { None };
        Ok(Box::new(Linear { inputs, weight, bias }))
    }
}

impl<E: Engine> Layer<E> for Linear<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        weight_and_bias(Some(&self.weight), self.bias.as_ref())
    }

    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let shape = context.engine.shape(input)?;
        if shape.last() != Some(&self.inputs) {
            return Err(misfit(format_args!("[*, {}]", self.inputs), &shape));
        }
        context.same_dtype(input, &self.weight)?;
        context.engine.linear(input, &self.weight, self.bias.as_ref())
    }
}
