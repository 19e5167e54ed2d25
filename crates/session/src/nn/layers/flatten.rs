//! Several dimensions become one.

use stepwell_optim::{Result, options};

use crate::engine::Engine;
use crate::nn::context::{ForwardContext, InitContext, misfit};
use crate::nn::layer::{Layer, LayerDefinition};
use crate::values::numbers::check_empty;

options! {
    /// Options of a flattening.
    pub(crate) struct FlattenOptions {
        /// First dimension; negative from the end.
        start: i64 = 1, alias "start_dim";
        /// Last dimension; negative from the end.
        end: i64 = -1, alias "end_dim";
    }
}

pub(crate) struct Flatten {
    start: i64,
    end: i64,
}

impl LayerDefinition for Flatten {
    type Options = FlattenOptions;
    const NAME: &'static str = "flatten";
    const ABOUT: &'static str = "Several dimensions become one.";

    fn make<E: Engine>(o: FlattenOptions, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        Ok(Box::new(Flatten { start: o.start, end: o.end }))
    }
}

impl<E: Engine> Layer<E> for Flatten {
    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let shape = context.engine.shape(input)?;
        let dimension = |i: i64| if i < 0 { i + shape.len() as i64 } else { i };
        let (start, end) = (dimension(self.start), dimension(self.end));
        if start < 0 || end < start || end >= shape.len() as i64 {
            return Err(misfit(format_args!("with dimensions {} to {}", self.start, self.end), &shape));
        }
        let (start, end) = (start as usize, end as usize);
        check_empty(&shape)?;
        let flat = shape[start..=end].iter().product();
        context.engine.reshape(input, &[&shape[..start], &[flat], &shape[end + 1..]].concat())
    }
}
