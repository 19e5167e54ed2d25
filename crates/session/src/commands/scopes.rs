//! The objects that live, for programs that look for objects that they forgot to free.

use stepwell_optim::Result;

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
use crate::session::Session;
use crate::values::value::Value;

/// `leaks()`: the id and the bytes of every living object, and the command that made it.
pub(crate) fn leaks<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    let rows = session.table.iter().map(|(handle, counted)| {
        Value::Array(vec![
            Value::Number(handle.to_number()),
            Value::Number(counted.bytes as f64),
            Value::string(counted.made_by),
        ])
    });
    Ok(Value::Array(rows.collect()))
}
