//! The Node addon: converts arguments, calls the session, converts the result.
//!
//! `open` makes a session, and the `Binding` interface of the SDK describes what there is to do with it. Each copy of the
//! SDK opens its own, in each thread, and none can reach another's objects. No panic leaves a function: it becomes an error
//! with the code `ERR_INTERNAL`.

mod closure;
mod convert;
mod lent;
mod sessions;

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::Env;
use napi::bindgen_prelude::{Function, Object, Unknown};
use napi_derive::napi;
use stepwell_optim::{Code, Error};
use stepwell_session::{Dynamic, Session};

use crate::convert::Crossing;
use crate::sessions::Opened;

thread_local! {
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
        let _ = catch_unwind(sessions::clear);
    })?;
    Ok(())
}

/// Opens a session, which lives as long as the owner that is returned with its number.
#[napi(catch_unwind)]
pub fn open() -> Result<Opened> {
    guarded(sessions::open)
}

/// Calls a verb.
#[napi(catch_unwind)]
pub fn call(env: Env, session: u32, verb: Crossing, arguments: Crossing) -> Result<Crossing> {
    // napi's own types would show what does not fit in their error, which runs code of the caller's.
    let (Dynamic::Text(verb), Dynamic::List(arguments)) = (verb.0.map_err(thrown)?, arguments.0.map_err(thrown)?)
    else {
        return Err(thrown(Error::new(Code::Argument, "expected the name of a function and a list of arguments")));
    };
    let result = guarded(|| match sessions::get(session)?.try_borrow_mut() {
        Ok(mut session) => session.call(&verb, arguments).map(|result| (result, session.bytes())),
        Err(_) => Err(Error::new(Code::Internal, format!("{verb}: the session is in use"))),
    });
    let (result, bytes) = result?;
    report(env, bytes);
    Ok(Crossing(Ok(result)))
}

/// Makes a step with a closure that returns the loss, or anything else if it failed: its exception is the caller's to keep.
#[napi(catch_unwind)]
pub fn step_with_closure(
    session: u32,
    optimizer: Crossing,
    closure: Function<'_, (), Unknown<'_>>,
    options: Crossing,
) -> Result<f64> {
    let options = options.0.map_err(thrown)?;
    let Ok(Dynamic::Handle(optimizer)) = optimizer.0 else {
        return Err(thrown(Error::new(Code::Argument, "step: expected an optimizer handle")));
    };
    let mut loss = || closure::loss(&closure);
    guarded(|| Session::step_with_closure(&*sessions::get(session)?, optimizer, &mut loss, options))
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
