//! The objects that live, for programs that look for objects that they forgot to free.

use stepwell_optim::Result;
#[cfg(target_family = "wasm")]
use stepwell_optim::Shared;

use crate::commands::arguments::Arguments;
use crate::engine::Engine;
#[cfg(target_family = "wasm")]
use crate::session::Object;
use crate::session::Session;
use crate::values::value::Value;

/// `leaks()`: the id and the bytes of every living object, and the command that made it.
///
/// WebAssembly has no thread for asynchronous calls, and the SDK makes them in turns. So a row there has the identities of the tensors
/// of the object, which tell what objects share, and the one of its optimizer. The definition of an optimizer has the ones of its parameters.
pub(crate) fn leaks<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    arguments.finish()?;
    let mut rows = Vec::new();
    for (handle, counted) in session.table.iter() {
        #[allow(unused_mut, reason = "a row of the native engine is whole")]
        let mut row = vec![
            Value::Number(handle.to_number()),
            Value::Number(counted.bytes as f64),
            Value::string(counted.made_by),
        ];
        #[cfg(target_family = "wasm")]
        {
            let tensors = counted.object.tensors();
            let identities: Vec<_> = tensors.iter().map(|tensor| session.engine.identity(tensor) as usize).collect();
            row.push(Value::sizes(&identities));
            row.push(Value::Number(match &counted.object {
                Object::Optimizer(bound) => Shared::as_ptr(bound).addr() as f64,
                Object::Model(model) => Shared::as_ptr(&model.optimizer).addr() as f64,
                _ => 0.0,
            }));
        }
        rows.push(Value::Array(row));
    }
    #[cfg(not(target_family = "wasm"))]
    for (handle, bytes, made_by) in session.leases.jobs.iter().flat_map(|lease| &lease.objects) {
        if session.table.is_lent(*handle) {
            let (handle, bytes) = (Value::Number(handle.to_number()), Value::Number(*bytes as f64));
            rows.push(Value::Array(vec![handle, bytes, Value::string(*made_by)]));
        }
    }
    Ok(Value::Array(rows))
}
