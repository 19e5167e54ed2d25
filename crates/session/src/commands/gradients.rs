//! Gradients: backward, reading and setting, zeroing, clipping, flags.

use std::borrow::Cow;
use std::slice;

use stepwell_optim::{Clip, Code, Error, Result};

use crate::commands::arguments::Arguments;
use crate::commands::parameters::resolve_parameters;
use crate::commands::tensors::{floats, read};
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Primitive, Reduce};
use crate::nn::context::{ForwardContext, check_device};
use crate::nn::host::Host;
use crate::nn::module::Named;
use crate::session::gradient_scales::multiplied;
use crate::session::hosting::SessionAccess;
use crate::session::{Object, Session};
use crate::training::bound_optimizer::scaled_backward;
use crate::training::clip::clip_gradients;
use crate::values::data::Data;
use crate::values::dtype::Dtype;
use crate::values::handle::ObjectKind;
use crate::values::numbers::{Numbers, array};
use crate::values::value::{NumericArray, Value};

/// The tensors of any object; of an optimizer or a model, the optimizer's parameters.
fn tensors<E: Engine>(session: &Session<E>, mut arguments: Arguments) -> Result<Vec<E::Tensor>> {
    let given = arguments.next();
    arguments.finish()?;
    tensors_of(session, &given)
}

fn tensors_of<E: Engine>(session: &Session<E>, given: &Value) -> Result<Vec<E::Tensor>> {
    if let Value::Handle(handle) = given
        && let Object::Optimizer(_) | Object::Model(_) = session.object(*handle)?
    {
        return Ok(session.optimizer(*handle)?.tensors().to_vec());
    }
    Ok(selected(session, given)?.into_iter().map(|named| named.tensor).collect())
}

/// `clip(object, max)`: scales all gradients of an object by one factor, in place, so that their norm is at most `max`.
/// Returns the norm before.
pub(crate) fn clip<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    clip_by(session, arguments, Clip::Norm).map(Value::Number)
}

/// `clipv(object, max)`: clamps each element of the gradients to `max` and its negative, in place.
pub(crate) fn clipv<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    clip_by(session, arguments, Clip::Value)?;
    Ok(Value::Null)
}

fn clip_by<E: Engine>(session: &mut Session<E>, mut arguments: Arguments, by: fn(f64) -> Clip) -> Result<f64> {
    let tensors = tensors_of(session, &arguments.next())?;
    let max = match arguments.next() {
        Value::Number(max) if max > 0.0 => max,
        other => return Err(arguments.argument_error("a number > 0", &other)),
    };
    arguments.finish()?;
    clip_gradients(&session.engine, &tensors, by(max), session.scale_of_gradients(&tensors)?)
}

/// The tensors of an argument, which must not be null.
fn selected<E: Engine>(session: &Session<E>, given: &Value) -> Result<Vec<Named<E>>> {
    if let Value::Null | Value::Undefined = given {
        let message = format_args!("expected a module, tensor, vector or dictionary, given {given}");
        return Err(Error::new(Code::Argument, message));
    }
    Ok(resolve_parameters(session, given)?.tensors)
}

/// `zerograd(object)`: sets gradients to 0; undefined ones stay undefined.
pub(crate) fn zerograd<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    for tensor in tensors(session, arguments)? {
        session.engine.zero_grad(&tensor)?;
    }
    Ok(Value::Null)
}

/// `nograd(object)`: makes gradients undefined.
pub(crate) fn nograd<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    for tensor in tensors(session, arguments)? {
        session.engine.set_grad(&tensor, None)?;
    }
    Ok(Value::Null)
}

/// `backward(tensor, [gradient], [optimizer])`: accumulates the gradients of a scalar, or of the sum of `tensor` times
/// `gradient`, times the loss scale of the optimizer.
pub(crate) fn backward<E: Engine>(access: &mut SessionAccess<'_, E>, arguments: Arguments) -> Result<Value> {
    let (scalar, scale, engine, mut random) = {
        let session = access.session();
        let (scalar, scale) = scalar_to_derive(&session, arguments)?;
        #[cfg(not(target_family = "wasm"))]
        session.check_backward(&scalar)?;
        (scalar, scale, session.engine.clone(), session.random.clone())
    };
    {
        let host = access.host();
        let host = host.as_ref().map(|host| host as &dyn Host<E>);
        let mut context = ForwardContext { engine: &engine, random: &mut random, training: true, host };
        scaled_backward(&mut context, &scalar, scale)?;
    }
    access.session().random = random;
    Ok(Value::Null)
}

/// The scalar whose gradients a backward accumulates, and the factor of them.
fn scalar_to_derive<E: Engine>(session: &Session<E>, mut arguments: Arguments) -> Result<(E::Tensor, f64)> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    let gradient = match arguments.peek() {
        Value::Handle(handle) if !matches!(session.object(*handle)?, Object::Tensor(_)) => None,
        _ => match arguments.next() {
            Value::Undefined => None,
            null @ Value::Null => {
                return Err(arguments.argument_error("a gradient (a tensor or numbers) or an optimizer", &null));
            }
            given => Some(given),
        },
    };
    let optimizer = match arguments.peek() {
        Value::Undefined => {
            arguments.next();
            None
        }
        _ => Some(arguments.handle_or_model(ObjectKind::Optimizer)?),
    };
    arguments.finish()?;
    session.settle_scales()?;
    let scale = match optimizer {
        Some(optimizer) => session.optimizer(optimizer)?.scale_of_loss(),
        None => 1.0,
    };
    let engine = &session.engine;
    let tensor = session.tensor(handle)?;
    let shape = engine.shape(tensor)?;
    if gradient.is_none() && shape.iter().product::<usize>() != 1 {
        return Err(Error::new(Code::Shape, format_args!("expected a scalar, given a tensor of shape {shape:?}")));
    }
    if !engine.requires_grad(tensor) {
        return Err(Error::new(Code::Gradient, "nothing that this tensor was computed from requires a gradient"));
    }
    Ok(match gradient {
        None => (tensor.clone(), scale),
        Some(given) => {
            let gradient = given_gradient(session, tensor, &given, scale)?;
            (product_sum(engine, tensor, &gradient)?, 1.0)
        }
    })
}

/// The sum of a tensor times a gradient, as a scalar whose gradient with respect to the tensor is exactly that gradient. No
/// gradient flows into the gradient itself, which may have a graph.
#[inline(never)]
fn product_sum<E: Engine>(engine: &E, tensor: &E::Tensor, gradient: &E::Tensor) -> Result<E::Tensor> {
    let apply = |primitive: Primitive, inputs: &[&E::Tensor]| {
        let outputs = engine.apply(&primitive, inputs)?;
        outputs.into_iter().next().ok_or_else(|| Error::new(Code::Internal, "a primitive without an output"))
    };
    let shape = engine.shape(tensor)?;
    let dims = (0..shape.len()).collect();
    let gradient = engine.no_grad(|| apply(Primitive::Reshape(shape), &[gradient]))?;
    let product = apply(Primitive::Binary(Binary::Mul), &[tensor, &gradient])?;
    apply(Primitive::Reduce { reduction: Reduce::Sum, dims, keepdim: false }, &[&product])
}

/// `grad(tensor)` reads the gradient, null if undefined; `grad(tensor, numbers)` sets it.
pub(crate) fn grad<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    let is_read = arguments.is_empty();
    let given = arguments.next();
    arguments.finish()?;
    let engine = &session.engine;
    let tensor = session.tensor(handle)?;
    let scale = session.scale_of_gradients(slice::from_ref(tensor))?;
    if is_read {
        let Some(gradient) = engine.grad(tensor) else { return Ok(Value::Null) };
        if scale == 1.0 {
            return read(session, &gradient);
        }
        // As float or double: without the scale, small gradients would vanish in 16 bits.
        let data = engine.data(&gradient)?;
        let wide = if data.dtype() == Dtype::Double { Dtype::Double } else { Dtype::Float };
        let data = multiplied(data, 1.0, scale)?.cast(wide)?;
        return Ok(Value::NumericArray(NumericArray { data, shape: engine.shape(&gradient)? }));
    }
    let is_itself = match &given {
        Value::Handle(handle) => engine.identity(session.tensor(*handle)?) == engine.identity(tensor),
        _ => false,
    };
    // The engine refuses a tensor as its own gradient, and would not see it in a scaled copy.
    let gradient = given_gradient(session, tensor, &given, if is_itself { 1.0 } else { scale })?;
    engine.set_grad(tensor, Some(&gradient))?;
    Ok(Value::Null)
}

/// A tensor or numbers, times a scale, as a gradient of a tensor: of its shape and dtype, and on its device.
fn given_gradient<E: Engine>(session: &Session<E>, tensor: &E::Tensor, given: &Value, scale: f64) -> Result<E::Tensor> {
    let engine = &session.engine;
    let gradient = match given {
        Value::Handle(handle) => session.tensor(*handle)?.clone(),
        numbers => {
            let Numbers { data, shape } = array(numbers)?.map_or_else(|| floats(numbers), Ok)?;
            gradient_of(engine, tensor, data, &shape, scale)?
        }
    };
    let (shape, found) = (engine.shape(tensor)?, engine.shape(&gradient)?);
    if shape != found {
        let message = format_args!("expected a gradient of shape {shape:?}, given {found:?}");
        return Err(Error::new(Code::Shape, message));
    }
    let (expected, found) = (engine.dtype(tensor)?, engine.dtype(&gradient)?);
    if expected != found || !expected.is_floating() {
        let message = format_args!("expected a gradient of dtype {}, given {}", expected.name(), found.name());
        return Err(Error::new(Code::Dtype, message));
    }
    check_device(engine, "a gradient", &gradient, engine.device(tensor)?)?;
    if let (true, Value::Handle(_)) = (scale != 1.0, given) {
        return gradient_of(engine, tensor, Cow::Owned(engine.data(&gradient)?), &shape, scale);
    }
    Ok(gradient)
}

/// Numbers times a scale, as a gradient of a tensor.
#[inline(never)]
fn gradient_of<E: Engine>(
    engine: &E,
    tensor: &E::Tensor,
    mut data: Cow<'_, Data>,
    shape: &[usize],
    scale: f64,
) -> Result<E::Tensor> {
    if scale != 1.0 {
        // Scale before converting to 16 bits, where unscaled gradients underflow.
        data = Cow::Owned(multiplied(data.into_owned(), scale, 1.0)?);
    }
    engine.tensor(&*Data::cast_shared(data, engine.dtype(tensor)?)?, shape, engine.device(tensor)?)
}

/// `gradflag(object)` returns whether gradients are computed; `gradflag(object, flag)` sets it.
pub(crate) fn gradflag<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let given = arguments.next();
    arguments.require_defined()?;
    let flag = arguments.flag("whether gradients are computed")?;
    arguments.finish()?;
    let tensors = selected(session, &given)?;
    let engine = &session.engine;
    let Some(flag) = flag else {
        let flags: Vec<_> = tensors.iter().map(|named| Value::Bool(engine.requires_grad(&named.tensor))).collect();
        return Ok(match <[Value; 1]>::try_from(flags) {
            Ok([flag]) => flag,
            Err(flags) => Value::Array(flags),
        });
    };
    set_flags(engine, &tensors, flag)?;
    Ok(Value::Null)
}

/// `leaf(tensor)`: whether no operation made it.
pub(crate) fn leaf<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let handle = arguments.handle(ObjectKind::Tensor)?;
    arguments.finish()?;
    Ok(Value::Bool(session.engine.is_leaf(session.tensor(handle)?)))
}

/// `freeze(object, [names])`: steps leave these parameters and their state alone until `unfreeze`.
pub(crate) fn freeze<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    flag_selected(session, arguments, false)
}

/// `unfreeze(object, [names])`: the opposite of `freeze`.
pub(crate) fn unfreeze<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    flag_selected(session, arguments, true)
}

fn flag_selected<E: Engine>(session: &mut Session<E>, mut arguments: Arguments, flag: bool) -> Result<Value> {
    let object = arguments.next();
    let given = match arguments.next() {
        Value::Null => return Err(arguments.argument_error("names or indices", &Value::Null)),
        // An object that is missing is named by itself.
        names if matches!((&object, &names), (_, Value::Undefined) | (Value::Null | Value::Undefined, _)) => object,
        names => Value::Array(vec![object, names]),
    };
    arguments.finish()?;
    let tensors = selected(session, &given)?;
    set_flags(&session.engine, &tensors, flag)?;
    Ok(Value::Null)
}

/// Sets whether gradients are computed, for all of the tensors or, after an error, for none.
fn set_flags<E: Engine>(engine: &E, tensors: &[Named<E>], flag: bool) -> Result<()> {
    for named in tensors {
        if !engine.is_leaf(&named.tensor) {
            return Err(Error::new(Code::Gradient, "only a leaf tensor's flag can be set"));
        }
        if !engine.dtype(&named.tensor)?.is_floating() {
            return Err(Error::new(Code::Dtype, "only tensors of floating point can have a gradient"));
        }
    }
    tensors.iter().try_for_each(|named| engine.set_requires_grad(&named.tensor, flag))
}
