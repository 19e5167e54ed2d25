//! The memory that has the parameters of an optimizer, which decides how a step reaches them.

#[cfg(not(target_family = "wasm"))]
use stepwell_optim::Shared;
#[cfg(not(target_family = "wasm"))]
use stepwell_optim::{Device, DeviceView, Result};

/// The memory that has the parameters of an optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Main memory: a step uses slices.
    Host,
    /// One or more devices, each of which runs the kernels of a step of its own parameters.
    Devices,
    /// The host and a device, or several devices of which one has no kernels.
    Mixed,
}

/// A step with the devices of its parameters, and with one view for each parameter; `None` for one that the step does not
/// update.
#[cfg(not(target_family = "wasm"))]
pub type DeviceStep<'a> = dyn FnMut(&[Shared<dyn Device>], &[Option<DeviceView>]) -> Result<()> + 'a;
