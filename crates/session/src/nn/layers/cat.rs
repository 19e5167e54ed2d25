//! Two inputs joined along a dimension.

use std::ops::RangeInclusive;

use stepwell_optim::{Code, Error, Result, options};

use crate::engine::Engine;
use crate::mathematics::join;
use crate::nn::context::{ForwardContext, InitContext};
use crate::nn::layer::{Layer, LayerDefinition};

options! {
    /// Options of `cat`.
    pub(crate) struct CatOptions {
        /// The dimension along which inputs are joined; a negative one counts from the last.
        dim: i64 = 0;
    }
}

/// See the file.
pub(crate) struct Cat {
    dim: i64,
}

impl LayerDefinition for Cat {
    type Options = CatOptions;
    const NAME: &'static str = "cat";
    const ABOUT: &'static str = "Two inputs joined along a dimension.";

    fn make<E: Engine>(options: CatOptions, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        Ok(Box::new(Self { dim: options.dim }))
    }
}

impl<E: Engine> Layer<E> for Cat {
    fn inputs(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn forward_all(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        let engine = context.engine;
        let (first, second) = (engine.dtype(&inputs[0])?, engine.dtype(&inputs[1])?);
        if first != second {
            let message = format_args!("expected inputs of one dtype, given {} and {}", first.name(), second.name());
            return Err(Error::new(Code::Dtype, message));
        }
        join::cat(engine, inputs, self.dim).map(|output| vec![output])
    }
}
