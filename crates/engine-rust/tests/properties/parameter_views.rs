//! Views of parameters: which tensors get one, and which are refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use std::slice::from_ref;

use stepwell_engine_rust::{RustEngine, Tensor};
use stepwell_optim::{Code, View};
use stepwell_session::{Data, Device, Engine};

use crate::small::{OUTDATED, float, grad, leaf, refused, squares, subtract};

#[test]
fn gradients_that_do_not_fit_are_errors() {
    let k = RustEngine::new();
    let refuse = |parameters: &[Tensor], code, text: &str| {
        let error = k
            .with_parameter_views(parameters, &|i| i.to_string(), &mut (), false, &mut |_| panic!("a step was called"))
            .unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), (code, text));
    };
    let make = || {
        let p = leaf(&k, &[2], &[1.0, 2.0]);
        k.set_grad(&p, Some(&float(&k, &[2], &[10.0, 20.0]))).unwrap();
        p
    };
    let (a, b) = (make(), make());
    let all = [a.clone(), b.clone()];
    let double = k.tensor(&Data::Double(vec![1.0, 2.0]), &[2], Device::Cpu).unwrap();
    k.set_grad(&b, Some(&double)).unwrap();
    refuse(&all, Code::Gradient, "parameter 1 cannot be updated: its gradient has another dtype");
    k.set_grad(&b, Some(&float(&k, &[1, 2], &[1.0, 2.0]))).unwrap();
    refuse(&all, Code::Gradient, "parameter 1 cannot be updated: its gradient has another shape");

    let b = make();
    refuse(&[a.clone(), b.clone(), a.clone()], Code::Parameter, "parameter 0 shares memory with parameter 2");
    let view = k.no_grad(|| k.reshape(&a, &[2]).unwrap());
    k.set_requires_grad(&view, true).unwrap();
    k.set_grad(&view, k.grad(&a).as_ref()).unwrap();
    refuse(&[a.clone(), view.clone()], Code::Parameter, "parameter 0 shares memory with parameter 1");
    k.set_grad(&b, Some(&view)).unwrap();
    refuse(&[a.clone(), b.clone()], Code::Gradient, "parameter 0 shares memory with gradient 1");
    assert_eq!(k.data(&a).unwrap(), Data::Float(vec![1.0, 2.0]));
    // One gradient for two parameters is fine, and no gradient too.
    k.set_grad(&b, k.grad(&a).as_ref()).unwrap();
    k.with_parameter_views(&[a, b.clone(), float(&k, &[1], &[1.0])], &|i| i.to_string(), &mut (), false, &mut subtract)
        .unwrap();
    assert_eq!(k.data(&b).unwrap(), Data::Float(vec![-9.0, -18.0]));
}

#[test]
fn a_gradient_of_two_parameters_is_set_to_zero_after_both_have_read_it() {
    let k = RustEngine::new();
    let shared = leaf(&k, &[2], &[10.0, 20.0]);
    let old = squares(&k, &shared);
    let parameters = [1.0, 2.0, 3.0].map(|x| leaf(&k, &[2], &[x, x]));
    for parameter in &parameters {
        k.set_grad(parameter, Some(&k.no_grad(|| k.reshape(&shared, &[2]).unwrap()))).unwrap();
    }
    k.with_parameter_views(&parameters, &|i| i.to_string(), &mut (), true, &mut |views| {
        subtract(views)?;
        for view in views.iter_mut().flatten() {
            let View::Float(_, g) = view else { panic!("a float") };
            g.fill(0.0);
        }
        Ok(())
    })
    .unwrap();
    for (parameter, x) in parameters.iter().zip([1.0, 2.0, 3.0]) {
        assert_eq!(k.data(parameter).unwrap(), Data::Float(vec![x - 10.0, x - 20.0]));
        assert_eq!(grad(&k, parameter), Some(Data::Float(vec![0.0, 0.0])));
    }
    // Who used the gradient in a graph learns that it has changed.
    refused(k.backward(&old, 1.0), Code::Engine, OUTDATED);
}

#[test]
fn frozen_parameters_have_no_view_and_no_check() {
    let k = RustEngine::new();
    let (p, frozen) = (leaf(&k, &[2], &[1.0, 2.0]), float(&k, &[2], &[3.0, 4.0]));
    k.set_grad(&p, Some(&float(&k, &[2], &[10.0, 20.0]))).unwrap();
    let double = k.tensor(&Data::Double(vec![1.0, 2.0]), &[2], Device::Cpu).unwrap();
    k.set_grad(&frozen, Some(&double)).unwrap();
    let all = [frozen.clone(), p.clone(), frozen];
    for zero_grad in [false, true] {
        assert_eq!(k.data(&double).unwrap(), Data::Double(vec![1.0, 2.0]));
        k.with_parameter_views(&all, &|i| i.to_string(), &mut (), zero_grad, &mut subtract).unwrap();
    }
    assert_eq!(k.data(&double).unwrap(), Data::Double(vec![0.0, 0.0]));
    assert_eq!(k.data(&p).unwrap(), Data::Float(vec![-19.0, -38.0]));
    assert_eq!(k.data(&all[0]).unwrap(), Data::Float(vec![3.0, 4.0]));
}

#[test]
fn every_other_call_during_a_step_is_an_error() {
    let k = RustEngine::new();
    let p = leaf(&k, &[2], &[1.0, 2.0]);
    let loss = squares(&k, &p);
    k.set_grad(&p, Some(&float(&k, &[2], &[1.0, 1.0]))).unwrap();
    k.with_parameter_views(from_ref(&p), &|i| i.to_string(), &mut (), false, &mut |_| {
        for result in [
            k.set_grad(&p, None),
            k.zero_grad(&p),
            k.assign(&p, &Data::Float(vec![0.0, 0.0])),
            k.replace(&p, &p),
            k.backward(&loss, 1.0),
            k.with_parameter_views(from_ref(&p), &|i| i.to_string(), &mut (), false, &mut subtract),
            k.data(&p).map(drop),
            k.multiply(&p, &p).map(drop),
        ] {
            assert_eq!(result.unwrap_err().code(), Code::Internal);
        }
        Ok(())
    })
    .unwrap();
    k.zero_grad(&p).unwrap();
}
