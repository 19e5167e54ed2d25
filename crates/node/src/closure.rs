//! The closure of a step. Its exceptions stay in JavaScript: napi would read their messages and causes. That runs code of the
//! caller, and does not end if an exception is its own cause.

use std::ptr;

use napi::bindgen_prelude::{Function, Unknown};
use napi::{JsValue, ValueType, sys};
use stepwell_optim::Result;
use stepwell_session::closure_failed;

/// Calls a closure.
///
/// # Errors
/// If the closure could not be called, threw an exception, or did not return a number.
pub(crate) fn loss(closure: &Function<'_, (), Unknown<'_>>) -> Result<f64> {
    let value = closure.value();
    let env = value.env;
    let mut scope = ptr::null_mut();
    // SAFETY: a live environment; Node writes the scope. Without a scope, each result would live until the step ends.
    if unsafe { sys::napi_open_handle_scope(env, &mut scope) } != sys::Status::napi_ok {
        return Err(closure_failed());
    }
    // SAFETY: a live function of that environment.
    let loss = unsafe { call(env, value.value) };
    // SAFETY: the scope from above. No value made in it is used later.
    unsafe { sys::napi_close_handle_scope(env, scope) };
    loss.ok_or_else(closure_failed)
}

/// # Safety
/// `function` is a live function of `env`.
unsafe fn call(env: sys::napi_env, function: sys::napi_value) -> Option<f64> {
    let (mut this, mut returned, mut kind, mut loss) = (ptr::null_mut(), ptr::null_mut(), 0, 0.0);
    // SAFETY: Node writes the results, and `returned` is read only after a successful call.
    unsafe {
        if sys::napi_get_undefined(env, &mut this) != sys::Status::napi_ok {
            return None;
        }
        if sys::napi_call_function(env, this, function, 0, ptr::null(), &mut returned) != sys::Status::napi_ok {
            let mut thrown = ptr::null_mut();
            sys::napi_get_and_clear_last_exception(env, &mut thrown);
            return None;
        }
        let typed = sys::napi_typeof(env, returned, &mut kind) == sys::Status::napi_ok;
        let is_number = typed && ValueType::from(kind) == ValueType::Number;
        let read = is_number && sys::napi_get_value_double(env, returned, &mut loss) == sys::Status::napi_ok;
        read.then_some(loss)
    }
}
