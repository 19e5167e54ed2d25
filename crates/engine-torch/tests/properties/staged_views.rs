//! Offloaded steps reach tensors by copies only, write back what a step has made, and write nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use std::cell::RefCell;
use std::slice::from_ref;

use stepwell_engine_torch::{Tensor, TorchEngine, ViewCache, fail_after};
use stepwell_optim::{Code, Error, Outcome, Result, View};
use stepwell_session::{Data, Device, Dtype, Engine, Loss, Reduction, Session, Value};

fn float(engine: &TorchEngine, shape: &[usize], data: &[f32]) -> Tensor {
    engine.tensor(&Data::Float(data.to_vec()), shape, Device::Cpu).unwrap()
}

/// A parameter with elements 1, 2, ... and as many gradients 10, 20, ....
fn parameter(engine: &TorchEngine, dtype: Dtype, shape: &[usize]) -> Tensor {
    let numbers = |scale: f64| {
        let count = shape.iter().product::<usize>();
        let data = Data::Double((1..=count).map(|i| i as f64 * scale).collect()).cast(dtype).unwrap();
        engine.tensor(&data, shape, Device::Cpu).unwrap()
    };
    let p = numbers(1.0);
    engine.set_requires_grad(&p, true).unwrap();
    engine.set_grad(&p, Some(&numbers(10.0))).unwrap();
    p
}

fn pair(engine: &TorchEngine) -> Tensor {
    parameter(engine, Dtype::Float, &[2])
}

fn subtract(views: &mut [Option<View<'_>>]) -> Result<Outcome> {
    for view in views.iter_mut().flatten() {
        match view {
            View::Float(p, g) => p.iter_mut().zip(&**g).for_each(|(p, g)| *p -= g),
            View::Double(p, g) => p.iter_mut().zip(&**g).for_each(|(p, g)| *p -= g),
            View::Half(p, g) => p.iter_mut().zip(&**g).for_each(|(p, g)| *p -= *g),
            View::BFloat16(p, g) => p.iter_mut().zip(&**g).for_each(|(p, g)| *p -= *g),
        }
    }
    Ok(Outcome::Stepped)
}

type Step<'a> = dyn FnMut(&mut [Option<View<'_>>]) -> Result<Outcome> + 'a;

fn staged(engine: &TorchEngine, all: &[Tensor], cache: &mut ViewCache, zero: bool, step: &mut Step<'_>) -> Result<()> {
    engine.with_staged_views(all, &|i| i.to_string(), cache, zero, step)
}

/// The elements of a tensor as numbers.
fn elements(engine: &TorchEngine, tensor: &Tensor) -> Vec<f64> {
    let Data::Double(elements) = engine.data(tensor).unwrap().cast(Dtype::Double).unwrap() else {
        panic!("not double")
    };
    elements
}

fn gradient(engine: &TorchEngine, tensor: &Tensor) -> Vec<f64> {
    elements(engine, &engine.grad(tensor).unwrap())
}

/// True if a view has bytes of the parameter.
#[expect(clippy::disallowed_methods, reason = "a dense tensor on the CPU has an address")]
fn overlaps(tensor: &Tensor, view: &View<'_>) -> bool {
    let (start, bytes) = match view {
        View::Float(p, _) => (p.as_ptr() as usize, size_of_val(&**p)),
        View::Double(p, _) => (p.as_ptr() as usize, size_of_val(&**p)),
        View::Half(p, _) => (p.as_ptr() as usize, size_of_val(&**p)),
        View::BFloat16(p, _) => (p.as_ptr() as usize, size_of_val(&**p)),
    };
    let own = tensor.as_ref().data_ptr() as usize;
    start < own + bytes && own < start + bytes
}

#[test]
fn a_step_works_on_copies_of_every_dtype() {
    use Dtype::{BFloat16, Double, Float, Half};
    let engine = TorchEngine::new();
    let mut all: Vec<_> = [Float, BFloat16, Double, Half, Float, Double]
        .into_iter()
        .zip([&[3usize, 2][..], &[2], &[], &[4], &[0, 3], &[5]])
        .map(|(dtype, shape)| parameter(&engine, dtype, shape))
        .collect();
    all.insert(2, float(&engine, &[1], &[5.0]));
    let mut cache = ViewCache::default();
    for round in 1..4 {
        let before: Vec<_> = all.iter().map(|tensor| elements(&engine, tensor)).collect();
        staged(&engine, &all, &mut cache, false, &mut |views| {
            let lengths: Vec<_> = views.iter().map(|view| view.as_ref().map(View::len)).collect();
            assert_eq!(lengths, [Some(6), Some(2), None, Some(1), Some(4), Some(0), Some(5)]);
            for view in views.iter().flatten().filter(|view| !view.is_empty()) {
                assert!(all.iter().all(|tensor| !overlaps(tensor, view)), "a view is of the memory of a tensor");
            }
            subtract(views)?;
            let during: Vec<_> = all.iter().map(|tensor| elements(&engine, tensor)).collect();
            assert_eq!(during, before);
            Ok(Outcome::Stepped)
        })
        .unwrap();
        for tensor in &all {
            let count = elements(&engine, tensor).len();
            let expected: Vec<_> = (1..=count).map(|i| i as f64 * f64::from(1 - 10 * round)).collect();
            match engine.grad(tensor) {
                Some(_) => assert_eq!(elements(&engine, tensor), expected),
                None => assert_eq!(elements(&engine, tensor), [5.0]),
            }
        }
    }
    staged(&engine, &[], &mut cache, true, &mut subtract).unwrap();
}

#[test]
fn tensors_larger_than_a_batch_are_copied_too() {
    // A batch has 16 MiB.
    const LARGE: usize = (16 << 20) / size_of::<f32>();
    let engine = TorchEngine::new();
    let shapes = [&[LARGE / 3, 2][..], &[LARGE / 2], &[7], &[LARGE + 3], &[5], &[LARGE - 5]];
    let all: Vec<_> = shapes.iter().map(|shape| parameter(&engine, Dtype::Float, shape)).collect();
    let mut cache = ViewCache::default();
    staged(&engine, &all, &mut cache, false, &mut subtract).unwrap();
    staged(&engine, &all, &mut cache, true, &mut subtract).unwrap();
    for tensor in &all {
        let Data::Float(elements) = engine.data(tensor).unwrap() else { panic!("not float") };
        // As the kernel rounds: i - 10 i - 10 i.
        let expected = |i: usize| {
            let (p, g) = ((i + 1) as f32, ((i + 1) as f64 * 10.0) as f32);
            p - g - g
        };
        assert!(elements.iter().enumerate().all(|(i, x)| *x == expected(i)));
        assert!(gradient(&engine, tensor).iter().all(|g| *g == 0.0));
    }
}

#[test]
fn gradients_are_zeroed_on_the_device_if_asked() {
    let engine = TorchEngine::new();
    let all = [pair(&engine), pair(&engine), float(&engine, &[1], &[5.0])];
    engine.set_requires_grad(&all[1], false).unwrap();
    let mut cache = ViewCache::default();
    let run = |cache: &mut ViewCache, zero, outcome: Result<Outcome>| {
        staged(&engine, &all, cache, zero, &mut |views| subtract(views).and(outcome.clone()))
    };
    run(&mut cache, false, Ok(Outcome::Stepped)).unwrap();
    assert_eq!((gradient(&engine, &all[0]), gradient(&engine, &all[1])), (vec![10.0, 20.0], vec![10.0, 20.0]));
    // Neither a step that failed nor one that was skipped writes parameters. Only the latter zeroes gradients.
    run(&mut cache, true, Err(Error::new(Code::Gradient, "on purpose"))).unwrap_err();
    run(&mut cache, false, Ok(Outcome::Skipped)).unwrap();
    assert_eq!(elements(&engine, &all[0]), [-9.0, -18.0]);
    assert_eq!(gradient(&engine, &all[0]), [10.0, 20.0]);
    run(&mut cache, true, Ok(Outcome::Skipped)).unwrap();
    assert_eq!(elements(&engine, &all[0]), [-9.0, -18.0]);
    assert_eq!((gradient(&engine, &all[0]), gradient(&engine, &all[1])), (vec![0.0; 2], vec![0.0; 2]));
    assert_eq!((elements(&engine, &all[1]), elements(&engine, &all[2])), (vec![1.0, 2.0], vec![5.0]));
}

#[test]
fn gradients_of_any_layout_are_copied() {
    let engine = TorchEngine::new();
    let all = [pair(&engine), pair(&engine), pair(&engine)];
    let every_second = float(&engine, &[4], &[10.0, 0.5, 20.0, 0.5]).as_ref().f_slice(0, 0, 4, 2).unwrap();
    let every_second = Tensor::try_from(every_second).unwrap();
    // Two parameters have one gradient.
    engine.set_grad(&all[0], Some(&every_second)).unwrap();
    engine.set_grad(&all[1], Some(&every_second)).unwrap();
    staged(&engine, &all, &mut ViewCache::default(), true, &mut subtract).unwrap();
    for tensor in &all {
        assert_eq!((elements(&engine, tensor), gradient(&engine, tensor)), (vec![-9.0, -18.0], vec![0.0; 2]));
    }
}

#[test]
fn an_older_graph_is_an_error_however_the_step_ends() {
    let engine = TorchEngine::new();
    let (p, target) = (pair(&engine), float(&engine, &[2], &[0.0, 0.0]));
    let mut cache = ViewCache::default();
    for outcome in [Ok(Outcome::Stepped), Ok(Outcome::Skipped), Err(Error::new(Code::Gradient, "on purpose"))] {
        let loss = engine.loss(Loss::Mse, &p, &target, Reduction::Sum).unwrap();
        let _ = staged(&engine, from_ref(&p), &mut cache, false, &mut |_| outcome.clone());
        let error = engine.backward(&loss, 1.0).unwrap_err();
        assert!(error.to_string().contains("outdated graph"), "{error}");
    }
}

#[test]
fn tensors_that_do_not_fit_are_errors_and_change_nothing() {
    let engine = TorchEngine::new();
    let mut cache = ViewCache::default();
    let mut refused = |all: &[Tensor], code, text: &str| {
        let error = staged(&engine, all, &mut cache, true, &mut |_| panic!("a step was called")).unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (code, text));
        assert_eq!((elements(&engine, &all[0]), gradient(&engine, &all[0])), (vec![1.0, 2.0], vec![10.0, 20.0]));
    };
    let all = [pair(&engine), pair(&engine)];
    let mut refuse = |grad: &Tensor, text| {
        engine.set_grad(&all[1], Some(grad)).unwrap();
        refused(&all, Code::Gradient, text);
    };
    let double = engine.tensor(&Data::Double(vec![1.0, 2.0]), &[2], Device::Cpu).unwrap();
    refuse(&double, "parameter 1 cannot be updated: its gradient has another dtype");
    refuse(&float(&engine, &[1], &[1.0]), "parameter 1 cannot be updated: its gradient has another shape");
    refuse(&all[0], "parameter 0 shares memory with gradient 1");
    refused(&[all[0].clone(), all[0].clone()], Code::Parameter, "parameter 0 shares memory with parameter 1");
    let column = Tensor::try_from(float(&engine, &[2, 2], &[0.0; 4]).as_ref().f_select(1, 0).unwrap()).unwrap();
    engine.set_requires_grad(&column, true).unwrap();
    engine.set_grad(&column, Some(&float(&engine, &[2], &[1.0, 2.0]))).unwrap();
    let text = "parameter 1 cannot be updated: its memory is not contiguous";
    refused(&[all[0].clone(), column], Code::Parameter, text);
}

#[test]
fn too_little_memory_for_the_copies_is_an_error_and_changes_nothing() {
    let engine = TorchEngine::new();
    let p = parameter(&engine, Dtype::Float, &[1 << 16]);
    let (before, mut cache) = (elements(&engine, &p), ViewCache::default());
    let mut failures = 0;
    for number in 0.. {
        fail_after(Some(number));
        let result = staged(&engine, from_ref(&p), &mut cache, false, &mut subtract);
        if fail_after(None).is_some() {
            result.unwrap();
            break;
        }
        assert_eq!(result.unwrap_err().code(), Code::Memory);
        assert_eq!(elements(&engine, &p), before);
        failures += 1;
    }
    // One for the buffer of the host and one for the buffer of the device.
    assert!(failures >= 2, "{failures}");
    // A steady step makes no buffer.
    fail_after(Some(0));
    let result = staged(&engine, from_ref(&p), &mut cache, true, &mut subtract);
    assert_eq!((result, fail_after(None)), (Ok(()), Some(0)));
}

/// Three steps of p -= g with changes between them equal the expected elements, or the law says which step differs.
fn law(engine: &TorchEngine, mut run: impl FnMut(&[Tensor]) -> Result<()>) -> std::result::Result<(), usize> {
    let all = [pair(engine), pair(engine)];
    let expected = [[-9.0, -18.0], [90.0, 80.0], [80.0, 60.0]];
    for (step, expected) in expected.iter().enumerate() {
        if step == 1 {
            engine.assign(&all[0], &Data::Float(vec![100.0, 100.0])).unwrap();
        }
        run(&all).unwrap();
        if elements(engine, &all[0]) != expected {
            return Err(step);
        }
    }
    Ok(())
}

#[test]
fn mistakes_in_copies_break_the_law() {
    let engine = TorchEngine::new();
    let mut cache = ViewCache::default();
    assert_eq!(law(&engine, |all| staged(&engine, all, &mut cache, false, &mut subtract)), Ok(()));
    // A missed copy back.
    let missed = |all: &[Tensor], cache: &mut ViewCache| {
        staged(&engine, all, cache, false, &mut |views| subtract(views).map(|_| Outcome::Skipped))
    };
    assert_eq!(law(&engine, |all| missed(all, &mut cache)), Err(0));
    // Copies of the step before, after a parameter has changed.
    let mut kept: Option<Vec<f32>> = None;
    let stale = |all: &[Tensor]| {
        staged(&engine, all, &mut cache, false, &mut |views| {
            let Some(View::Float(p, _)) = &mut views[0] else { panic!("no view") };
            if let Some(kept) = &kept {
                p.copy_from_slice(kept);
            }
            subtract(views)?;
            let Some(View::Float(p, _)) = &views[0] else { panic!("no view") };
            kept = Some(p.to_vec());
            Ok(Outcome::Stepped)
        })
    };
    assert_eq!(law(&engine, stale), Err(1));
}

/// Everything that training leaves: parameters, gradients and the state of the optimizer.
fn train(engine: TorchEngine, name: &str, dtype: &str, offload: bool) -> Result<Value> {
    let session = RefCell::new(Session::new(engine));
    let call = |command: &str, arguments: &[Value]| session.borrow_mut().call(command, arguments.to_vec());
    let text = Value::string;
    let row = |numbers: &[f64]| Value::Array(numbers.iter().map(|n| Value::Number(*n)).collect());
    let named = |entries: Vec<(&'static str, Value)>| Value::object(entries);
    let p = call("tensor", &[row(&[1.0, -2.0, 3.0, 0.5]), text("grad"), text(dtype)])?;
    let q = call("tensor", &[row(&[0.25]), text("grad"), text(dtype)])?;
    let o = call(
        "opt",
        &[text(name), p.clone(), named(vec![("lr", Value::Number(0.1)), ("offload", Value::Bool(offload))])],
    )?;
    let lbfgs = name == "lbfgs";
    if !lbfgs {
        call("opt", &[o.clone(), Value::Number(1.0), q.clone(), named(vec![("average", Value::Number(0.9))])])?;
        call("lossscale", &[o.clone(), named(vec![("init", Value::Number(2.0)), ("interval", Value::Number(2.0))])])?;
    }
    let gradients = |step: f64| {
        call("grad", &[p.clone(), row(&[step, 0.5, -1.0 - step, 4.0])])?;
        call("grad", &[q.clone(), row(&[step * 0.5])])
    };
    for step in 1..6 {
        gradients(f64::from(step))?;
        if lbfgs {
            // The session is free between evaluations.
            let Value::Handle(optimizer) = o else { panic!("not a handle") };
            let mut closure = || Ok(f64::from(step));
            Session::step_with_closure(&session, optimizer, &mut closure, Value::Undefined)?;
            continue;
        }
        call("clip", &[o.clone(), Value::Number(6.0)])?;
        call("clipv", &[o.clone(), Value::Number(3.0)])?;
        let zero = ("zerograd", Value::Bool(step % 2 == 0));
        call("step", &[o.clone(), named(vec![zero, ("clipnorm", Value::Number(2.0))])])?;
    }
    if !lbfgs {
        call("average", from_ref(&o))?;
    }
    let state = call("state", from_ref(&o))?;
    let Value::Object(entries) = state else { panic!("not a state") };
    let kept = entries.into_iter().filter(|(key, _)| key != "offload").map(|(key, value)| match (&*key, value) {
        ("parms", Value::Array(rows)) => {
            let rows = rows.into_iter().map(|row| match row {
                Value::Object(row) => Value::Object(row.into_iter().filter(|(key, _)| key != "pointer").collect()),
                other => other,
            });
            (key.clone(), Value::Array(rows.collect()))
        }
        (_, value) => (key.clone(), value),
    });
    let mut seen = vec![Value::Object(kept.collect())];
    for tensor in [&p, &q] {
        seen.push(call("data", from_ref(tensor))?);
        seen.push(call("grad", from_ref(tensor))?);
    }
    Ok(Value::Array(seen))
}

#[test]
fn every_optimizer_trains_tensors_that_lend_no_memory() {
    for name in ["adagrad", "adam", "adamw", "lamb", "rmsprop", "sgd", "lbfgs"] {
        for dtype in ["float", "double", "half", "bfloat16"] {
            if name == "lbfgs" && matches!(dtype, "half" | "bfloat16") {
                continue;
            }
            let plain = train(TorchEngine::new(), name, dtype, false).unwrap();
            let offloaded = train(TorchEngine::without_lending(), name, dtype, true).unwrap();
            assert!(format!("{offloaded:?}") == format!("{plain:?}"), "{name} of {dtype}");
            if name != "lbfgs" {
                let error = train(TorchEngine::without_lending(), name, dtype, false).unwrap_err();
                assert_eq!(error.code(), Code::Device, "{name}: {error}");
            }
        }
    }
}
