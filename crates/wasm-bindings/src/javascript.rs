//! The functions of JavaScript that conversions call.
//!
//! js-sys has them, too. But its functions that take closures stay in the module, although nothing calls them.

use wasm_bindgen::prelude::*;

type Called<T> = Result<T, JsValue>;

#[wasm_bindgen]
extern "C" {
    pub(crate) type Array;
    #[wasm_bindgen(constructor)]
    pub(crate) fn new() -> Array;
    #[wasm_bindgen(static_method_of = Array, js_name = isArray)]
    pub(crate) fn is_array(value: &JsValue) -> bool;
    #[wasm_bindgen(method)]
    pub(crate) fn push(this: &Array, value: &JsValue) -> u32;
    /// The property `key` of an object, as an array of two.
    #[wasm_bindgen(static_method_of = Array, js_name = of)]
    pub(crate) fn entry(key: &str, value: &JsValue) -> Array;

    /// An array or a string.
    pub(crate) type Sequence;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn length(this: &Sequence) -> u32;

    pub type Function;
    #[wasm_bindgen(method, catch)]
    pub(crate) fn call(this: &Function) -> Called<JsValue>;

    pub(crate) type Error;
    #[wasm_bindgen(constructor)]
    pub(crate) fn new(message: &str) -> Error;
    #[wasm_bindgen(method, setter, catch)]
    pub(crate) fn set_code(this: &Error, code: &str) -> Called<()>;

    /// The own keys of an object: inherited properties are not options.
    #[wasm_bindgen(catch, js_namespace = Object, js_name = keys)]
    pub(crate) fn own_keys(object: &JsValue) -> Called<JsValue>;
    /// An object of [`Array::entry`]s. Defines properties instead of setting them, so that `__proto__` is an ordinary name.
    #[wasm_bindgen(catch, js_namespace = Object, js_name = fromEntries)]
    pub(crate) fn from_entries(entries: &Array) -> Called<JsValue>;
    #[wasm_bindgen(js_namespace = Object, js_name = getPrototypeOf)]
    pub(crate) fn prototype_of(object: &JsValue) -> JsValue;

    /// An element of an array.
    #[wasm_bindgen(catch, js_namespace = Reflect, js_name = get)]
    pub(crate) fn element(array: &JsValue, index: u32) -> Called<JsValue>;
    /// The property of an object. A getter runs with `receiver` as `this`.
    #[wasm_bindgen(catch, js_namespace = Reflect, js_name = get)]
    pub(crate) fn property(object: &JsValue, key: &JsValue, receiver: &JsValue) -> Called<JsValue>;

    #[wasm_bindgen(thread_local_v2, js_namespace = Symbol, js_name = toStringTag)]
    pub(crate) static TO_STRING_TAG: JsValue;
    #[wasm_bindgen(thread_local_v2, js_namespace = Float32Array, js_name = prototype)]
    pub(crate) static FLOATS_PROTOTYPE: JsValue;
    #[wasm_bindgen(js_namespace = ArrayBuffer, js_name = isView)]
    pub(crate) fn is_view(value: &JsValue) -> bool;
}

/// Constructors of typed arrays that copy. Without memory they throw, which becomes an error and not a trap.
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Float32Array)]
    pub(crate) type Floats;
    #[wasm_bindgen(constructor, catch, js_class = "Float32Array")]
    pub(crate) fn new(elements: &[f32]) -> Called<Floats>;

    #[wasm_bindgen(js_name = Float64Array)]
    pub type Doubles;
    #[wasm_bindgen(constructor, catch, js_class = "Float64Array")]
    pub(crate) fn new(elements: &[f64]) -> Called<Doubles>;

    #[wasm_bindgen(js_name = BigInt64Array)]
    pub(crate) type Longs;
    #[wasm_bindgen(constructor, catch, js_class = "BigInt64Array")]
    pub(crate) fn new(elements: &[i64]) -> Called<Longs>;

    #[wasm_bindgen(js_name = Uint8Array)]
    pub(crate) type Bytes;
    #[wasm_bindgen(constructor, catch, js_class = "Uint8Array")]
    pub(crate) fn new(elements: &[u8]) -> Called<Bytes>;
}

/// Methods of typed arrays on memory of the module.
#[wasm_bindgen]
extern "C" {
    /// Copies a typed array of this length, whose elements are converted.
    #[wasm_bindgen(js_namespace = ["Float32Array", "prototype", "set"], js_name = call)]
    pub(crate) fn set_floats(to: &mut [f32], from: &JsValue);
    #[wasm_bindgen(js_namespace = ["Float64Array", "prototype", "set"], js_name = call)]
    pub(crate) fn set_doubles(to: &mut [f64], from: &JsValue);
    #[wasm_bindgen(js_namespace = ["BigInt64Array", "prototype", "set"], js_name = call)]
    pub(crate) fn set_longs(to: &mut [i64], from: &JsValue);
    #[wasm_bindgen(js_namespace = ["BigUint64Array", "prototype", "set"], js_name = call)]
    pub(crate) fn set_bits(to: &mut [u64], from: &JsValue);
    /// A view of memory, which is valid until the memory of the module grows.
    #[wasm_bindgen(js_namespace = ["Float64Array", "prototype", "subarray"], js_name = call)]
    pub(crate) fn view(memory: &[f64]) -> Doubles;
}
