//! Forward passes whose results have memory of their own.

use stepwell_optim::Result;

use crate::engine::Engine;
use crate::nn::context::ForwardContext;
use crate::nn::module::Module;

impl<E: Engine> Module<E> {
    /// A forward pass whose outputs share no memory with inputs, with tensors of the module, and with each other.
    pub(crate) fn forward_unshared(
        &self,
        context: &mut ForwardContext<'_, E>,
        inputs: &[E::Tensor],
    ) -> Result<Vec<E::Tensor>> {
        let mut others: Vec<&E::Tensor> = inputs.iter().collect();
        self.add_tensors(&mut others);
        let mut unshared: Vec<E::Tensor> = Vec::new();
        for output in self.forward(context, inputs)? {
            let known: Vec<&E::Tensor> = others.iter().copied().chain(&unshared).collect();
            let output = context.engine.unshared(output, &known)?;
            unshared.push(output);
        }
        Ok(unshared)
    }

    /// As [`Module::forward_unshared`], without a graph.
    pub(crate) fn evaluate_detached(
        &self,
        context: &mut ForwardContext<'_, E>,
        inputs: &[E::Tensor],
    ) -> Result<Vec<E::Tensor>> {
        let engine = context.engine;
        let mut outputs = engine.no_grad(|| self.forward_unshared(context, inputs))?;
        for output in &mut outputs {
            // Of a tensor that a function of JavaScript holds.
            if engine.requires_grad(output) {
                *output = engine.convert(output, engine.dtype(output)?, engine.device(output)?)?;
            }
        }
        Ok(outputs)
    }
}
