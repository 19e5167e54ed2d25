//! Functions of JavaScript, which modules call.

use stepwell_optim::Result;

use crate::engine::Engine;
use crate::random::Random;

/// A function of JavaScript, by its number.
pub(crate) type FunctionNumber = u64;

/// Calls functions of JavaScript. They can use the session, which is not borrowed while they run.
pub(crate) trait Host<E: Engine> {
    /// The outputs of a function. `random` are the random numbers of the pass, from which the function draws too.
    ///
    /// # Errors
    /// Errors of the function; [`Code::Argument`](stepwell_optim::Code::Argument) if functions call each other too deep.
    fn call(
        &self,
        function: FunctionNumber,
        training: bool,
        random: &mut Random,
        inputs: &[E::Tensor],
    ) -> Result<Vec<E::Tensor>>;
}
