//! A parameter group: options, and the state of each parameter.

use crate::options::value::OptionValue;
use crate::state::param_state::State;

/// Parameters that share options, with their states.
#[derive(Debug, PartialEq)]
pub struct Group {
    pub(crate) options: Vec<OptionValue>,
    pub(crate) states: Vec<Option<State>>,
}

impl Group {
    /// The options, in the order of the table.
    pub fn options(&self) -> &[OptionValue] {
        &self.options
    }

    /// The state of each parameter, in the order of addition; `None` before its first step.
    pub fn states(&self) -> &[Option<State>] {
        &self.states
    }
}
