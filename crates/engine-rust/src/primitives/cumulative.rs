//! Sums and products up to each element of a lane. Elements of `float` are added and multiplied in f64.

use stepwell_optim::{Result, Shared};
use stepwell_session::Cumulative;

use crate::autograd::backward::{BackwardContext, ErasedBackward, Give};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::elements::element::{Real, with_real};
use crate::error::{dtype_error, internal_error};
use crate::memory::MemoryBudget;
use crate::primitives::layout::Lanes;
use crate::primitives::map::Widen;

struct Scan {
    lanes: Lanes,
}

pub(crate) fn cumulative(autograd: &Autograd, x: &Tensor, kind: Cumulative, dim: usize) -> Result<Vec<Tensor>> {
    let (shape, storage) = (x.shape(), x.storage());
    let lanes = Lanes::along(&shape, dim);
    let budget = &autograd.budget;
    let buffer = match (&*storage.read()?, kind) {
        (Buffer::Float(x), Cumulative::Sum) => scan(budget, x, lanes, 0.0, |sum, x| sum + x)?,
        (Buffer::Double(x), Cumulative::Sum) => scan(budget, x, lanes, 0.0, |sum, x| sum + x)?,
        (Buffer::Float(x), Cumulative::Prod) => scan(budget, x, lanes, 1.0, |product, x| product * x)?,
        (Buffer::Double(x), Cumulative::Prod) => scan(budget, x, lanes, 1.0, |product, x| product * x)?,
        (Buffer::Long(x), Cumulative::Sum) => scan(budget, x, lanes, 0, i64::wrapping_add)?,
        (Buffer::Long(x), Cumulative::Prod) => scan(budget, x, lanes, 1, i64::wrapping_mul)?,
        (Buffer::Bool(_), _) => return Err(dtype_error("float, double or long", x.dtype())),
    };
    let saved = vec![(kind == Cumulative::Prod).then(|| x.saved())];
    Ok(vec![autograd.record_output(&shape, Storage::new(buffer), &[Some(x)], Scan { lanes }, saved)?])
}

#[inline(never)]
fn scan<T: Widen>(
    budget: &Shared<MemoryBudget>,
    x: &[T],
    lanes: Lanes,
    start: T::Wide,
    next: fn(T::Wide, T::Wide) -> T::Wide,
) -> Result<Buffer> {
    let mut out = budget.zeros::<T>(x.len())?;
    for first in lanes.starts() {
        let mut result = start;
        for at in lanes.positions(first) {
            result = next(result, x[at].wide());
            out[at] = T::narrow(result);
        }
    }
    Ok(T::into_buffer(out))
}

impl ErasedBackward for Scan {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        give(0, with_real!(g.dtype(), T => self.gradient::<T>(context, g))?)
    }
}

impl Scan {
    /// With `after[i] = g[i] + x[i + 1] after[i + 1]`, the gradient is that times the product of all elements before. So it
    /// needs no division, and is exact where elements are 0. In a sum, x counts as 1.
    fn gradient<T: Real>(&self, context: &BackwardContext<'_>, g: &Buffer) -> Result<Buffer> {
        let (g, x) = (T::slice(g)?, context.optional_saved::<T>(0)?);
        let factor = |at: usize| x.map_or(1.0, |x| x[at].to_f64());
        let mut out = context.budget.zeros::<T>(g.len())?;
        let mut before = context.budget.zeros::<f64>(self.lanes.len)?;
        for first in self.lanes.starts() {
            let mut product = 1.0;
            for (at, before) in self.lanes.positions(first).zip(before.iter_mut()) {
                *before = product;
                product *= factor(at);
            }
            let mut after = 0.0;
            for (at, before) in self.lanes.positions(first).zip(&*before).rev() {
                let sum = g[at].to_f64() + after;
                out[at] = T::from_f64(sum * before);
                after = factor(at) * sum;
            }
        }
        Ok(T::into_buffer(out))
    }
}
