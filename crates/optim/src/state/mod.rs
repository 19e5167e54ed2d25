//! State of parameters, parameter groups, and the views of their memory.

pub(crate) mod buffer;
pub(crate) mod group;
pub(crate) mod page_offsets;
pub(crate) mod param_state;
pub(crate) mod view;
