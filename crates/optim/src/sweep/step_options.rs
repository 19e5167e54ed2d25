//! How a step is made, and what became of it.

use crate::instruction_set::InstructionSet;
use crate::numeric::clip::Clip;
use crate::sweep::non_finite::NonFinite;

/// How a step is made.
#[derive(Clone, Copy)]
pub struct StepOptions<'a> {
    /// How gradients are clipped on their way; they stay as they are where they lie.
    pub clip: Clip,
    /// What the loss was multiplied by before its gradients were taken: they are divided by it on their way.
    pub loss_scale: f64,
    /// What becomes of the step if an element of a gradient is infinite or not a number.
    pub non_finite: NonFinite,
    /// The name of a parameter, by its place in the list, for a message.
    pub name: &'a dyn Fn(usize) -> String,
    /// Set gradients to zero after they have been read. Also in a step that changes nothing else: what is not finite would
    /// stay so in all that is added to it.
    pub zero_gradients: bool,
    /// At most this many threads, of which the caller's is one. The result does not depend on it.
    pub threads: usize,
    /// The instruction set that loops are run with. The result does not depend on it.
    pub instruction_set: InstructionSet,
    /// Bytes that new state may take. Asked only where some has to be made.
    pub memory_limit: &'a dyn Fn() -> usize,
}

impl Default for StepOptions<'_> {
    /// The plain step: one thread, the machine's best instruction set, no limit of memory.
    fn default() -> Self {
        Self {
            clip: Clip::None,
            loss_scale: 1.0,
            non_finite: NonFinite::Propagate,
            name: &|index| index.to_string(),
            zero_gradients: false,
            threads: 1,
            instruction_set: InstructionSet::best(),
            memory_limit: &|| usize::MAX,
        }
    }
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Parameters and state were updated.
    Stepped,
    /// A gradient was not finite, and neither parameters nor state were changed.
    Skipped,
}
