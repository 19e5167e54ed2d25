//! Functions of JavaScript, which modules call.

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::random::Random;

/// A function of JavaScript, by its number.
pub(crate) type FunctionNumber = u64;

/// Calls functions of JavaScript. They can use the session, which is not borrowed while they run.
pub(crate) trait Host<E: Engine> {
    /// The outputs of a function; `None` for one that it left out. `random` are the random numbers of the pass, from which the function draws too.
    ///
    /// # Errors
    /// Errors of the function; [`Code::Argument`](stepwell_optim::Code::Argument) if functions call each other too deep.
    fn call(
        &self,
        function: FunctionNumber,
        training: bool,
        random: &mut Random,
        inputs: &[E::Tensor],
    ) -> Result<Vec<Option<E::Tensor>>>;

    /// Begins a backward, which may call functions.
    ///
    /// # Errors
    /// [`Code::Busy`](stepwell_optim::Code::Busy) within a function that a backward has called.
    fn begin_backward(&self) -> Result<()>;

    fn end_backward(&self);
}

/// Accumulates the gradients of `seed` times a scalar, as [`Engine::backward`] does.
pub(crate) fn backward<E: Engine>(
    engine: &E,
    host: Option<&dyn Host<E>>,
    random: &mut Random,
    scalar: &E::Tensor,
    seed: f64,
) -> Result<()> {
    let Some(host) = host else { return engine.backward(scalar, seed) };
    host.begin_backward()?;
    let result = engine.backward_calling(scalar, seed, &mut |function, gradient, inputs| {
        let mut given = vec![gradient.clone()];
        given.extend_from_slice(inputs);
        let gradients = host.call(function, true, random, &given)?;
        check_gradients(engine, inputs, &gradients)?;
        Ok(gradients)
    });
    host.end_backward();
    result
}

/// Fails unless each gradient fits its input.
fn check_gradients<E: Engine>(engine: &E, inputs: &[E::Tensor], gradients: &[Option<E::Tensor>]) -> Result<()> {
    let (expected, given) = (inputs.len(), gradients.len());
    if expected != given {
        let message = format_args!("expected the backward of a function to return {expected} gradients, given {given}");
        return Err(Error::new(Code::Gradient, message));
    }
    for (input, gradient) in inputs.iter().zip(gradients) {
        let Some(gradient) = gradient else { continue };
        let (shape, given) = (engine.shape(input)?, engine.shape(gradient)?);
        if shape != given {
            let message = format_args!("expected the gradient of a function of shape {shape:?}, given {given:?}");
            return Err(Error::new(Code::Shape, message));
        }
        let (dtype, given) = (engine.dtype(input)?, engine.dtype(gradient)?);
        if dtype != given {
            let (dtype, given) = (dtype.name(), given.name());
            let message = format_args!("expected the gradient of a function of dtype {dtype}, given {given}");
            return Err(Error::new(Code::Dtype, message));
        }
    }
    Ok(())
}
