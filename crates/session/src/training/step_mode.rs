//! How an optimizer makes its steps: the options `fused` and `offload`.

use stepwell_optim::{Code, Definition, Error, Result};

use crate::engine::Engine;
use crate::engine::library_optimizers::{LibraryOptimizer, only_fused};

/// How an optimizer makes its steps. Chosen when it is made.
pub(crate) enum StepMode<T> {
    /// Stepwell's kernels, in the memory of the parameters.
    Fused,
    /// Stepwell's kernels in host memory, on copies of the parameters (`offload: true`).
    Offload,
    /// The tensor library's own optimizer (`fused: false`).
    Library(LibraryOptimizer<T>),
}

/// The mode that the options choose. Fails if they contradict each other, or if the engine does not have the optimizer.
pub(crate) fn step_mode<E: Engine>(
    engine: &E,
    definition: &'static Definition,
    fused: bool,
    offload: bool,
) -> Result<StepMode<E::Tensor>> {
    if fused {
        return Ok(if offload { StepMode::Offload } else { StepMode::Fused });
    }
    if offload {
        let reason = "since only Stepwell's own steps can be offloaded";
        let message =
            format_args!("{} offload: expected false with fused false, {reason}, given boolean true", definition.name);
        return Err(Error::new(Code::OptionRange, message));
    }
    if definition.pytorch.is_none() {
        return Err(only_fused(definition, "since only Stepwell's own implementation exists"));
    }
    engine.library_optimizer(definition).map(StepMode::Library)
}
