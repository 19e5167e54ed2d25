//! Conversion of JavaScript values to [`Value`] and back. A handle is a `bigint`, a type that has no other use at this interface.

use std::ffi::CString;

use napi::bindgen_prelude::{BigInt, FromNapiValue, Null, Object, ToNapiValue, TypedArrayType};
use napi::{Error, Result, Status, ValueType, check_status, sys, type_of};
use stepwell_optim::fallible::{check_memory, collected, copied, push};
use stepwell_session::{Data, Dtype, Handle, NumericArray, Value};

use crate::external_array::ExternalArray;

/// The maximum nesting of a value: recursion over it must not exhaust the stack.
const MAX_DEPTH: usize = 300;
/// The maximum number of values in one call: a list that contains itself must not exhaust memory.
const MAX_VALUES: usize = 1 << 24;

/// An argument or result of a function of the addon. An error of Stepwell keeps its code, which napi's errors do not have.
pub struct NapiValue(pub(crate) stepwell_optim::Result<Value>);

/// The reason why a value cannot be read.
enum ReadError {
    Node(Error),
    Stepwell(stepwell_optim::Error),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        ReadError::Node(error)
    }
}

impl From<stepwell_optim::Error> for ReadError {
    fn from(error: stepwell_optim::Error) -> Self {
        ReadError::Stepwell(error)
    }
}

type Read = std::result::Result<Value, ReadError>;

impl FromNapiValue for NapiValue {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut reader = Reader { env, values: 0 };
        // SAFETY: Node passes a live environment and value.
        match unsafe { reader.read(value, 0) } {
            Ok(value) => Ok(NapiValue(Ok(value))),
            Err(ReadError::Stepwell(error)) => Ok(NapiValue(Err(error))),
            Err(ReadError::Node(error)) => Err(error),
        }
    }
}

struct Reader {
    env: sys::napi_env,
    values: usize,
}

impl Reader {
    /// # Safety
    /// `value` is a live value of `self.env`.
    unsafe fn read(&mut self, value: sys::napi_value, depth: usize) -> Read {
        self.values += 1;
        // The list of arguments adds one level and one value.
        if depth > MAX_DEPTH + 1 || self.values > MAX_VALUES + 1 {
            let message = format!("arguments nested deeper than {MAX_DEPTH} or of more than {MAX_VALUES} values");
            return Err(Error::new(Status::InvalidArg, message).into());
        }
        let env = self.env;
        // SAFETY: `value` is live, and each conversion is the one for the type that Node reports.
        unsafe {
            Ok(match type_of!(env, value)? {
                ValueType::Undefined => Value::Undefined,
                ValueType::Null => Value::Null,
                ValueType::Boolean => Value::Bool(bool::from_napi_value(env, value)?),
                ValueType::Number => Value::Number(f64::from_napi_value(env, value)?),
                ValueType::String => Value::String(read_text(env, value)?),
                ValueType::BigInt => {
                    let (negative, id, exact) = BigInt::from_napi_value(env, value)?.get_u64();
                    Value::Handle(Handle::from_number(if negative || !exact { -1.0 } else { id as f64 }))
                }
                ValueType::Object => self.read_object(value, depth)?,
                _ => return Err(Error::new(Status::InvalidArg, "expected data, given a function or a symbol").into()),
            })
        }
    }

    /// # Safety
    /// `value` is a live object of `self.env`.
    unsafe fn read_object(&mut self, value: sys::napi_value, depth: usize) -> Read {
        let env = self.env;
        let (mut is_array, mut is_typed_array) = (false, false);
        // SAFETY: `value` is live; Node writes the two results.
        unsafe {
            check_status!(sys::napi_is_array(env, value, &mut is_array))?;
            check_status!(sys::napi_is_typedarray(env, value, &mut is_typed_array))?;
        }
        if is_typed_array {
            // SAFETY: it is a typed array.
            return unsafe { read_typed_array(env, value) };
        }
        let mut is_data_view = false;
        // SAFETY: `value` is live; Node writes the result.
        check_status!(unsafe { sys::napi_is_dataview(env, value, &mut is_data_view) })?;
        if is_data_view {
            // SAFETY: it is a view of bytes.
            return unsafe { read_bytes(env, value) };
        }
        if is_array {
            let mut length = 0;
            // SAFETY: it is an array.
            check_status!(unsafe { sys::napi_get_array_length(env, value, &mut length) })?;
            let mut list = Vec::new();
            for index in 0..length {
                let mut element = std::ptr::null_mut();
                // SAFETY: Node sets `element` to a live value.
                check_status!(unsafe { sys::napi_get_element(env, value, index, &mut element) })?;
                // SAFETY: `element` is live.
                push(&mut list, unsafe { self.read(element, depth + 1) }?)?;
            }
            return Ok(Value::Array(list));
        }
        let (mut names, mut count) = (std::ptr::null_mut(), 0);
        // SAFETY: it is an object, and Node writes the results. Own keys only: inherited properties are not options.
        unsafe {
            check_status!(sys::napi_get_all_property_names(
                env,
                value,
                sys::KeyCollectionMode::own_only,
                sys::KeyFilter::enumerable | sys::KeyFilter::skip_symbols,
                sys::KeyConversion::numbers_to_strings,
                &mut names
            ))?;
            check_status!(sys::napi_get_array_length(env, names, &mut count))?;
        }
        let mut entries = Vec::new();
        for index in 0..count {
            let (mut name, mut property) = (std::ptr::null_mut(), std::ptr::null_mut());
            // SAFETY: Node sets both to live values. The key is a value of Node, not a C string, since it may contain a zero byte.
            let (name, entry) = unsafe {
                check_status!(sys::napi_get_element(env, names, index, &mut name))?;
                check_status!(sys::napi_get_property(env, value, name, &mut property))?;
                (name, self.read(property, depth + 1)?)
            };
            if !matches!(entry, Value::Undefined) {
                // SAFETY: it is a live string.
                push(&mut entries, (unsafe { read_text(env, name) }?, entry))?;
            }
        }
        Ok(Value::Object(entries))
    }
}

/// Copies a string. The allocation aborts the process if it fails, so memory is checked before.
///
/// # Safety
/// `value` is a live string of `env`.
unsafe fn read_text(env: sys::napi_env, value: sys::napi_value) -> std::result::Result<String, ReadError> {
    /// In UTF-16 code units. Shorter strings are not checked.
    const LONG: usize = 1 << 16;
    let mut length = 0;
    // SAFETY: it is a string, and without a buffer Node only writes the length.
    unsafe {
        check_status!(sys::napi_get_value_string_utf16(env, value, std::ptr::null_mut(), 0, &mut length))?;
        if length > LONG {
            check_status!(sys::napi_get_value_string_utf8(env, value, std::ptr::null_mut(), 0, &mut length))?;
            check_memory(length)?;
        }
        Ok(String::from_napi_value(env, value)?)
    }
}

/// Copies the bytes of a data view. The SDK passes the bytes of a file in this type, which has no other use at this interface.
///
/// # Safety
/// `value` is a live data view of `env`.
unsafe fn read_bytes(env: sys::napi_env, value: sys::napi_value) -> Read {
    let (mut length, mut start) = (0, std::ptr::null_mut());
    let (mut buffer, mut offset) = (std::ptr::null_mut(), 0);
    // SAFETY: Node writes the results.
    check_status!(unsafe {
        sys::napi_get_dataview_info(env, value, &mut length, &mut start, &mut buffer, &mut offset)
    })?;
    let bytes = match length {
        0 => &[],
        // SAFETY: Node reports so many bytes there. No JavaScript runs before they are copied.
        _ => unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) },
    };
    Ok(Value::Bytes(copied(bytes)?))
}

/// Copies a typed array to an array of one dimension.
///
/// # Safety
/// `value` is a live typed array of `env`.
unsafe fn read_typed_array(env: sys::napi_env, value: sys::napi_value) -> Read {
    let (mut kind, mut length, mut start) = (0, 0, std::ptr::null_mut());
    let (mut buffer, mut offset) = (std::ptr::null_mut(), 0);
    // SAFETY: Node writes the results.
    check_status!(unsafe {
        sys::napi_get_typedarray_info(env, value, &mut kind, &mut length, &mut start, &mut buffer, &mut offset)
    })?;
    macro_rules! elements {
        ($type:ty) => {
            if length == 0 {
                &[][..]
            } else {
                // SAFETY: Node reports `length` elements of this type, aligned, at `start`. No JavaScript runs before they are
                // copied, so they are neither moved nor resized.
                unsafe { std::slice::from_raw_parts(start.cast::<$type>(), length) }
            }
        };
    }
    macro_rules! widen {
        ($type:ty) => {{
            let elements: &[$type] = elements!($type);
            Data::Long(collected(elements.iter().map(|x| i64::from(*x)))?)
        }};
    }
    let data = match TypedArrayType::from(kind) {
        TypedArrayType::Float32 => Data::Float(copied(elements!(f32))?),
        TypedArrayType::Float64 => Data::Double(copied(elements!(f64))?),
        // The SDK passes a rectangular list of plain numbers in this type, which has no other use at this interface.
        TypedArrayType::BigUint64 => {
            let numbers = Value::plain_numbers(copied(elements!(f64))?);
            return numbers.ok_or_else(|| unsupported("BigUint64Array").into());
        }
        TypedArrayType::BigInt64 => Data::Long(copied(elements!(i64))?),
        TypedArrayType::Int8 => widen!(i8),
        TypedArrayType::Uint8 | TypedArrayType::Uint8Clamped => widen!(u8),
        TypedArrayType::Int16 => widen!(i16),
        TypedArrayType::Uint16 => widen!(u16),
        TypedArrayType::Int32 => widen!(i32),
        TypedArrayType::Uint32 => widen!(u32),
        other => return Err(unsupported(&format!("{other:?}")).into()),
    };
    Ok(Value::NumericArray(NumericArray { shape: vec![data.len()], data }))
}

fn unsupported(kind: &str) -> Error {
    Error::new(Status::InvalidArg, format!("a typed array of type {kind} cannot become a tensor"))
}

/// Converts values of 16 bits, exactly, to f32: not every Node has Float16Array.
fn widened<T: Into<f32>>(env: sys::napi_env, elements: Vec<T>) -> Result<ExternalArray<f32>> {
    collected(elements.into_iter().map(T::into)).map(ExternalArray).map_err(|error| thrown(env, &error))
}

/// Booleans as 0 and 1.
fn bytes_of(env: sys::napi_env, elements: &[bool]) -> Result<ExternalArray<u8>> {
    collected(elements.iter().map(|x| u8::from(*x))).map(ExternalArray).map_err(|error| thrown(env, &error))
}

/// Throws an error with its code in JavaScript.
pub(crate) fn throw(env: sys::napi_env, error: &stepwell_optim::Error) -> sys::napi_status {
    let (code, message) = (error.code().as_str(), error.to_string());
    let [code, message] = [code, &message].map(|text| CString::new(text).unwrap_or_default());
    // SAFETY: Node passes a live environment, and both texts end with 0.
    unsafe { sys::napi_throw_error(env, code.as_ptr(), message.as_ptr()) }
}

/// Throws an error. Returns the error that makes napi leave the exception pending.
fn thrown(env: sys::napi_env, error: &stepwell_optim::Error) -> Error {
    match throw(env, error) {
        sys::Status::napi_ok => Error::new(Status::PendingException, ""),
        _ => Error::new(Status::GenericFailure, error.to_string()),
    }
}

/// The descriptor of a property that is defined, not set, so that `__proto__` is an ordinary name.
fn property(name: sys::napi_value, value: sys::napi_value) -> sys::napi_property_descriptor {
    use sys::PropertyAttributes::{configurable, enumerable, writable};
    sys::napi_property_descriptor {
        utf8name: std::ptr::null(),
        name,
        method: None,
        getter: None,
        setter: None,
        value,
        attributes: writable | enumerable | configurable,
        data: std::ptr::null_mut(),
    }
}

impl ToNapiValue for NapiValue {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        // SAFETY: Node passes a live environment.
        unsafe {
            match value.0.map_err(|error| thrown(env, &error))? {
                Value::Null | Value::Undefined => ToNapiValue::to_napi_value(env, Null),
                Value::Bool(flag) => ToNapiValue::to_napi_value(env, flag),
                Value::Number(number) => ToNapiValue::to_napi_value(env, number),
                Value::String(text) => ToNapiValue::to_napi_value(env, text),
                Value::Handle(handle) => ToNapiValue::to_napi_value(env, BigInt::from(handle.to_number() as u64)),
                Value::Bytes(bytes) => ToNapiValue::to_napi_value(env, ExternalArray(bytes)),
                Value::Array(list) => ToNapiValue::to_napi_value(
                    env,
                    list.into_iter().map(|value| NapiValue(Ok(value))).collect::<Vec<_>>(),
                ),
                Value::Object(entries) => {
                    let mut properties = Vec::with_capacity(entries.len());
                    for (key, value) in entries {
                        let name = ToNapiValue::to_napi_value(env, key)?;
                        properties.push(property(name, ToNapiValue::to_napi_value(env, NapiValue(Ok(value)))?));
                    }
                    let object = ToNapiValue::to_napi_value(env, Object::new(&napi::Env::from_raw(env))?)?;
                    check_status!(sys::napi_define_properties(env, object, properties.len(), properties.as_ptr()))?;
                    Ok(object)
                }
                Value::NumericArray(NumericArray { data, shape }) | Value::Numbers(NumericArray { data, shape }) => {
                    let mut object = Object::new(&napi::Env::from_raw(env))?;
                    let dtype = data.dtype();
                    match data {
                        Data::Float(elements) => object.set("data", ExternalArray(elements))?,
                        Data::Double(elements) => object.set("data", ExternalArray(elements))?,
                        Data::Half(elements) => object.set("data", widened(env, elements)?)?,
                        Data::BFloat16(elements) => object.set("data", widened(env, elements)?)?,
                        Data::Long(elements) => object.set("data", ExternalArray(elements))?,
                        Data::Bool(elements) => object.set("data", bytes_of(env, &elements)?)?,
                    };
                    if dtype.is_reduced() || dtype == Dtype::Bool {
                        object.set("dtype", dtype.name())?;
                    }
                    object.set("shape", shape.into_iter().map(|size| size as f64).collect::<Vec<_>>())?;
                    ToNapiValue::to_napi_value(env, object)
                }
            }
        }
    }
}
