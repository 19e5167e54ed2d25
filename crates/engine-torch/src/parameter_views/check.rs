//! Whether a step can update a parameter with its gradient.

use stepwell_optim::{Code, Error, Result};

use crate::shim::{BFLOAT16, CONTIGUOUS, CPU, DENSE, DOUBLE, FITS, FLOAT, HALF, Slot};

pub(crate) fn check(index: usize, slot: &Slot) -> Result<()> {
    const READABLE: u8 = CPU | DENSE;
    const PARAMETER: u8 = READABLE | CONTIGUOUS;
    const GRADIENT: u8 = READABLE | FITS;
    if slot.layout & PARAMETER == PARAMETER
        && slot.grad_layout & GRADIENT == GRADIENT
        && dtype_fault(slot).is_none()
        && slot.grad_dtype == slot.dtype
    {
        return Ok(());
    }
    let (code, what) = if slot.layout & CPU == 0 {
        (Code::Device, "it is not on the CPU")
    } else if let Some(what) = dtype_fault(slot) {
        (Code::Dtype, what)
    } else if slot.layout & PARAMETER != PARAMETER {
        (Code::Parameter, "its memory is not contiguous")
    } else {
        (Code::Gradient, gradient_fault(slot, CPU).unwrap_or("its gradient does not fit"))
    };
    Err(Error::new(code, format!("parameter {index} cannot be updated: {what}")))
}

/// Why a step cannot update a parameter of this dtype; `None` if it can.
pub(crate) fn dtype_fault(slot: &Slot) -> Option<&'static str> {
    match slot.dtype {
        FLOAT | DOUBLE | HALF | BFLOAT16 => None,
        _ => Some("its dtype is not of floating point"),
    }
}

/// Why the gradient cannot update its parameter, which is on the CPU or elsewhere; `None` if it can.
pub(crate) fn gradient_fault(slot: &Slot, cpu: u8) -> Option<&'static str> {
    if slot.grad_layout & DENSE == 0 {
        Some("its gradient is sparse")
    } else if slot.grad_layout & CPU != cpu {
        Some("its gradient is on another device")
    } else if slot.grad_layout & FITS == 0 {
        Some("its gradient has another shape")
    } else if slot.grad_dtype != slot.dtype {
        Some("its gradient has another dtype")
    } else {
        None
    }
}
