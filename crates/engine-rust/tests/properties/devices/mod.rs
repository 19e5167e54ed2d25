//! The session keeps the tensors of an operation on one device, and gives the results of the CPU on every device. No GPU is needed:
//! the engine is a double that refuses operations on tensors of several devices.

#![allow(clippy::unwrap_used, clippy::panic, clippy::cloned_ref_to_slice_refs, reason = "a test")]

mod placed;

use placed::{MIXED, PlacedEngine};
use stepwell_engine_rust::RustEngine;
use stepwell_optim::{Code, Result};
use stepwell_session::{Data, NumericArray, Session, Value};

use crate::pointers::without_pointers;

fn text(text: &str) -> Value {
    Value::string(text)
}

fn list<const N: usize>(items: [Value; N]) -> Value {
    Value::Array(items.into())
}

fn number(x: f64) -> Value {
    Value::Number(x)
}

fn floats(shape: &[usize]) -> Value {
    let count: usize = shape.iter().product();
    let data = Data::Float((0..count).map(|i| ((i * 7 + 3) % 23) as f32 * 0.1 - 1.0).collect());
    Value::NumericArray(NumericArray { data, shape: shape.to_vec() })
}

fn classes(count: usize) -> Value {
    let data = Data::Long((0..count).map(|i| (i % 3) as i64).collect());
    Value::NumericArray(NumericArray { data, shape: vec![count] })
}

/// A session on the double, with all its results as text.
struct Recorder {
    session: Session<PlacedEngine>,
    device: &'static str,
    results: Vec<String>,
}

impl Recorder {
    fn new(device: &'static str) -> Self {
        let session = Session::new(PlacedEngine(RustEngine::with_budget(1 << 28)));
        Self { session, device, results: Vec::new() }
    }

    fn try_call(&mut self, command: &str, arguments: &[Value]) -> Result<Value> {
        let result = self.session.call(command, arguments.to_vec());
        assert!(!matches!(&result, Err(error) if error.to_string().contains(MIXED)), "{command}: {result:?}");
        result
    }

    fn call(&mut self, command: &str, arguments: &[Value]) -> Value {
        let result = self.try_call(command, arguments).unwrap();
        if !matches!(result, Value::Handle(_)) {
            // Identities of tensors differ from session to session.
            let shown = without_pointers(result.clone());
            self.results.push(format!("{command}: {shown:?}").replace("cuda:0", "DEVICE").replace("cuda:1", "DEVICE"));
        }
        result
    }

    fn on_device(&self) -> Value {
        text(self.device)
    }

    /// A classifier with running statistics and dropout, on the device.
    fn network(&mut self) -> Value {
        let layers = [
            list([text("linear"), text("a"), number(4.0), number(5.0)]),
            list([text("batchnorm"), text("n"), number(5.0)]),
            list([text("dropout"), number(0.25)]),
            list([text("layernorm"), list([number(5.0)])]),
            list([text("relu")]),
            list([text("linear"), text("b"), number(5.0), number(3.0)]),
        ];
        let specification = [("container", text("sequential")), ("children", Value::Array(layers.into()))];
        let module = self.call("module", &[Value::object(specification)]);
        let device = self.on_device();
        self.call("to", &[module.clone(), device]);
        module
    }

    fn parameter(&mut self, module: &Value, name: &str) -> Value {
        self.call("parm", &[module.clone(), text(name)])
    }
}

/// Results on the CPU and on two devices are equal.
fn equal(program: fn(&mut Recorder)) {
    let run = |device| {
        let mut recorder = Recorder::new(device);
        program(&mut recorder);
        recorder.results
    };
    let wanted = run("cpu");
    assert!(!wanted.is_empty());
    for device in ["cuda:0", "cuda:1"] {
        for (found, wanted) in run(device).iter().zip(&wanted) {
            assert_eq!(found, &wanted.replace("\"cpu\"", "\"DEVICE\""), "{device}");
        }
    }
}

#[test]
fn tensors_are_made_read_converted_and_overwritten() {
    equal(|r| {
        let device = r.on_device();
        let x = r.call("tensor", &[floats(&[2, 3]), device.clone()]);
        let y = r.call("full", &[list([number(2.0), number(3.0)]), number(1.5), device.clone()]);
        let z = r.call("to", &[x.clone(), text("double")]);
        for tensor in [&x, &y, &z] {
            r.call("device", std::slice::from_ref(tensor));
            r.call("data", std::slice::from_ref(tensor));
        }
        let host = r.call("tensor", &[floats(&[2, 3])]);
        for (from, to) in [(&host, &y), (&x, &host), (&y, &z)] {
            r.call("copyto", &[from.clone(), to.clone()]);
            r.call("data", std::slice::from_ref(to));
        }
    });
}

#[test]
fn modules_losses_and_gradients_stay_on_their_device() {
    equal(|r| {
        let m = r.network();
        let output = r.call("forward", &[m.clone(), floats(&[6, 4])]);
        let loss = r.call("ce", &[output.clone(), classes(6)]);
        r.call("data", &[output.clone()]);
        r.call("backward", &[loss]);
        let weight = r.parameter(&m, "a.weight");
        r.call("grad", &[weight.clone()]);
        r.call("clip", &[m.clone(), number(0.5)]);
        r.call("grad", &[weight.clone()]);
        r.call("grad", &[weight.clone(), floats(&[5, 4])]);
        r.call("clipv", &[m.clone(), number(0.25)]);
        r.call("grad", &[weight.clone()]);
        for loss in ["mse", "l1", "smoothl1", "bcewithlogits"] {
            let value = r.call(loss, &[output.clone(), floats(&[6, 3])]);
            r.call("data", &[value]);
        }
        let evaluated = r.call("evaluate", &[m.clone(), floats(&[6, 4])]);
        r.call("data", &[evaluated]);
        r.call("state", &[m.clone()]);
        r.call("outline", &[m]);
        let words = list([text("embedding"), number(5.0), number(3.0)]);
        let words = r.call("module", &[words]);
        let device = r.on_device();
        r.call("to", &[words.clone(), device]);
        let found = r.call("forward", &[words, classes(4)]);
        r.call("data", &[found]);
    });
}

#[test]
fn trainings_take_data_from_every_device() {
    equal(|r| {
        let device = r.on_device();
        let host = [r.call("tensor", &[floats(&[6, 4])]), r.call("tensor", &[classes(6)])];
        let there =
            [r.call("to", &[host[0].clone(), device.clone()]), r.call("to", &[host[1].clone(), device.clone()])];
        for [inputs, targets] in [host, there, [floats(&[6, 4]), classes(6)]] {
            let m = r.network();
            let o = r.call("opt", &[text("adam"), m.clone(), number(0.1)]);
            let loss = r.call("loss", &[text("ce")]);
            let model = r.call("model", &[m.clone(), loss, o.clone()]);
            let metrics = list([text("loss"), text("accuracy")]);
            let options = [("batchsize", number(2.0)), ("accumulate", number(2.0)), ("metrics", metrics)];
            r.call("train", &[model.clone(), Value::object(options)]);
            r.call("train", &[model.clone(), inputs.clone(), targets.clone()]);
            r.call("test", &[model.clone(), inputs, targets]);
            r.call("run", &[model.clone()]);
            r.call("testrun", &[model.clone()]);
            // The module moves during a training, and back.
            r.call("to", &[m.clone(), text("cpu")]);
            r.call("run", &[model.clone()]);
            r.call("to", &[m.clone(), device.clone()]);
            r.call("run", &[model.clone()]);
            r.call("state", &[m]);
            r.call("state", &[o]);
        }
    });
}

#[test]
fn states_move_between_devices() {
    equal(|r| {
        let m = r.network();
        let o = r.call("opt", &[text("adam"), m.clone(), number(0.1), Value::object([("average", number(0.5))])]);
        let step = |r: &mut Recorder, m: &Value, o: &Value| {
            r.call("seed", &[number(7.0)]);
            let output = r.call("forward", &[m.clone(), floats(&[6, 4])]);
            let loss = r.call("ce", &[output, classes(6)]);
            r.call("backward", &[loss]);
            r.call("step", &[o.clone(), Value::object([("zerograd", Value::Bool(true))])]);
        };
        step(r, &m, &o);
        let states = [r.call("state", &[m.clone()]), r.call("state", &[o.clone()])];
        // Restored on the CPU, wherever it was saved.
        let copy = r.call("module", &[states[0].clone()]);
        let restored = r.call("opt", &[states[1].clone(), copy.clone()]);
        let weight = r.parameter(&copy, "a.weight");
        assert_eq!(r.session.call("device", vec![weight]).unwrap(), text("cpu"));
        for (m, o) in [(&m, &o), (&copy, &restored)] {
            step(r, m, o);
            r.call("state", std::slice::from_ref(m));
            r.call("average", std::slice::from_ref(o));
            r.call("state", std::slice::from_ref(m));
        }
    });
}

#[test]
fn several_devices_are_an_error_that_says_which() {
    let mut r = Recorder::new("cuda:1");
    let m = r.network();
    let (host, first) = (r.call("tensor", &[floats(&[6, 4])]), r.call("tensor", &[floats(&[6, 3]), text("cuda:0")]));
    let output = r.call("forward", &[m.clone(), floats(&[6, 4])]);
    let weight = r.parameter(&m, "b.weight");
    let gradient = r.call("tensor", &[floats(&[3, 5]), text("cuda:0")]);
    for (command, arguments, what, found) in [
        ("forward", [m.clone(), host.clone()], "an input", "cpu"),
        ("evaluate", [m.clone(), host], "an input", "cpu"),
        ("mse", [output, first], "a target", "cuda:0"),
        ("grad", [weight, gradient], "a gradient", "cuda:0"),
    ] {
        let error = r.try_call(command, &arguments).unwrap_err();
        let text = format!("expected {what} on cuda:1, given one on {found}: to(x, \"cuda:1\") copies a tensor x");
        assert_eq!((error.code(), error.to_string()), (Code::Device, format!("{command}: {text}")));
    }
}

#[test]
fn a_device_holds_more_than_host_memory() {
    let mut r = Recorder::new("cuda:0");
    let shape = list([number((1u64 << 40) as f64)]);
    let error = r.try_call("full", &[shape.clone(), number(0.0)]).unwrap_err();
    assert!(error.to_string().contains("one tensor may take at most a quarter"), "{error}");
    // The double has host memory only, so that it fails when it makes the tensor.
    let error = r.try_call("full", &[shape, number(0.0), text("cuda:0")]).unwrap_err();
    assert!(error.code() == Code::Memory && !error.to_string().contains("one tensor may take"), "{error}");
}
