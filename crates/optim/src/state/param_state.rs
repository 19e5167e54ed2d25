//! State of one parameter: a step count and buffers.

use crate::state::buffer::Buffer;

/// The most buffers that an optimizer's formula keeps for a parameter.
pub const RULE_BUFFERS: usize = 3;
/// The place of the 32-bit weights of a parameter of 16 bits.
pub(crate) const MASTER: usize = RULE_BUFFERS;
/// The place of the moving average of the parameter.
pub(crate) const AVERAGE: usize = RULE_BUFFERS + 1;
/// The most buffers of a parameter.
pub const MAX_BUFFERS: usize = RULE_BUFFERS + 2;

/// The largest count of steps that is told and restored. A JavaScript number holds it exactly, with room for the steps after
/// it; a formula sees no difference between it and more.
pub const MAX_STEPS: u64 = 1 << 52;

/// State of one parameter. First the buffers of the optimizer's table, in its order, then those that every optimizer may
/// have; one that is not in use is `None`.
#[derive(Debug, Default, PartialEq)]
pub struct State {
    /// How many steps the parameter has seen.
    pub step: u64,
    /// The buffers.
    pub buffers: [Option<Buffer>; MAX_BUFFERS],
}

/// What a parameter keeps of its weights, of which one is the moving average, and which one depends on whether they have
/// been exchanged.
#[derive(Debug)]
pub struct SwapBuffers<B> {
    /// The 32-bit weights of a parameter of 16 bits.
    pub master: Option<B>,
    /// The buffer of the average.
    pub average: B,
}

impl State {
    /// True with a moving average of the parameter.
    pub fn has_average(&self) -> bool {
        self.buffers[AVERAGE].is_some()
    }
}
