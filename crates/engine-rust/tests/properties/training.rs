//! A session on this engine trains as PyTorch does, step by step.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use crate::replay::{Calls, Tolerance, dynamic, read};
use stepwell_session::Value;

#[test]
fn a_hundred_steps() {
    let file = read("training.json");
    for dtype in ["double", "float"] {
        let tolerance = Tolerance::of(&file, dtype);
        let expected = &file["expected"][dtype];
        let mut k = Calls::new();
        let module = k.module(&file, dtype);
        let Value::Array(optimizer) = dynamic(&file["optimizer"]) else { panic!("no list") };
        let [name, lr] = optimizer.try_into().unwrap();
        let optimizer = k.call("opt", [name, module.clone(), lr]);
        let (inputs, targets) = (file["inputs"].as_array().unwrap(), file["targets"].as_array().unwrap());
        for (step, theirs) in expected["losses"].as_array().unwrap().iter().enumerate() {
            k.call("zerograd", [module.clone()]);
            let x = k.call("tensor", [dynamic(&inputs[step % inputs.len()]), Value::string(dtype)]);
            let output = k.call("forward", [module.clone(), x.clone()]);
            let loss = k.call("ce", [output.clone(), dynamic(&targets[step % targets.len()])]);
            k.call("backward", [loss.clone()]);
            k.call("step", [optimizer.clone()]);
            k.expect(&format!("{dtype} loss {step}"), loss.clone(), theirs, tolerance);
            k.call("free", [x, output, loss]);
        }
        for (name, theirs) in expected["parameters"].as_object().unwrap() {
            let ours = k.call("parm", [module.clone(), Value::string(name)]);
            k.expect(&format!("{dtype} {name}"), ours, theirs, tolerance);
        }
    }
}
