//! A session on this engine, called as a binding calls it, and recordings read from JSON.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;
use stepwell_engine_rust::RustEngine;
use stepwell_session::{Data, NumericArray, Session, Value};

/// A file of test/parity.
pub(crate) fn read(name: &str) -> Json {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test/parity").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// How far a number may be from the one that is expected: |ours - theirs| <= atol + rtol |theirs|.
#[derive(Clone, Copy)]
pub(crate) struct Tolerance {
    pub(crate) rtol: f64,
    pub(crate) atol: f64,
}

impl Tolerance {
    pub(crate) fn of(file: &Json, dtype: &str) -> Self {
        let tolerance = &file["tolerance"][dtype];
        Self { rtol: tolerance["rtol"].as_f64().unwrap(), atol: tolerance["atol"].as_f64().unwrap() }
    }
}

/// The value that a JSON value stands for.
pub(crate) fn dynamic(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => Value::Number(number.as_f64().unwrap()),
        Json::String(text) => Value::string(text),
        Json::Array(list) => Value::Array(list.iter().map(dynamic).collect()),
        Json::Object(entries) => Value::object(entries.iter().map(|(key, value)| (key.clone(), dynamic(value)))),
    }
}

fn flatten(json: &Json, shape: &mut Vec<usize>, depth: usize, flat: &mut Vec<f64>) {
    let Json::Array(rows) = json else { return flat.push(json.as_f64().unwrap()) };
    if shape.len() == depth {
        shape.push(rows.len());
    }
    assert_eq!(shape[depth], rows.len(), "a ragged recording");
    rows.iter().for_each(|row| flatten(row, shape, depth + 1, flat));
}

/// Nested numbers with the sizes of their dimensions.
pub(crate) fn numbers(json: &Json) -> (Vec<usize>, Vec<f64>) {
    let (mut shape, mut flat) = (Vec::new(), Vec::new());
    flatten(json, &mut shape, 0, &mut flat);
    (shape, flat)
}

/// A session that fails the test where a call fails.
pub(crate) struct Calls(pub(crate) Session<RustEngine>);

impl Calls {
    pub(crate) fn new() -> Self {
        Self(Session::new(RustEngine::new()))
    }

    /// The module of a recording, with its parameters.
    #[track_caller]
    pub(crate) fn module(&mut self, recording: &Json, dtype: &str) -> Value {
        let module = self.call("module", [dynamic(&recording["module"])]);
        self.call("to", [module.clone(), Value::string(dtype)]);
        for (name, values) in recording["parameters"].as_object().unwrap() {
            let parameter = self.call("parm", [module.clone(), Value::string(name)]);
            self.call("copyto", [dynamic(values), parameter]);
        }
        module
    }

    #[track_caller]
    pub(crate) fn call(&mut self, command: &str, arguments: impl Into<Vec<Value>>) -> Value {
        self.0.call(command, arguments.into()).unwrap()
    }

    /// The elements of a tensor, or a number that was returned.
    #[track_caller]
    pub(crate) fn array(&mut self, given: Value) -> NumericArray {
        let given = if let Value::Handle(_) = given { self.call("data", [given]) } else { given };
        let Value::NumericArray(array) = given else { panic!("expected a tensor, given {given}") };
        array
    }

    /// Fails unless the tensor is near what was recorded.
    #[track_caller]
    pub(crate) fn expect(&mut self, what: &str, ours: Value, theirs: &Json, Tolerance { rtol, atol }: Tolerance) {
        let NumericArray { data, shape } = self.array(ours);
        let Ok(Data::Double(data)) = data.cast(stepwell_session::Dtype::Double) else { panic!("no numbers") };
        let (expected_shape, expected) = numbers(theirs);
        assert_eq!(shape, expected_shape, "{what}");
        for (i, (a, b)) in data.iter().zip(&expected).enumerate() {
            assert!((a - b).abs() <= atol + rtol * b.abs(), "{what}, element {i}: {a} instead of {b}");
        }
    }
}
