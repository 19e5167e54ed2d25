//! A map of two inputs that is linear in each: `[*, inputs1]` and `[*, inputs2]` to `[*, outputs]`.
//!
//! Weight and bias start uniform in ±1/√inputs1, as in PyTorch.

use std::ops::RangeInclusive;

use stepwell_optim::{Limit::*, Result, count, options};

use crate::engine::Engine;
use crate::mathematics::bilinear::bilinear;
use crate::nn::context::{ForwardContext, InitContext, weight_and_bias};
use crate::nn::layer::{Layer, LayerDefinition};

options! {
    /// Options of a bilinear layer.
    pub(crate) struct BilinearOptions {
        /// Size of the last dimension of the first input.
        in1: i64, limit AtLeast(1.0), alias "in1_features";
        /// Size of the last dimension of the second input.
        in2: i64, limit AtLeast(1.0), alias "in2_features";
        /// Size of the last dimension of the output.
        outputs: i64, limit AtLeast(1.0), alias "out_features";
        /// Add a bias.
        bias: bool = true;
    }
}

pub(crate) struct Bilinear<T = ()> {
    weight: T,
    bias: Option<T>,
}

impl LayerDefinition for Bilinear {
    type Options = BilinearOptions;
    const NAME: &'static str = "bilinear";
    const ABOUT: &'static str = "A map of two inputs that is linear in each.";

    fn make<E: Engine>(o: BilinearOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let [in1, in2, outputs] = [o.in1, o.in2, o.outputs].map(count);
        let bound = 1.0 / (in1 as f64).sqrt();
        let weight = context.uniform(&[outputs, in1, in2], bound)?;
        let bias = if o.bias { Some(context.uniform(&[outputs], bound)?) } else { None };
        Ok(Box::new(Bilinear { weight, bias }))
    }
}

impl<E: Engine> Layer<E> for Bilinear<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        weight_and_bias(Some(&self.weight), self.bias.as_ref())
    }

    fn inputs(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn forward_all(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        for input in inputs {
            context.same_dtype(input, &self.weight)?;
        }
        let [x, y] = inputs else { return Ok(Vec::new()) };
        bilinear(context.engine, x, y, &self.weight, self.bias.as_ref()).map(|output| vec![output])
    }
}
