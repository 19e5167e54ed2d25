//! Numbers in messages, formatted by JavaScript, which saves code in the module.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Number;

    /// Exponential notation with the shortest digits that identify the number.
    #[wasm_bindgen(method, js_name = toExponential)]
    fn to_exponential(this: &Number) -> String;
}

/// See `stepwell_optim::Number`.
// SAFETY: the prefix `stepwell_` makes the symbol unique.
#[unsafe(no_mangle)]
fn stepwell_exponential(x: f64) -> String {
    JsValue::from(x).unchecked_into::<Number>().to_exponential()
}
