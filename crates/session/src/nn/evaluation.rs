//! Forward passes that are detached from the graph, or that restore buffers after an error.

use stepwell_optim::Result;

use crate::engine::Engine;
use crate::nn::buffer_snapshot::BufferSnapshot;
use crate::nn::context::ForwardContext;
use crate::nn::module::Module;

impl<E: Engine> Module<E> {
    /// Runs `forward`, which may update buffers such as running statistics. Restores the buffers if it fails.
    pub(crate) fn forward_restoring_buffers<R>(&self, engine: &E, forward: impl FnOnce() -> Result<R>) -> Result<R> {
        let snapshot = BufferSnapshot::of(engine, self)?;
        forward().or_else(|error| {
            snapshot.restore(engine)?;
            Err(error)
        })
    }

    /// [`Module::forward_one`] without a graph. Copies the output if it is the input or a parameter.
    pub(crate) fn evaluate_detached(
        &self,
        context: &mut ForwardContext<'_, E>,
        input: &E::Tensor,
    ) -> Result<E::Tensor> {
        let engine = context.engine;
        let output = engine.no_grad(|| self.forward_one(context, input))?;
        if engine.identity(&output) == engine.identity(input) || engine.requires_grad(&output) {
            return engine.convert(&output, engine.dtype(&output)?, engine.device(&output)?);
        }
        Ok(output)
    }
}
