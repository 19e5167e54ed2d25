//! Classes `[*]` as rows `[*, classes]` of zeros with a 1.

use stepwell_optim::{Limit::*, Result, count, options};

use crate::engine::Engine;
use crate::mathematics::one_hot::one_hot;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::{ForwardContext, InitContext};
use crate::nn::layer::{Layer, LayerDefinition};
use crate::nn::layers::embedding::lookup::long;
use crate::values::dtype::Dtype;

options! {
    /// Options of rows of zeros with a 1.
    pub(crate) struct OneHotOptions {
        /// How many classes; -1 for one more than the largest of the input.
        classes: i64 = -1, limit AtLeast(-1.0), alias "num_classes";
        /// The dtype of the result.
        dtype: Dtype = Dtype::Float;
    }
}

pub(crate) struct OneHot {
    classes: i64,
    dtype: Dtype,
}

impl LayerDefinition for OneHot {
    type Options = OneHotOptions;
    const NAME: &'static str = "onehot";
    const ABOUT: &'static str = "Each class as a row of zeros with a 1.";

    fn make<E: Engine>(o: OneHotOptions, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        Ok(Box::new(OneHot { classes: o.classes, dtype: o.dtype }))
    }
}

impl<E: Engine> Layer<E> for OneHot {
    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let engine = context.engine;
        let given = long(engine, input)?;
        let classes = match self.classes {
            -1 => given.into_iter().max().map_or(0, |largest| largest.saturating_add(1)),
            classes => classes,
        };
        engine.cast(one_hot(engine, input, count(classes.max(0)))?, self.dtype)
    }
}
