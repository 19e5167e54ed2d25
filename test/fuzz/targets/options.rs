//! The parser of options: `opt(name, parameter, ...)` and `opt(state, parameter)` with anything.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use stepwell_fuzz::World;

fuzz_target!(|text: &str| {
    let Ok(Value::Array(given)) = serde_json::from_str(text) else { return };
    let world = World::new();
    let arguments = |first: &Value, rest: &[Value]| {
        let mut list = vec![first.clone(), json!("$1")];
        list.extend_from_slice(rest);
        Value::Array(list)
    };
    if let [first, rest @ ..] = &given[..]
        && let Some(optimizer) = world.call("opt", &arguments(first, rest))
    {
        world.look(&optimizer);
    }
    world.call("schedule", &json!(["$3", given.first()]));
});
