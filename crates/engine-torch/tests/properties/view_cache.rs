//! A step with a cache sees every change of parameters and gradients since the step before.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]
#![allow(clippy::disallowed_methods, reason = "addresses are compared, and nothing is read from them")]

use std::cell::RefCell;

use stepwell_engine_torch::{Tensor, TorchEngine, ViewCache};
use stepwell_optim::{Code, Error, Result, View};
use stepwell_session::{Data, Device, Dtype, Engine, Loss, Reduction};

/// Two parameters of two elements that have made enough steps for the next to be a steady one.
struct Steady {
    engine: TorchEngine,
    all: [Tensor; 2],
    cache: RefCell<ViewCache>,
}

impl Steady {
    fn new() -> Self {
        let engine = TorchEngine::new();
        let all = [0, 1].map(|_| {
            let p = engine.tensor(&Data::Float(vec![1.0, 2.0]), &[2], Device::Cpu).unwrap();
            engine.set_requires_grad(&p, true).unwrap();
            engine
                .set_grad(&p, Some(&engine.tensor(&Data::Float(vec![1.0, 1.0]), &[2], Device::Cpu).unwrap()))
                .unwrap();
            p
        });
        let steady = Self { engine, all, cache: RefCell::default() };
        for _ in 0..3 {
            steady.step().unwrap();
        }
        assert_eq!(steady.values(), [[-2.0, -1.0], [-2.0, -1.0]]);
        steady
    }

    fn float(&self, data: &[f32]) -> Tensor {
        self.engine.tensor(&Data::Float(data.to_vec()), &[data.len()], Device::Cpu).unwrap()
    }

    fn with_parameter_views(&self, step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<()>) -> Result<()> {
        self.engine.with_parameter_views(&self.all, &|i| i.to_string(), &mut self.cache.borrow_mut(), false, step)
    }

    /// Subtracts the gradients. Returns the type and the length of each view.
    fn step(&self) -> Result<Vec<Option<(&'static str, usize)>>> {
        let mut seen = Vec::new();
        self.with_parameter_views(&mut |views| {
            for view in views.iter_mut() {
                seen.push(view.as_mut().map(|view| {
                    let length = view.len();
                    match view {
                        View::Float(p, g) => p.iter_mut().zip(&**g).for_each(|(p, g)| *p -= g),
                        View::Double(p, g) => p.iter_mut().zip(&**g).for_each(|(p, g)| *p -= g),
                        other => panic!("{other:?}"),
                    }
                    (if matches!(view, View::Float(..)) { "float" } else { "double" }, length)
                }));
            }
            Ok(())
        })?;
        Ok(seen)
    }

    fn value(&self, tensor: &Tensor) -> Vec<f64> {
        match self.engine.data(tensor).unwrap().cast(Dtype::Double).unwrap() {
            Data::Double(values) => values,
            other => panic!("{other:?}"),
        }
    }

    fn values(&self) -> [Vec<f64>; 2] {
        [0, 1].map(|i| self.value(&self.all[i]))
    }

    #[track_caller]
    fn refused(&self, code: Code, text: &str) {
        let before = self.values();
        for _ in 0..2 {
            let error = self.with_parameter_views(&mut |_| panic!("a step was called")).unwrap_err();
            assert_eq!((error.code(), error.to_string().as_str()), (code, text));
        }
        assert_eq!(self.values(), before);
    }

    fn graph(&self, parameter: usize) -> Tensor {
        self.engine.loss(Loss::Mse, &self.all[parameter], &self.float(&[0.0, 0.0]), Reduction::Sum).unwrap()
    }

    fn is_outdated(&self, graph: &Tensor) -> bool {
        self.engine.backward(graph, 1.0).is_err_and(|error| error.to_string().contains("outdated graph"))
    }
}

#[test]
fn a_gradient_that_backward_replaced() {
    let steady = Steady::new();
    let old = steady.engine.grad(&steady.all[1]).unwrap();
    steady.engine.set_grad(&steady.all[1], None).unwrap();
    steady.engine.backward(&steady.graph(1), 1.0).unwrap();
    assert_ne!(steady.engine.identity(&old), steady.engine.identity(&steady.engine.grad(&steady.all[1]).unwrap()));
    steady.step().unwrap();
    // The gradient of the squares is twice the parameter.
    assert_eq!(steady.values(), [[-3.0, -2.0], [2.0, 1.0]]);
    // A second backward, into the existing gradient: the elements change, but no address does.
    steady.engine.backward(&steady.graph(1), 1.0).unwrap();
    steady.step().unwrap();
    assert_eq!(steady.values(), [[-4.0, -3.0], [2.0, 1.0]]);
}

#[test]
fn a_gradient_that_went_and_came_back() {
    let steady = Steady::new();
    let gradient = steady.engine.grad(&steady.all[0]);
    steady.engine.set_grad(&steady.all[0], None).unwrap();
    let untouched = steady.graph(0);
    for _ in 0..3 {
        assert_eq!(steady.step().unwrap(), [None, Some(("float", 2))]);
    }
    assert!(!steady.is_outdated(&untouched), "not written to");
    // That was a backward, which made a gradient of twice the parameter, and altered nothing else.
    assert_eq!(steady.step().unwrap(), [Some(("float", 2)); 2]);
    assert_eq!(steady.values(), [[2.0, 1.0], [-6.0, -5.0]]);
    steady.engine.set_grad(&steady.all[0], gradient.as_ref()).unwrap();
    assert_eq!(steady.step().unwrap(), [Some(("float", 2)); 2]);
    assert_eq!(steady.values(), [[1.0, 0.0], [-7.0, -6.0]]);
}

#[test]
fn another_gradient_at_the_same_address() {
    let steady = Steady::new();
    let p = &steady.all[0];
    let address = steady.engine.identity(&steady.engine.grad(p).unwrap());
    steady.engine.set_grad(p, None).unwrap();
    // Freed memory is usually the first to be allocated again.
    let made: Vec<_> = (0..100).map(|_| steady.float(&[1.0, 1.0, 1.0])).collect();
    let Some(same) = made.iter().find(|tensor| steady.engine.identity(tensor) == address) else { return };
    steady.engine.set_grad(p, Some(same)).unwrap();
    steady.refused(Code::Gradient, "parameter 0 cannot be updated: its gradient has another shape");
}

#[test]
fn memory_that_moved() {
    let steady = Steady::new();
    let p = &steady.all[1];
    // Another storage for the parameter.
    let before = steady.float(&[7.0, 7.0]);
    steady.engine.replace(p, &before).unwrap();
    steady.engine.replace(p, &steady.float(&[5.0, 5.0])).unwrap();
    steady.step().unwrap();
    assert_eq!((steady.value(p), steady.value(&before)), (vec![4.0, 4.0], vec![7.0, 7.0]));
    // One storage with other memory, for the parameter and for its gradient.
    for tensor in [p, &steady.engine.grad(p).unwrap()] {
        let address = tensor.as_ref().data_ptr();
        // libtorch resizes no tensor that requires a gradient.
        let flag = steady.engine.requires_grad(tensor);
        steady.engine.set_requires_grad(tensor, false).unwrap();
        tensor.change_metadata(|tensor| {
            drop(tensor.f_resize_([4096]).unwrap());
            drop(tensor.f_resize_([2]).unwrap());
        });
        steady.engine.set_requires_grad(tensor, flag).unwrap();
        assert_ne!(tensor.as_ref().data_ptr(), address);
        let values = steady.value(p);
        steady.step().unwrap();
        assert_eq!(steady.value(p), [values[0] - 1.0, values[1] - 1.0]);
    }
    // Another place in a storage.
    let long = steady.float(&[1.0, 2.0, 3.0, 4.0]);
    for start in [0, 1, 2] {
        let part = Tensor::try_from(long.as_ref().f_narrow(0, start, 2).unwrap()).unwrap();
        steady.engine.replace(p, &part).unwrap();
        steady.step().unwrap();
    }
    assert_eq!(steady.value(&long), [0.0, 0.0, 1.0, 3.0]);
    // Memory that libtorch copies when it is written to.
    let copy = Tensor::try_from(p.change_metadata(|p| p.f_internal_lazy_clone()).unwrap()).unwrap();
    steady.step().unwrap();
    assert_eq!((steady.value(p), steady.value(&copy)), (vec![0.0, 2.0], vec![1.0, 3.0]));
}

#[test]
fn another_dtype_and_another_length() {
    let steady = Steady::new();
    let p = &steady.all[1];
    let double = steady.engine.tensor(&Data::Double(vec![0.5, 0.5]), &[2], Device::Cpu).unwrap();
    steady.engine.replace(p, &double).unwrap();
    steady.refused(Code::Gradient, "parameter 1 cannot be updated: its gradient has another dtype");
    steady.engine.set_grad(p, Some(&steady.engine.convert(&double, Dtype::Double, Device::Cpu).unwrap())).unwrap();
    assert_eq!(steady.step().unwrap(), [Some(("float", 2)), Some(("double", 2))]);
    assert_eq!(steady.values(), [[-3.0, -2.0], [0.0, 0.0]]);

    // In place, so that every tensor is the one that it was; only its sizes are others.
    let gradient = steady.engine.grad(&steady.all[0]).unwrap();
    drop(gradient.change_metadata(|gradient| gradient.f_unsqueeze_(0)).unwrap());
    steady.refused(Code::Gradient, "parameter 0 cannot be updated: its gradient has another shape");
    drop(gradient.change_metadata(|gradient| gradient.f_squeeze_()).unwrap());
    steady.engine.set_requires_grad(&steady.all[0], false).unwrap();
    for tensor in [&steady.all[0], &gradient] {
        drop(tensor.change_metadata(|tensor| tensor.f_resize_([1])).unwrap());
    }
    steady.engine.set_requires_grad(&steady.all[0], true).unwrap();
    assert_eq!(steady.step().unwrap(), [Some(("float", 1)), Some(("double", 2))]);
    assert_eq!(steady.value(&steady.all[0]), [-4.0]);
}

#[test]
fn a_layout_without_a_view() {
    let steady = Steady::new();
    let p = &steady.all[1];
    let values = steady.values();
    // A view with a pending negation of the same memory.
    let gradient = steady.engine.grad(p).unwrap();
    let negative = gradient.as_ref().f_internal_neg_view().unwrap();
    gradient.change_metadata(|gradient| gradient.set_data(&negative));
    steady.refused(Code::Gradient, "parameter 1 cannot be updated: its gradient is sparse");
    assert_eq!(steady.values(), values);
    // Every second element: read in order, as a copy, at each step anew.
    let wide = steady.float(&[1.0, 9.0, 2.0, 9.0]);
    let every_second = Tensor::try_from(wide.as_ref().f_slice(0, 0, 4, 2).unwrap()).unwrap();
    steady.engine.set_grad(p, Some(&every_second)).unwrap();
    steady.step().unwrap();
    steady.engine.assign(&wide, &Data::Float(vec![10.0, 9.0, 20.0, 9.0])).unwrap();
    steady.step().unwrap();
    assert_eq!(steady.value(p), [-13.0, -23.0]);
}

#[test]
fn memory_that_came_to_be_shared() {
    let steady = Steady::new();
    let [a, b] = &steady.all;
    let own = steady.float(&[1.0, 1.0]);
    steady.engine.replace(b, a).unwrap();
    steady.refused(Code::Parameter, "parameter 0 shares memory with parameter 1");
    steady.engine.replace(b, &own).unwrap();
    steady.step().unwrap();
    let view = steady.engine.no_grad(|| steady.engine.reshape(a, &[2]).unwrap());
    let gradient = steady.engine.grad(b);
    steady.engine.set_grad(b, Some(&view)).unwrap();
    steady.refused(Code::Gradient, "parameter 0 shares memory with gradient 1");
    steady.engine.set_grad(b, gradient.as_ref()).unwrap();
    // If both have one gradient, the view of the second is a copy.
    steady.engine.set_grad(b, steady.engine.grad(a).as_ref()).unwrap();
    for _ in 0..2 {
        steady
            .with_parameter_views(&mut |views| {
                let addresses: Vec<_> = views
                    .iter()
                    .flatten()
                    .map(|view| match view {
                        View::Float(_, g) => g.as_ptr(),
                        other => panic!("{other:?}"),
                    })
                    .collect();
                assert_ne!(addresses[0], addresses[1]);
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn a_parameter_that_is_frozen_and_goes_on() {
    let steady = Steady::new();
    let [a, _] = &steady.all;
    let graph = |p| steady.engine.loss(Loss::Mse, p, &steady.float(&[0.0, 0.0]), Reduction::Sum).unwrap();
    let old = graph(a);
    for (flag, seen) in [(false, None), (true, Some(("float", 2))), (false, None)] {
        steady.engine.set_requires_grad(a, flag).unwrap();
        for _ in 0..3 {
            assert_eq!(steady.step().unwrap(), [seen, Some(("float", 2))]);
        }
        if !flag && steady.value(a) == [-2.0, -1.0] {
            // It was not written to, so that a graph through it is as good as it was.
            steady.engine.backward(&old, 1.0).unwrap();
        }
    }
    assert_eq!(steady.values(), [[-5.0, -4.0], [-11.0, -10.0]]);
}

#[test]
fn another_list_of_parameters() {
    let steady = Steady::new();
    let [a, b] = &steady.all;
    let engine = &steady.engine;
    let lengths = |parameters: &[Tensor]| {
        let mut lengths = Vec::new();
        let note = &mut |views: &mut [Option<View<'_>>]| {
            lengths = views.iter().map(|view| view.as_ref().map(View::len)).collect();
            Ok(())
        };
        engine
            .with_parameter_views(parameters, &|i| i.to_string(), &mut steady.cache.borrow_mut(), false, note)
            .map(|()| lengths)
    };
    let other = steady.float(&[1.0]);
    engine.set_requires_grad(&other, true).unwrap();
    engine.set_grad(&other, Some(&steady.float(&[1.0]))).unwrap();
    assert_eq!(lengths(&[a.clone(), other.clone()]).unwrap(), [Some(2), Some(1)]);
    assert_eq!(lengths(&[b.clone(), other, a.clone()]).unwrap(), [Some(2), Some(1), Some(2)]);
    assert_eq!(lengths(&[b.clone(), a.clone(), a.clone()]).unwrap_err().code(), Code::Parameter);
    assert_eq!(lengths(&[]).unwrap(), []);
    assert_eq!(lengths(std::slice::from_ref(b)).unwrap(), [Some(2)]);
}

#[test]
fn versions_of_written_tensors_alone_are_bumped() {
    let steady = Steady::new();
    // However a steady step ends.
    for ends in [Ok(()), Err(Error::new(Code::Internal, "on purpose"))] {
        let old = [steady.graph(0), steady.graph(1)];
        assert_eq!(steady.with_parameter_views(&mut |_| ends.clone()).is_ok(), ends.is_ok());
        assert!(old.iter().all(|graph| steady.is_outdated(graph)));
    }
    // A step that is refused writes to nothing, also not to what comes before the parameter that it is refused for.
    for parameter in [0, 1] {
        let steady = Steady::new();
        let old = [steady.graph(0), steady.graph(1)];
        let gradient = steady.engine.grad(&steady.all[parameter]);
        steady.engine.set_grad(&steady.all[parameter], Some(&steady.float(&[1.0]))).unwrap();
        assert_eq!(steady.step().unwrap_err().code(), Code::Gradient);
        steady.engine.set_grad(&steady.all[parameter], gradient.as_ref()).unwrap();
        assert!(!old.iter().any(|graph| steady.is_outdated(graph)));
    }
}

#[test]
fn a_step_counts_one_version() {
    let steady = Steady::new();
    let versions = || steady.all.each_ref().map(|tensor| tensor.as_ref().f_internal_version().unwrap());
    steady.engine.set_grad(&steady.all[1], None).unwrap();
    for _ in 0..2 {
        let [first, second] = versions();
        steady.step().unwrap();
        assert_eq!(versions(), [first + 1, second]);
    }
    // Only what comes after the first parameter has changed, and that by backward.
    steady.engine.backward(&steady.graph(1), 1.0).unwrap();
    for _ in 0..2 {
        let [first, second] = versions();
        steady.step().unwrap();
        assert_eq!(versions(), [first + 1, second + 1]);
    }
}
