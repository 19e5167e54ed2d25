//! The elementwise product of two tensors of one shape.

use stepwell_optim::Result;

use crate::autograd::backward::{Call, Gradient, Gradients, Saved};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::refused;
use crate::memory::CountedVec;

struct Multiply;

pub(crate) fn multiply(autograd: &Autograd, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (shape, other) = (a.shape(), b.shape());
    if shape != other {
        return Err(refused(format!("expected two tensors of one shape, given {shape:?} and {other:?}")));
    }
    let buffer = with_real!(a.dtype(), T => forward::<T>(autograd, a, b).map(Element::wrap))?;
    let given = [Some(a), Some(b), None];
    let needed = autograd.needed(given);
    let saved = vec![needed[1].then(|| a.saved()), needed[0].then(|| b.saved())];
    autograd.record_output(&shape, Storage::new(buffer), given, Multiply, saved)
}

fn forward<T: Real>(autograd: &Autograd, a: &Tensor, b: &Tensor) -> Result<CountedVec<T>> {
    let (a, b) = (a.storage(), b.storage());
    let (a, b) = (a.read()?, b.read()?);
    autograd.budget.collect(T::of(&a)?.iter().zip(T::of(&b)?).map(|(a, b)| *a * *b))
}

impl Gradient for Multiply {
    fn gradients<T: Real>(&self, call: &Call<'_>, gradient: CountedVec<T>) -> Result<Gradients<T>> {
        let times = |place| -> Result<Option<CountedVec<T>>> {
            let other: &[T] = call.saved(place)?;
            call.budget.collect(gradient.iter().zip(other).map(|(g, x)| *g * *x)).map(Some)
        };
        Ok([if call.needed[0] { times(1)? } else { None }, if call.needed[1] { times(0)? } else { None }, None])
    }
}
