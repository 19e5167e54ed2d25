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

    /// A forward pass without a graph. Copies an output if it is an input or a parameter.
    pub(crate) fn evaluate_detached(
        &self,
        context: &mut ForwardContext<'_, E>,
        inputs: &[E::Tensor],
    ) -> Result<Vec<E::Tensor>> {
        let engine = context.engine;
        let mut outputs = engine.no_grad(|| self.forward(context, inputs))?;
        for output in &mut outputs {
            let is_input = |input: &E::Tensor| engine.identity(input) == engine.identity(output);
            if inputs.iter().any(is_input) || engine.requires_grad(output) {
                *output = engine.convert(output, engine.dtype(output)?, engine.device(output)?)?;
            }
        }
        Ok(outputs)
    }
}
