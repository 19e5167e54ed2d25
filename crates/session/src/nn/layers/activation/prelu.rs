//! x where it is positive, else x times a weight that is trained. He et al. 2015, <https://arxiv.org/abs/1502.01852>.

use stepwell_optim::{Limit::*, Result, count, options};

use crate::engine::Engine;
use crate::mathematics::activation::prelu;
use crate::nn::context::{ForwardContext, InitContext};
use crate::nn::layer::{Layer, LayerDefinition};

options! {
    /// Options of PReLU.
    pub(crate) struct PReluOptions {
        /// Weights: 1, or one for each channel of the input `[n, c, *]`.
        inputs: i64 = 1, limit AtLeast(1.0), alias "num_parameters";
        /// Initial value of the weights.
        init: f64 = 0.25;
    }
}

pub(crate) struct PRelu<T = ()> {
    weight: T,
}

impl LayerDefinition for PRelu {
    type Options = PReluOptions;
    const NAME: &'static str = "prelu";
    const ABOUT: &'static str = "x where it is positive, else x times a weight that is trained.";

    fn make<E: Engine>(o: PReluOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        Ok(Box::new(PRelu { weight: context.constant(&[count(o.inputs)], o.init)? }))
    }
}

impl<E: Engine> Layer<E> for PRelu<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        vec![("weight", &self.weight)]
    }

    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        context.same_dtype(input, &self.weight)?;
        prelu(context.engine, input, &self.weight)
    }
}
