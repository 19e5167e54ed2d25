//! What JavaScript calls: converts arguments, calls the session, converts the result.
//!
//! `start`, and the two functions that the `Binding` interface of the SDK describes. An instance has one session. A panic
//! is a trap and ends the instance: packages/wasm then refuses every later call until it makes another one.

mod convert;
mod number;

use std::cell::{OnceCell, RefCell};

use js_sys::{Array, Function, Reflect};
use stepwell_engine_rust::RustEngine;
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{Dynamic, Session};
use wasm_bindgen::prelude::*;

use crate::convert::{read, write};

thread_local! {
    static SESSION: OnceCell<RefCell<Session<RustEngine>>> = const { OnceCell::new() };
}

/// Makes the session, where it is not there yet. Its handles carry the number, so that those of other instances are told from
/// them; its tensors may take that many bytes.
#[wasm_bindgen]
pub fn start(number: u32, budget: u32) {
    let session = || RefCell::new(Session::numbered(RustEngine::with_budget(budget as usize), u64::from(number)));
    SESSION.with(|slot| {
        slot.get_or_init(session);
    });
}

/// Calls a verb.
#[wasm_bindgen]
pub fn call(verb: &str, arguments: &Array) -> std::result::Result<JsValue, JsValue> {
    let result = with_session(|session| {
        let arguments = match read(arguments)? {
            Dynamic::List(arguments) => arguments,
            other => vec![other],
        };
        match session.try_borrow_mut() {
            Ok(mut session) => session.call(verb, arguments),
            Err(_) => Err(Error::new(Code::Internal, format!("{verb}: the session is in use"))),
        }
    });
    result.map(write).map_err(|error| thrown(&error))
}

/// Makes a step with options and with a closure that returns the loss, and that may call. The closure's own exception is the
/// caller's to keep: what arrives here says only that there was one.
#[wasm_bindgen(js_name = stepWithClosure)]
pub fn step_with_closure(
    optimizer: &JsValue,
    closure: &Function,
    options: &JsValue,
) -> std::result::Result<f64, JsValue> {
    let mut loss = || {
        let failed = |reason: &str| Error::new(Code::Argument, format!("the closure failed: {reason}"));
        let returned = closure.call0(&JsValue::UNDEFINED).map_err(|_| failed("it threw an exception"))?;
        returned.as_f64().ok_or_else(|| failed("it returned no number"))
    };
    let result = with_session(|session| {
        let Dynamic::Handle(optimizer) = read(optimizer)? else {
            return Err(Error::new(Code::Argument, "step: expected an optimizer handle"));
        };
        Session::step_with_closure(session, optimizer, &mut loss, read(options)?)
    });
    result.map_err(|error| thrown(&error))
}

fn with_session<T>(run: impl FnOnce(&RefCell<Session<RustEngine>>) -> Result<T>) -> Result<T> {
    let not_started = || Error::new(Code::Internal, "the engine was not started");
    SESSION.with(|session| run(session.get().ok_or_else(not_started)?))
}

/// An `Error` of JavaScript with the `code` that the SDK looks for.
fn thrown(error: &Error) -> JsValue {
    let value = js_sys::Error::new(&error.to_string());
    // It fails on frozen objects only.
    let _ = Reflect::set(&value, &"code".into(), &error.code().as_str().into());
    value.into()
}
