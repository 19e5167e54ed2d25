//! Small tensors, and operations on them that most tests use.

#![allow(clippy::unwrap_used, clippy::panic, reason = "clippy exempts tests, but not their helpers")]

use stepwell_engine_rust::{RustEngine, Tensor};
use stepwell_optim::{Code, Result, View};
use stepwell_session::{Data, Device, Engine, Loss, Reduction};

/// The message of an outdated graph.
pub(crate) const OUTDATED: &str = "backward through an outdated graph";

pub(crate) fn float(k: &RustEngine, shape: &[usize], data: &[f32]) -> Tensor {
    k.tensor(&Data::Float(data.to_vec()), shape, Device::Cpu).unwrap()
}

/// A leaf that requires a gradient.
pub(crate) fn leaf(k: &RustEngine, shape: &[usize], data: &[f32]) -> Tensor {
    let tensor = float(k, shape, data);
    k.set_requires_grad(&tensor, true).unwrap();
    tensor
}

/// The sum of the squares.
pub(crate) fn squares(k: &RustEngine, x: &Tensor) -> Tensor {
    let shape = k.shape(x).unwrap();
    let zero = float(k, &shape, &vec![0.0; shape.iter().product()]);
    k.loss(Loss::Mse, x, &zero, Reduction::Sum).unwrap()
}

pub(crate) fn grad(k: &RustEngine, x: &Tensor) -> Option<Data> {
    k.grad(x).map(|grad| k.data(&grad).unwrap())
}

pub(crate) fn subtract(views: &mut [Option<View<'_>>]) -> Result<()> {
    for view in views.iter_mut().flatten() {
        match view {
            View::Float(p, g) => p.iter_mut().zip(&**g).for_each(|(p, g)| *p -= *g),
            View::Double(p, g) => p.iter_mut().zip(&**g).for_each(|(p, g)| *p -= *g),
            View::Half(..) | View::BFloat16(..) => panic!("16 bits"),
        }
    }
    Ok(())
}

#[track_caller]
pub(crate) fn refused(result: Result<()>, code: Code, start: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().starts_with(start), "{error}");
}
