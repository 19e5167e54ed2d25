//! Forward calculations that leave nothing behind.

use stepwell_optim::Result;

use crate::engine::Engine;
use crate::nn::context::ForwardContext;
use crate::nn::module::Module;
use crate::nn::statistics::Statistics;

/// Runs a forward calculation of training. Where it fails, running statistics are what they were.
pub(crate) fn restoring<E: Engine, R>(engine: &E, module: &Module<E>, run: impl FnOnce() -> Result<R>) -> Result<R> {
    let statistics = Statistics::of(engine, module)?;
    run().or_else(|error| {
        statistics.restore(engine)?;
        Err(error)
    })
}

/// The forward calculation of use, cut off from the graph also where no module makes a tensor of its own.
pub(crate) fn apart<E: Engine>(
    module: &Module<E>,
    context: &mut ForwardContext<'_, E>,
    input: &E::Tensor,
) -> Result<E::Tensor> {
    let engine = context.engine;
    let output = engine.no_grad(|| module.forward(context, input))?;
    if engine.identity(&output) == engine.identity(input) || engine.requires_grad(&output) {
        return engine.convert(&output, engine.dtype(&output)?, engine.device(&output)?);
    }
    Ok(output)
}
