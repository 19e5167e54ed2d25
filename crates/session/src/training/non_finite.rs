//! Checks for gradients that are not finite.

use stepwell_optim::{Code, Error, NonFinite, Number, Result, non_finite_gradient};

use crate::engine::Engine;
use crate::training::bound_optimizer::BoundOptimizer;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

impl<E: Engine> BoundOptimizer<E> {
    /// The error of the first gradient that is not finite. It reads all gradients, for optimizers whose step does not
    /// report it.
    pub(crate) fn non_finite(&self, engine: &E) -> Result<Option<Error>> {
        for (parameter, tensor) in self.tensors().iter().enumerate() {
            // Gradients of frozen parameters are not used.
            if engine.requires_grad(tensor)
                && let Some(element) = first_element(engine, tensor, |element| !element.is_finite())?
            {
                let name = self.registry.name_of(engine, self.tensors(), parameter);
                return Ok(Some(non_finite_gradient(&name, element)));
            }
        }
        Ok(None)
    }

    /// Fails if the caller gave a policy that contradicts a loss scale, which skips steps with gradients that are not
    /// finite.
    pub(crate) fn check_non_finite(&self, policy: NonFinite, is_given: bool) -> Result<()> {
        let word = match policy {
            NonFinite::Error => "error",
            NonFinite::Propagate if is_given => "propagate",
            _ => return Ok(()),
        };
        if self.optimizer.loss_scale.is_none() {
            return Ok(());
        }
        let message = format_args!("nonfinite: expected skip with a loss scale, which skips such steps, given {word}");
        Err(Error::new(Code::Argument, message))
    }
}

/// The error of a loss that is not finite.
pub(crate) fn non_finite_loss(loss: f64) -> Error {
    Error::new(Code::Gradient, format_args!("expected a finite loss, given {}", Number(loss)))
}

/// The first element of a tensor's gradient for which `is_found` returns true.
pub(crate) fn first_element<E: Engine>(
    engine: &E,
    tensor: &E::Tensor,
    is_found: fn(f64) -> bool,
) -> Result<Option<f64>> {
    let Some(gradient) = engine.grad(tensor) else { return Ok(None) };
    let Data::Double(elements) = engine.data(&gradient)?.cast(Dtype::Double)? else { return Ok(None) };
    Ok(elements.into_iter().find(|element| is_found(*element)))
}

/// A check that the evaluations of a step with a closure are finite.
#[derive(Default)]
pub(crate) struct FiniteCheck {
    /// The first loss.
    first: Option<f64>,
    /// True once a loss or a gradient was not finite.
    refused: bool,
}

impl FiniteCheck {
    /// Fails if the loss or a gradient is not finite.
    pub(crate) fn check<E: Engine>(&mut self, bound: &BoundOptimizer<E>, engine: &E, loss: f64) -> Result<()> {
        self.first.get_or_insert(loss);
        let found = if loss.is_finite() { bound.non_finite(engine)? } else { Some(non_finite_loss(loss)) };
        self.refused = found.is_some();
        found.map_or(Ok(()), Err)
    }

    /// The first loss, if a check has failed and the policy skips the step.
    pub(crate) fn skipped_loss(&self, policy: NonFinite) -> Option<f64> {
        self.first.filter(|_| self.refused && policy == NonFinite::Skip)
    }
}
