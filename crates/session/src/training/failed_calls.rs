//! Calls that fail on one process before the processes of a training have met.

use stepwell_optim::{Result, SharedCell};

use crate::engine::Engine;
use crate::training::bound_optimizer::BoundOptimizer;
#[cfg(not(target_family = "wasm"))]
use crate::training::{data_parallel::DataParallel, passes::Pass, step_call::StepCall};

/// Makes a step. If it fails before the processes have met, the others get an error, too, instead of waiting for this one.
pub(crate) fn told<E: Engine, T>(
    engine: &E,
    bound: &SharedCell<BoundOptimizer<E>>,
    step: impl FnOnce() -> Result<T>,
) -> Result<T> {
    #[cfg(not(target_family = "wasm"))]
    let before = meetings(bound);
    let result = step();
    #[cfg(not(target_family = "wasm"))]
    if result.is_err() && before == meetings(bound) {
        tell_failure(engine, bound);
    }
    let _ = (engine, bound);
    result
}

/// Tells the other processes that this one fails in the step that they make. The caller has the error.
pub(crate) fn tell_failure<E: Engine>(engine: &E, bound: &SharedCell<BoundOptimizer<E>>) {
    #[cfg(not(target_family = "wasm"))]
    if let Ok(bound) = bound.try_borrow()
        && bound.data_parallel.is_some()
    {
        let _ = bound.reduce(engine, &Pass::Failed, &StepCall::PLAIN);
    }
    let _ = (engine, bound);
}

#[cfg(not(target_family = "wasm"))]
fn meetings<E: Engine>(bound: &SharedCell<BoundOptimizer<E>>) -> Option<u64> {
    bound.borrow().data_parallel.as_ref().map(DataParallel::meetings)
}
