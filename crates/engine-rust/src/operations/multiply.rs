//! The elementwise product of two tensors of one shape.

use stepwell_optim::Result;

use crate::autograd::backward::{Backward, BackwardContext, InputGradients};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::engine_error;
use crate::memory::CountedVec;

struct Multiply;

pub(crate) fn multiply(autograd: &Autograd, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (shape, other) = (a.shape(), b.shape());
    if shape != other {
        return Err(engine_error(format!("expected two tensors of one shape, given {shape:?} and {other:?}")));
    }
    let buffer = with_real!(a.dtype(), T => forward::<T>(autograd, a, b).map(Element::into_buffer))?;
    let operands = [Some(a), Some(b)];
    let needs_input_grad = autograd.needs_grad(operands);
    let saved = vec![needs_input_grad[1].then(|| a.saved()), needs_input_grad[0].then(|| b.saved())];
    autograd.record_output(&shape, Storage::new(buffer), &operands, Multiply, saved)
}

fn forward<T: Real>(autograd: &Autograd, a: &Tensor, b: &Tensor) -> Result<CountedVec<T>> {
    let (a, b) = (a.storage(), b.storage());
    let (a, b) = (a.read()?, b.read()?);
    autograd.budget.collect(T::slice(&a)?.iter().zip(T::slice(&b)?).map(|(a, b)| *a * *b))
}

impl Backward for Multiply {
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        let times = |operand| -> Result<Option<CountedVec<T>>> {
            let other: &[T] = context.saved(operand)?;
            context.budget.collect(gradient.iter().zip(other).map(|(g, x)| *g * *x)).map(Some)
        };
        Ok(vec![
            if context.needs_input_grad(0) { times(1)? } else { None },
            if context.needs_input_grad(1) { times(0)? } else { None },
        ])
    }
}
