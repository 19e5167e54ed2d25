//! The order of elements along a dimension: sorting, and the largest or smallest one.

use stepwell_optim::{Result, Shared};

use crate::autograd::backward::{BackwardContext, ErasedBackward, Give, SavedTensor};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::elements::element::Element;
use crate::error::internal_error;
use crate::memory::{CountedVec, MemoryBudget};
use crate::primitives::layout::{Lanes, reduced_shape};
use crate::primitives::map::with_elements;

/// An element type with an order of all its elements.
trait Ordered: Element {
    /// A number that has the order of the elements: zeros are equal, and NaN is the largest.
    fn key(self) -> u64;
}

macro_rules! ordered {
    ($($type:ty: $x:ident => $key:expr;)*) => {
        $(impl Ordered for $type {
            fn key(self) -> u64 {
                let $x = self;
                $key
            }
        })*
    };
}
ordered! {
    f32: x => f64::from(x).key();
    f64: x => float_key(x);
    i64: x => (x as u64) ^ (1 << 63);
    bool: x => u64::from(x);
}

/// The bits of a number; reversed if it is negative.
fn float_key(x: f64) -> u64 {
    if x.is_nan() {
        return u64::MAX;
    }
    // -0 becomes 0.
    let bits = (x + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

struct Sort {
    lanes: Lanes,
}

/// The sorted elements, and the index that each had along the dimension.
pub(crate) fn sort(autograd: &Autograd, x: &Tensor, dim: usize, descending: bool) -> Result<Vec<Tensor>> {
    let (shape, storage) = (x.shape(), x.storage());
    let lanes = Lanes::along(&shape, dim);
    let (values, indices) = with_elements!(&*storage.read()?, x => sorted(&autograd.budget, x, lanes, descending))?;
    let indices = Storage::new(Buffer::Long(indices));
    let saved = vec![Some(SavedTensor::new(&indices))];
    let outputs = [(&*shape, Storage::new(values)), (&*shape, indices)];
    autograd.record_outputs(&outputs, &[Some(x)], Box::new(Sort { lanes }), saved)
}

#[inline(never)]
fn sorted<T: Ordered>(
    budget: &Shared<MemoryBudget>,
    x: &[T],
    lanes: Lanes,
    descending: bool,
) -> Result<(Buffer, CountedVec<i64>)> {
    let (mut values, mut indices) = (budget.zeros::<T>(x.len())?, budget.zeros::<i64>(x.len())?);
    let mut keys = budget.zeros::<(u64, u64)>(lanes.len)?;
    for start in lanes.starts() {
        for (i, (at, key)) in lanes.positions(start).zip(keys.iter_mut()).enumerate() {
            let order = x[at].key();
            *key = (if descending { !order } else { order }, i as u64);
        }
        sort_keys(&mut keys);
        for (at, (_, i)) in lanes.positions(start).zip(&*keys) {
            (values[at], indices[at]) = (x[start + *i as usize * lanes.inner], *i as i64);
        }
    }
    Ok((T::into_buffer(values), indices))
}

/// Equal keys keep their order by their indices. Sorting in place takes no memory.
#[inline(never)]
fn sort_keys(keys: &mut [(u64, u64)]) {
    keys.sort_unstable();
}

impl ErasedBackward for Sort {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        let indices: &[i64] = context.saved(0)?;
        let gradient = with_elements!(g, g => {
            let mut out = context.budget.zeros(g.len())?;
            for start in self.lanes.starts() {
                for at in self.lanes.positions(start) {
                    out[start + indices[at] as usize * self.lanes.inner] = g[at];
                }
            }
            Element::into_buffer(out)
        });
        give(0, gradient)
    }
}

/// The first index of the largest or smallest element.
pub(crate) fn arg_reduce(
    autograd: &Autograd,
    x: &Tensor,
    largest: bool,
    dim: usize,
    keepdim: bool,
) -> Result<Vec<Tensor>> {
    let shape = x.shape();
    let lanes = Lanes::along(&shape, dim);
    if lanes.len == 0 && lanes.outer * lanes.inner > 0 {
        return Err(internal_error("the largest of no elements"));
    }
    let storage = x.storage();
    let out = with_elements!(&*storage.read()?, x => first_extremes(&autograd.budget, x, lanes, largest))?;
    Ok(vec![autograd.leaf(&reduced_shape(&shape, &[dim], keepdim), Buffer::Long(out))])
}

#[inline(never)]
fn first_extremes<T: Element>(
    budget: &Shared<MemoryBudget>,
    x: &[T],
    lanes: Lanes,
    largest: bool,
) -> Result<CountedVec<i64>> {
    let mut out = budget.zeros::<i64>(lanes.outer * lanes.inner)?;
    for (start, out) in lanes.starts().zip(out.iter_mut()) {
        let mut best: usize = 0;
        for (i, at) in lanes.positions(start).enumerate() {
            let (x, best_x) = (x[at], x[start + best * lanes.inner]);
            // NaN is equal to nothing, and counts as both.
            let is_better = if largest { x > best_x } else { x < best_x };
            if is_better || (x.partial_cmp(&x).is_none() && best_x.partial_cmp(&best_x).is_some()) {
                best = i;
            }
        }
        *out = best as i64;
    }
    Ok(out)
}
