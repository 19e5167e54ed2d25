//! libtorch's own optimizers below the session: restored state, errors before any change, panics in a closure.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice::from_ref;

use stepwell_engine_torch::{Tensor, TorchEngine, ViewCache};
use stepwell_optim::{AnyLbfgsStateDict, CATALOG, Code, Definition, Error, OptionValue, defaults, definition};
use stepwell_session::{Data, Device, Engine, LibraryEach, LibraryGroup, LibraryOptimizer};

fn tensor(engine: &TorchEngine, data: &[f64]) -> Tensor {
    let tensor = engine.tensor(&Data::Double(data.to_vec()), &[data.len()], Device::Cpu).unwrap();
    engine.set_requires_grad(&tensor, true).unwrap();
    tensor
}

fn parameter(engine: &TorchEngine) -> Tensor {
    let parameter = tensor(engine, &[1.0, -2.0]);
    engine.set_grad(&parameter, Some(&tensor(engine, &[0.5, 0.25]))).unwrap();
    parameter
}

fn each(engine: &TorchEngine, definition: &'static Definition) -> Box<dyn LibraryEach<Tensor>> {
    match engine.library_optimizer(definition).unwrap() {
        LibraryOptimizer::Each(library) => library,
        LibraryOptimizer::Closure(_) => panic!("{} wants a closure", definition.name),
    }
}

/// Options that need every buffer.
fn options(definition: &Definition) -> Vec<OptionValue> {
    let full = |name| match name {
        "momentum" => Some(OptionValue::Float(0.9)),
        "amsgrad" | "centered" => Some(OptionValue::Flag(true)),
        "lr" => Some(OptionValue::Float(0.1)),
        _ => None,
    };
    let rows = definition.options.iter().zip(defaults(definition.options));
    rows.map(|(spec, standard)| full(spec.name).unwrap_or(standard)).collect()
}

fn of_each() -> impl Iterator<Item = &'static Definition> {
    CATALOG.iter().filter(|definition| !["lamb", "lbfgs"].contains(&definition.name))
}

#[test]
fn a_state_goes_on_in_another_optimizer() {
    let engine = TorchEngine::new();
    for definition in of_each() {
        let options = options(definition);
        let step = |library: &dyn LibraryEach<Tensor>, parameter: &Tensor| {
            library
                .step(&[LibraryGroup { options: &options, parameters: from_ref(parameter) }], &|i| i.to_string())
                .unwrap();
        };
        let (a, b) = (parameter(&engine), parameter(&engine));
        let first = each(&engine, definition);
        assert_eq!(first.states(from_ref(&a)).unwrap(), [None]);
        step(&*first, &a);
        step(&*first, &a);
        let states = first.states(from_ref(&a)).unwrap();
        let state = states[0].as_ref().unwrap();
        assert_eq!(state.step, if definition.counts_steps { 2 } else { 0 });
        let buffers = state.buffers.iter().flatten().count();
        assert_eq!(buffers, definition.buffers.len(), "{}", definition.name);

        let second = each(&engine, definition);
        second.set_states(from_ref(&b), &states).unwrap();
        assert_eq!(second.states(from_ref(&b)).unwrap(), states);
        engine.assign(&b, &engine.data(&a).unwrap()).unwrap();
        step(&*first, &a);
        step(&*second, &b);
        assert_eq!(engine.data(&a).unwrap(), engine.data(&b).unwrap(), "{}", definition.name);
        assert_eq!(first.states(from_ref(&a)).unwrap(), second.states(from_ref(&b)).unwrap());
        second.set_states(from_ref(&b), &[None]).unwrap();
        assert_eq!(second.states(from_ref(&b)).unwrap(), [None]);
        // The read state is a copy.
        assert_ne!(first.states(from_ref(&a)).unwrap(), states);
    }
}

#[test]
fn a_state_of_another_length_is_refused() {
    let engine = TorchEngine::new();
    let (short, long) = (parameter(&engine), tensor(&engine, &[0.0; 3]));
    let library = each(&engine, definition("adam").unwrap());
    let options = options(definition("adam").unwrap());
    library.step(&[LibraryGroup { options: &options, parameters: from_ref(&short) }], &|i| i.to_string()).unwrap();
    let states = library.states(from_ref(&short)).unwrap();
    assert_eq!(library.set_states(from_ref(&long), &states).unwrap_err().code(), Code::Shape);
    assert_eq!(library.states(&[short, long]).unwrap(), [states.into_iter().next().unwrap(), None]);
}

#[test]
fn a_gradient_that_does_not_fit_stops_the_step_before_it_starts() {
    let engine = TorchEngine::new();
    for definition in of_each() {
        let (good, sparse) =
            (parameter(&engine), engine.tensor(&Data::Double(vec![1.0; 3]), &[3, 1], Device::Cpu).unwrap());
        engine.set_requires_grad(&sparse, true).unwrap();
        let indices = engine.tensor(&Data::Long(vec![2]), &[1], Device::Cpu).unwrap();
        tch::Tensor::f_embedding(sparse.as_ref(), indices.as_ref(), -1, false, true).unwrap().f_backward().unwrap();
        let (options, library, both) = (options(definition), each(&engine, definition), [good, sparse]);
        let step = || library.step(&[LibraryGroup { options: &options, parameters: &both }], &|i| i.to_string());
        let refused = |error: Error, text: &str| {
            assert_eq!((error.code(), error.to_string().as_str()), (Code::Gradient, text));
            assert_eq!(engine.data(&both[0]).unwrap(), Data::Double(vec![1.0, -2.0]));
            assert_eq!(library.states(&both).unwrap(), [None, None]);
        };
        refused(step().unwrap_err(), "parameter 1 cannot be updated: its gradient is sparse");
        engine.set_grad(&both[1], Some(&both[0])).unwrap();
        refused(step().unwrap_err(), "parameter 1 cannot be updated: its gradient has another shape");
        engine.set_grad(&both[1], None).unwrap();
        // libtorch must not write to memory while a step of Stepwell has views of it.
        engine
            .with_parameter_views(&both[..1], &|i| i.to_string(), &mut ViewCache::default(), false, &mut |_| {
                assert_eq!(step().unwrap_err().code(), Code::Internal);
                Ok(())
            })
            .unwrap();
        step().unwrap();
        assert_ne!(engine.data(&both[0]).unwrap(), Data::Double(vec![1.0, -2.0]));
    }
}

#[test]
fn optimizers_that_libtorch_lacks_are_errors() {
    let engine = TorchEngine::new();
    let error = engine.library_optimizer(definition("lamb").unwrap()).err().unwrap();
    assert_eq!(error.code(), Code::OptionRange, "{error}");
}

#[test]
fn a_closure_that_fails_or_panics_leaves_everything_as_it_was() {
    let engine = TorchEngine::new();
    let definition = definition("lbfgs").unwrap();
    let LibraryOptimizer::Closure(minimize) = engine.library_optimizer(definition).unwrap() else {
        panic!("lbfgs wants no closure");
    };
    let x = tensor(&engine, &[3.0, -2.0]);
    let options = defaults(definition.options);
    let group = LibraryGroup { options: &options, parameters: from_ref(&x) };
    let mut calls = 0;
    let mut run = |memory: Option<&AnyLbfgsStateDict>, end: Option<&dyn Fn() -> Error>| {
        let first = calls;
        minimize(&group, memory, &mut || {
            calls += 1;
            if let Some(end) = end.filter(|_| calls == first + 3) {
                return Err(end());
            }
            let Data::Double(at) = engine.data(&x)? else { panic!("another dtype") };
            // Half the square, and a little of the fourth power.
            let gradient: Vec<f64> = at.iter().map(|x| x + 0.4 * x * x * x).collect();
            engine.set_grad(&x, Some(&tensor(&engine, &gradient)))?;
            Ok(at.iter().map(|x| 0.5 * x * x + 0.1 * x * x * x * x).sum())
        })
    };
    let start = engine.data(&x).unwrap();
    let fail = || Error::new(Code::Argument, "on purpose");
    assert_eq!(run(None, Some(&fail)).unwrap_err().to_string(), "on purpose");
    assert_eq!(engine.data(&x).unwrap(), start);
    let panicked = catch_unwind(AssertUnwindSafe(|| run(None, Some(&|| panic!("on purpose"))))).unwrap_err();
    assert_eq!(panicked.downcast_ref(), Some(&"on purpose"));
    assert_eq!(engine.data(&x).unwrap(), start);
    let (loss, memory) = run(None, None).unwrap();
    assert_eq!(loss, 0.5 * 13.0 + 0.1 * 97.0);
    let AnyLbfgsStateDict::Double(memory) = memory else { panic!("another dtype") };
    assert!(memory.n_iter > 1 && memory.old_dirs.len() == memory.ro.len() && memory.d.len() == 2);
}
