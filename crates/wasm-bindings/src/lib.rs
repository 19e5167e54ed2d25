//! What JavaScript calls: converts arguments, calls the session, converts the result.
//!
//! `open` makes a session, and the `Binding` interface of the SDK describes what there is to do with it. A panic is a trap and
//! ends the instance: packages/wasm then refuses every later call until it makes another one.

mod convert;
mod number;
#[cfg(target_family = "wasm")]
mod spare;

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Reflect};
use stepwell_engine_rust::RustEngine;
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{Dynamic, Session, closure_failed};
use wasm_bindgen::prelude::*;

use crate::convert::{read, write};

type Shared = Rc<RefCell<Session<RustEngine>>>;

thread_local! {
    /// Those that were ended are none.
    static SESSIONS: RefCell<Vec<Option<Shared>>> = const { RefCell::new(Vec::new()) };
}

/// Makes a session and returns what the other functions know it by. Its handles carry the number, so that those of other
/// sessions are told from them; its tensors may take that many bytes.
#[wasm_bindgen]
pub fn open(number: u32, budget: u32) -> usize {
    #[cfg(target_family = "wasm")]
    {
        stepwell_optim::fallible::set_memory_check(spare::has);
        spare::keep();
    }
    let session = Session::numbered(RustEngine::with_budget(budget as usize), u64::from(number));
    SESSIONS.with_borrow_mut(|sessions| {
        sessions.push(Some(Rc::new(RefCell::new(session))));
        sessions.len() - 1
    })
}

/// Ends a session.
#[wasm_bindgen]
pub fn close(session: usize) {
    let ended = SESSIONS.with_borrow_mut(|sessions| sessions.get_mut(session).map(Option::take));
    drop(ended);
}

/// Calls a verb.
#[wasm_bindgen]
pub fn call(session: usize, verb: &str, arguments: &Array) -> std::result::Result<JsValue, JsValue> {
    let result = with_session(session, |session| {
        let arguments = match read(arguments)? {
            Dynamic::List(arguments) => arguments,
            other => vec![other],
        };
        match session.try_borrow_mut() {
            Ok(mut session) => session.call(verb, arguments),
            Err(_) => Err(Error::new(Code::Internal, format!("{verb}: the session is in use"))),
        }
    });
    result.and_then(write).map_err(|error| thrown(&error))
}

/// Makes a step with options and with a closure that returns the loss, or anything else if it failed: its exception is the
/// caller's to keep.
#[wasm_bindgen(js_name = stepWithClosure)]
pub fn step_with_closure(
    session: usize,
    optimizer: &JsValue,
    closure: &Function,
    options: &JsValue,
) -> std::result::Result<f64, JsValue> {
    let mut loss = || {
        let returned = closure.call0(&JsValue::UNDEFINED).ok().and_then(|returned| returned.as_f64());
        returned.ok_or_else(closure_failed)
    };
    let result = with_session(session, |session| {
        let Dynamic::Handle(optimizer) = read(optimizer)? else {
            return Err(Error::new(Code::Argument, "step: expected an optimizer handle"));
        };
        Session::step_with_closure(session, optimizer, &mut loss, read(options)?)
    });
    result.map_err(|error| thrown(&error))
}

fn with_session<T>(session: usize, run: impl FnOnce(&RefCell<Session<RustEngine>>) -> Result<T>) -> Result<T> {
    let missing = || Error::new(Code::Internal, "there is no session of this number");
    let session = SESSIONS.with_borrow(|sessions| sessions.get(session).cloned().flatten());
    run(&*session.ok_or_else(missing)?)
}

/// An `Error` of JavaScript with the `code` that the SDK looks for.
fn thrown(error: &Error) -> JsValue {
    let value = js_sys::Error::new(&error.to_string());
    // It fails on frozen objects only.
    let _ = Reflect::set(&value, &"code".into(), &error.code().as_str().into());
    value.into()
}
