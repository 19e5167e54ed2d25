//! Arguments that are tensors or plain numbers, and the dtype that several of them have together.

use std::borrow::Cow;

use stepwell_optim::Result;

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
    /// Numbers with a dtype, which are a tensor on the device of the others.
    Typed {
        data: Data,
        shape: Vec<usize>,
    },
}

impl<E: Engine> Operand<E> {
    /// Reads an argument: a handle, a number, a boolean, nested lists of these, or or numbers with a dtype.
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
                return Ok(Operand::Typed { data: data.into_owned(), shape });
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
            Operand::Typed { data, .. } => Ok(data.dtype()),
        }
    }

    /// The tensor, or a new one of the numbers on a device. Numbers without a dtype get the given one.
    pub(crate) fn tensor(&self, engine: &E, dtype: Dtype, device: Device) -> Result<E::Tensor> {
        match self {
            Operand::Tensor(tensor) => Ok(tensor.clone()),
            Operand::Plain { data, shape } => {
                engine.tensor(&*Data::cast_shared(Cow::Borrowed(data), dtype)?, shape, device)
            }
            Operand::Typed { data, shape } => engine.tensor(data, shape, device),
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

/// The common dtype of operands.
///
/// As `torch.result_type`: tensors with dimensions decide before tensors without, and these before plain numbers. A later
/// class changes the result only if it has a higher category: bool, whole, floating. Plain numbers count as whole if all of
/// them are, and otherwise as `float`. Without any tensor, numbers are `float`.
pub(crate) fn common<E: Engine>(engine: &E, operands: &[&Operand<E>]) -> Result<Dtype> {
    let mut classes = [None; 3];
    for operand in operands {
        let (class, dtype) = match operand {
            Operand::Tensor(tensor) => (usize::from(engine.shape(tensor)?.is_empty()), engine.dtype(tensor)?),
            Operand::Typed { data, shape } => (usize::from(shape.is_empty()), data.dtype()),
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
    Ok(dtype.unwrap_or(Dtype::Float))
}

/// The dtype that all operands have, if all of them are tensors.
pub(crate) fn shared<E: Engine>(engine: &E, operands: &[&Operand<E>]) -> Result<Option<Dtype>> {
    let mut shared = None;
    for operand in operands {
        let Operand::Tensor(tensor) = operand else { return Ok(None) };
        let found = engine.dtype(tensor)?;
        if shared.is_some_and(|shared| shared != found) {
            return Ok(None);
        }
        shared = Some(found);
    }
    Ok(shared)
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
