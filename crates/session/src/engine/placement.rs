//! The memory that has the parameters of an optimizer, which decides how a step reaches them.

#[cfg(not(target_family = "wasm"))]
use std::rc::Rc;

#[cfg(not(target_family = "wasm"))]
use stepwell_optim::{Device, DeviceView, Result};

/// The memory that has the parameters of an optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Main memory: a step uses slices.
    Host,
    /// One device that runs the kernels of a step.
    Device,
    /// Several devices, or the host and a device.
    Several,
}

/// A step with a device, and with one view for each parameter; `None` for one that the step does not update.
#[cfg(not(target_family = "wasm"))]
pub type DeviceStep<'a> = dyn FnMut(&Rc<dyn Device>, &[Option<DeviceView>]) -> Result<()> + 'a;
