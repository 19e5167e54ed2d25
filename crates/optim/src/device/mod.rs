//! Steps on a device with its own memory: the interface of a device, and the tables that host and kernels share.

#[allow(clippy::module_inception, reason = "named after the trait in it")]
pub(crate) mod device;
pub(crate) mod layout;
