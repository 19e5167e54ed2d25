//! Options and outcome of a step.

use crate::instruction_set::InstructionSet;
use crate::numeric::clip::Clip;
use crate::sweep::non_finite::NonFinite;
#[cfg(not(target_family = "wasm"))]
use crate::sweep::shards::Peers;

/// Options of a step.
#[derive(Clone, Copy)]
pub struct StepOptions<'a> {
    /// Clipping of gradients. It does not change the gradients in memory.
    pub clip: Clip,
    /// The factor that the loss was multiplied by. The step divides gradients by it, and does not change them in
    /// memory.
    pub loss_scale: f64,
    /// Decides what the step does if an element of a gradient is infinite or NaN.
    pub non_finite: NonFinite,
    /// Returns the name of a parameter for a message, by the index of its view.
    pub name: &'a dyn Fn(usize) -> String,
    /// Zero the gradients after the last read. A skipped step zeroes them, too: gradients accumulate, so what is not
    /// finite would stay.
    pub zero_gradients: bool,
    /// The most threads, including the caller's. The result does not depend on it.
    pub threads: usize,
    /// The instruction set of the loops. The result does not depend on it.
    pub instruction_set: InstructionSet,
    /// Returns the bytes that new state may take, for the bytes that it wants. Called only if a step makes state.
    pub memory_limit: &'a dyn Fn(usize) -> usize,
    /// The processes that share the step: each updates the parameters that it owns, and has their gradients. Not on devices.
    #[cfg(not(target_family = "wasm"))]
    pub peers: Option<Peers<'a>>,
}

impl Default for StepOptions<'_> {
    /// One thread, the best instruction set, no memory limit.
    fn default() -> Self {
        Self {
            clip: Clip::None,
            loss_scale: 1.0,
            non_finite: NonFinite::Propagate,
            name: &|index| index.to_string(),
            zero_gradients: false,
            threads: 1,
            instruction_set: InstructionSet::best(),
            memory_limit: &|_| usize::MAX,
            #[cfg(not(target_family = "wasm"))]
            peers: None,
        }
    }
}

/// The outcome of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Parameters and state were updated.
    Stepped,
    /// A gradient was not finite; parameters and state are unchanged.
    Skipped,
    /// A device decides between the two, and the optimizer tells later.
    Pending,
}
