//! A parameter group: options, and the state of each parameter.

use crate::options::value::Value;
use crate::state::param_state::State;

/// Parameters that share options.
#[derive(Debug, PartialEq)]
pub struct Group {
    pub(crate) options: Vec<Value>,
    pub(crate) states: Vec<Option<State>>,
}

impl Group {
    /// The options, in the order of the table.
    pub fn options(&self) -> &[Value] {
        &self.options
    }

    /// The state of each parameter, in the order in which they were added; `None` before its first step.
    pub fn states(&self) -> &[Option<State>] {
        &self.states
    }
}
