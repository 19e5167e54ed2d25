//! Contexts in which layers are made and run, and checks of their inputs.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::element_count::checked_element_count;
use crate::nn::host::Host;
use crate::random::Random;
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::dtype::Dtype;
use crate::values::value::Value;

/// The context in which a layer is made.
pub(crate) struct InitContext<'a, E: Engine> {
    pub(crate) engine: &'a E,
    pub(crate) random: &'a mut Random,
    /// Names and specifications of the parts of the layer, which are made after it.
    pub(crate) parts: Vec<(String, Value)>,
    /// The number of elements that further tensors may have. The state of a module limits it while the module is restored.
    pub(crate) remaining: usize,
    /// Whether the elements of tensors are left open, since a file sets them before any is read.
    pub(crate) is_blank: bool,
}

impl<E: Engine> InitContext<'_, E> {
    /// A tensor to be trained, uniform in [-bound, bound).
    pub(crate) fn uniform(&mut self, shape: &[usize], bound: f64) -> Result<E::Tensor> {
        self.trained(shape, |random| random.uniform(bound))
    }

    /// A tensor to be trained, normal with mean 0 and this standard deviation.
    pub(crate) fn normal(&mut self, shape: &[usize], deviation: f64) -> Result<E::Tensor> {
        self.trained(shape, |random| random.normal() * deviation)
    }

    /// A table of vectors to be trained, standard normal. The vector at `zero` is 0.
    pub(crate) fn table(&mut self, rows: usize, columns: usize, zero: Option<usize>) -> Result<E::Tensor> {
        let (mut index, skipped) = (0, zero.map(|row| (row.saturating_mul(columns), columns)));
        self.trained(&[rows, columns], |random| {
            let drawn = random.normal();
            index += 1;
            let is_zero =
                skipped.is_some_and(|(start, length)| (start..start.saturating_add(length)).contains(&(index - 1)));
            if is_zero { 0.0 } else { drawn }
        })
    }

    /// A tensor to be trained, all elements equal.
    pub(crate) fn constant(&mut self, shape: &[usize], value: f64) -> Result<E::Tensor> {
        self.trained(shape, |_| value)
    }

    /// A scale of ones and a shift of zeros to be trained, if a layer has them.
    pub(crate) fn scale_and_shift(&mut self, has: bool, shape: &[usize]) -> Result<Option<(E::Tensor, E::Tensor)>> {
        Ok(if has { Some((self.constant(shape, 1.0)?, self.constant(shape, 0.0)?)) } else { None })
    }

    /// A tensor that is not trained, all elements equal.
    pub(crate) fn buffer(&mut self, shape: &[usize], value: f64) -> Result<E::Tensor> {
        self.tensor(shape, |_| value)
    }

    fn trained(&mut self, shape: &[usize], draw: impl FnMut(&mut Random) -> f64) -> Result<E::Tensor> {
        let tensor = self.tensor(shape, draw)?;
        self.engine.set_requires_grad(&tensor, true)?;
        Ok(tensor)
    }

    fn tensor(&mut self, shape: &[usize], mut draw: impl FnMut(&mut Random) -> f64) -> Result<E::Tensor> {
        let size = shape.iter().fold(1, |product: usize, size| product.saturating_mul(*size));
        self.remaining = self.remaining.checked_sub(size).ok_or_else(|| {
            Error::new(
                Code::Shape,
                format_args!(
                    "expected options that fit the tensors of the state, given ones of a tensor of size {shape:?}"
                ),
            )
        })?;
        let count = checked_element_count(self.engine, shape, Dtype::Float)?;
        if cfg!(not(target_arch = "wasm32")) && self.is_blank {
            return self.engine.blank(Dtype::Float, shape);
        }
        let data = collected((0..count).map(|_| draw(self.random) as f32))?;
        self.engine.tensor(&Data::Float(data), shape, Device::Cpu)
    }
}

/// The largest size, stride, padding and dilation of a window: twice a padding and a size are still a number of 32 bits.
pub(crate) const MAX_WINDOW_SIZE: f64 = ((1 << 30) - 1) as f64;

/// The names and tensors of a layer that has these.
pub(crate) fn weight_and_bias<'a, T>(weight: Option<&'a T>, bias: Option<&'a T>) -> Vec<(&'static str, &'a T)> {
    let mut tensors = Vec::new();
    for (name, tensor) in [("weight", weight), ("bias", bias)] {
        if let Some(tensor) = tensor {
            tensors.push((name, tensor));
        }
    }
    tensors
}

/// The context of a forward pass.
pub(crate) struct ForwardContext<'a, E: Engine> {
    pub(crate) engine: &'a E,
    pub(crate) random: &'a mut Random,
    pub(crate) training: bool,
    /// Calls functions of JavaScript; `None` if there are none.
    pub(crate) host: Option<&'a dyn Host<E>>,
}

impl<E: Engine> ForwardContext<'_, E> {
    /// Fails unless the input has the dtype of the layer's weight.
    pub(crate) fn same_dtype(&self, input: &E::Tensor, weight: &E::Tensor) -> Result<()> {
        let (given, expected) = (self.engine.dtype(input)?, self.engine.dtype(weight)?);
        if given == expected {
            return Ok(());
        }
        Err(Error::new(Code::Dtype, format_args!("expected {} input, given {}", expected.name(), given.name())))
    }
}

/// Fails unless a tensor is on the device; `what` it is, for the message.
pub(crate) fn check_device<E: Engine>(engine: &E, what: &str, tensor: &E::Tensor, device: Device) -> Result<()> {
    if !E::HAS_DEVICES {
        return Ok(());
    }
    match engine.device(tensor)? {
        found if found == device => Ok(()),
        found => {
            let message = format_args!(
                "expected {what} on {device}, given one on {found}: to(x, \"{device}\") copies a tensor x"
            );
            Err(Error::new(Code::Device, message))
        }
    }
}

/// Fails unless the input is of floating point.
pub(crate) fn floating<E: Engine>(engine: &E, input: &E::Tensor) -> Result<()> {
    match engine.dtype(input)? {
        dtype if dtype.is_floating() => Ok(()),
        dtype => Err(Error::new(Code::Dtype, format_args!("expected input of floating point, given {}", dtype.name()))),
    }
}

/// An input that does not fit; `expected` in the notation `[n, 3, h, w]`.
pub(crate) fn misfit(expected: impl std::fmt::Display, given: &[usize]) -> Error {
    Error::new(Code::Shape, format_args!("expected input of shape {expected}, given {given:?}"))
}
