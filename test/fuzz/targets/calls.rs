//! Calls of any command with anything: `[command, argument, ...]`, one after the other.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use stepwell_fuzz::World;

/// Commands that read and write files, which a fuzzed path must not reach.
const FILES: [&str; 3] = ["save", "load", "inspect"];

fuzz_target!(|text: &str| {
    let Ok(Value::Array(calls)) = serde_json::from_str(text) else { return };
    let world = World::new();
    for call in calls {
        let Value::Array(mut call) = call else { continue };
        if call.is_empty() {
            continue;
        }
        let Value::String(command) = call.remove(0) else { continue };
        if FILES.contains(&command.as_str()) {
            continue;
        }
        if let Some(result) = world.call(&command, &Value::Array(call)) {
            world.look(&result);
        }
    }
});
