//! A module whose forward pass is a function of JavaScript, with parameters, buffers and modules of its own.

use std::ops::RangeInclusive;

use stepwell_optim::{Code, Error, Movable, Result, Results, Shared, SharedCell};

use crate::engine::Engine;
use crate::nn::context::ForwardContext;
use crate::nn::host::FunctionNumber;
use crate::nn::layer::Layer;

/// The option of a callback that names its function.
pub(crate) const FUNCTION: &str = "fn";

/// The function with its tensors and modules.
pub(crate) struct Callback<E: Engine, M> {
    /// `None` for a module that was restored from a state, which has no functions.
    pub(crate) function: SharedCell<Option<FunctionNumber>>,
    pub(crate) parameters: Vec<(String, E::Tensor)>,
    pub(crate) buffers: Vec<(String, E::Tensor)>,
    /// Modules with their keys.
    pub(crate) children: Vec<(String, Shared<M>)>,
}

impl<E: Engine, M: Movable> Layer<E> for Callback<E, M> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        self.parameters.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect()
    }

    fn buffers(&self) -> Vec<(&str, &E::Tensor)> {
        self.buffers.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect()
    }

    fn inputs(&self) -> RangeInclusive<usize> {
        1..=usize::MAX
    }

    fn forward_all(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        let Some(function) = *self.function.borrow() else {
            let message = "a state holds no functions: make the module as before, and copy the tensors by `copyparms`";
            return Err(Error::new(Code::Argument, message));
        };
        let host = context.host.ok_or_else(|| Error::new(Code::Internal, "a function without its engine"))?;
        let outputs = host.call(function, context.training, context.random, inputs)?;
        let missing = || Error::new(Code::Argument, "expected tensors as outputs, given null");
        outputs.into_iter().map(|output| output.ok_or_else(missing)).values()
    }
}
