//! State of one parameter: a step count and buffers.

use crate::state::buffer::Buffer;

/// The maximal number of buffers that a formula keeps for a parameter.
pub const RULE_BUFFERS: usize = 3;
/// Index of the master weights of a 16-bit parameter, in f32.
pub const MASTER: usize = RULE_BUFFERS;
/// Index of the moving average of the parameter.
pub const PARAM_AVERAGE: usize = RULE_BUFFERS + 1;
/// The maximal number of buffers of a parameter.
pub const MAX_BUFFERS: usize = RULE_BUFFERS + 2;

/// The largest step count that is saved and restored. A JavaScript number holds it and many counts after it exactly,
/// and a formula computes the same for larger counts.
pub const MAX_STEPS: u64 = 1 << 52;

/// State of one parameter. The buffers of the optimizer's table come first, then the buffers that every optimizer may
/// have; `None` if not in use.
#[derive(Debug, Default, PartialEq)]
pub struct State {
    /// The number of steps of this parameter.
    pub step: u64,
    /// The buffers.
    pub buffers: [Option<Buffer>; MAX_BUFFERS],
}

/// The buffers that are swapped with a parameter. The average holds the weights while they are swapped.
#[derive(Debug)]
pub struct SwapBuffers<B> {
    /// The master weights of a 16-bit parameter.
    pub master: Option<B>,
    /// The buffer of the moving average.
    pub average: B,
}

impl State {
    /// True if there is a moving average of the parameter.
    pub fn has_average(&self) -> bool {
        self.buffers[PARAM_AVERAGE].is_some()
    }
}
