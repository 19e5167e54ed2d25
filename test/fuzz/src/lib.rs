//! Calls of a session from JSON, for the fuzz targets.

use std::cell::RefCell;

use serde_json::Value as Json;
use stepwell_engine_rust::RustEngine;
use stepwell_optim::Code;
use stepwell_session::{Session, Value};

/// In bytes, 64 MiB: calls that need more are errors.
const BUDGET: usize = 1 << 26;

/// A session with some objects: `"$0"` in JSON is the first of them.
pub struct World {
    session: RefCell<Session<RustEngine>>,
    objects: Vec<Value>,
}

impl World {
    /// A session with a tensor, a parameter, a module and an optimizer.
    #[must_use]
    pub fn new() -> Self {
        let mut world =
            Self { session: RefCell::new(Session::new(RustEngine::with_budget(BUDGET))), objects: Vec::new() };
        for (command, arguments) in [
            ("tensor", "[[[1,2,3],[4,5,6]]]"),
            ("tensor", r#"[[1,2],"grad"]"#),
            ("module", r#"[["linear","fc",3,2]]"#),
            ("opt", r#"["adam","$1"]"#),
            ("loss", r#"["mse"]"#),
        ] {
            let arguments = serde_json::from_str(arguments).expect("JSON");
            let made = world.call(command, &arguments).expect("a good call");
            world.objects.push(made);
        }
        world
    }

    /// Calls a command with a list of arguments. An internal error is a bug.
    pub fn call(&self, command: &str, arguments: &Json) -> Option<Value> {
        let Json::Array(arguments) = arguments else { return None };
        let arguments = arguments.iter().map(|argument| self.value(argument)).collect();
        match self.session.borrow_mut().call(command, arguments) {
            Ok(value) => Some(value),
            Err(error) => {
                assert_ne!(error.code(), Code::Internal, "{command}: {error}");
                None
            }
        }
    }

    /// Commands that read an object, with their results.
    pub fn look(&self, object: &Value) {
        for command in ["class", "state", "bytes", "size", "parmnames", "opt"] {
            let result = self.session.borrow_mut().call(command, vec![object.clone()]);
            if let Err(error) = result {
                assert_ne!(error.code(), Code::Internal, "{command}: {error}");
            }
        }
    }

    fn value(&self, json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(*flag),
            Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => match text.as_str() {
                "$undefined" => Value::Undefined,
                "$NaN" => Value::Number(f64::NAN),
                "$Infinity" => Value::Number(f64::INFINITY),
                "$0" | "$1" | "$2" | "$3" | "$4" => {
                    let index = usize::from(text.as_bytes()[1] - b'0');
                    self.objects.get(index).cloned().unwrap_or(Value::Null)
                }
                _ => Value::String(text.clone()),
            },
            Json::Array(items) => Value::Array(items.iter().map(|item| self.value(item)).collect()),
            Json::Object(entries) => {
                Value::object(entries.iter().map(|(key, value)| (key.clone(), self.value(value))))
            }
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
