//! Modules and losses compute what PyTorch's compute, on the recordings that the engine on libtorch is tested with.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use crate::replay::{Calls, Tolerance, dynamic, read};
use serde_json::Value as Json;
use stepwell_session::Value;

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn module(recording: &Json, dtype: &str, tolerance: Tolerance) {
    let name = recording["name"].as_str().unwrap();
    let what = |part: &str| format!("{dtype} {name}, {part}");
    let expected = &recording["expected"][dtype];
    let mut k = Calls::new();
    let module = k.module(recording, dtype);
    let mut inputs = Vec::new();
    for values in list(&recording["inputs"]) {
        inputs.push(match recording["indices"].as_bool() {
            Some(true) => k.call("tensor", [dynamic(values), Value::string("long")]),
            _ => k.call("tensor", [dynamic(values), Value::string(dtype), Value::string("grad")]),
        });
    }
    let last = inputs.last().unwrap().clone();
    let mut others = Vec::new();
    for values in list(&recording["others"]) {
        others.push(k.call("tensor", [dynamic(values), Value::string(dtype), Value::string("grad")]));
    }
    let arguments = |x: &Value| [vec![module.clone(), x.clone()], others.clone()].concat();
    if recording.get("random").is_none() {
        let outputs: Vec<_> = inputs.iter().map(|x| k.call("forward", arguments(x))).collect();
        assert_eq!(outputs.len(), list(&expected["outputs"]).len());
        for (i, (output, theirs)) in outputs.iter().zip(list(&expected["outputs"])).enumerate() {
            k.expect(&what(&format!("output {i}")), output.clone(), theirs, tolerance);
        }
        let loss = k.call("mse", [outputs.last().unwrap().clone(), dynamic(&recording["target"])]);
        k.call("backward", [loss.clone()]);
        k.expect(&what("loss"), loss, &expected["loss"], tolerance);
    }
    if let Some(evaluated) = expected.get("evaluated") {
        let output = k.call("evaluate", arguments(&last));
        k.expect(&what("evaluated"), output, evaluated, tolerance);
    }
    if let Some(gradient) = expected.get("inputGradient") {
        let ours = k.call("grad", [last]);
        k.expect(&what("input gradient"), ours, gradient, tolerance);
    }
    for (other, theirs) in others.iter().zip(list(&expected["otherGradients"])) {
        let ours = k.call("grad", [other.clone()]);
        k.expect(&what("gradient of a further input"), ours, theirs, tolerance);
    }
    for (name, theirs) in expected["gradients"].as_object().into_iter().flatten() {
        let parameter = k.call("parm", [module.clone(), Value::string(name)]);
        let ours = k.call("grad", [parameter]);
        k.expect(&what(&format!("gradient of {name}")), ours, theirs, tolerance);
    }
    for (name, theirs) in expected["buffers"].as_object().into_iter().flatten() {
        let ours = k.call("parm", [module.clone(), Value::string(name)]);
        k.expect(&what(name), ours, theirs, tolerance);
    }
}

fn loss(number: usize, recording: &Json, dtype: &str, tolerance: Tolerance) {
    let name = recording["loss"].as_str().unwrap();
    let mut replayed = 0;
    for reduce in ["none", "mean", "sum"] {
        let what = |part: &str| format!("{dtype} {name}, recording {number}, {reduce}, {part}");
        let expected = &recording["expected"][dtype][reduce];
        let mut k = Calls::new();
        let x = k.call("tensor", [dynamic(&recording["input"]), Value::string(dtype), Value::string("grad")]);
        let mut options = recording["options"].as_object().unwrap().clone();
        options.insert("reduce".into(), reduce.into());
        let value = k.call(name, [x.clone(), dynamic(&recording["target"]), dynamic(&Json::Object(options))]);
        k.expect(&what("value"), value.clone(), &expected["value"], tolerance);
        if let Some(gradient) = expected.get("gradient") {
            k.call("backward", [value]);
            let ours = k.call("grad", [x]);
            k.expect(&what("gradient"), ours, gradient, tolerance);
            replayed += 1;
        }
    }
    assert_eq!(replayed, 2);
}

#[test]
fn modules() {
    let file = read("modules.json");
    for dtype in ["double", "float"] {
        let tolerance = Tolerance::of(&file, dtype);
        list(&file["recordings"]).iter().for_each(|recording| module(recording, dtype, tolerance));
    }
    assert!(!list(&file["recordings"]).is_empty());
}

#[test]
fn losses() {
    let file = read("losses.json");
    for dtype in ["double", "float"] {
        let tolerance = Tolerance::of(&file, dtype);
        for (number, recording) in list(&file["recordings"]).iter().enumerate() {
            loss(number, recording, dtype, tolerance);
        }
    }
    assert!(!list(&file["recordings"]).is_empty());
}
