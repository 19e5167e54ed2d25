//! The parser of modules: `module(...)` with anything, and a pass through what it made.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use stepwell_fuzz::World;

fuzz_target!(|text: &str| {
    let Ok(given @ Value::Array(_)) = serde_json::from_str::<Value>(text) else { return };
    let world = World::new();
    if let Some(module) = world.call("module", &json!([given])) {
        world.look(&module);
    }
    world.call("module", &given);
    world.call("loss", &given);
});
