//! Losses: `ce(input, target, options)` and the like give a tensor; `loss(name, options)` makes a loss to apply later. The
//! target is a handle or plain numbers.

use stepwell_optim::{Code, Error, Result};

use crate::commands::arguments::Arguments;
use crate::commands::tensors::tensor_or_numbers;
use crate::engine::Engine;
use crate::nn::loss::LossFunction;
use crate::nn::loss::table::LossKind;
use crate::session::{Object, Session};
use crate::values::convert::named_options;
use crate::values::handle::ObjectKind;
use crate::values::numbers::array;
use crate::values::value::Value;

/// Applies the loss of a name to its tensors: `ce(input, target, options)`, `triplet(anchor, positive, negative, options)`.
pub(crate) fn named<E: Engine>(session: &mut Session<E>, mut arguments: Arguments, kind: &LossKind) -> Result<Value> {
    let mut inputs = Vec::new();
    for position in 1..=*kind.inputs().end() {
        // An optional tensor, and not the options.
        let is_optional = position > *kind.inputs().start();
        if is_optional && matches!(arguments.peek(), Value::Undefined | Value::Object(_)) {
            break;
        }
        inputs.push(arguments.next());
    }
    let options = named_options(arguments.options()?)?;
    arguments.finish()?;
    apply(session, &LossFunction::new(kind.name, &options)?, &inputs)
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
            let loss = session.loss(handle)?.clone();
            if handle.kind() == Some(ObjectKind::Model) && arguments.is_empty() {
                return session.insert(Object::Loss(loss));
            }
            let (least, most) = (*loss.inputs().start(), *loss.inputs().end());
            let mut inputs = Vec::new();
            while inputs.len() < least || (inputs.len() < most && !arguments.is_empty()) {
                inputs.push(arguments.next());
            }
            arguments.finish()?;
            apply(session, &loss, &inputs).map_err(|error| error.within(loss.name()))
        }
        other => Err(arguments.argument_error("the name of a loss, or a loss or model handle", &other)),
    }
}

fn apply<E: Engine>(session: &mut Session<E>, loss: &LossFunction, given: &[Value]) -> Result<Value> {
    let Some((Value::Handle(handle), targets)) = given.split_first() else {
        let given = given.first().unwrap_or(&Value::Undefined);
        return Err(Error::new(
            Code::Argument,
            format_args!("expected a {} handle as input, given {given}", ObjectKind::Tensor),
        ));
    };
    let engine = &session.engine;
    let input = session.tensor(*handle)?;
    let mut tensors = vec![input.clone()];
    for (position, target) in (1..).zip(targets) {
        let shape = match target {
            Value::Handle(handle) => engine.shape(session.tensor(*handle)?)?,
            Value::Undefined | Value::Null => {
                let message = format_args!("expected a target, a tensor handle or numbers, given {target}");
                return Err(Error::new(Code::Argument, message));
            }
            numbers => array(numbers)?.map(|array| array.shape).unwrap_or_default(),
        };
        // Plain numbers become classes if their shape says so, else the dtype of the input.
        let dtype = loss.target_dtype(engine, input, position, &shape)?;
        tensors.push(tensor_or_numbers(session, target, dtype, engine.device(input)?)?);
    }
    let (result, _) = loss.apply_all(engine, &tensors)?;
    session.insert(Object::Tensor(result))
}
