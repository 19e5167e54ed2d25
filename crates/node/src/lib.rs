//! The Node addon: converts arguments, calls the session, converts the result.
//!
//! Two crates are made of this source, each with its engine as `stepwell_engine`: this one with libtorch, and crates/node-rust.
//!
//! `open` makes a session. The interface `Binding` of the SDK describes the calls. Each copy of the SDK opens a session in each
//! thread and cannot reach objects of other sessions. A panic becomes an error with the code `ERR_INTERNAL`.

mod closure;
mod compact_call;
mod convert;
mod executor;
mod external_array;
mod guard;
mod sessions;

use std::panic::catch_unwind;

use napi::Env;
use napi::bindgen_prelude::{Float64Array, Function, Object, Unknown};
use napi_derive::napi;
use stepwell_engine::NativeEngine;
use stepwell_optim::{Code, Error};
use stepwell_session::{JobEnd, Session, Value};

use crate::convert::NapiValue;
use crate::executor::Event;
use crate::guard::{Result, guarded, report_external_memory, thrown};
use crate::sessions::Opened;

/// Runs for each environment that loads the addon.
#[napi(module_exports)]
pub fn exports(exports: Object<'_>, env: Env) -> napi::Result<()> {
    compact_call::export(exports, env)?;
    env.add_env_cleanup_hook((), |()| {
        let _ = catch_unwind(sessions::clear);
    })?;
    Ok(())
}

/// Opens a session, which lives as long as the returned owner. `memory` is for the arguments of `callCompact`: its buffer is
/// neither resized nor transferred.
#[napi(catch_unwind)]
pub fn open(env: Env, memory: Unknown<'_>) -> Result<Opened> {
    guarded(|| sessions::open(compact_call::keep(env, &memory)?))
}

/// Fails with `ERR_MEMORY` unless JavaScript may allocate this number of bytes outside of its heap.
#[napi(catch_unwind)]
pub fn check_memory(bytes: f64) -> Result<()> {
    guarded(|| stepwell_optim::fallible::check_memory(bytes as usize))
}

/// Gives memory that libtorch keeps for later tensors back to the CUDA devices. True if there was some.
#[cfg(feature = "libtorch")]
#[napi(catch_unwind)]
pub fn release_memory() -> Result<bool> {
    guarded(stepwell_engine::release_device_memory)
}

/// States what is missing to use CUDA, and the remedy; null if the process has loaded libtorch's CUDA library.
#[cfg(feature = "libtorch")]
#[napi(catch_unwind)]
pub fn explain_cuda(missing: Option<String>, remedy: Option<String>) {
    stepwell_engine::explain_cuda(missing.map(|missing| (missing, remedy.unwrap_or_default())));
}

/// States where the library is by which processes exchange tensors of GPUs.
#[cfg(feature = "libtorch")]
#[napi(catch_unwind)]
pub fn set_nccl_library(path: String) {
    stepwell_engine::set_nccl_library(path.into());
}

/// Calls a command.
#[napi(catch_unwind)]
pub fn call(env: Env, session: u32, command: NapiValue, arguments: NapiValue) -> Result<NapiValue> {
    // Checked here: for a wrong type, napi would print the value into its error, which runs code of the caller.
    let (Value::String(command), Value::Array(arguments)) = (command.0.map_err(thrown)?, arguments.0.map_err(thrown)?)
    else {
        return Err(thrown(Error::new(Code::Argument, "expected the name of a function and a list of arguments")));
    };
    let result = guarded(|| match sessions::get(session)?.try_borrow_mut() {
        Ok(mut session) => session.call(&command, arguments).map(|result| (result, session.bytes())),
        Err(_) => Err(Error::new(Code::Internal, format!("{command}: the session is in use"))),
    });
    let (result, bytes) = result?;
    report_external_memory(env, bytes);
    Ok(NapiValue(Ok(result)))
}

/// Calls a command that may call functions of JavaScript. `host` runs the one that the session asks for, and returns a number;
/// another result means that it failed: the caller has caught its exception.
#[napi(catch_unwind)]
pub fn call_hosted(
    env: Env,
    session: u32,
    command: NapiValue,
    arguments: NapiValue,
    host: Function<'_, (), Unknown<'_>>,
) -> Result<NapiValue> {
    let (Value::String(command), Value::Array(arguments)) = (command.0.map_err(thrown)?, arguments.0.map_err(thrown)?)
    else {
        return Err(thrown(Error::new(Code::Argument, "expected the name of a function and a list of arguments")));
    };
    let (result, bytes) = guarded(|| {
        let session = sessions::get(session)?;
        let result = Session::call_hosted(&session, &command, arguments, &|| closure::loss(&host))?;
        let bytes = session.borrow().bytes();
        Ok((result, bytes))
    })?;
    report_external_memory(env, bytes);
    Ok(NapiValue(Ok(result)))
}

/// Starts a command on the thread of the session's asynchronous calls. `wake` is called when it is over, and after each batch if
/// `reports` is true. Returns its number.
#[napi(catch_unwind)]
pub fn start(
    env: Env,
    session: u32,
    command: NapiValue,
    arguments: NapiValue,
    wake: Function<'_, (), Unknown<'_>>,
    reports: bool,
) -> Result<f64> {
    let (Value::String(command), Value::Array(arguments)) = (command.0.map_err(thrown)?, arguments.0.map_err(thrown)?)
    else {
        return Err(thrown(Error::new(Code::Argument, "expected the name of a function and a list of arguments")));
    };
    guarded(|| {
        let number = session;
        let session = sessions::get(number)?;
        let Ok(mut session) = session.try_borrow_mut() else {
            return Err(Error::new(
                Code::Busy,
                format!("{command}: a function that the session calls cannot start it"),
            ));
        };
        sessions::with_executor(number, |executor| {
            if executor.start(&wake)? {
                // After Node's own hook for `wake`, so that it runs before that one.
                let _ = env.add_env_cleanup_hook((), |()| {
                    let _ = catch_unwind(sessions::end_executors);
                });
            }
            let job = session.start(&command, arguments)?;
            let number = job.1;
            executor.run(env, job, reports)?;
            Ok(number as f64)
        })
    })
}

/// The asynchronous calls that are over and the batches that they report, each once, in order. A row has the number, the code of the
/// error or null, and the result or the message. It ends with whether the call was stopped, which is null for a batch.
#[napi(catch_unwind)]
pub fn take_events(env: Env, session: u32) -> Result<NapiValue> {
    let (rows, bytes) = guarded(|| {
        let number = session;
        let session = sessions::get(number)?;
        let Ok(mut session) = session.try_borrow_mut() else {
            return Err(Error::new(Code::Internal, "the session is in use"));
        };
        let mut rows = Vec::new();
        for event in sessions::with_executor(number, |executor| Ok(executor.take_events()))? {
            let finished = match event {
                Event::End(finished) => *finished,
                Event::Report(job, figures) => {
                    rows.push(Value::Array(vec![Value::Number(job as f64), Value::Null, figures, Value::Null]));
                    continue;
                }
            };
            let JobEnd { number: job, result, is_stopped } = session.finish(finished);
            sessions::with_executor(number, |executor| {
                executor.forget(env, job);
                Ok(())
            })?;
            let (code, value) = match result {
                Ok(value) => (Value::Null, value),
                Err(error) => (Value::string(error.code().as_str()), Value::string(error.to_string())),
            };
            rows.push(Value::Array(vec![Value::Number(job as f64), code, value, Value::Bool(is_stopped)]));
        }
        Ok((rows, session.bytes()))
    })?;
    report_external_memory(env, bytes);
    Ok(NapiValue(Ok(Value::Array(rows))))
}

/// Called when the process exits: whether an asynchronous call waits for another process, and is not to be waited for.
#[napi(catch_unwind)]
pub fn leaves_calls_at_exit() -> bool {
    executor::leaves_jobs_at_exit()
}

/// Stops an asynchronous call after its present batch.
#[napi(catch_unwind)]
pub fn stop(session: u32, number: f64) -> Result<()> {
    guarded(|| {
        sessions::with_executor(session, |executor| {
            executor.stop(number as u64);
            Ok(())
        })
    })
}

/// The index of an operation for `callCompact`; null for other names.
#[napi(catch_unwind)]
pub fn operation_index(name: String) -> Option<u32> {
    Session::<NativeEngine>::operation_index(&name).and_then(|index| u32::try_from(index).ok())
}

/// Bytes of the memory of all objects.
#[napi(catch_unwind)]
pub fn bytes(session: u32) -> Result<f64> {
    guarded(|| Ok(sessions::get(session)?.try_borrow().map_or(0.0, |session| session.bytes() as f64)))
}

/// Frees those objects that live.
#[napi(catch_unwind)]
pub fn release(session: u32, handles: Float64Array) -> Result<()> {
    guarded(|| match sessions::get(session)?.try_borrow_mut() {
        Ok(mut session) => {
            session.release(&handles);
            Ok(())
        }
        Err(_) => Err(Error::new(Code::Internal, "release: the session is in use")),
    })
}

/// Makes a step with a closure that returns the loss. Another result means that the closure failed: the caller has caught its
/// exception.
#[napi(catch_unwind)]
pub fn step_with_closure(
    session: u32,
    optimizer: NapiValue,
    closure: Function<'_, (), Unknown<'_>>,
    options: NapiValue,
) -> Result<f64> {
    let options = options.0.map_err(thrown)?;
    let Ok(Value::Handle(optimizer)) = optimizer.0 else {
        return Err(thrown(Error::new(Code::Argument, "step: expected an optimizer handle")));
    };
    let mut loss = || closure::loss(&closure);
    guarded(|| Session::step_with_closure(&*sessions::get(session)?, optimizer, &mut loss, options))
}
