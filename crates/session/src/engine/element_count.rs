//! Whether an engine has memory for a tensor.

use stepwell_optim::{Code, Error, Number, Result};

use crate::engine::Engine;
use crate::values::device::Device;
use crate::values::dtype::Dtype;
use crate::values::numbers::{check_dimensions, check_empty};

/// The number of elements of a shape, if the engine has memory for so many on the CPU.
pub(crate) fn checked_element_count<E: Engine>(engine: &E, shape: &[usize], dtype: Dtype) -> Result<usize> {
    checked_element_count_on(engine, shape, dtype, Device::Cpu)
}

/// The number of elements of a shape, if the engine has memory for so many on the device. A CUDA device is asked when the tensor is
/// made.
pub(crate) fn checked_element_count_on<E: Engine>(
    engine: &E,
    shape: &[usize],
    dtype: Dtype,
    device: Device,
) -> Result<usize> {
    /// In bytes; 16 MiB. Below, the engine is not asked, because it asks the system.
    const SMALL: usize = 1 << 24;
    check_dimensions(shape.len())?;
    check_empty(shape)?;
    let count = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    let bytes = count.and_then(|count| count.checked_mul(dtype.size()));
    match (count, bytes) {
        (Some(count), Some(bytes)) if bytes <= SMALL || bytes <= engine.memory_limit(bytes) => Ok(count),
        (Some(count), Some(bytes)) if E::HAS_DEVICES && device != Device::Cpu && isize::try_from(bytes).is_ok() => {
            Ok(count)
        }
        _ => {
            // In floating point, since the product may overflow.
            let needed = shape.iter().fold(dtype.size() as f64, |product, size| product * *size as f64);
            let (name, needed, limit) = (dtype.name(), Number(needed), engine.memory_limit(usize::MAX));
            let message = format_args!(
                "a {name} tensor of shape {shape:?} needs {needed} bytes; one tensor may take at most a quarter of the free \
                 memory, now {limit} bytes"
            );
            Err(Error::new(Code::Memory, message))
        }
    }
}
