//! `bindCompact(session)`: a function that calls an operation with arguments in the memory of the session. Two numbers follow the
//! arguments: the index of the operation, and how many doubles the arguments take. The handle of the result takes the place of the
//! index.
//!
//! Functions of N-API itself: conversions of a function that napi generates take longer than the operation of a small tensor.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi::bindgen_prelude::{Object, Unknown};
use napi::{Env, JsValue, check_status, sys};
use stepwell_optim::{Code, Error, Result};

use crate::convert::throw;
use crate::guard::{panicked, report_external_memory};
use crate::sessions::{self, COMPACT_LENGTH, CompactMemory};

/// The places of the index, and of the handle of the result; and of the number of doubles.
const INDEX: usize = COMPACT_LENGTH;
const LENGTH: usize = COMPACT_LENGTH + 1;

/// The session and the memory of a function that `bindCompact` has made.
struct Bound {
    session: u32,
    memory: CompactMemory,
}

/// Adds `bindCompact` to the exports of the addon.
pub(crate) fn export(exports: Object<'_>, env: Env) -> napi::Result<()> {
    let (env, name) = (env.raw(), c"bindCompact");
    let mut function = ptr::null_mut();
    // SAFETY: a live environment, a text that ends with 0, and a function without data.
    unsafe {
        check_status!(sys::napi_create_function(env, name.as_ptr(), -1, Some(bind), ptr::null_mut(), &mut function))?;
        check_status!(sys::napi_set_named_property(env, exports.raw(), name.as_ptr(), function))
    }
}

unsafe extern "C" fn bind(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: Node passes a live environment and call.
    answered(env, || unsafe { bound_function(env, info) })
}

unsafe extern "C" fn call(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: Node passes a live environment and call.
    answered(env, || unsafe { run(env, info) })
}

unsafe extern "C" fn drop_bound(_: sys::napi_env, bound: *mut c_void, _: *mut c_void) {
    // SAFETY: made by `bound_function`. The function that used it was collected.
    drop(unsafe { Box::from_raw(bound.cast::<Bound>()) });
}

/// The value of a function of this file. An error or a panic is thrown in JavaScript.
fn answered(env: sys::napi_env, run: impl FnOnce() -> Result<sys::napi_value>) -> sys::napi_value {
    let result = catch_unwind(AssertUnwindSafe(run));
    match result.unwrap_or_else(|panic: Box<dyn Any + Send>| Err(panicked(panic.as_ref()))) {
        Ok(value) => value,
        Err(error) => {
            throw(env, &error);
            ptr::null_mut()
        }
    }
}

/// The memory of a `Float64Array` for arguments, which is kept until the environment ends.
pub(crate) fn keep(env: Env, array: &Unknown<'_>) -> Result<CompactMemory> {
    let (mut kind, mut elements, mut memory) = (-1, 0, ptr::null_mut());
    let (mut reference, none) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: Node checks that the value is a typed array, and writes the results. A reference is never deleted.
    let read = unsafe {
        sys::napi_get_typedarray_info(
            env.raw(),
            array.raw(),
            &mut kind,
            &mut elements,
            &mut memory,
            none,
            ptr::null_mut(),
        ) | sys::napi_create_reference(env.raw(), array.raw(), 1, &mut reference)
    };
    match read == sys::Status::napi_ok && kind == sys::TypedarrayType::float64_array && elements == LENGTH + 1 {
        true => Ok(CompactMemory(memory.cast())),
        false => Err(Error::new(Code::Internal, "expected memory for arguments")),
    }
}

/// # Safety
/// Both are live.
unsafe fn bound_function(env: sys::napi_env, info: sys::napi_callback_info) -> Result<sys::napi_value> {
    let (mut count, mut given, mut session) = (1, ptr::null_mut(), 0);
    // SAFETY: Node fills one value, and a number of this type.
    let read = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, &mut given, ptr::null_mut(), ptr::null_mut())
            | sys::napi_get_value_uint32(env, given, &mut session)
    };
    let failed = || Error::new(Code::Internal, "expected the number of a session");
    if read != sys::Status::napi_ok {
        return Err(failed());
    }
    let (_, memory) = sessions::get_compact(session)?;
    let bound = Box::into_raw(Box::new(Bound { session, memory })).cast::<c_void>();
    let (name, mut function) = (c"callCompact", ptr::null_mut());
    // SAFETY: a live environment, a text that ends with 0, and data that lives until the function is collected.
    let made = unsafe { sys::napi_create_function(env, name.as_ptr(), -1, Some(call), bound, &mut function) };
    let (hint, result) = (ptr::null_mut(), ptr::null_mut());
    let is_bound = made == sys::Status::napi_ok && {
        // SAFETY: the function that was just made, and data for which this is the only finalizer.
        let added = unsafe { sys::napi_add_finalizer(env, function, bound, Some(drop_bound), hint, result) };
        added == sys::Status::napi_ok
    };
    if !is_bound {
        // SAFETY: nothing else has it: JavaScript never sees a function without its finalizer.
        drop(unsafe { Box::from_raw(bound.cast::<Bound>()) });
        return Err(failed());
    }
    Ok(function)
}

/// Returns `undefined`: the result is in the memory.
///
/// # Safety
/// Both are live, and of a call of a function that `bindCompact` has made.
unsafe fn run(env: sys::napi_env, info: sys::napi_callback_info) -> Result<sys::napi_value> {
    let (none, mut bound) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: Node writes the data of the function.
    let read = unsafe { sys::napi_get_cb_info(env, info, ptr::null_mut(), ptr::null_mut(), none, &mut bound) };
    let failed = || Error::new(Code::Internal, "arguments of a call that are not encoded as expected");
    if read != sys::Status::napi_ok {
        return Err(failed());
    }
    // SAFETY: the data of the function, which lives as long as it.
    let Bound { session, memory: CompactMemory(memory) } = unsafe { &*bound.cast::<Bound>() };
    // SAFETY: the memory has so many doubles, as `keep` has checked. No JavaScript runs before the session has read them.
    let numbers = unsafe { std::slice::from_raw_parts_mut(*memory, LENGTH + 1) };
    // A number that the SDK has not written is out of range, or the index of another operation.
    let (index, length) = (numbers[INDEX] as usize, numbers[LENGTH] as usize);
    let encoded = numbers[..INDEX].get(..length).ok_or_else(failed)?;
    let (session, _) = sessions::get_compact(*session)?;
    let Ok(mut session) = session.try_borrow_mut() else {
        return Err(Error::new(Code::Internal, "the session is in use"));
    };
    let handle = session.call_compact(index, encoded)?;
    numbers[INDEX] = handle;
    report_external_memory(Env::from_raw(env), session.bytes());
    Ok(ptr::null_mut())
}
