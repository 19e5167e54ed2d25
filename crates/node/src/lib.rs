//! The Node addon: converts arguments, calls the session, converts the result.
//!
//! Two functions, and the `Binding` interface of the SDK describes them. A thread has its own session, and so has each
//! worker. No panic leaves a function: it becomes an error with the code `ERR_INTERNAL`.

mod convert;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::Env;
use napi::bindgen_prelude::{Function, Object};
use napi_derive::napi;
use stepwell_engine_torch::TorchEngine;
use stepwell_optim::{Code, Error};
use stepwell_session::{Dynamic, Session};

use crate::convert::Crossing;

thread_local! {
    /// Never dropped by the thread: libtorch may be gone by then. The clean-up hook empties it instead.
    static SESSION: ManuallyDrop<RefCell<Session<TorchEngine>>> =
        ManuallyDrop::new(RefCell::new(Session::new(TorchEngine::new())));
    /// The bytes that the garbage collector was told of.
    static REPORTED: Cell<usize> = const { Cell::new(0) };
}

/// A change of external memory that the garbage collector is told of.
const NOTABLE: usize = 1 << 20;

type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// Runs for each environment that loads the addon.
#[napi(module_exports)]
pub fn exports(_: Object<'_>, env: Env) -> napi::Result<()> {
    env.add_env_cleanup_hook((), |()| {
        let _ = catch_unwind(|| SESSION.with(|session| session.try_borrow_mut().map(|mut session| session.clear())));
    })?;
    Ok(())
}

/// Calls a verb.
#[napi(catch_unwind)]
pub fn call(env: Env, verb: String, arguments: Vec<Crossing>) -> Result<Crossing> {
    let arguments = arguments.into_iter().map(|Crossing(argument)| argument).collect();
    let result = guarded(|| {
        SESSION.with(|session| match session.try_borrow_mut() {
            Ok(mut session) => session.call(&verb, arguments).map(|result| (result, session.bytes())),
            Err(_) => Err(Error::new(Code::Internal, format!("{verb}: the session is in use"))),
        })
    });
    let (result, bytes) = result?;
    report(env, bytes);
    Ok(Crossing(result))
}

/// Makes a step with a closure that returns the loss. The closure's own exception is the caller's to keep: what arrives
/// here says only that there was one.
#[napi(catch_unwind)]
pub fn step_with_closure(optimizer: Crossing, closure: Function<'_, (), f64>, options: Crossing) -> Result<f64> {
    let Crossing(options) = options;
    let Crossing(Dynamic::Handle(optimizer)) = optimizer else {
        return Err(thrown(Error::new(Code::Argument, "step: expected an optimizer handle")));
    };
    let mut loss = || {
        closure.call(()).map_err(|error| Error::new(Code::Argument, format!("the closure failed: {}", error.reason)))
    };
    guarded(|| SESSION.with(|session| Session::step_with_closure(session, optimizer, &mut loss, options)))
}

fn guarded<T>(run: impl FnOnce() -> stepwell_optim::Result<T>) -> Result<T> {
    let result = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let message = format!("a bug of Stepwell, please report it: {}", words(panic.as_ref()));
        Err(Error::new(Code::Internal, message))
    });
    result.map_err(thrown)
}

fn words(panic: &dyn Any) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words")
}

fn thrown(error: Error) -> napi::Error<&'static str> {
    napi::Error::new(error.code().as_str(), error.to_string())
}

/// Tells the garbage collector of memory that it does not see, so that forgotten handles are collected in time.
fn report(env: Env, bytes: usize) {
    let before = REPORTED.get();
    if bytes.abs_diff(before) >= NOTABLE && env.adjust_external_memory(bytes as i64 - before as i64).is_ok() {
        REPORTED.set(bytes);
    }
}
