//! The digits of numbers in messages, which JavaScript finds.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Number;

    /// With as many digits as tell the number from every other.
    #[wasm_bindgen(method, js_name = toExponential)]
    fn to_exponential(this: &Number) -> String;
}

/// See `stepwell_optim::Number`.
// SAFETY: no other function of the module has this name.
#[unsafe(no_mangle)]
fn stepwell_exponential(x: f64) -> String {
    JsValue::from(x).unchecked_into::<Number>().to_exponential()
}
