//! The session of the WebAssembly module, as functions without type parameters.
//!
//! A crate of its own, since code with type parameters is compiled where they become known: here for size, while the last
//! crate, whose settings hold for linking, is compiled for speed.

use std::cell::{OnceCell, RefCell};

use stepwell_engine_rust::RustEngine;
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{Dynamic, Handle, Session};

thread_local! {
    static SESSION: OnceCell<RefCell<Session<RustEngine>>> = const { OnceCell::new() };
}

/// Makes the session, where it is not there yet. Its handles carry the number; its tensors may take that many bytes.
#[inline(never)]
pub fn start(number: u32, budget: usize) {
    let session = || RefCell::new(Session::numbered(RustEngine::with_budget(budget), u64::from(number)));
    SESSION.with(|slot| {
        slot.get_or_init(session);
    });
}

/// Calls a verb.
#[inline(never)]
pub fn call(verb: &str, arguments: Vec<Dynamic>) -> Result<Dynamic> {
    with_session(|session| match session.try_borrow_mut() {
        Ok(mut session) => session.call(verb, arguments),
        Err(_) => Err(Error::new(Code::Internal, format!("{verb}: the session is in use"))),
    })
}

/// Makes a step with options and with a closure that returns the loss, and that may call.
#[inline(never)]
pub fn step_with_closure(optimizer: Handle, closure: &mut dyn FnMut() -> Result<f64>, options: Dynamic) -> Result<f64> {
    with_session(|session| Session::step_with_closure(session, optimizer, closure, options))
}

fn with_session<T>(run: impl FnOnce(&RefCell<Session<RustEngine>>) -> Result<T>) -> Result<T> {
    let not_started = || Error::new(Code::Internal, "the engine was not started");
    SESSION.with(|session| run(session.get().ok_or_else(not_started)?))
}
