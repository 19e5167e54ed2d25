//! Whether a step can update a parameter with its gradient.

use stepwell_optim::{Code, Error, Result};

use crate::descriptors::{CONTIGUOUS, CPU, DENSE, FITS, ParameterDescriptor};
use crate::shim::{BFLOAT16, DOUBLE, FLOAT, HALF};

/// Fails unless a step can update the parameter: CPU, dense, floating point, contiguous, with a gradient that fits.
/// `name` is called for the message.
pub(crate) fn check(descriptor: &ParameterDescriptor, name: impl Fn() -> String) -> Result<()> {
    const READABLE: u8 = CPU | DENSE;
    const PARAMETER: u8 = READABLE | CONTIGUOUS;
    const GRADIENT: u8 = READABLE | FITS;
    if descriptor.layout & PARAMETER == PARAMETER
        && descriptor.grad_layout & GRADIENT == GRADIENT
        && dtype_fault(descriptor).is_none()
        && descriptor.grad_dtype == descriptor.dtype
    {
        return Ok(());
    }
    let (code, what) = if descriptor.layout & CPU == 0 {
        (Code::Device, "it is not on the CPU")
    } else if let Some(what) = dtype_fault(descriptor) {
        (Code::Dtype, what)
    } else if descriptor.layout & PARAMETER != PARAMETER {
        (Code::Parameter, "its memory is not contiguous")
    } else {
        (Code::Gradient, gradient_fault(descriptor, CPU).unwrap_or("its gradient does not fit"))
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

/// The reason why the gradient cannot update its parameter; `None` if it can. `cpu` is [`CPU`] if the parameter is on the CPU,
/// otherwise 0.
pub(crate) fn gradient_fault(descriptor: &ParameterDescriptor, cpu: u8) -> Option<&'static str> {
    if descriptor.grad_layout & DENSE == 0 {
        Some("its gradient is sparse")
    } else if descriptor.grad_layout & CPU != cpu {
        Some("its gradient is on another device")
    } else if descriptor.grad_layout & FITS == 0 {
        Some("its gradient has another shape")
    } else if descriptor.grad_dtype != descriptor.dtype {
        Some("its gradient has another dtype")
    } else {
        None
    }
}
