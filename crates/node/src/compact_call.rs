//! `callCompact(session, index, length)`: calls an operation with arguments in the memory of the session.
//!
//! A function of N-API itself: conversions of a function that napi generates take longer than the operation of a small tensor.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use napi::bindgen_prelude::{Object, Unknown};
use napi::{Env, JsValue, check_status, sys};
use stepwell_optim::{Code, Error, Result};

use crate::convert::throw;
use crate::guard::{panicked, report_external_memory};
use crate::sessions::{self, COMPACT_LENGTH, CompactMemory};

/// Adds the function to the exports of the addon.
pub(crate) fn export(exports: Object<'_>, env: Env) -> napi::Result<()> {
    let (env, name) = (env.raw(), c"callCompact");
    let mut function = ptr::null_mut();
    // SAFETY: a live environment, a text that ends with 0, and a function without data.
    unsafe {
        check_status!(sys::napi_create_function(env, name.as_ptr(), -1, Some(call), ptr::null_mut(), &mut function))?;
        check_status!(sys::napi_set_named_property(env, exports.raw(), name.as_ptr(), function))
    }
}

unsafe extern "C" fn call(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: Node passes a live environment and call.
    let result = catch_unwind(AssertUnwindSafe(|| unsafe { run(env, info) }));
    match result.unwrap_or_else(|panic: Box<dyn Any + Send>| Err(panicked(panic.as_ref()))) {
        Ok(handle) => {
            let mut value = ptr::null_mut();
            // SAFETY: a live environment, which sets `value`; null is `undefined`.
            unsafe { sys::napi_create_double(env, handle, &mut value) };
            value
        }
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
    match read == sys::Status::napi_ok && kind == sys::TypedarrayType::float64_array && elements == COMPACT_LENGTH {
        true => Ok(CompactMemory(memory.cast_const().cast())),
        false => Err(Error::new(Code::Internal, "expected memory for arguments")),
    }
}

/// # Safety
/// Both are live.
unsafe fn run(env: sys::napi_env, info: sys::napi_callback_info) -> Result<f64> {
    let (mut count, mut given) = (3, [ptr::null_mut(); 3]);
    let (mut session, mut index, mut length) = (0, 0, 0);
    // SAFETY: Node fills three values, and numbers of this type.
    let read = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, given.as_mut_ptr(), ptr::null_mut(), ptr::null_mut())
            | sys::napi_get_value_uint32(env, given[0], &mut session)
            | sys::napi_get_value_uint32(env, given[1], &mut index)
            | sys::napi_get_value_uint32(env, given[2], &mut length)
    };
    if read != sys::Status::napi_ok || length as usize > COMPACT_LENGTH {
        return Err(Error::new(Code::Internal, "arguments of a call that are not encoded as expected"));
    }
    let (session, CompactMemory(memory)) = sessions::get_compact(session)?;
    // SAFETY: the memory has that many doubles, as `keep` has checked. No JavaScript runs before the session has read them.
    let encoded = unsafe { std::slice::from_raw_parts(memory, length as usize) };
    let Ok(mut session) = session.try_borrow_mut() else {
        return Err(Error::new(Code::Internal, "the session is in use"));
    };
    let handle = session.call_compact(index as usize, encoded)?;
    let bytes = session.bytes();
    report_external_memory(Env::from_raw(env), bytes);
    Ok(handle)
}
