//! JavaScript values to [`Dynamic`] ones and back. A handle crosses as a `bigint`, which no caller uses for anything else.

use std::cell::OnceCell;

use js_sys::{Array, ArrayBuffer, BigInt64Array, Float32Array, Float64Array, JsString, Object, Reflect, Symbol};
use stepwell_optim::fallible::{check_memory, collected, filled, out_of_memory, push};
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{Array as Numbers, Data, Dynamic, Handle};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// Its own keys: what it inherits is nobody's option.
    #[wasm_bindgen(catch, js_namespace = Object, js_name = keys)]
    fn own_keys(object: &Object) -> std::result::Result<Array, JsValue>;

    /// What an object has under a key; a getter is asked of the receiver.
    #[wasm_bindgen(catch, js_namespace = Reflect, js_name = get)]
    fn get_of(object: &JsValue, key: &JsValue, receiver: &JsValue) -> std::result::Result<JsValue, JsValue>;
}

/// Typed arrays that are copies. They throw where JavaScript has no memory, which is an error and no trap.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Float32Array)]
    type Floats;
    #[wasm_bindgen(constructor, catch, js_class = "Float32Array")]
    fn new(elements: &[f32]) -> std::result::Result<Floats, JsValue>;

    #[wasm_bindgen(js_name = Float64Array)]
    type Doubles;
    #[wasm_bindgen(constructor, catch, js_class = "Float64Array")]
    fn new(elements: &[f64]) -> std::result::Result<Doubles, JsValue>;

    #[wasm_bindgen(js_name = BigInt64Array)]
    type Longs;
    #[wasm_bindgen(constructor, catch, js_class = "BigInt64Array")]
    fn new(elements: &[i64]) -> std::result::Result<Longs, JsValue>;
}

/// Deeper nesting is refused, before recursion could exhaust the stack.
const DEEPEST: usize = 300;
/// More values in one call are refused, before a list that contains itself could exhaust memory.
const MOST_VALUES: usize = 1 << 24;

/// A copy of a value. Whatever runs code of the caller's, such as a getter, may throw: that is an error and no trap.
pub(crate) fn read(value: &JsValue) -> Result<Dynamic> {
    Reader { values: 0 }.read(value, 0)
}

struct Reader {
    values: usize,
}

impl Reader {
    fn read(&mut self, value: &JsValue, depth: usize) -> Result<Dynamic> {
        self.values += 1;
        // The list of arguments itself is a level and a value more than the caller knows of.
        if depth > DEEPEST + 1 || self.values > MOST_VALUES + 1 {
            let message = format!("arguments nested deeper than {DEEPEST} or of more than {MOST_VALUES} values");
            return Err(Error::new(Code::Argument, message));
        }
        if let Some(number) = value.as_f64() {
            return Ok(Dynamic::Number(number));
        }
        if value.is_string() {
            return read_text(value).map(Dynamic::Text);
        }
        if value.is_bigint() {
            let id = u64::try_from(value.clone()).map_or(-1.0, |id| id as f64);
            return Ok(Dynamic::Handle(Handle::from_number(id)));
        }
        if value.is_null() {
            return Ok(Dynamic::Null);
        }
        if value.is_undefined() {
            return Ok(Dynamic::Undefined);
        }
        if let Some(flag) = value.as_bool() {
            return Ok(Dynamic::Flag(flag));
        }
        if Array::is_array(value) {
            return self.read_list(value.unchecked_ref(), depth);
        }
        if ArrayBuffer::is_view(value) {
            return read_view(value);
        }
        if value.is_object() {
            return self.read_object(value.unchecked_ref(), depth);
        }
        Err(Error::new(Code::Argument, "expected data, given a function or a symbol"))
    }

    fn read_list(&mut self, array: &Array, depth: usize) -> Result<Dynamic> {
        let mut list = Vec::new();
        for index in 0..array.length() {
            push(&mut list, self.read(&Reflect::get_u32(array, index).map_err(|_| unreadable())?, depth + 1)?)?;
        }
        Ok(Dynamic::List(list))
    }

    fn read_object(&mut self, object: &Object, depth: usize) -> Result<Dynamic> {
        let mut entries = Vec::new();
        for key in own_keys(object).map_err(|_| unreadable())?.iter() {
            if !key.is_string() {
                continue;
            }
            let value = self.read(&Reflect::get(object, &key).map_err(|_| unreadable())?, depth + 1)?;
            if !matches!(value, Dynamic::Undefined) {
                push(&mut entries, (read_text(&key)?, value))?;
            }
        }
        Ok(Dynamic::Dictionary(entries))
    }
}

/// Copies a string. Its memory is taken by a way that cannot fail, so it is looked whether it is there.
fn read_text(value: &JsValue) -> Result<String> {
    // As many bytes as a character of a string can have.
    const LONGEST: usize = 3;
    let length = value.unchecked_ref::<JsString>().length() as usize;
    check_memory(length.saturating_mul(LONGEST))?;
    Ok(value.as_string().unwrap_or_default())
}

/// Copies a typed array; it has one dimension. What it is and how long is asked of the language, for its own properties can
/// say anything. One without memory has no elements; the SDK refuses it.
fn read_view(view: &JsValue) -> Result<Dynamic> {
    thread_local! {
        /// What all typed arrays inherit, and the name of their length: strings take long to cross.
        static FACTS: OnceCell<[JsValue; 2]> = const { OnceCell::new() };
    }
    let (name, length) = FACTS.with(|facts| {
        let [prototype, length] = facts.get_or_init(|| {
            let own = Reflect::get_prototype_of(&Float32Array::new_with_length(0));
            let shared = own.and_then(|own| Reflect::get_prototype_of(&own)).map_or(JsValue::NULL, JsValue::from);
            [shared, "length".into()]
        });
        let get = |key: &JsValue| get_of(prototype, key, view).unwrap_or(JsValue::NULL);
        (get(&Symbol::to_string_tag()).as_string().unwrap_or_default(), get(length).as_f64())
    });
    let length = length.unwrap_or(0.0) as usize;
    macro_rules! copy {
        ($type:ty) => {{
            let mut elements = filled(length, Default::default())?;
            if length > 0 {
                // SAFETY: nothing else sees the elements, and nothing is allocated while the view of them is there.
                unsafe { <$type>::view_mut_raw(elements.as_mut_ptr(), length) }.set(view, 0);
            }
            elements
        }};
    }
    let data = match name.as_str() {
        // Of memory that is not there any more. Every method begins by asking that.
        "Float32Array" => Data::Float(copy!(Float32Array)),
        "Float64Array" => Data::Double(copy!(Float64Array)),
        "BigInt64Array" => Data::Long(copy!(BigInt64Array)),
        "Int8Array" | "Uint8Array" | "Uint8ClampedArray" | "Int16Array" | "Uint16Array" | "Int32Array"
        | "Uint32Array" => {
            // JavaScript copies from a typed array into one of another type, and numbers of 64 bits hold all of these.
            let numbers: Vec<f64> = copy!(Float64Array);
            Data::Long(collected(numbers.into_iter().map(|x| x as i64))?)
        }
        _ => return Err(Error::new(Code::Argument, format!("a typed array of type {name} cannot become a tensor"))),
    };
    Ok(Dynamic::Array(Numbers { shape: vec![data.len()], data }))
}

/// The value for JavaScript. Numbers are copied out, for memory that grows takes every view of it away.
pub(crate) fn write(value: Dynamic) -> Result<JsValue> {
    Ok(match value {
        Dynamic::Null | Dynamic::Undefined => JsValue::NULL,
        Dynamic::Flag(flag) => flag.into(),
        Dynamic::Number(number) => number.into(),
        Dynamic::Text(text) => text.into(),
        Dynamic::Handle(handle) => JsValue::from(handle.to_number() as u64),
        Dynamic::List(list) => {
            let array = Array::new();
            for value in list {
                array.push(&write(value)?);
            }
            array.into()
        }
        Dynamic::Dictionary(entries) => {
            let pairs = Array::new();
            for (key, value) in entries {
                pairs.push(&pair(&key, &write(value)?));
            }
            object(&pairs)
        }
        Dynamic::Array(Numbers { data, shape }) => {
            let elements = match &data {
                Data::Float(elements) => Floats::new(elements).map(JsValue::from),
                Data::Double(elements) => Doubles::new(elements).map(JsValue::from),
                // Not every page has an array for numbers of 16 bits; `float` holds each of them exactly.
                Data::Half(elements) => Floats::new(&widened(elements)?).map(JsValue::from),
                Data::BFloat16(elements) => Floats::new(&widened(elements)?).map(JsValue::from),
                Data::Long(elements) => Longs::new(elements).map(JsValue::from),
            };
            let elements = elements.map_err(|_| out_of_memory(data.len() * 8))?;
            let shape = shape.into_iter().map(|size| JsValue::from(size as f64)).collect::<Array>();
            let pairs = Array::of2(&pair("data", &elements), &pair("shape", &shape));
            if data.dtype().is_reduced() {
                pairs.push(&pair("dtype", &data.dtype().name().into()));
            }
            object(&pairs)
        }
    })
}

fn widened<T: Copy + Into<f32>>(elements: &[T]) -> Result<Vec<f32>> {
    collected(elements.iter().map(|x| (*x).into()))
}

fn pair(key: &str, value: &JsValue) -> Array {
    Array::of2(&key.into(), value)
}

fn object(pairs: &Array) -> JsValue {
    // Defined, and not set: `__proto__` is a name like any other. It fails for what are no pairs.
    Object::from_entries(pairs).unwrap_or_default().into()
}

fn unreadable() -> Error {
    Error::new(Code::Argument, "the arguments cannot be read: reading them threw an exception")
}
