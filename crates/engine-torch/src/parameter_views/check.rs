//! Whether a step can update a parameter with its gradient.

use stepwell_optim::{Code, Error, Result};

use crate::descriptors::{CONTIGUOUS, DENSE, FITS, ON_CPU, ParameterDescriptor};
use crate::shim::{BFLOAT16, DOUBLE, FLOAT, HALF};

/// Fails unless a step on a device can update the parameter: dense, floating point, contiguous, with a gradient that fits.
/// `devices` are the ones of the step, and `name` is called for the message.
pub(crate) fn check(descriptor: &ParameterDescriptor, devices: &[u8], name: impl Fn() -> String) -> Result<()> {
    const PARAMETER: u8 = DENSE | CONTIGUOUS;
    const GRADIENT: u8 = DENSE | FITS;
    let is_on_device = devices.contains(&descriptor.device);
    if is_on_device
        && descriptor.grad_device == descriptor.device
        && descriptor.layout & PARAMETER == PARAMETER
        && descriptor.grad_layout & GRADIENT == GRADIENT
        && dtype_fault(descriptor).is_none()
        && descriptor.grad_dtype == descriptor.dtype
    {
        return Ok(());
    }
    let (code, what) = if !is_on_device {
        let what = if devices == [ON_CPU] { "it is not on the CPU" } else { "it is on another device" };
        (Code::Device, what)
    } else if let Some(what) = dtype_fault(descriptor) {
        (Code::Dtype, what)
    } else if descriptor.layout & PARAMETER != PARAMETER {
        (Code::Parameter, "its memory is not contiguous")
    } else {
        (Code::Gradient, gradient_fault(descriptor).unwrap_or("its gradient does not fit"))
    };
    Err(Error::new(code, format!("parameter {} cannot be updated: {what}", name())))
}

/// The reason why a step cannot update a parameter of this dtype; `None` if it can.
pub(crate) fn dtype_fault(descriptor: &ParameterDescriptor) -> Option<&'static str> {
    match descriptor.dtype {
        FLOAT | DOUBLE | HALF | BFLOAT16 => None,
        _ => Some("its dtype is not of floating point"),
    }
}

/// The reason why the gradient cannot update its parameter; `None` if it can.
pub(crate) fn gradient_fault(descriptor: &ParameterDescriptor) -> Option<&'static str> {
    if descriptor.grad_layout & DENSE == 0 {
        Some("its gradient is sparse")
    } else if descriptor.grad_device != descriptor.device {
        Some("its gradient is on another device")
    } else if descriptor.grad_layout & FITS == 0 {
        Some("its gradient has another shape")
    } else if descriptor.grad_dtype != descriptor.dtype {
        Some("its gradient has another dtype")
    } else {
        None
    }
}
