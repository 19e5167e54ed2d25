//! Views are of libtorch's own memory, and exist only where that is safe.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::slice::from_ref;

use stepwell_engine_torch::{Tensor, TorchEngine, ViewCache};
use stepwell_optim::{Code, Error, Result, View};
use stepwell_session::{Data, Device, Engine, Loss, Reduction};

fn float(engine: &TorchEngine, shape: &[usize], data: &[f32]) -> Tensor {
    engine.tensor(&Data::Float(data.to_vec()), shape, Device::Cpu).unwrap()
}

/// The tensor, to be trained.
fn trained(engine: &TorchEngine, tensor: Tensor) -> Tensor {
    engine.set_requires_grad(&tensor, true).unwrap();
    tensor
}

/// A parameter [1, 2] with the gradient [10, 20].
fn parameter(engine: &TorchEngine) -> Tensor {
    let p = trained(engine, float(engine, &[2], &[1.0, 2.0]));
    engine.set_grad(&p, Some(&float(engine, &[2], &[10.0, 20.0]))).unwrap();
    p
}

fn subtract(views: &mut [Option<View<'_>>]) -> Result<()> {
    for view in views.iter_mut().flatten() {
        match view {
            View::Float(p, g) => p.iter_mut().zip(&**g).for_each(|(p, g)| *p -= g),
            View::Double(p, g) => p.iter_mut().zip(&**g).for_each(|(p, g)| *p -= g),
            other => panic!("{other:?}"),
        }
    }
    Ok(())
}

#[track_caller]
fn refused(engine: &TorchEngine, parameters: &[Tensor], code: Code, text: &str) {
    let error = engine
        .with_parameter_views(parameters, &|i| i.to_string(), &mut ViewCache::default(), false, &mut |_| {
            panic!("a step was called")
        })
        .unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), (code, text));
}

#[test]
fn a_step_writes_into_the_tensors() {
    let engine = TorchEngine::new();
    let double = trained(&engine, engine.tensor(&Data::Double(vec![1.0]), &[], Device::Cpu).unwrap());
    let still = float(&engine, &[1], &[5.0]);
    engine.set_grad(&double, Some(&engine.tensor(&Data::Double(vec![0.5]), &[], Device::Cpu).unwrap())).unwrap();
    let empty = trained(&engine, float(&engine, &[0, 3], &[]));
    engine.set_grad(&empty, Some(&float(&engine, &[0, 3], &[]))).unwrap();
    let all = [parameter(&engine), still, double, empty];
    engine
        .with_parameter_views(&all, &|i| i.to_string(), &mut ViewCache::default(), false, &mut |views| {
            let lengths: Vec<_> = views.iter().map(|view| view.as_ref().map(View::len)).collect();
            assert_eq!(lengths, [Some(2), None, Some(1), Some(0)]);
            subtract(views)
        })
        .unwrap();
    assert_eq!(engine.data(&all[0]).unwrap(), Data::Float(vec![-9.0, -18.0]));
    assert_eq!(engine.data(&all[1]).unwrap(), Data::Float(vec![5.0]));
    assert_eq!(engine.data(&all[2]).unwrap(), Data::Double(vec![0.5]));
    engine.with_parameter_views(&[], &|i| i.to_string(), &mut ViewCache::default(), false, &mut subtract).unwrap();
}

#[test]
fn gradients_that_do_not_fit_are_errors() {
    let engine = TorchEngine::new();
    let (good, bad) = (parameter(&engine), parameter(&engine));
    let all = [good, bad];
    let refuse = |grad: &Tensor, code, text| {
        engine.set_grad(&all[1], Some(grad)).unwrap();
        refused(&engine, &all, code, text);
    };
    let double = engine.tensor(&Data::Double(vec![1.0, 2.0]), &[2], Device::Cpu).unwrap();
    refuse(&double, Code::Gradient, "parameter 1 cannot be updated: its gradient has another dtype");
    let longer = float(&engine, &[3], &[1.0, 2.0, 3.0]);
    refuse(&longer, Code::Gradient, "parameter 1 cannot be updated: its gradient has another shape");
    let column = float(&engine, &[2, 2], &[0.0; 4]).as_ref().f_select(1, 0).unwrap();
    let column = trained(&engine, Tensor::try_from(column).unwrap());
    engine.set_grad(&column, Some(&float(&engine, &[2], &[1.0, 2.0]))).unwrap();
    refused(&engine, &[column], Code::Parameter, "parameter 0 cannot be updated: its memory is not contiguous");
}

#[test]
fn frozen_parameters_have_no_view_and_no_check() {
    let engine = TorchEngine::new();
    let (p, frozen) = (parameter(&engine), parameter(&engine));
    engine.set_requires_grad(&frozen, false).unwrap();
    let double = engine.tensor(&Data::Double(vec![1.0, 2.0]), &[2], Device::Cpu).unwrap();
    engine.set_grad(&frozen, Some(&double)).unwrap();
    // Twice the same tensor, too: it is not written to.
    let all = [frozen.clone(), p.clone(), frozen];
    let mut cache = ViewCache::default();
    let mut subtract_all = |zero_grad| {
        let step = &mut |views: &mut [Option<View<'_>>]| {
            assert_eq!(views.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, false]);
            subtract(views)
        };
        engine.with_parameter_views(&all, &|i| i.to_string(), &mut cache, zero_grad, step).unwrap();
    };
    subtract_all(false);
    subtract_all(false);
    assert_eq!(engine.data(&double).unwrap(), Data::Double(vec![1.0, 2.0]));
    subtract_all(true);
    assert_eq!(engine.data(&double).unwrap(), Data::Double(vec![0.0, 0.0]));
    assert_eq!(engine.data(&p).unwrap(), Data::Float(vec![-29.0, -58.0]));
    assert_eq!(engine.data(&all[0]).unwrap(), Data::Float(vec![1.0, 2.0]));
}

#[test]
fn a_sparse_gradient_is_refused() {
    let engine = TorchEngine::new();
    let rows = float(&engine, &[3, 1], &[1.0, 2.0, 3.0]);
    engine.set_requires_grad(&rows, true).unwrap();
    let indices = engine.tensor(&Data::Long(vec![2]), &[1], Device::Cpu).unwrap();
    let row = tch::Tensor::f_embedding(rows.as_ref(), indices.as_ref(), -1, false, true).unwrap();
    row.f_backward().unwrap();
    let sparse = engine.grad(&rows).unwrap().as_ref().shallow_clone();
    assert_eq!(Tensor::try_from(sparse).unwrap_err().code(), Code::Engine);
    refused(&engine, &[rows], Code::Gradient, "parameter 0 cannot be updated: its gradient is sparse");
}

#[test]
fn memory_is_in_one_view() {
    let engine = TorchEngine::new();
    let (a, b) = (parameter(&engine), parameter(&engine));
    refused(&engine, &[a.clone(), b.clone(), a.clone()], Code::Parameter, "parameter 0 shares memory with parameter 2");
    // Another tensor over the same storage.
    let view = trained(&engine, engine.no_grad(|| engine.reshape(&a, &[2]).unwrap()));
    assert_ne!(engine.identity(&view), engine.identity(&a));
    engine.set_grad(&view, engine.grad(&a).as_ref()).unwrap();
    refused(&engine, &[a.clone(), view.clone()], Code::Parameter, "parameter 0 shares memory with parameter 1");
    // A gradient that is a parameter.
    engine.set_grad(&b, Some(&view)).unwrap();
    let error = engine
        .with_parameter_views(
            &[a.clone(), b.clone()],
            &|i| i.to_string(),
            &mut ViewCache::default(),
            false,
            &mut |_| panic!("a step was called"),
        )
        .unwrap_err();
    assert_eq!(error.code(), Code::Gradient, "{error}");
    // One gradient for two parameters, and two halves of one storage, are fine.
    engine.set_grad(&b, engine.grad(&a).as_ref()).unwrap();
    engine.with_parameter_views(&[a, b], &|i| i.to_string(), &mut ViewCache::default(), false, &mut subtract).unwrap();
    let whole = float(&engine, &[4], &[1.0, 2.0, 3.0, 4.0]);
    let halves =
        [0, 2].map(|start| trained(&engine, Tensor::try_from(whole.as_ref().f_narrow(0, start, 2).unwrap()).unwrap()));
    halves.iter().for_each(|half| engine.set_grad(half, Some(&float(&engine, &[2], &[1.0, 1.0]))).unwrap());
    engine.with_parameter_views(&halves, &|i| i.to_string(), &mut ViewCache::default(), false, &mut subtract).unwrap();
    assert_eq!(engine.data(&whole).unwrap(), Data::Float(vec![0.0, 1.0, 2.0, 3.0]));
}

#[test]
fn a_gradient_of_another_layout_is_read_in_order() {
    let engine = TorchEngine::new();
    let p = trained(&engine, float(&engine, &[2, 2], &[0.0; 4]));
    let grad = float(&engine, &[2, 2], &[1.0, 2.0, 3.0, 4.0]).as_ref().f_transpose(0, 1).unwrap();
    engine.set_grad(&p, Some(&Tensor::try_from(grad).unwrap())).unwrap();
    engine
        .with_parameter_views(from_ref(&p), &|i| i.to_string(), &mut ViewCache::default(), false, &mut subtract)
        .unwrap();
    assert_eq!(engine.data(&p).unwrap(), Data::Float(vec![-1.0, -3.0, -2.0, -4.0]));
    // Stride 0: one number for all four.
    let grad = float(&engine, &[1], &[1.0]).as_ref().f_expand([2, 2], false).unwrap();
    engine.set_grad(&p, Some(&Tensor::try_from(grad).unwrap())).unwrap();
    engine
        .with_parameter_views(from_ref(&p), &|i| i.to_string(), &mut ViewCache::default(), false, &mut subtract)
        .unwrap();
    assert_eq!(engine.data(&p).unwrap(), Data::Float(vec![-2.0, -4.0, -3.0, -5.0]));
    // Stride 0 from autograd: the backward of a sum expands.
    engine.set_grad(&p, None).unwrap();
    engine.backward(&Tensor::try_from(p.as_ref().f_sum(tch::Kind::Float).unwrap()).unwrap(), 1.0).unwrap();
    engine
        .with_parameter_views(from_ref(&p), &|i| i.to_string(), &mut ViewCache::default(), false, &mut subtract)
        .unwrap();
    assert_eq!(engine.data(&p).unwrap(), Data::Float(vec![-3.0, -5.0, -4.0, -6.0]));
}

#[test]
fn an_old_graph_is_refused_after_a_step() {
    let engine = TorchEngine::new();
    let zero = float(&engine, &[2], &[0.0, 0.0]);
    let ends: [&dyn Fn(&Tensor); 4] = [
        &|p| {
            engine
                .with_parameter_views(from_ref(p), &|i| i.to_string(), &mut ViewCache::default(), false, &mut subtract)
                .unwrap()
        },
        &|p| {
            let failed = engine.with_parameter_views(
                from_ref(p),
                &|i| i.to_string(),
                &mut ViewCache::default(),
                false,
                &mut |_| Err(Error::new(Code::Internal, "on purpose")),
            );
            assert_eq!(failed.unwrap_err().to_string(), "on purpose");
        },
        &|p| {
            let panicking = || {
                engine.with_parameter_views(
                    from_ref(p),
                    &|i| i.to_string(),
                    &mut ViewCache::default(),
                    false,
                    &mut |_| panic!("on purpose"),
                )
            };
            assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        },
        &|p| engine.replace(p, &zero).unwrap(),
    ];
    for end in ends {
        let p = parameter(&engine);
        let without = float(&engine, &[2], &[1.0, 1.0]);
        engine.set_requires_grad(&without, true).unwrap();
        let graph = |p| engine.loss(Loss::Mse, p, &zero, Reduction::Sum).unwrap();
        let (old, untouched) = (graph(&p), graph(&without));
        engine
            .with_parameter_views(
                from_ref(&without),
                &|i| i.to_string(),
                &mut ViewCache::default(),
                false,
                &mut subtract,
            )
            .unwrap();
        end(&p);
        let error = engine.backward(&old, 1.0).unwrap_err();
        assert!(error.to_string().starts_with("backward through an outdated graph"), "{error}");
        engine.backward(&untouched, 1.0).unwrap();
        engine.backward(&graph(&p), 1.0).unwrap();
    }
}

#[test]
fn writes_during_a_step_are_errors() {
    let engine = TorchEngine::new();
    let p = parameter(&engine);
    engine
        .with_parameter_views(from_ref(&p), &|i| i.to_string(), &mut ViewCache::default(), false, &mut |_| {
            for result in [
                engine.set_grad(&p, None),
                engine.zero_grad(&p),
                engine.assign(&p, &Data::Float(vec![0.0, 0.0])),
                engine.replace(&p, &p),
                engine.with_parameter_views(
                    from_ref(&p),
                    &|i| i.to_string(),
                    &mut ViewCache::default(),
                    false,
                    &mut subtract,
                ),
            ] {
                assert_eq!(result.unwrap_err().code(), Code::Internal);
            }
            Ok(())
        })
        .unwrap();
    engine.zero_grad(&p).unwrap();
}
