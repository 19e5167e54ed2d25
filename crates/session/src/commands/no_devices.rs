//! Replaces `devices` in WebAssembly, which computes on the CPU alone. The SDK answers `cudaStatus` itself.

use stepwell_optim::Result;

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::session::Session;
use crate::values::device::Device;
use crate::values::value::Value;

pub(crate) use self::memory as sync;

/// The memory of the CPU; fails for any other device. The SDK does not use the result as one of `sync`.
pub(crate) fn memory<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    match arguments.next() {
        Value::Undefined => {}
        Value::String(name) => session.engine.require(Device::parse(&name)?)?,
        other => return Err(arguments.argument_error("a device (a string)", &other)),
    }
    arguments.finish()?;
    Ok(Value::object([("device", Value::string("cpu")), ("allocated", Value::Number(session.bytes() as f64))]))
}
