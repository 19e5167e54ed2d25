//! If the k-th request for memory of a call is refused, the call fails and changes nothing: for all k.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use std::cell::RefCell;

use stepwell_engine_torch::{TorchEngine, fail_after};
use stepwell_optim::{Code, Result};
use stepwell_session::{Data, NumericArray, Session, Value};

/// Elements of a tensor whose memory is asked for each time.
const LARGE: usize = 1 << 16;

type Torch = RefCell<Session<TorchEngine>>;

fn call(k: &Torch, command: &str, arguments: &[Value]) -> Result<Value> {
    k.borrow_mut().call(command, arguments.to_vec())
}

fn text(text: &str) -> Value {
    Value::string(text)
}

fn options<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::object(entries)
}

fn floats(count: usize) -> Value {
    let data = Data::Float((0..count).map(|i| (i % 13) as f32 * 0.125 - 0.5).collect());
    Value::NumericArray(NumericArray { data, shape: vec![count] })
}

/// Makes a call again and again, each time with the next of its memory refused, until none is left to refuse. The result of
/// `see` is equal after each failure. Returns the result, and how many failed.
fn until_enough<R>(k: &Torch, what: &str, see: &dyn Fn(&Torch) -> Value, run: impl Fn() -> Result<R>) -> (R, usize) {
    let before = see(k);
    for number in 0.. {
        fail_after(Some(number));
        let result = run();
        let refused = fail_after(None).is_none();
        match result {
            Ok(result) if !refused => return (result, number),
            Ok(_) => panic!("{what}: memory {number} was refused, and nobody said so"),
            Err(error) => assert_eq!(error.code(), Code::Memory, "{what}, memory {number}: {error}"),
        }
        assert!(see(k) == before, "{what}, memory {number}: something was changed");
    }
    unreachable!("a call that never succeeds")
}

#[test]
fn failed_allocations_leave_no_tensor() {
    let k = RefCell::new(Session::new(TorchEngine::new()));
    let x = call(&k, "tensor", &[floats(LARGE), text("grad")]).unwrap();
    let y = call(&k, "full", &[Value::sizes(&[LARGE]), Value::Number(0.5)]).unwrap();
    // A small tensor asks for a batch of memory. If that is refused, it asks for its own size.
    call(&k, "full", &[Value::sizes(&[1]), Value::Number(0.5)]).unwrap();
    let loss = options([("reduce", text("none"))]);
    let size = Value::sizes(&[4 * LARGE]);
    let calls: [(&str, Vec<Value>); 8] = [
        ("tensor", vec![floats(4 * LARGE), text("double")]),
        ("full", vec![size, Value::Number(0.5), text("half")]),
        ("mse", vec![x.clone(), y.clone(), loss]),
        ("to", vec![x.clone(), text("double")]),
        ("grad", vec![x.clone(), floats(LARGE)]),
        ("vector", vec![floats(LARGE), floats(LARGE)]),
        ("module", vec![Value::Array(vec![text("linear"), Value::Number(256.0), Value::Number(300.0)])]),
        ("dict", vec![options([("a", floats(LARGE)), ("b", floats(LARGE))])]),
    ];
    let see = |k: &Torch| {
        let found = ["data", "grad"].map(|command| call(k, command, std::slice::from_ref(&x)).unwrap());
        Value::Array(found.into_iter().chain([call(k, "handlecount", &[]).unwrap()]).collect())
    };
    for (command, arguments) in calls {
        let (_, failures) = until_enough(&k, command, &see, || call(&k, command, &arguments));
        assert!(failures > 0, "{command}");
    }
    // Elements are written where they are.
    let (_, failures) = until_enough(&k, "copyto", &see, || call(&k, "copyto", &[floats(LARGE), y.clone()]));
    assert_eq!(failures, 0);
}

#[test]
fn steps_are_as_if_nothing_had_been_refused() {
    for (name, fused) in [("adam", true), ("lamb", true), ("adam", false), ("rmsprop", false)] {
        let make = || {
            let k = RefCell::new(Session::new(TorchEngine::new()));
            let x = call(&k, "tensor", &[floats(4 * LARGE), text("grad")]).unwrap();
            let given = options([("fused", Value::Bool(fused))]);
            let o = call(&k, "opt", &[text(name), x.clone(), given]).unwrap();
            (k, x, o)
        };
        let state = |k: &Torch, o: &Value| match call(k, "state", std::slice::from_ref(o)).unwrap() {
            Value::Object(entries) => match entries.into_iter().find(|(key, _)| key == "parms") {
                Some((_, Value::Array(mut rows))) => match rows.pop() {
                    Some(Value::Object(row)) => row.into_iter().find(|(key, _)| key == "buffers").unwrap().1,
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        };
        let ((smooth, sx, so), (broken, x, o)) = (make(), make());
        let see = |k: &Torch| {
            let found = ["data", "grad"].map(|command| call(k, command, std::slice::from_ref(&x)).unwrap());
            Value::Array(found.into_iter().chain([state(k, &o)]).collect())
        };
        for step in 0..2 {
            for (k, x) in [(&smooth, &sx), (&broken, &x)] {
                call(k, "grad", &[x.clone(), floats(4 * LARGE)]).unwrap();
            }
            call(&smooth, "step", std::slice::from_ref(&so)).unwrap();
            if !fused {
                // libtorch's own moves some of its state before it finds no memory for the rest: only the process survives.
                call(&broken, "step", std::slice::from_ref(&o)).unwrap();
                continue;
            }
            let run = || call(&broken, "step", std::slice::from_ref(&o));
            let (_, failures) = until_enough(&broken, name, &see, run);
            assert!((failures > 0) == (step == 0), "{name}, step {step}: {failures}");
        }
        let found = call(&smooth, "data", std::slice::from_ref(&sx)).unwrap();
        assert!(call(&broken, "data", std::slice::from_ref(&x)).unwrap() == found, "{name}: other numbers");
        assert!(state(&broken, &o) == state(&smooth, &so), "{name}: another state");
        for command in ["state", "data"] {
            let of = if command == "state" { &o } else { &x };
            let (_, failures) =
                until_enough(&broken, command, &see, || call(&broken, command, std::slice::from_ref(of)));
            assert!(failures > 0, "{command}");
        }
    }
}

#[test]
fn a_failed_allocation_of_a_graph_keeps_its_inputs() {
    let k = RefCell::new(Session::new(TorchEngine::new()));
    let layer = |kind: &str, sizes: &[f64]| {
        Value::Array([text(kind)].into_iter().chain(sizes.iter().map(|size| Value::Number(*size))).collect())
    };
    let children = Value::Array(vec![
        layer("conv2d", &[3.0, 16.0, 3.0]),
        layer("batchnorm", &[16.0]),
        text("relu"),
        layer("maxpool2d", &[2.0]),
        text("flatten"),
        layer("linear", &[16.0 * 15.0 * 15.0, 64.0]),
        layer("layernorm", &[64.0]),
        layer("dropout", &[0.25]),
        layer("linear", &[64.0, 10.0]),
    ]);
    let m = call(&k, "module", &[options([("container", text("sequential")), ("children", children)])]).unwrap();
    let x = call(&k, "full", &[Value::sizes(&[64, 3, 32, 32]), Value::Number(0.5)]).unwrap();
    let see = |k: &Torch| {
        let found = [call(k, "state", std::slice::from_ref(&m)), call(k, "handlecount", &[])];
        Value::Array(found.map(Result::unwrap).into())
    };
    let (y, failures) = until_enough(&k, "forward", &see, || call(&k, "forward", &[m.clone(), x.clone()]));
    assert!(failures > 3, "{failures}");
    let zeros = Value::NumericArray(NumericArray { data: Data::Float(vec![0.0; 640]), shape: vec![640] });
    let zeros = call(&k, "tensor", &[zeros, options([("shape", Value::sizes(&[64, 10]))])]).unwrap();
    let l = call(&k, "mse", &[y, zeros]).unwrap();
    // A graph is released as far as its gradients were computed, so that it is made again after a failure.
    fail_after(Some(0));
    let error = call(&k, "backward", std::slice::from_ref(&l)).unwrap_err();
    assert!(fail_after(None).is_none());
    assert_eq!(error.code(), Code::Memory, "{error}");
}
