//! While training, sets each element to 0 with probability p and divides the others by 1 - p.
//!
//! The mask comes from the session's generator, so it is the same on every engine.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Limit::*, Result, options};

use crate::engine::Engine;
use crate::engine::element_count::checked_element_count;
use crate::nn::context::{ForwardContext, InitContext, floating};
use crate::nn::layer::{Layer, LayerDefinition};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

options! {
    /// Options of dropout.
    pub(crate) struct DropoutOptions {
        /// Probability of an element to become 0.
        p: f64 = 0.5, limit Closed(0.0, 1.0);
    }
}

pub(crate) struct Dropout {
    p: f64,
}

impl LayerDefinition for Dropout {
    type Options = DropoutOptions;
    const NAME: &'static str = "dropout";
    const ABOUT: &'static str = "Elements set to 0 at random while training.";

    fn make<E: Engine>(o: DropoutOptions, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        Ok(Box::new(Dropout { p: o.p }))
    }
}

impl<E: Engine> Layer<E> for Dropout {
    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        floating(context.engine, input)?;
        if !context.training || self.p == 0.0 {
            return Ok(input.clone());
        }
        let (shape, dtype) = (context.engine.shape(input)?, context.engine.dtype(input)?);
        let count = checked_element_count(context.engine, &shape, Dtype::Double)?;
        let keep = if self.p < 1.0 { 1.0 / (1.0 - self.p) } else { 0.0 };
        let mask = collected((0..count).map(|_| if context.random.chance(self.p) { 0.0 } else { keep }))?;
        let mask = context.engine.tensor(&Data::Double(mask).cast(dtype)?, &shape, context.engine.device(input)?)?;
        context.engine.multiply(input, &mask)
    }
}
