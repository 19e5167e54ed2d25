//! Replaces `devices` in WebAssembly, which computes on the CPU alone.

use stepwell_optim::Result;

use crate::commands::arguments::{Arguments, is_empty_list};
use crate::engine::Engine;
use crate::session::Session;
use crate::values::device::Device;
use crate::values::value::Value;

pub(crate) fn cudadevices<E: Engine>(_: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let answer = match arguments.next() {
        Value::Undefined => Value::Number(0.0),
        list if is_empty_list(&list) => Value::Array(Vec::new()),
        other => return Err(arguments.argument_error("nothing, or an empty list for the names", &other)),
    };
    arguments.finish()?;
    Ok(answer)
}

/// Null: the SDK has the whole answer.
pub(crate) fn status<E: Engine>(_: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    Ok(Value::Null)
}

pub(crate) fn memory<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    sync(session, arguments)?;
    Ok(Value::object([("device", Value::string("cpu")), ("allocated", Value::Number(session.bytes() as f64))]))
}

pub(crate) fn sync<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    match arguments.next() {
        Value::Undefined => {}
        Value::String(name) => session.engine.require(Device::parse(&name)?)?,
        other => return Err(arguments.argument_error("a device (a string)", &other)),
    }
    arguments.finish()?;
    Ok(Value::Null)
}
