//! JavaScript values to [`Dynamic`] ones and back. A handle crosses as a `bigint`, which no caller uses for anything else.

use std::ffi::CString;

use napi::bindgen_prelude::{BigInt, FromNapiValue, Null, Object, ToNapiValue, TypedArrayType};
use napi::{Error, Result, Status, ValueType, check_status, sys, type_of};
use stepwell_optim::fallible::{check_memory, collected, copied, push};
use stepwell_session::{Array, Data, Dynamic, Handle};

use crate::lent::Lent;

/// Deeper nesting is refused, before recursion could exhaust the stack.
const DEEPEST: usize = 300;
/// More values in one call are refused, before a list that contains itself could exhaust memory.
const MOST_VALUES: usize = 1 << 24;

/// A [`Dynamic`] value on its way from or to JavaScript, or why there is none: an error of Stepwell's own keeps its code.
pub struct Crossing(pub(crate) stepwell_optim::Result<Dynamic>);

/// Why a value cannot be read.
enum Unreadable {
    Node(Error),
    Own(stepwell_optim::Error),
}

impl From<Error> for Unreadable {
    fn from(error: Error) -> Self {
        Unreadable::Node(error)
    }
}

impl From<stepwell_optim::Error> for Unreadable {
    fn from(error: stepwell_optim::Error) -> Self {
        Unreadable::Own(error)
    }
}

type Read = std::result::Result<Dynamic, Unreadable>;

impl FromNapiValue for Crossing {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut reader = Reader { env, values: 0 };
        // SAFETY: Node passes a live environment and value.
        match unsafe { reader.read(value, 0) } {
            Ok(value) => Ok(Crossing(Ok(value))),
            Err(Unreadable::Own(error)) => Ok(Crossing(Err(error))),
            Err(Unreadable::Node(error)) => Err(error),
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
        // The list of arguments itself is a level and a value more than the caller knows of.
        if depth > DEEPEST + 1 || self.values > MOST_VALUES + 1 {
            let message = format!("arguments nested deeper than {DEEPEST} or of more than {MOST_VALUES} values");
            return Err(Error::new(Status::InvalidArg, message).into());
        }
        let env = self.env;
        // SAFETY: `value` is live, and every conversion below is the one for the type that Node says it has.
        unsafe {
            Ok(match type_of!(env, value)? {
                ValueType::Undefined => Dynamic::Undefined,
                ValueType::Null => Dynamic::Null,
                ValueType::Boolean => Dynamic::Flag(bool::from_napi_value(env, value)?),
                ValueType::Number => Dynamic::Number(f64::from_napi_value(env, value)?),
                ValueType::String => Dynamic::Text(read_text(env, value)?),
                ValueType::BigInt => {
                    let (negative, id, exact) = BigInt::from_napi_value(env, value)?.get_u64();
                    Dynamic::Handle(Handle::from_number(if negative || !exact { -1.0 } else { id as f64 }))
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
        // SAFETY: `value` is live; Node fills the two answers.
        unsafe {
            check_status!(sys::napi_is_array(env, value, &mut is_array))?;
            check_status!(sys::napi_is_typedarray(env, value, &mut is_typed_array))?;
        }
        if is_typed_array {
            // SAFETY: it is a typed array.
            return unsafe { read_typed_array(env, value) };
        }
        if is_array {
            let mut length = 0;
            // SAFETY: it is an array.
            check_status!(unsafe { sys::napi_get_array_length(env, value, &mut length) })?;
            let mut list = Vec::new();
            for index in 0..length {
                let mut element = std::ptr::null_mut();
                // SAFETY: Node fills `element` with a live value.
                check_status!(unsafe { sys::napi_get_element(env, value, index, &mut element) })?;
                // SAFETY: as said.
                push(&mut list, unsafe { self.read(element, depth + 1) }?)?;
            }
            return Ok(Dynamic::List(list));
        }
        let (mut names, mut count) = (std::ptr::null_mut(), 0);
        // SAFETY: it is an object, and Node fills the answers. Its own keys only: those that it inherits are nobody's options.
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
            // SAFETY: Node fills both with live values. By a string of Node's, for a key may hold a zero byte.
            let (name, entry) = unsafe {
                check_status!(sys::napi_get_element(env, names, index, &mut name))?;
                check_status!(sys::napi_get_property(env, value, name, &mut property))?;
                (name, self.read(property, depth + 1)?)
            };
            if !matches!(entry, Dynamic::Undefined) {
                // SAFETY: it is a live string.
                push(&mut entries, (unsafe { read_text(env, name) }?, entry))?;
            }
        }
        Ok(Dynamic::Dictionary(entries))
    }
}

/// Copies a string. Its memory is taken by a way that cannot fail, so it is looked whether it is there.
///
/// # Safety
/// `value` is a live string of `env`.
unsafe fn read_text(env: sys::napi_env, value: sys::napi_value) -> std::result::Result<String, Unreadable> {
    const LONG: usize = 1 << 16;
    let mut length = 0;
    // SAFETY: it is a string, and Node only tells its length where there is no room for it.
    unsafe {
        check_status!(sys::napi_get_value_string_utf16(env, value, std::ptr::null_mut(), 0, &mut length))?;
        if length > LONG {
            check_status!(sys::napi_get_value_string_utf8(env, value, std::ptr::null_mut(), 0, &mut length))?;
            check_memory(length)?;
        }
        Ok(String::from_napi_value(env, value)?)
    }
}

/// Copies a typed array; it has one dimension.
///
/// # Safety
/// `value` is a live typed array of `env`.
unsafe fn read_typed_array(env: sys::napi_env, value: sys::napi_value) -> Read {
    let (mut kind, mut length, mut start) = (0, 0, std::ptr::null_mut());
    let (mut buffer, mut offset) = (std::ptr::null_mut(), 0);
    // SAFETY: Node fills the answers.
    check_status!(unsafe {
        sys::napi_get_typedarray_info(env, value, &mut kind, &mut length, &mut start, &mut buffer, &mut offset)
    })?;
    macro_rules! elements {
        ($type:ty) => {
            if length == 0 {
                &[][..]
            } else {
                // SAFETY: Node says that `length` elements of this type begin at `start`, aligned for it, and nothing
                // runs that could move or resize them before they are copied.
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
        TypedArrayType::BigInt64 => Data::Long(copied(elements!(i64))?),
        TypedArrayType::Int8 => widen!(i8),
        TypedArrayType::Uint8 | TypedArrayType::Uint8Clamped => widen!(u8),
        TypedArrayType::Int16 => widen!(i16),
        TypedArrayType::Uint16 => widen!(u16),
        TypedArrayType::Int32 => widen!(i32),
        TypedArrayType::Uint32 => widen!(u32),
        other => {
            return Err(Error::new(
                Status::InvalidArg,
                format!("a typed array of type {other:?} cannot become a tensor"),
            )
            .into());
        }
    };
    Ok(Dynamic::Array(Array { shape: vec![data.len()], data }))
}

/// Not every Node has an array for numbers of 16 bits; `float` holds each of them exactly.
fn widened<T: Into<f32>>(env: sys::napi_env, elements: Vec<T>) -> Result<Lent<f32>> {
    collected(elements.into_iter().map(T::into)).map(Lent).map_err(|error| thrown(env, &error))
}

/// Throws an error of Stepwell's own, with its code, on the way out.
fn thrown(env: sys::napi_env, error: &stepwell_optim::Error) -> Error {
    let (code, message) = (error.code().as_str(), error.to_string());
    let [code, message] = [code, &message].map(|text| CString::new(text).unwrap_or_default());
    // SAFETY: Node passes a live environment, and both texts end with 0.
    match unsafe { sys::napi_throw_error(env, code.as_ptr(), message.as_ptr()) } {
        sys::Status::napi_ok => Error::new(Status::PendingException, ""),
        _ => Error::new(Status::GenericFailure, error.to_string()),
    }
}

/// A property that is to be defined, and not set: `__proto__` is a name like any other.
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

impl ToNapiValue for Crossing {
    unsafe fn to_napi_value(env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        // SAFETY: Node passes a live environment.
        unsafe {
            match value.0.map_err(|error| thrown(env, &error))? {
                Dynamic::Null | Dynamic::Undefined => ToNapiValue::to_napi_value(env, Null),
                Dynamic::Flag(flag) => ToNapiValue::to_napi_value(env, flag),
                Dynamic::Number(number) => ToNapiValue::to_napi_value(env, number),
                Dynamic::Text(text) => ToNapiValue::to_napi_value(env, text),
                Dynamic::Handle(handle) => ToNapiValue::to_napi_value(env, BigInt::from(handle.to_number() as u64)),
                Dynamic::List(list) => ToNapiValue::to_napi_value(
                    env,
                    list.into_iter().map(|value| Crossing(Ok(value))).collect::<Vec<_>>(),
                ),
                Dynamic::Dictionary(entries) => {
                    let mut properties = Vec::with_capacity(entries.len());
                    for (key, value) in entries {
                        let name = ToNapiValue::to_napi_value(env, key)?;
                        properties.push(property(name, ToNapiValue::to_napi_value(env, Crossing(Ok(value)))?));
                    }
                    let object = ToNapiValue::to_napi_value(env, Object::new(&napi::Env::from_raw(env))?)?;
                    check_status!(sys::napi_define_properties(env, object, properties.len(), properties.as_ptr()))?;
                    Ok(object)
                }
                Dynamic::Array(Array { data, shape }) => {
                    let mut object = Object::new(&napi::Env::from_raw(env))?;
                    let dtype = data.dtype();
                    match data {
                        Data::Float(elements) => object.set("data", Lent(elements))?,
                        Data::Double(elements) => object.set("data", Lent(elements))?,
                        Data::Half(elements) => object.set("data", widened(env, elements)?)?,
                        Data::BFloat16(elements) => object.set("data", widened(env, elements)?)?,
                        Data::Long(elements) => object.set("data", Lent(elements))?,
                    };
                    if dtype.is_reduced() {
                        object.set("dtype", dtype.name())?;
                    }
                    object.set("shape", shape.into_iter().map(|size| size as f64).collect::<Vec<_>>())?;
                    ToNapiValue::to_napi_value(env, object)
                }
            }
        }
    }
}
