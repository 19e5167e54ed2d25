//! Options and state buffers on their way to libtorch's own optimizers and back.

use stepwell_optim::{Result, Value};
use stepwell_session::{Data, Device};

use crate::tensor::Tensor;

/// An option as the shims take it: a flag as 0 or 1, one that is null as NaN.
pub(crate) fn number(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        Value::Integer(number) => *number as f64,
        Value::Flag(flag) => f64::from(u8::from(*flag)),
        // The only word that there is names a line search.
        Value::Word(_) => 1.0,
        Value::Null | Value::Undefined | Value::List(_) => f64::NAN,
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
