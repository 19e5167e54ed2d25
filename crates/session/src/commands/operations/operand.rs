//! Arguments that are tensors or plain numbers, and the dtype that several of them have together.

use std::borrow::Cow;

use stepwell_optim::{Code, Error, Result};

use crate::commands::tensors::floats;
use crate::engine::Engine;
use crate::session::Session;
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::dtype::Dtype;
use crate::values::numbers::{Numbers, array, nested};
use crate::values::value::Value;

/// A tensor, or plain numbers, which have no dtype of their own.
pub(crate) enum Operand<E: Engine> {
    Tensor(E::Tensor),
    /// Doubles, or booleans.
    Plain {
        data: Data,
        shape: Vec<usize>,
    },
}

impl<E: Engine> Operand<E> {
    /// Reads an argument: a handle, a number, a boolean, nested lists of these, or numbers with a dtype, which become a tensor.
    pub(crate) fn read(session: &Session<E>, given: &Value) -> Result<Self> {
        match given {
            Value::Handle(handle) => return session.tensor(*handle).cloned().map(Operand::Tensor),
            Value::Number(number) => {
                return Ok(Operand::Plain { data: Data::Double(vec![*number]), shape: Vec::new() });
            }
            Value::Bool(flag) => return Ok(Operand::Plain { data: Data::Bool(vec![*flag]), shape: Vec::new() }),
            Value::Array(_) => {
                if let Some((flags, shape)) = booleans(given)? {
                    return Ok(Operand::Plain { data: Data::Bool(flags), shape });
                }
            }
            Value::NumericArray(_) | Value::Object(_) => {
                let Numbers { data, shape } = floats(given)?;
                return session.engine.tensor(&data, &shape, Device::Cpu).map(Operand::Tensor);
            }
            _ => {}
        }
        let Numbers { data, shape } = array(given)?.map_or_else(|| floats(given), Ok)?;
        Ok(Operand::Plain { data: Data::cast_shared(data, Dtype::Double)?.into_owned(), shape })
    }

    /// The dtype that it would have alone: plain numbers are `float`.
    pub(crate) fn dtype(&self, engine: &E) -> Result<Dtype> {
        match self {
            Operand::Tensor(tensor) => engine.dtype(tensor),
            Operand::Plain { data: Data::Bool(_), .. } => Ok(Dtype::Bool),
            Operand::Plain { .. } => Ok(Dtype::Float),
        }
    }

    /// The tensor, or a new one of the numbers, of a dtype and on a device.
    pub(crate) fn tensor(&self, engine: &E, dtype: Dtype, device: Device) -> Result<E::Tensor> {
        match self {
            Operand::Tensor(tensor) => Ok(tensor.clone()),
            Operand::Plain { data, shape } => {
                engine.tensor(&*Data::cast_shared(Cow::Borrowed(data), dtype)?, shape, device)
            }
        }
    }
}

/// Booleans nested to a rectangular shape, with at least one; `None` for anything else.
fn booleans(given: &Value) -> Result<Option<(Vec<bool>, Vec<usize>)>> {
    let flag = |given: &Value| if let Value::Bool(flag) = given { Some(*flag) } else { None };
    Ok(nested(given, &flag)?.filter(|(flags, _)| !flags.is_empty()))
}

/// The dtype that holds numbers of two, as `torch.promote_types`: the wider one; `float` for half with bfloat16.
pub(crate) fn promote(a: Dtype, b: Dtype) -> Dtype {
    let order = |dtype: Dtype| match dtype {
        Dtype::Bool => 0,
        Dtype::Long => 1,
        Dtype::Half | Dtype::BFloat16 => 2,
        Dtype::Float => 3,
        Dtype::Double => 4,
    };
    match (a, b) {
        (Dtype::Half, Dtype::BFloat16) | (Dtype::BFloat16, Dtype::Half) => Dtype::Float,
        _ if order(a) >= order(b) => a,
        _ => b,
    }
}

/// The common dtype and device of operands.
///
/// As `torch.result_type`: tensors with dimensions decide before tensors without, and these before plain numbers. A later
/// class changes the result only if it has a higher category: bool, whole, floating. Plain numbers count as whole if all of
/// them are, and otherwise as `float`. Without any tensor, numbers are `float`.
///
/// # Errors
/// [`Code::Device`] for tensors on two devices.
pub(crate) fn common<E: Engine>(engine: &E, operands: &[&Operand<E>]) -> Result<(Dtype, Device)> {
    let (mut classes, mut device) = ([None; 3], None);
    for operand in operands {
        let (class, dtype) = match operand {
            Operand::Tensor(tensor) => {
                let found = engine.device(tensor)?;
                if let Some(expected) = device.filter(|expected| *expected != found) {
                    let message = format!("expected tensors on one device, given {expected} and {found}");
                    return Err(Error::new(Code::Device, message));
                }
                device = Some(found);
                (usize::from(engine.shape(tensor)?.is_empty()), engine.dtype(tensor)?)
            }
            Operand::Plain { data: Data::Double(numbers), .. } => {
                let is_whole = numbers.iter().all(|x| x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0);
                (2, if is_whole { Dtype::Long } else { Dtype::Float })
            }
            Operand::Plain { .. } => (2, Dtype::Bool),
        };
        classes[class] = Some(classes[class].map_or(dtype, |other| promote(dtype, other)));
    }
    let dtype = match classes {
        [None, None, Some(Dtype::Long)] => Some(Dtype::Float),
        [first, second, third] => combine(combine(first, second), third),
    };
    Ok((dtype.unwrap_or(Dtype::Float), device.unwrap_or(Device::Cpu)))
}

fn combine(higher: Option<Dtype>, lower: Option<Dtype>) -> Option<Dtype> {
    match (higher, lower) {
        (Some(higher), Some(lower)) if !higher.is_floating() && (higher == Dtype::Bool || lower.is_floating()) => {
            Some(promote(higher, lower))
        }
        (None, lower) => lower,
        (higher, _) => higher,
    }
}
