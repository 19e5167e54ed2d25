//! Elements that JavaScript reads where they are.

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::size_of_val;
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::{ToNapiValue, TypedArrayType};
use napi::{Result, check_status, sys};

/// Elements that become a typed array without a copy. A thread that is being ended makes none, and the elements are freed:
/// napi's own arrays would leave them behind.
pub(crate) struct Lent<T>(pub(crate) Vec<T>);

/// A number that JavaScript has an array for.
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

/// Whoever comes first takes the elements and frees them: Node, or the caller that Node has told of a failure.
type Held<T> = Rc<Cell<Vec<T>>>;

/// What Node calls, on the thread of the environment, when the buffer is found or the environment ends.
unsafe extern "C" fn found<T>(_: sys::napi_env, _: *mut c_void, held: *mut c_void) {
    // SAFETY: a count that was handed to Node, which hands it back once.
    drop(unsafe { Rc::from_raw(held.cast_const().cast::<Cell<Vec<T>>>()) }.take());
}

impl<T: Element> ToNapiValue for Lent<T> {
    unsafe fn to_napi_value(env: sys::napi_env, Lent(mut elements): Self) -> Result<sys::napi_value> {
        let (length, bytes) = (elements.len(), size_of_val(&elements[..]));
        let start = elements.as_mut_ptr();
        let mut buffer = ptr::null_mut();
        if length == 0 {
            // SAFETY: a live environment. Two buffers cannot have the place of an empty list.
            check_status!(unsafe { sys::napi_create_arraybuffer(env, 0, ptr::null_mut(), &mut buffer) })?;
        } else {
            let held: Held<T> = Rc::new(Cell::new(elements));
            let hint = Rc::into_raw(Rc::clone(&held)).cast_mut().cast();
            // SAFETY: the elements stay where they are until `found` or the lines below take them. After a failure nobody has a
            // buffer to reach them by; Node may still call `found`, so that its count is left to it.
            let status = unsafe {
                sys::napi_create_external_arraybuffer(env, start.cast(), bytes, Some(found::<T>), hint, &mut buffer)
            };
            if status != sys::Status::napi_ok {
                let elements = held.take();
                // Elsewhere than in Node, such as in Electron, there are only buffers of the engine's own.
                if status != sys::Status::napi_no_external_buffers_allowed {
                    check_status!(status)?;
                }
                let mut place = ptr::null_mut();
                // SAFETY: a live environment; so many bytes are there to be read and written.
                unsafe {
                    check_status!(sys::napi_create_arraybuffer(env, bytes, &mut place, &mut buffer))?;
                    ptr::copy_nonoverlapping(elements.as_ptr().cast::<u8>(), place.cast(), bytes);
                }
            }
        }
        let mut array = ptr::null_mut();
        // SAFETY: a live buffer of so many elements.
        check_status!(unsafe { sys::napi_create_typedarray(env, T::KIND as i32, length, buffer, 0, &mut array) })?;
        Ok(array)
    }
}
