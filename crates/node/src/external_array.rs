//! Typed arrays over memory of Rust, without a copy.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::size_of_val;
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::{ToNapiValue, TypedArrayType};
use napi::{Result, check_status, sys};

/// Elements that become a typed array without a copy. In a thread that is being terminated Node makes no array, and the elements
/// are freed, which napi's own arrays do not do.
pub(crate) struct ExternalArray<T>(pub(crate) Vec<T>);

/// An element type with a typed array in JavaScript.
pub(crate) trait Element: Copy + 'static {
    const KIND: TypedArrayType;
}

impl Element for f32 {
    const KIND: TypedArrayType = TypedArrayType::Float32;
}

impl Element for f64 {
    const KIND: TypedArrayType = TypedArrayType::Float64;
}

impl Element for i64 {
    const KIND: TypedArrayType = TypedArrayType::BigInt64;
}

impl Element for u8 {
    const KIND: TypedArrayType = TypedArrayType::Uint8;
}

/// The elements, shared by two owners of which the first takes and frees them: Node, or the caller after a failure of Node.
type SharedElements<T> = Rc<Cell<Vec<T>>>;

/// Called by Node, on the thread of the environment, when the buffer is collected or the environment ends.
unsafe extern "C" fn finalize<T>(_: sys::napi_env, _: *mut c_void, shared: *mut c_void) {
    // SAFETY: a reference count that Node was given and returns once.
    drop(unsafe { Rc::from_raw(shared.cast_const().cast::<Cell<Vec<T>>>()) }.take());
}

impl<T: Element> ToNapiValue for ExternalArray<T> {
    unsafe fn to_napi_value(env: sys::napi_env, ExternalArray(mut elements): Self) -> Result<sys::napi_value> {
        let (length, bytes) = (elements.len(), size_of_val(&elements[..]));
        let start = elements.as_mut_ptr();
        let mut buffer = ptr::null_mut();
        if length == 0 {
            // SAFETY: a live environment. A buffer of Node, since empty lists share one address, which two buffers may not have.
            check_status!(unsafe { sys::napi_create_arraybuffer(env, 0, ptr::null_mut(), &mut buffer) })?;
        } else {
            let shared: SharedElements<T> = Rc::new(Cell::new(elements));
            let hint = Rc::into_raw(Rc::clone(&shared)).cast_mut().cast();
            // SAFETY: the elements stay in place until `finalize` or the lines below take them. After a failure no buffer refers
            // to them, but Node may still call `finalize`, so its reference count is left alone.
            let status = unsafe {
                sys::napi_create_external_arraybuffer(env, start.cast(), bytes, Some(finalize::<T>), hint, &mut buffer)
            };
            if status != sys::Status::napi_ok {
                let elements = shared.take();
                // Electron allows no external buffers.
                if status != sys::Status::napi_no_external_buffers_allowed {
                    check_status!(status)?;
                }
                let mut copy = ptr::null_mut();
                // SAFETY: a live environment; source and destination have `bytes` bytes.
                unsafe {
                    check_status!(sys::napi_create_arraybuffer(env, bytes, &mut copy, &mut buffer))?;
                    ptr::copy_nonoverlapping(elements.as_ptr().cast::<u8>(), copy.cast(), bytes);
                }
            }
        }
        let mut array = ptr::null_mut();
        // SAFETY: a live buffer of `length` elements.
        check_status!(unsafe { sys::napi_create_typedarray(env, T::KIND as i32, length, buffer, 0, &mut array) })?;
        Ok(array)
    }
}
