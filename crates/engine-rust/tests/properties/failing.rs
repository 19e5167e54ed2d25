//! If the k-th allocation of a call fails, the call fails and changes nothing, and the next call succeeds. Tested for all k,
//! and for every function whose memory a caller decides.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../../../optim/tests/properties/allocator.rs"]
mod allocator;

use std::cell::RefCell;
use std::collections::BTreeMap;

use allocator::{undisturbed, until_enough};
use stepwell_engine_rust::RustEngine;
use stepwell_optim::{Code, Error, Result};
use stepwell_session::{Data, NumericArray, Session, Value};

use crate::pointers::without_pointers;

/// A session and the handles that it gave, by name.
struct World {
    session: RefCell<Session<RustEngine>>,
    named: BTreeMap<String, Value>,
}

/// An argument: `$name` stands for a handle.
fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::Array(items.into_iter().collect())
}

fn text(text: &str) -> Value {
    Value::string(text)
}

fn number(x: impl Into<f64>) -> Value {
    Value::Number(x.into())
}

fn sizes(sizes: &[usize]) -> Value {
    Value::sizes(sizes)
}

fn options<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::object(entries)
}

fn floats(shape: &[usize], scale: f32) -> Value {
    let count: usize = shape.iter().product();
    let data = Data::Float((0..count).map(|i| ((i * 7 + 3) % 23) as f32 * scale - 1.0).collect());
    shaped(data, shape)
}

fn classes(count: usize, most: usize) -> Value {
    shaped(Data::Long((0..count).map(|i| (i % most) as i64).collect()), &[count])
}

/// A tensor as `data` returns it.
fn shaped(data: Data, shape: &[usize]) -> Value {
    let shape_given = vec![data.len()];
    options([("data", Value::NumericArray(NumericArray { data, shape: shape_given })), ("shape", sizes(shape))])
}

impl World {
    fn new() -> Self {
        Self { session: RefCell::new(Session::new(RustEngine::with_budget(1 << 28))), named: BTreeMap::new() }
    }

    fn arguments(&self, arguments: &[Value]) -> Vec<Value> {
        let find = |argument: &Value| match argument {
            Value::String(name) if name.starts_with('$') => self.named[&name[1..]].clone(),
            other => other.clone(),
        };
        undisturbed(|| arguments.iter().map(find).collect())
    }

    fn call(&self, command: &str, arguments: &[Value]) -> Result<Value> {
        self.session.borrow_mut().call(command, self.arguments(arguments))
    }

    /// The observable state.
    fn seen(&self, with_gradients: bool) -> Vec<(String, Value)> {
        let mut seen = vec![("handles".to_owned(), self.call("handlecount", &[]).unwrap())];
        for (name, handle) in &self.named {
            let class = self.call("class", std::slice::from_ref(handle)).unwrap();
            let mut see = |command: &str| {
                let result = self.call(command, std::slice::from_ref(handle)).unwrap();
                seen.push((format!("{command} {name}"), result));
            };
            match class {
                Value::String(class) if class == "tensor" => {
                    see("data");
                    if with_gradients {
                        see("grad");
                    }
                }
                Value::String(class) if class == "module" => {
                    see("state");
                    for parameter in self.parameters(handle) {
                        let gradient = self.call("grad", std::slice::from_ref(&parameter)).unwrap();
                        self.call("free", &[parameter]).unwrap();
                        if with_gradients {
                            seen.push((format!("grad of {name}"), gradient));
                        }
                    }
                }
                Value::String(class) if class == "optimizer" => {
                    if let Value::Object(entries) = self.call("state", std::slice::from_ref(handle)).unwrap() {
                        let entries = entries.into_iter().map(|(key, value)| (key, without_pointers(value)));
                        seen.push((format!("state {name}"), Value::Object(entries.collect())));
                    }
                }
                _ => {}
            }
        }
        seen
    }

    fn parameters(&self, module: &Value) -> Vec<Value> {
        let Value::Array(names) = self.call("parmnames", std::slice::from_ref(module)).unwrap() else { panic!() };
        names.into_iter().map(|name| self.call("parm", &[module.clone(), name]).unwrap()).collect()
    }

    /// The error of a tensor that is too large, which has the limit of memory.
    fn limit(&self) -> String {
        self.call("full", &[sizes(&[1 << 40]), number(0)]).unwrap_err().to_string()
    }
}

/// Two worlds, of which in one every allocation of every call fails once.
struct Law {
    smooth: World,
    broken: World,
    failures: BTreeMap<String, usize>,
}

impl Law {
    fn new() -> Self {
        Self { smooth: World::new(), broken: World::new(), failures: BTreeMap::new() }
    }

    /// Calls a command in both, and keeps what it returns under a name if one is given.
    fn call<const N: usize>(&mut self, command: &str, arguments: [Value; N], name: &str) {
        self.both(command, true, |world| world.call(command, &arguments), name);
    }

    fn both(&mut self, what: &str, gradients: bool, run: impl Fn(&World) -> Result<Value>, name: &str) {
        let expected = run(&self.smooth).unwrap_or_else(|error| panic!("{what}: {error}"));
        let before = (self.broken.seen(gradients), if gradients { self.broken.limit() } else { String::new() });
        let (found, failures) = until_enough(
            &mut self.broken,
            |broken| run(broken),
            |broken, error, number| {
                assert_eq!(error.code(), Code::Memory, "{what}, allocation {number}: {error}");
                let limit = if gradients { broken.limit() } else { String::new() };
                assert!(limit == before.1, "{what}, allocation {number}: {limit}, not {}", before.1);
                for (before, after) in before.0.iter().zip(&broken.seen(gradients)) {
                    assert!(before == after, "{what}, allocation {number}: {}: {before:?} is {after:?}", before.0);
                }
            },
        );
        *self.failures.entry(what.to_owned()).or_default() += failures;
        match &found {
            Value::Handle(_) if name.is_empty() => {
                self.smooth.call("free", &[expected]).unwrap();
                self.broken.call("free", &[found]).unwrap();
            }
            Value::Handle(_) => {
                self.smooth.named.insert(name.to_owned(), expected);
                self.broken.named.insert(name.to_owned(), found);
            }
            _ => assert!(
                without_pointers(found.clone()) == without_pointers(expected.clone()),
                "{what}: {found:?}, not {expected:?}"
            ),
        }
    }

    fn free<const N: usize>(&mut self, names: [&str; N]) {
        for world in [&mut self.smooth, &mut self.broken] {
            for name in names {
                let handle = world.named.remove(name).unwrap();
                world.call("free", &[handle]).unwrap();
            }
        }
    }

    /// Both are the same, and each of these commands had memory refused.
    fn finish(self, commands: &[&str]) {
        assert!(self.smooth.seen(true) == self.broken.seen(true), "another end");
        for command in commands {
            assert!(
                self.failures.get(*command).is_some_and(|failures| *failures > 0),
                "{command}: {:?}",
                self.failures
            );
        }
    }
}

fn image_model() -> Value {
    let layer =
        |kind: &str, sizes: &[i32]| list([text(kind)].into_iter().chain(sizes.iter().map(|size| number(*size))));
    options([
        ("container", text("sequential")),
        (
            "children",
            list([
                list([text("conv2d"), number(3), number(16), number(3), options([("groups", number(1))])]),
                layer("batchnorm", &[16]),
                text("relu"),
                layer("maxpool2d", &[2]),
                text("flatten"),
                layer("linear", &[16 * 7 * 7, 64]),
                layer("layernorm", &[64]),
                text("gelu"),
                list([text("dropout"), number(0.25)]),
                text("tanh"),
                layer("linear", &[64, 10]),
            ]),
        ),
    ])
}

#[test]
fn a_failed_allocation_in_a_training_changes_nothing() {
    let mut law = Law::new();
    law.call("module", [image_model()], "m");
    law.call("tensor", [floats(&[16, 3, 16, 16], 0.1)], "x");
    law.call("opt", [text("adam"), text("$m"), options([("average", number(0.9))])], "o");
    for clip in [false, true, false] {
        law.call("forward", [text("$m"), text("$x")], "y");
        law.call("ce", [text("$y"), classes(16, 10)], "l");
        law.call("backward", [text("$l")], "");
        if clip {
            law.call("clip", [text("$m"), number(0.01)], "");
            law.call("step", [text("$o"), options([("clipnorm", number(0.1)), ("zerograd", Value::Bool(true))])], "");
        } else {
            law.call("step", [text("$o")], "");
        }
        law.free(["y", "l"]);
    }
    law.call("evaluate", [text("$m"), text("$x")], "");
    law.call("average", [text("$o")], "");
    law.call("average", [text("$o")], "");
    law.call("state", [text("$m")], "");
    law.call("state", [text("$o")], "");
    let module = law.smooth.call("state", &[text("$m")]).unwrap();
    law.call("module", [module], "copy");
    let optimizer = law.smooth.call("state", &[text("$o")]).unwrap();
    law.call("opt", [optimizer, text("$copy")], "p");
    law.call("to", [text("$copy"), text("double")], "");
    law.finish(&[
        "module", "tensor", "forward", "backward", "clip", "step", "evaluate", "average", "state", "opt", "to",
    ]);
}

#[test]
fn a_failed_allocation_changes_no_tensor() {
    let mut law = Law::new();
    law.call("full", [sizes(&[3000]), number(2), text("grad")], "x");
    law.call("full", [sizes(&[3000]), number(2.5), text("double")], "d");
    law.call("full", [sizes(&[3000]), number(7), text("long")], "n");
    law.call("tensor", [list((0..3000).map(number))], "y");
    law.call("tensor", [list((0..3000).map(number)), options([("dtype", text("long"))])], "z");
    law.call("tensor", [shaped(Data::Double(vec![1.5; 3000]), &[3000]), text("float")], "w");
    for name in ["$x", "$d", "$n", "$y"] {
        law.call("data", [text(name)], "");
        law.call("tensor", [text(name)], "");
        law.call("to", [text(name), text("double")], "");
    }
    law.call("grad", [text("$x"), floats(&[3000], 0.5)], "");
    law.call("grad", [text("$x"), list((0..3000).map(number))], "");
    law.call("grad", [text("$x")], "");
    law.call("copyto", [text("$w"), text("$y")], "");
    law.call("copyto", [text("$d"), text("$y")], "");
    law.call("copyto", [list((0..3000).map(number)), text("$d")], "");
    law.call("vector", [text("$x"), floats(&[3000], 0.5)], "");
    law.call("dict", [options([("a", floats(&[3000], 0.5))])], "");
    law.call("randperm", [number(5000)], "");
    law.call("randperm", [number(5000)], "");
    for loss in ["mse", "l1", "smoothl1", "bcewithlogits"] {
        for reduce in ["mean", "none"] {
            law.call(loss, [text("$x"), text("$y"), options([("reduce", text(reduce))])], "");
        }
        law.call(loss, [text("$x"), floats(&[3000], 0.5)], "l");
        law.call("backward", [text("$l")], "");
        law.free(["l"]);
    }
    law.call("opt", [text("sgd"), text("$x"), number(0.1), number(0.9)], "o");
    law.call("step", [text("$o")], "");
    law.finish(&[
        "full", "tensor", "data", "to", "grad", "copyto", "vector", "dict", "randperm", "mse", "l1", "smoothl1",
        "backward", "step",
    ]);
}

#[test]
fn a_failed_allocation_changes_no_table() {
    let mut law = Law::new();
    let kind = list([text("embedding"), number(300), number(20)]);
    law.call("module", [kind], "m");
    law.call("tensor", [classes(1500, 300)], "x");
    for _ in 0..2 {
        law.call("forward", [text("$m"), text("$x")], "y");
        law.call("nll", [text("$y"), classes(1500, 20)], "l");
        law.call("backward", [text("$l")], "");
        law.free(["y", "l"]);
    }
    law.call("forward", [text("$m"), classes(1500, 300)], "");
    law.finish(&["module", "tensor", "forward", "nll", "backward"]);
}

#[test]
fn a_failed_allocation_in_a_model_changes_nothing() {
    let mut law = Law::new();
    law.call("module", [image_model()], "m");
    law.call("loss", [text("ce")], "l");
    law.call("opt", [text("lamb"), text("$m")], "o");
    law.call("model", [text("$m"), text("$l"), text("$o")], "model");
    law.call("train", [text("$model"), options([("batchsize", number(12)), ("shuffle", Value::Bool(true))])], "");
    let metrics = || list(["loss", "accuracy"].map(text));
    law.call("test", [text("$model"), options([("batchsize", number(20)), ("metrics", metrics())])], "");
    law.call("train", [text("$model"), floats(&[40, 3, 16, 16], 0.1), classes(40, 10)], "");
    law.call("test", [text("$model"), floats(&[40, 3, 16, 16], 0.1), classes(40, 10)], "");
    for _ in 0..3 {
        // Gradients are made anew by each, also by one that fails at its step.
        law.both("batch", false, |world| world.call("batch", &[text("$model")]), "");
    }
    law.call("testrun", [text("$model")], "");
    law.call("testbatch", [text("$model"), Value::Bool(true)], "");
    law.call("train", [text("$model"), options([("accumulate", number(2)), ("metrics", metrics())])], "");
    // The last batch, the end of the pass, and a step of two batches.
    for _ in 0..3 {
        law.both("batch", false, |world| world.call("batch", &[text("$model"), Value::Bool(true)]), "");
        law.call("metrics", [text("$model")], "");
    }
    law.finish(&["train", "test", "batch", "testrun", "testbatch"]);
}

#[test]
fn a_failed_allocation_in_lbfgs_changes_nothing() {
    for search in [Value::Null, text("strong_wolfe")] {
        let mut law = Law::new();
        law.call("module", [list([text("linear"), number(60), number(50)])], "m");
        law.call("tensor", [floats(&[30, 60], 0.1)], "x");
        law.call("tensor", [floats(&[30, 50], 0.2)], "t");
        let given = options([("iter", number(4)), ("history", number(3)), ("search", search)]);
        law.call("opt", [text("lbfgs"), text("$m"), given], "o");
        for _ in 0..2 {
            law.both("step with a closure", false, step_with_closure, "");
        }
        law.call("state", [text("$o")], "");
        let state = law.smooth.call("state", &[text("$o")]).unwrap();
        law.call("opt", [state, text("$m")], "");
        law.finish(&["step with a closure", "state", "opt"]);
    }
}

fn step_with_closure(world: &World) -> Result<Value> {
    let mut closure = || -> Result<f64> {
        let mut made = Vec::new();
        let result = (|| {
            world.call("zerograd", &[text("$m")])?;
            made.push(world.call("forward", &[text("$m"), text("$x")])?);
            made.push(world.call("mse", &[made[0].clone(), text("$t")])?);
            world.call("backward", &[made[1].clone()])?;
            match world.call("data", &[made[1].clone()])? {
                Value::NumericArray(NumericArray { data: Data::Float(loss), .. }) => Ok(f64::from(loss[0])),
                _ => Err(Error::new(Code::Internal, "no loss")),
            }
        })();
        for handle in made {
            world.call("free", &[handle])?;
        }
        result
    };
    let Value::Handle(optimizer) = world.named["o"] else { panic!("no handle") };
    Session::step_with_closure(&world.session, optimizer, &mut closure, Value::Undefined).map(Value::Number)
}
