//! Options and state buffers on their way to libtorch's own optimizers and back.

use stepwell_optim::{OptionValue, Result};
use stepwell_session::{Data, Device};

use crate::tensor::Tensor;

/// An option as the shims take it: a flag as 0 or 1, one that is null as NaN.
pub(crate) fn number(value: &OptionValue) -> f64 {
    match value {
        OptionValue::Float(number) => *number,
        OptionValue::Integer(number) => *number as f64,
        OptionValue::Flag(flag) => f64::from(u8::from(*flag)),
        // The only word that there is names a line search.
        OptionValue::Word(_) => 1.0,
        OptionValue::Null | OptionValue::Undefined | OptionValue::List(_) => f64::NAN,
    }
}

/// Elements as a tensor of the parameter's shape on its device.
pub(crate) fn like(parameter: &Tensor, data: &Data) -> Result<Tensor> {
    let tensor = Tensor::from_data(data, &parameter.shape()?)?;
    match parameter.device()? {
        Device::Cpu => Ok(tensor),
        Device::Cuda(index) => Tensor::made(tensor.as_ref().f_to(tch::Device::Cuda(index))),
    }
}
