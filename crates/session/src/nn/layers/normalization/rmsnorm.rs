//! Division by the root of the mean square over the last dimensions: `input [*, shape]`. Zhang and Sennrich 2019,
//! <https://arxiv.org/abs/1910.07467>.

use stepwell_optim::{Limit::*, Result, options};

use crate::engine::Engine;
use crate::mathematics::normalization::root_mean_square;
use crate::nn::context::{ForwardContext, InitContext, floating, weight_and_bias};
use crate::nn::layer::{Layer, LayerDefinition};

options! {
    /// Options of RMS normalisation.
    pub(crate) struct RmsNormOptions {
        /// Sizes of the dimensions to normalise over.
        shape: Vec<usize>, limit AtLeast(1.0), alias "normalized_shape";
        /// Added to the mean square; null for the distance of 1 to the next number of the dtype, and of float for 16 bits.
        eps: Option<f64> = None, limit AtLeast(0.0);
        /// Train a scale for each element.
        affine: bool = true, alias "elementwise_affine";
    }
}

pub(crate) struct RmsNorm<T = ()> {
    shape: Vec<i64>,
    eps: Option<f64>,
    weight: Option<T>,
}

impl LayerDefinition for RmsNorm {
    type Options = RmsNormOptions;
    const NAME: &'static str = "rmsnorm";
    const ABOUT: &'static str = "Each sample divided by its root mean square over the last dimensions.";

    fn make<E: Engine>(o: RmsNormOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let weight = if o.affine { Some(context.constant(&o.shape, 1.0)?) } else { None };
        let shape = o.shape.iter().map(|size| *size as i64).collect();
        Ok(Box::new(RmsNorm { shape, eps: o.eps, weight }))
    }
}

impl<E: Engine> Layer<E> for RmsNorm<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        weight_and_bias(self.weight.as_ref(), None)
    }

    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        floating(context.engine, input)?;
        if let Some(weight) = &self.weight {
            context.same_dtype(input, weight)?;
        }
        root_mean_square(context.engine, input, &self.shape, self.weight.as_ref(), self.eps)
    }
}
