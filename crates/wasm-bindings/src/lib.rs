//! The functions of the WebAssembly module: convert arguments, call the session, convert the result.
//!
//! `open` makes a session. The interface `Binding` of the SDK describes the calls. A panic is a trap, after which packages/wasm
//! rejects every call until it makes a new instance.

mod convert;
#[cfg(target_family = "wasm")]
mod emergency_reserve;
mod javascript;
mod number;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use stepwell_engine_rust::RustEngine;
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{Session, Value, closure_failed};
use wasm_bindgen::prelude::*;

use crate::convert::{read, write};
use crate::javascript::{Doubles, Function, view};

type Shared = Rc<RefCell<Session<RustEngine>>>;

/// The most numbers that the arguments of `callCompact` take, as in packages/sdk/src/client/compact-arguments.ts.
const COMPACT_LENGTH: usize = 64;

thread_local! {
    /// Sessions by number; `None` after `close`.
    static SESSIONS: RefCell<Vec<Option<Shared>>> = const { RefCell::new(Vec::new()) };
    /// The arguments of a call of `callCompact`.
    static COMPACT: Cell<[f64; COMPACT_LENGTH]> = const { Cell::new([0.0; COMPACT_LENGTH]) };
}

/// Makes a session and returns its index, the first argument of the other functions. `number` is part of its handles, so that they
/// differ from handles of other sessions. `budget` is the limit of its memory in bytes.
#[wasm_bindgen]
pub fn open(number: u32, budget: u32) -> usize {
    #[cfg(target_family = "wasm")]
    {
        stepwell_optim::fallible::set_memory_check(emergency_reserve::can_allocate);
        emergency_reserve::refill();
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

/// Calls a command.
#[wasm_bindgen(unchecked_return_type = "unknown")]
pub fn call(
    session: usize,
    command: &str,
    #[wasm_bindgen(js_name = "args", unchecked_param_type = "readonly unknown[]")] arguments: &JsValue,
) -> std::result::Result<JsValue, JsValue> {
    let result = with_session(session, |session| {
        let arguments = match read(arguments)? {
            Value::Array(arguments) => arguments,
            other => vec![other],
        };
        match session.try_borrow_mut() {
            Ok(mut session) => session.call(command, arguments),
            Err(_) => Err(Error::new(Code::Internal, format_args!("{command}: the session is in use"))),
        }
    });
    result.and_then(write).map_err(|error| js_error(&error))
}

/// Calls a command that may call functions of JavaScript. `host` runs the one that the session asks for, and returns a number;
/// another result means that it failed: the caller has caught its exception.
#[wasm_bindgen(js_name = callHosted, unchecked_return_type = "unknown")]
pub fn call_hosted(
    session: usize,
    command: &str,
    #[wasm_bindgen(js_name = "args", unchecked_param_type = "readonly unknown[]")] arguments: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "() => number | null")] host: &Function,
) -> std::result::Result<JsValue, JsValue> {
    let result = with_session(session, |session| {
        let arguments = match read(arguments)? {
            Value::Array(arguments) => arguments,
            other => vec![other],
        };
        Session::call_hosted(session, command, arguments, &|| number_of(host))
    });
    result.and_then(write).map_err(|error| js_error(&error))
}

/// The number that a function returns.
fn number_of(function: &Function) -> Result<f64> {
    let returned = function.call().ok().and_then(|returned| returned.as_f64());
    returned.ok_or_else(closure_failed)
}

/// The index of an operation for `callCompact`; undefined for other names.
#[wasm_bindgen(js_name = operationIndex)]
pub fn operation_index(_session: usize, name: &str) -> Option<u32> {
    Session::<RustEngine>::operation_index(name).map(|index| index as u32)
}

/// The memory for the arguments of `callCompact`. The view is valid until the memory of the module grows.
#[wasm_bindgen(js_name = compactMemory)]
pub fn compact_memory(_session: usize) -> Doubles {
    // SAFETY: the memory lives as long as the thread, and is only read by `call_compact`.
    COMPACT.with(|memory| view(unsafe { &*memory.as_ptr() }))
}

/// Calls an operation with `length` numbers in that memory.
#[wasm_bindgen(js_name = callCompact)]
pub fn call_compact(session: usize, index: usize, length: usize) -> std::result::Result<f64, JsValue> {
    let result = with_session(session, |session| {
        let encoded = COMPACT.with(|memory| memory.get());
        let encoded = encoded.get(..length).unwrap_or_default();
        match session.try_borrow_mut() {
            Ok(mut session) => session.call_compact(index, encoded),
            Err(_) => Err(Error::new(Code::Internal, "the session is in use")),
        }
    });
    result.map_err(|error| js_error(&error))
}

/// Bytes of the memory of all objects.
#[wasm_bindgen]
pub fn bytes(session: usize) -> f64 {
    let bytes = with_session(session, |session| Ok(session.try_borrow().map_or(0, |session| session.bytes())));
    bytes.unwrap_or(0) as f64
}

/// Frees those objects that live.
#[wasm_bindgen]
pub fn release(session: usize, handles: &[f64]) -> std::result::Result<(), JsValue> {
    let result = with_session(session, |session| match session.try_borrow_mut() {
        Ok(mut session) => {
            session.release(handles);
            Ok(())
        }
        Err(_) => Err(Error::new(Code::Internal, "release: the session is in use")),
    });
    result.map_err(|error| js_error(&error))
}

/// Makes a step with a closure that returns the loss. Another result means that the closure failed: the caller has caught its
/// exception.
#[wasm_bindgen(js_name = stepWithClosure)]
pub fn step_with_closure(
    session: usize,
    #[wasm_bindgen(unchecked_param_type = "bigint")] optimizer: &JsValue,
    #[wasm_bindgen(unchecked_param_type = "() => number | null")] closure: &Function,
    #[wasm_bindgen(unchecked_param_type = "unknown")] options: &JsValue,
) -> std::result::Result<f64, JsValue> {
    let mut loss = || number_of(closure);
    let result = with_session(session, |session| {
        let Value::Handle(optimizer) = read(optimizer)? else {
            return Err(Error::new(Code::Argument, "step: expected an optimizer handle"));
        };
        Session::step_with_closure(session, optimizer, &mut loss, read(options)?)
    });
    result.map_err(|error| js_error(&error))
}

fn with_session<T>(session: usize, run: impl FnOnce(&RefCell<Session<RustEngine>>) -> Result<T>) -> Result<T> {
    let missing = || Error::new(Code::Internal, "there is no session of this number");
    let session = SESSIONS.with_borrow(|sessions| sessions.get(session).cloned().flatten());
    run(&*session.ok_or_else(missing)?)
}

/// A JavaScript `Error` with the property `code` that the SDK reads.
fn js_error(error: &Error) -> JsValue {
    let value = javascript::Error::new(&error.to_string());
    // Fails if a page has made `code` a property of all errors that throws.
    let _ = value.set_code(error.code().as_str());
    value.into()
}
