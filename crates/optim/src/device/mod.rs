//! Steps on a device with its own memory: the interface of a device, the tables that host and kernels share, and the
//! kernels.

pub(crate) mod buffer;
mod combined_norm;
#[allow(clippy::module_inception, reason = "named after the trait in it")]
pub(crate) mod device;
pub(crate) mod device_rule;
pub(crate) mod layout;
pub(crate) mod outcomes;
pub(crate) mod source;
pub(crate) mod state;
mod state_plan;
pub(crate) mod sweep;
mod tables;
