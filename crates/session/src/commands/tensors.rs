//! Tensors: making, reading, converting and overwriting them.

use std::borrow::Cow;

use stepwell_optim::{Code, Error, Number, Result, Results};

use crate::commands::arguments::Arguments;
use crate::commands::tensor_options::TensorOptions;
use crate::engine::Engine;
use crate::engine::element_count::checked_element_count_on;
use crate::nn::module::checked_name;
use crate::session::{Object, Session};
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::dtype::Dtype;
use crate::values::handle::ObjectKind;
use crate::values::numbers::{Numbers, array};
use crate::values::value::{NumericArray, Value};

/// The numbers of an argument. A plain JavaScript array has no dtype, so its numbers become `float`.
pub(crate) fn floats(given: &Value) -> Result<Numbers<'_>> {
    match (array(given)?, given) {
        // A result of `data` has the dtype of its tensor.
        (Some(array), Value::NumericArray(_) | Value::Object(_)) => Ok(array),
        (Some(Numbers { data, shape }), _) => Ok(Numbers { data: Data::cast_shared(data, Dtype::Float)?, shape }),
        (None, list @ Value::Array(_)) => Err(match first_other(list) {
            Some(other) => Error::new(Code::Shape, format_args!("expected numbers, given {other} in a list")),
            None => Error::new(Code::Shape, "expected numbers nested to a rectangular shape, given a ragged list"),
        }),
        (None, other) => Err(Error::new(Code::Argument, format_args!("expected numbers, given {other}"))),
    }
}

/// The first value in nested lists that is not a number.
fn first_other(given: &Value) -> Option<&Value> {
    match given {
        Value::Number(_) => None,
        Value::Array(list) => list.iter().find_map(first_other),
        other => Some(other),
    }
}

/// The tensor of a handle, or a new one of plain numbers with a dtype and on a device.
pub(crate) fn tensor_or_numbers<E: Engine>(
    session: &Session<E>,
    given: &Value,
    dtype: Dtype,
    device: Device,
) -> Result<E::Tensor> {
    if let Value::Handle(handle) = given {
        return session.tensor(*handle).cloned();
    }
    // Not by way of `float`, which would round numbers for `double` and `long`.
    let Numbers { data, shape } = array(given)?.map_or_else(|| floats(given), Ok)?;
    session.engine.tensor(&*Data::cast_shared(data, dtype)?, &shape, device)
}

/// `tensor(numbers, options..)` makes a tensor; `tensor(tensor)` reads one.
pub(crate) fn tensor<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let given = arguments.next();
    if let Value::Handle(handle) = given {
        arguments.finish()?;
        return read(session, session.tensor(handle)?);
    }
    let options = TensorOptions::parse(arguments)?;
    let array = match options.dtype {
        Some(_) => array(&given)?.map_or_else(|| floats(&given), Ok)?,
        None => floats(&given)?,
    };
    let tensor = options.make(&session.engine, array, None)?;
    session.insert(Object::Tensor(tensor))
}

/// `data(tensor)`: the elements and the shape.
pub(crate) fn data<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    arguments.finish()?;
    read(session, session.tensor(handle)?)
}

/// The elements and the shape of a tensor.
pub(crate) fn read<E: Engine>(session: &Session<E>, tensor: &E::Tensor) -> Result<Value> {
    let data = session.engine.data(tensor)?;
    Ok(Value::NumericArray(NumericArray { data, shape: session.engine.shape(tensor)? }))
}

/// `full(shape, number, options..)`: a tensor with every element the same.
pub(crate) fn full<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let shape = arguments.shape()?;
    let value = match arguments.next() {
        Value::Number(value) => value,
        other => return Err(arguments.argument_error("a number", &other)),
    };
    let mut options = TensorOptions::parse(arguments)?;
    let dtype = *options.dtype.get_or_insert(Dtype::Float);
    let count = checked_element_count_on(&session.engine, &shape, dtype, options.device.unwrap_or(Device::Cpu))?;
    let data = Cow::Owned(Data::Double(vec![value]));
    let tensor = options.make(&session.engine, Numbers { data, shape }, Some(count))?;
    session.insert(Object::Tensor(tensor))
}

/// `vector(x, y, ..)`: a list of tensors, each given as a handle or as numbers.
pub(crate) fn vector<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    let tensors = arguments.rest().iter().map(|given| element(session, given)).values()?;
    session.insert(Object::Vector(tensors))
}

/// `dict({a: x, b: y})`: tensors by name, each given as a handle or as numbers.
pub(crate) fn dict<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let entries = match arguments.next() {
        Value::Object(entries) => entries,
        other => return Err(arguments.argument_error("a dictionary of tensors", &other)),
    };
    arguments.finish()?;
    let tensors = entries.iter().map(|(name, given)| Ok((checked_name(name)?, element(session, given)?))).values()?;
    session.insert(Object::Dictionary(tensors))
}

fn element<E: Engine>(session: &Session<E>, given: &Value) -> Result<E::Tensor> {
    match given {
        Value::Handle(handle) => session.tensor(*handle).cloned(),
        numbers => TensorOptions::default().make(&session.engine, floats(numbers)?, None),
    }
}

/// `to(module, words..)` moves or converts a module in place; `to(tensor, words..)` makes another tensor.
///
/// A module's gradients are dropped, since they would be of the old type or on the old device.
pub(crate) fn to<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.any_handle("a tensor or module handle")?;
    let TensorOptions { dtype, device, grad: None, shape: None } = TensorOptions::parse(arguments)? else {
        return Err(Error::new(Code::Argument, "expected a dtype, a device or both"));
    };
    if let Some(device) = device {
        session.engine.require(device)?;
    }
    let convert = |tensor: &E::Tensor, to: Option<Dtype>| -> Result<E::Tensor> {
        let dtype = to.map_or_else(|| session.engine.dtype(tensor), Ok)?;
        let device = device.map_or_else(|| session.engine.device(tensor), Ok)?;
        session.engine.convert(tensor, dtype, device)
    };
    match session.object(handle)? {
        Object::Tensor(tensor) => {
            if dtype == Some(Dtype::Long) && session.engine.dtype(tensor)?.is_floating() {
                check_fits_long(&session.engine.data(tensor)?.cast(Dtype::Double)?)?;
            }
            let converted = convert(tensor, dtype)?;
            session.insert(Object::Tensor(converted))
        }
        Object::Module(module) => {
            if let Some(dtype) = dtype.filter(|dtype| !dtype.is_floating()) {
                let message = format_args!("a module's parameters are of floating point, given dtype {}", dtype.name());
                return Err(Error::new(Code::Dtype, message));
            }
            let tensors = module.parameters_and_buffers();
            session.check_written(&mut tensors.iter().map(|named| &named.tensor))?;
            let converted = tensors.iter().map(|named| {
                // A count stays whole.
                let floating = session.engine.dtype(&named.tensor)?.is_floating();
                convert(&named.tensor, dtype.filter(|_| floating))
            });
            let converted = converted.values()?;
            for (named, converted) in tensors.iter().zip(&converted) {
                session.engine.set_grad(&named.tensor, None)?;
                session.engine.replace(&named.tensor, converted)?;
            }
            Ok(Value::Null)
        }
        _ => Err(Error::new(Code::HandleKind, "expected a tensor or module handle")),
    }
}

/// Fails for a number that no `long` holds even without its fraction, since processors convert it differently.
fn check_fits_long(data: &Data) -> Result<()> {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let Data::Double(numbers) = data else { return Ok(()) };
    match numbers.iter().find(|x| !(-LIMIT..LIMIT).contains(*x)) {
        None => Ok(()),
        Some(given) => {
            let message =
                format_args!("expected numbers from -2^63 to below 2^63 for dtype long, given {}", Number(*given));
            Err(Error::new(Code::Dtype, message))
        }
    }
}

/// `copyto(source, tensor)`: overwrites the elements of a tensor from another tensor or from numbers.
pub(crate) fn copyto<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let given = arguments.next();
    let handle = arguments.handle(ObjectKind::Tensor)?;
    arguments.finish()?;
    let engine = &session.engine;
    let target = session.tensor(handle)?;
    let (shape, dtype) = (engine.shape(target)?, engine.dtype(target)?);
    let source = match &given {
        Value::Handle(handle) => {
            let source = session.tensor(*handle)?;
            Numbers { data: Cow::Owned(engine.data(source)?), shape: engine.shape(source)? }
        }
        numbers => array(numbers)?.map_or_else(|| floats(numbers), Ok)?,
    };
    if source.shape != shape {
        return Err(Error::new(Code::Shape, format_args!("expected shape {shape:?}, given {:?}", source.shape)));
    }
    session.check_written(&mut [target].into_iter())?;
    engine.assign(target, &*source.cast(dtype)?)?;
    Ok(Value::Null)
}

/// The element type of a tensor, in the k-api's words.
pub(crate) fn dtype<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    arguments.finish()?;
    Ok(Value::string(session.engine.dtype(session.tensor(handle)?)?.name()))
}

/// Where a tensor lives.
pub(crate) fn device<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    arguments.finish()?;
    Ok(Value::string(session.engine.device(session.tensor(handle)?)?.to_string()))
}
