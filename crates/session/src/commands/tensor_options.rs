//! Options of a new tensor.

use stepwell_optim::{Code, Error, Result, Results};

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::engine::element_count::checked_element_count_on;
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::dtype::Dtype;
use crate::values::numbers::{Numbers, size};
use crate::values::value::Value;

/// Options of a new tensor.
#[derive(Default)]
pub(crate) struct TensorOptions {
    pub(crate) dtype: Option<Dtype>,
    pub(crate) device: Option<Device>,
    pub(crate) grad: Option<bool>,
    pub(crate) shape: Option<Vec<usize>>,
}

impl TensorOptions {
    /// Words such as `grad`, `double`, `cuda:1`, or a dictionary of the keys grad, dtype, device and shape; each once.
    pub(crate) fn parse(mut arguments: Arguments) -> Result<Self> {
        let mut options = TensorOptions::default();
        while !arguments.is_empty() {
            match arguments.next() {
                Value::Undefined => {}
                Value::String(word) => options.word(&word)?,
                Value::Object(entries) => {
                    for (key, value) in entries {
                        options.entry(&key, &value)?;
                    }
                }
                other => {
                    return Err(arguments.argument_error("options such as \"grad\" or { dtype: \"double\" }", &other));
                }
            }
        }
        Ok(options)
    }

    fn word(&mut self, word: &str) -> Result<()> {
        if word == "grad" {
            once(self.grad.is_none(), "grad")?;
            self.grad = Some(true);
        } else if let Ok(dtype) = Dtype::parse(word) {
            once(self.dtype.is_none(), "dtype")?;
            self.dtype = Some(dtype);
        } else if let Ok(device) = Device::parse(word) {
            once(self.device.is_none(), "device")?;
            self.device = Some(device);
        } else {
            let known = Dtype::known();
            let message = format_args!("expected grad, a dtype ({known}) or a device (cpu, cuda), given \"{word}\"");
            return Err(Error::new(Code::OptionUnknown, message));
        }
        Ok(())
    }

    fn entry(&mut self, key: &str, value: &Value) -> Result<()> {
        let is_taken = match key {
            "grad" => self.grad.is_some(),
            "dtype" => self.dtype.is_some(),
            "device" => self.device.is_some(),
            _ => self.shape.is_some(),
        };
        once(!is_taken, key)?;
        match (key, value) {
            ("grad", Value::Bool(flag)) => self.grad = Some(*flag),
            ("dtype", Value::String(name)) => self.dtype = Some(Dtype::parse(name)?),
            ("device", Value::String(name)) => self.device = Some(Device::parse(name)?),
            ("shape", Value::Array(list)) => {
                let sizes = list.iter().map(|item| match item {
                    Value::Number(x) => size(*x),
                    other => Err(Error::new(Code::Shape, format_args!("expected numbers in a shape, given {other}"))),
                });
                self.shape = Some(sizes.values()?);
            }
            ("grad" | "dtype" | "device" | "shape", other) => {
                let expected = match key {
                    "grad" => "a boolean",
                    "shape" => "a list of whole numbers",
                    _ => "a string",
                };
                return Err(Error::new(
                    Code::OptionType,
                    format_args!("option {key}: expected {expected}, given {other}"),
                ));
            }
            _ => {
                let message = format_args!("unknown option `{key}`, expected one of grad, dtype, device, shape");
                return Err(Error::new(Code::OptionUnknown, message));
            }
        }
        Ok(())
    }

    /// Makes a tensor of numbers. With `repeated`, the tensor has this many elements equal to the one number.
    pub(crate) fn make<E: Engine>(&self, engine: &E, array: Numbers<'_>, repeated: Option<usize>) -> Result<E::Tensor> {
        let Numbers { data, shape } = array;
        let shape = self.shape.as_ref().unwrap_or(&shape);
        let dtype = self.dtype.unwrap_or(data.dtype());
        let count = repeated.unwrap_or(data.len());
        let device = self.device.unwrap_or(Device::Cpu);
        if checked_element_count_on(engine, shape, dtype, device)? != count {
            let message = format_args!("{count} numbers do not fill a tensor of shape {shape:?}");
            return Err(Error::new(Code::Shape, message));
        }
        let grad = self.grad.unwrap_or(false);
        if grad && !dtype.is_floating() {
            let message =
                format_args!("only tensors of floating point can have a gradient, given dtype {}", dtype.name());
            return Err(Error::new(Code::Dtype, message));
        }
        engine.require(device)?;
        let data = Data::cast_shared(data, dtype)?;
        let tensor = match repeated {
            Some(_) => engine.full(&data, shape, device)?,
            None => engine.tensor(&data, shape, device)?,
        };
        if grad {
            engine.set_requires_grad(&tensor, true)?;
        }
        Ok(tensor)
    }
}

/// Fails for an option that was given before.
fn once(is_free: bool, name: &str) -> Result<()> {
    if is_free { Ok(()) } else { Err(Error::new(Code::Argument, format_args!("option {name}: given twice"))) }
}
