//! The WebAssembly module: converts arguments, calls the session, converts the result.
//!
//! `start`, and the two functions that the `Binding` interface of the SDK describes. An instance has one session. A panic
//! ends the instance: packages/wasm then refuses every later call until it makes another one.

mod convert;

use js_sys::{Array, Function, Reflect};
use stepwell_optim::{Code, Error};
use stepwell_session::Dynamic;
use wasm_bindgen::prelude::*;

use crate::convert::{read, write};

/// Makes the session. Its handles carry the number, so that those of other instances are told from them; its tensors may
/// take that many bytes.
#[wasm_bindgen]
pub fn start(number: u32, budget: u32) {
    // What a panic says arrives as a JavaScript exception; without this it would be a trap without words.
    std::panic::set_hook(Box::new(|panic| wasm_bindgen::throw_str(&panic.to_string())));
    stepwell_wasm_session::start(number, budget as usize);
}

/// Calls a verb.
#[wasm_bindgen]
pub fn call(verb: &str, arguments: &Array) -> std::result::Result<JsValue, JsValue> {
    let result = (|| {
        let arguments = match read(arguments)? {
            Dynamic::List(arguments) => arguments,
            other => vec![other],
        };
        stepwell_wasm_session::call(verb, arguments)
    })();
    result.map(write).map_err(|error| thrown(&error))
}

/// Makes a step with options and with a closure that returns the loss. The closure's own exception is the caller's to keep: what arrives
/// here says only that there was one.
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
    let result = (|| {
        let Dynamic::Handle(optimizer) = read(optimizer)? else {
            return Err(Error::new(Code::Argument, "step: expected an optimizer handle"));
        };
        stepwell_wasm_session::step_with_closure(optimizer, &mut loss, read(options)?)
    })();
    result.map_err(|error| thrown(&error))
}

/// An `Error` of JavaScript with the `code` that the SDK looks for.
fn thrown(error: &Error) -> JsValue {
    let value = js_sys::Error::new(&error.to_string());
    // It fails on frozen objects only.
    let _ = Reflect::set(&value, &"code".into(), &error.code().as_str().into());
    value.into()
}
