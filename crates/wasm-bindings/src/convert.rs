//! Conversion of JavaScript values to [`Value`] and back. A handle is a `bigint`, a type that has no other use at this interface.

use std::cell::OnceCell;
use std::slice;

use stepwell_optim::fallible::{check_memory, collected, out_of_memory, push, with_capacity};
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{Data, Dtype, Handle, NumericArray, Value};
use wasm_bindgen::prelude::*;

use crate::javascript::{
    Array, Bytes, Doubles, FLOATS_PROTOTYPE, Floats, Longs, Sequence, TO_STRING_TAG, element, from_entries, is_view,
    own_keys, property, prototype_of, set_bits, set_doubles, set_floats, set_longs,
};

/// The maximum nesting of a value: recursion over it must not exhaust the stack.
const MAX_DEPTH: usize = 300;
/// The maximum number of values in one call: a list that contains itself must not exhaust memory.
const MAX_VALUES: usize = 1 << 24;

/// Copies a value. Code of the caller, such as a getter, may throw: that becomes an error and not a trap.
pub(crate) fn read(value: &JsValue) -> Result<Value> {
    Reader { values: 0 }.read(value, 0)
}

struct Reader {
    values: usize,
}

impl Reader {
    fn read(&mut self, value: &JsValue, depth: usize) -> Result<Value> {
        self.values += 1;
        // The list of arguments adds one level and one value.
        if depth > MAX_DEPTH + 1 || self.values > MAX_VALUES + 1 {
            let message = format_args!("arguments nested deeper than {MAX_DEPTH} or of more than {MAX_VALUES} values");
            return Err(Error::new(Code::Argument, message));
        }
        if let Some(number) = value.as_f64() {
            return Ok(Value::Number(number));
        }
        if value.is_string() {
            return read_text(value).map(Value::String);
        }
        if value.is_bigint() {
            let id = u64::try_from(value.clone()).map_or(-1.0, |id| id as f64);
            return Ok(Value::Handle(Handle::from_number(id)));
        }
        if value.is_null() {
            return Ok(Value::Null);
        }
        if value.is_undefined() {
            return Ok(Value::Undefined);
        }
        if let Some(flag) = value.as_bool() {
            return Ok(Value::Bool(flag));
        }
        if Array::is_array(value) {
            return self.read_list(value, depth);
        }
        if is_view(value) {
            return read_view(value);
        }
        if value.is_object() {
            return self.read_object(value, depth);
        }
        Err(Error::new(Code::Argument, "expected data, given a function or a symbol"))
    }

    fn read_list(&mut self, array: &JsValue, depth: usize) -> Result<Value> {
        let mut list = Vec::new();
        for index in 0..length(array) {
            push(&mut list, self.read(&element(array, index).map_err(unreadable)?, depth + 1)?)?;
        }
        Ok(Value::Array(list))
    }

    fn read_object(&mut self, object: &JsValue, depth: usize) -> Result<Value> {
        let mut entries = Vec::new();
        let keys = own_keys(object).map_err(unreadable)?;
        for index in 0..length(&keys) {
            let key = element(&keys, index).map_err(unreadable)?;
            let value = self.read(&property(object, &key, object).map_err(unreadable)?, depth + 1)?;
            if !matches!(value, Value::Undefined) {
                push(&mut entries, (read_text(&key)?, value))?;
            }
        }
        Ok(Value::Object(entries))
    }
}

/// The length of an array or of a string.
fn length(sequence: &JsValue) -> u32 {
    sequence.unchecked_ref::<Sequence>().length()
}

/// Copies a string. The allocation traps if it fails, so memory is checked before.
fn read_text(value: &JsValue) -> Result<String> {
    // The maximum number of bytes in UTF-8 for one UTF-16 code unit.
    const MAX_BYTES: usize = 3;
    check_memory((length(value) as usize).saturating_mul(MAX_BYTES))?;
    Ok(value.as_string().unwrap_or_default())
}

/// Copies a typed array to an array of one dimension.
///
/// Type and length are read by the getters of the prototype, since own properties of the object may have any value. A detached
/// array has no elements; the SDK rejects it.
fn read_view(view: &JsValue) -> Result<Value> {
    thread_local! {
        /// The prototype of all typed arrays, and the string "length": a new string for each call is slow.
        static TYPED_ARRAY: OnceCell<[JsValue; 2]> = const { OnceCell::new() };
    }
    let (name, length) = TYPED_ARRAY.with(|cell| {
        let [prototype, length] = cell.get_or_init(|| [FLOATS_PROTOTYPE.with(prototype_of), "length".into()]);
        let get = |key: &JsValue| property(prototype, key, view).unwrap_or(JsValue::NULL);
        (TO_STRING_TAG.with(get).as_string().unwrap_or_default(), get(length).as_f64())
    });
    let length = length.unwrap_or(0.0) as usize;
    macro_rules! copy {
        ($set:ident, $element:ty) => {{
            let mut elements: Vec<$element> = with_capacity(length)?;
            if length > 0 {
                // SAFETY: only this slice refers to the elements. All of them are set and none is read: both arrays have this
                // length, and an element is as large as one of the slice.
                unsafe {
                    $set(slice::from_raw_parts_mut(elements.as_mut_ptr().cast(), length), view);
                    elements.set_len(length);
                }
            }
            elements
        }};
    }
    let data = match name.as_str() {
        "Float32Array" => Data::Float(copy!(set_floats, f32)),
        "Float64Array" => Data::Double(copy!(set_doubles, f64)),
        // The SDK passes a rectangular list of plain numbers in this type, which has no other use at this interface.
        "BigUint64Array" => {
            // The bytes are doubles.
            return Value::plain_numbers(copy!(set_bits, f64)).ok_or_else(|| unsupported(&name));
        }
        "BigInt64Array" => Data::Long(copy!(set_longs, i64)),
        "Int8Array" | "Uint8Array" | "Uint8ClampedArray" | "Int16Array" | "Uint16Array" | "Int32Array"
        | "Uint32Array" => {
            // `set` converts between types, and f64 holds every integer of 32 bits.
            let numbers = copy!(set_doubles, f64);
            Data::Long(collected(numbers.into_iter().map(|x| x as i64))?)
        }
        _ => return Err(unsupported(&name)),
    };
    Ok(Value::NumericArray(NumericArray { shape: vec![data.len()], data }))
}

fn unsupported(kind: &str) -> Error {
    Error::new(Code::Argument, format_args!("a typed array of type {kind} cannot become a tensor"))
}

/// Converts a value to JavaScript. Arrays are copied, since growing memory detaches every view of it.
pub(crate) fn write(value: Value) -> Result<JsValue> {
    Ok(match value {
        Value::Null | Value::Undefined => JsValue::NULL,
        Value::Bool(flag) => flag.into(),
        Value::Number(number) => number.into(),
        Value::String(text) => text.into(),
        Value::Handle(handle) => JsValue::from(handle.to_number() as u64),
        // Bytes of a file, which WebAssembly does not have.
        #[cfg(not(target_arch = "wasm32"))]
        Value::Bytes(_) => JsValue::NULL,
        Value::Array(list) => {
            let array = Array::new();
            for value in list {
                array.push(&write(value)?);
            }
            array.into()
        }
        Value::Object(entries) => {
            let pairs = Array::new();
            for (key, value) in entries {
                pairs.push(&Array::entry(&key, &write(value)?));
            }
            object(&pairs)
        }
        Value::NumericArray(NumericArray { data, shape }) | Value::Numbers(NumericArray { data, shape }) => {
            let elements = match &data {
                Data::Float(elements) => Floats::new(elements).map(JsValue::from),
                Data::Double(elements) => Doubles::new(elements).map(JsValue::from),
                // Not every browser has Float16Array. f32 holds each value of 16 bits exactly.
                Data::Half(elements) => Floats::new(&widened(elements)?).map(JsValue::from),
                Data::BFloat16(elements) => Floats::new(&widened(elements)?).map(JsValue::from),
                Data::Long(elements) => Longs::new(elements).map(JsValue::from),
                Data::Bool(elements) => {
                    Bytes::new(&collected(elements.iter().map(|x| u8::from(*x)))?).map(JsValue::from)
                }
            };
            let elements = elements.map_err(|_| out_of_memory(data.len() * 8))?;
            let sizes = Array::new();
            for size in shape {
                sizes.push(&JsValue::from(size as f64));
            }
            let entries = Array::new();
            entries.push(&Array::entry("data", &elements));
            entries.push(&Array::entry("shape", &sizes));
            if data.dtype().is_reduced() || data.dtype() == Dtype::Bool {
                entries.push(&Array::entry("dtype", &data.dtype().name().into()));
            }
            object(&entries)
        }
    })
}

fn widened<T: Copy + Into<f32>>(elements: &[T]) -> Result<Vec<f32>> {
    collected(elements.iter().map(|x| (*x).into()))
}

fn object(entries: &Array) -> JsValue {
    // Fails only if an entry is not a pair.
    from_entries(entries).unwrap_or_default()
}

fn unreadable(_thrown: JsValue) -> Error {
    Error::new(Code::Argument, "the arguments cannot be read: reading them threw an exception")
}
