//! Normalisation over the last dimensions: `input [*, shape]`. Ba et al. 2016, <https://arxiv.org/abs/1607.06450>.

use stepwell_optim::{Limit::*, Result, joined, options};

use crate::engine::Engine;
use crate::nn::context::{ForwardContext, InitContext, floating, misfit, weight_and_bias};
use crate::nn::layer::{Layer, LayerDefinition};

options! {
    /// Options of layer normalisation.
    pub(crate) struct LayerNormOptions {
        /// Sizes of the dimensions to normalise over.
        shape: Vec<usize>, limit AtLeast(1.0), alias "normalized_shape";
        /// Added to the variance.
        eps: f64 = 1e-5, limit Above(0.0);
        /// Train a scale and a shift for each element.
        affine: bool = true, alias "elementwise_affine";
    }
}

pub(crate) struct LayerNorm<T = ()> {
    shape: Vec<usize>,
    eps: f64,
    affine: Option<(T, T)>,
}

impl LayerDefinition for LayerNorm {
    type Options = LayerNormOptions;
    const NAME: &'static str = "layernorm";
    const ABOUT: &'static str = "Each sample normalised over its last dimensions.";

    fn make<E: Engine>(o: LayerNormOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let affine = context.scale_and_shift(o.affine, &o.shape)?;
        Ok(Box::new(LayerNorm { shape: o.shape, eps: o.eps, affine }))
    }
}

impl<E: Engine> Layer<E> for LayerNorm<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        let affine = self.affine.as_ref();
        weight_and_bias(affine.map(|(weight, _)| weight), affine.map(|(_, bias)| bias))
    }

    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let shape = context.engine.shape(input)?;
        if !shape.ends_with(&self.shape) {
            let sizes: Vec<_> = self.shape.iter().map(ToString::to_string).collect();
            return Err(misfit(format_args!("[*, {}]", joined(&sizes, ", ")), &shape));
        }
        floating(context.engine, input)?;
        if let Some((weight, _)) = &self.affine {
            context.same_dtype(input, weight)?;
        }
        let (weight, bias) = self.affine.as_ref().map_or((None, None), |(weight, bias)| (Some(weight), Some(bias)));
        context.engine.layer_norm(input, &self.shape, weight, bias, self.eps)
    }
}
