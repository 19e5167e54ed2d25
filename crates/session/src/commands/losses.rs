//! Losses: `ce(input, target, options)` and the like give a tensor; `loss(name, options)` makes a loss to apply later. The
//! target is a handle or plain numbers.

use stepwell_optim::{Code, Error, Result};

use crate::commands::arguments::Arguments;
use crate::commands::tensors::tensor_or_numbers;
use crate::engine::Engine;
use crate::nn::loss::LossFunction;
use crate::session::{Object, Session};
use crate::values::convert::named_options;
use crate::values::handle::ObjectKind;
use crate::values::numbers::array;
use crate::values::value::Value;

/// `ce(input, target)`: cross entropy of logits `[n, c, *]` with classes `[n, *]` or probabilities `[n, c, *]`.
pub(crate) fn ce<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    named(session, arguments, "ce")
}

/// `nll(input, target)`: negative log-likelihood of log-probabilities `[n, c, *]` with classes `[n, *]`.
pub(crate) fn nll<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    named(session, arguments, "nll")
}

/// `mse(input, target)`: squared error.
pub(crate) fn mse<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    named(session, arguments, "mse")
}

/// `l1(input, target)`: absolute error.
pub(crate) fn l1<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    named(session, arguments, "l1")
}

/// `smoothl1(input, target)`: squared error below `beta`, absolute error above.
pub(crate) fn smoothl1<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    named(session, arguments, "smoothl1")
}

/// `bce(input, target)`: binary cross entropy of probabilities.
pub(crate) fn bce<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    named(session, arguments, "bce")
}

/// `bcewithlogits(input, target)`: binary cross entropy of logits.
pub(crate) fn bcewithlogits<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    named(session, arguments, "bcewithlogits")
}

fn named<E: Engine>(session: &mut Session<E>, mut arguments: Arguments, name: &str) -> Result<Value> {
    let (input, target) = (arguments.next(), arguments.next());
    let options = named_options(arguments.options()?)?;
    arguments.finish()?;
    apply(session, LossFunction::new(name, &options)?, &input, &target)
}

/// `loss(name, options)` makes a loss, `loss(loss, input, target)` applies one or a model's, `loss(model)` is the model's.
pub(crate) fn loss<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    match arguments.next() {
        Value::String(name) => {
            let options = named_options(arguments.options()?)?;
            arguments.finish()?;
            session.insert(Object::Loss(LossFunction::new(&name, &options)?))
        }
        Value::Handle(handle) => {
            let loss = *session.loss(handle)?;
            if handle.kind() == Some(ObjectKind::Model) && arguments.is_empty() {
                return session.insert(Object::Loss(loss));
            }
            let (input, target) = (arguments.next(), arguments.next());
            arguments.finish()?;
            apply(session, loss, &input, &target).map_err(|error| error.within(loss.name()))
        }
        other => Err(arguments.argument_error("the name of a loss, or a loss or model handle", &other)),
    }
}

fn apply<E: Engine>(session: &mut Session<E>, loss: LossFunction, input: &Value, target: &Value) -> Result<Value> {
    let Value::Handle(handle) = input else {
        return Err(Error::new(
            Code::Argument,
            format!("expected a {} handle as input, given {input}", ObjectKind::Tensor),
        ));
    };
    let engine = &session.engine;
    let input = session.tensor(*handle)?;
    let shape = match target {
        Value::Handle(handle) => engine.shape(session.tensor(*handle)?)?,
        Value::Undefined | Value::Null => {
            let message = format!("expected a target, a tensor handle or numbers, given {target}");
            return Err(Error::new(Code::Argument, message));
        }
        numbers => array(numbers)?.map(|array| array.shape).unwrap_or_default(),
    };
    // Plain numbers become classes if their shape says so, else the dtype of the input.
    let dtype = loss.target_dtype(engine, input, &shape)?;
    let target = tensor_or_numbers(session, target, dtype, engine.device(input)?)?;
    let (result, _) = loss.apply(engine, input, &target)?;
    session.insert(Object::Tensor(result))
}
