//! Reductions over dimensions. Sums and products of `float` are taken in f64.

use stepwell_optim::{Result, Shared};
use stepwell_session::Reduce;

use crate::autograd::backward::{BackwardContext, ErasedBackward, Give, SavedTensor};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::elements::element::{Element, Real, with_real};
use crate::error::internal_error;
use crate::memory::MemoryBudget;
use crate::operations::sums::sum;
use crate::primitives::layout::{Lanes, reduced_shape, row_major, unreduced};
use crate::primitives::map::{Function, Operand, Widen, map};
use crate::primitives::strided::{strided_copy, strided_spread};

/// A fold of the elements: its start, its function, and what the result is divided by.
#[derive(Clone, Copy)]
struct Fold<W> {
    start: W,
    next: fn(W, W) -> W,
    /// True if the next element is added.
    is_sum: bool,
    divisor: Option<f64>,
}

fn real(reduction: Reduce, count: usize) -> Option<Fold<f64>> {
    let fold = |start, next: fn(f64, f64) -> f64| Some(Fold { start, next, is_sum: false, divisor: None });
    match reduction {
        Reduce::Sum => Some(Fold { start: 0.0, next: |sum, x| sum + x, is_sum: true, divisor: None }),
        Reduce::Mean => Some(Fold { start: 0.0, next: |sum, x| sum + x, is_sum: true, divisor: Some(count as f64) }),
        Reduce::Prod => fold(1.0, |product, x| product * x),
        Reduce::Amax => fold(f64::NEG_INFINITY, |most, x| if x > most || x.is_nan() { x } else { most }),
        Reduce::Amin => fold(f64::INFINITY, |least, x| if x < least || x.is_nan() { x } else { least }),
        Reduce::All | Reduce::Any => None,
    }
}

fn whole(reduction: Reduce) -> Option<Fold<i64>> {
    let (start, next): (i64, fn(i64, i64) -> i64) = match reduction {
        Reduce::Sum => (0, |sum, x| sum.wrapping_add(x)),
        Reduce::Prod => (1, |product, x| product.wrapping_mul(x)),
        Reduce::Amax => (i64::MIN, |most, x| most.max(x)),
        Reduce::Amin => (i64::MAX, |least, x| least.min(x)),
        Reduce::All => (1, |all, x| all & x),
        Reduce::Any => (0, |any, x| any | x),
        Reduce::Mean => return None,
    };
    Some(Fold { start, next, is_sum: false, divisor: None })
}

/// A tensor whose reduced dimensions are one, between those before and after it.
pub(crate) struct Reduced<'a> {
    /// The elements in that order, unless they are so in the tensor itself.
    copy: Option<Buffer>,
    original: &'a Buffer,
    pub(crate) lanes: Lanes,
    /// The shape and strides of the copy, as positions in the tensor.
    pub(crate) order: Option<(Vec<usize>, Vec<isize>)>,
}

impl<'a> Reduced<'a> {
    pub(crate) fn new(budget: &Shared<MemoryBudget>, x: &'a Buffer, shape: &[usize], dims: &[usize]) -> Result<Self> {
        let counts = |dim: &usize| shape[*dim] != 1;
        let reduced = dims.iter().copied().filter(counts).collect::<Vec<_>>();
        let kept = (0..shape.len()).filter(|dim| !dims.contains(dim)).filter(counts).collect::<Vec<_>>();
        let size = |dims: &mut dyn Iterator<Item = usize>| dims.map(|dim| shape[dim]).product::<usize>();
        let len = size(&mut reduced.iter().copied());
        let (first, last) = (reduced.first().copied().unwrap_or(0), reduced.last().copied().unwrap_or(0));
        if !kept.iter().any(|dim| (first..last).contains(dim)) {
            let outer = size(&mut kept.iter().copied().filter(|dim| *dim < first));
            let inner = size(&mut kept.iter().copied().filter(|dim| *dim >= first));
            return Ok(Self { copy: None, original: x, lanes: Lanes { outer, len, inner }, order: None });
        }
        let lanes = Lanes { outer: size(&mut kept.iter().copied()), len, inner: 1 };
        let strides = row_major(shape);
        let order = kept.iter().chain(&reduced);
        let (shape, strides): (Vec<_>, Vec<_>) = order.map(|dim| (shape[*dim], strides[*dim])).unzip();
        let copy = strided_copy(budget, x, &shape, &strides, 0)?;
        Ok(Self { copy: Some(copy), original: x, lanes, order: Some((shape, strides)) })
    }

    pub(crate) fn elements(&self) -> &Buffer {
        self.copy.as_ref().unwrap_or(self.original)
    }
}

/// One result for each lane, in order.
fn reduce_buffer(
    budget: &Shared<MemoryBudget>,
    x: &Buffer,
    shape: &[usize],
    dims: &[usize],
    reduction: Reduce,
) -> Result<Buffer> {
    let reduced = Reduced::new(budget, x, shape, dims)?;
    let lanes = reduced.lanes;
    let missing = || internal_error("a reduction that the dtype does not have");
    let (real, whole) = (|| real(reduction, lanes.len).ok_or_else(missing), || whole(reduction).ok_or_else(missing));
    match reduced.elements() {
        Buffer::Float(x) => fold(budget, x, lanes, real()?, sum, |sum, count| sum / count),
        Buffer::Double(x) => fold(budget, x, lanes, real()?, sum, |sum, count| sum / count),
        Buffer::Long(x) => fold(budget, x, lanes, whole()?, |_| 0, |sum, _| sum),
        Buffer::Bool(x) => fold(budget, x, lanes, whole()?, |_| 0, |sum, _| sum),
    }
}

#[inline(never)]
fn fold<T: Widen>(
    budget: &Shared<MemoryBudget>,
    x: &[T],
    lanes: Lanes,
    fold: Fold<T::Wide>,
    sum: fn(&[T]) -> T::Wide,
    divide: fn(T::Wide, f64) -> T::Wide,
) -> Result<Buffer> {
    let Lanes { outer, len, inner } = lanes;
    let mut out = budget.zeros::<T>(outer * inner)?;
    let finish = |result: T::Wide| T::narrow(fold.divisor.map_or(result, |count| divide(result, count)));
    if inner == 1 {
        for (i, out) in out.iter_mut().enumerate() {
            let lane = &x[i * len..][..len];
            let result = match fold.is_sum {
                true => sum(lane),
                false => lane.iter().fold(fold.start, |result, x| (fold.next)(result, x.wide())),
            };
            *out = finish(result);
        }
        return Ok(T::into_buffer(out));
    }
    let mut results = budget.filled(inner, fold.start)?;
    if inner == 0 {
        return Ok(T::into_buffer(out));
    }
    for (i, out) in out.chunks_exact_mut(inner).enumerate() {
        results.fill(fold.start);
        for row in x[i * len * inner..][..len * inner].chunks_exact(inner) {
            results.iter_mut().zip(row).for_each(|(result, x)| *result = (fold.next)(*result, x.wide()));
        }
        out.iter_mut().zip(&*results).for_each(|(out, result)| *out = finish(*result));
    }
    Ok(T::into_buffer(out))
}

/// The sums over the dimensions that a broadcast from shape `to` has repeated: elements of shape `to`.
pub(crate) fn sum_to(budget: &Shared<MemoryBudget>, x: &Buffer, from: &[usize], to: &[usize]) -> Result<Buffer> {
    let missing = from.len() - to.len();
    let dims = (0..from.len()).filter(|dim| *dim < missing || to[dim - missing] != from[*dim]).collect::<Vec<_>>();
    if dims.is_empty() { x.copy(budget) } else { reduce_buffer(budget, x, from, &dims, Reduce::Sum) }
}

struct Reduction {
    reduction: Reduce,
    shape: Shared<[usize]>,
    dims: Vec<usize>,
}

pub(crate) fn reduce(
    autograd: &Autograd,
    x: &Tensor,
    reduction: Reduce,
    dims: &[usize],
    keepdim: bool,
) -> Result<Vec<Tensor>> {
    let (shape, storage) = (x.shape(), x.storage());
    let out_shape = reduced_shape(&shape, dims, keepdim);
    let result = Storage::new(reduce_buffer(&autograd.budget, &*storage.read()?, &shape, dims, reduction)?);
    let saved = match reduction {
        Reduce::Prod => vec![Some(SavedTensor::new(&storage))],
        Reduce::Amax | Reduce::Amin => vec![Some(SavedTensor::new(&storage)), Some(SavedTensor::new(&result))],
        _ => Vec::new(),
    };
    let backward = Reduction { reduction, shape, dims: dims.to_vec() };
    Ok(vec![autograd.record_output(&out_shape, result, &[Some(x)], backward, saved)?])
}

impl ErasedBackward for Reduction {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        let Self { reduction, shape, dims } = self;
        let (budget, strides) = (context.budget, unreduced(shape, dims));
        let gradient = match reduction {
            Reduce::Prod => with_real!(g.dtype(), T => self.product_gradient::<T>(context, g))?,
            Reduce::Amax | Reduce::Amin => {
                let (x, y) = (context.saved_buffer(0)?, context.saved_buffer(1)?);
                let operands = [Operand::dense(x, shape), Operand::strided(y, strides.clone())];
                let equal = Function::Real(|x, y, _| f64::from(u8::from(x == y)));
                let equal = map(budget, shape, &operands, equal)?;
                let counts = reduce_buffer(budget, &equal, shape, dims, Reduce::Sum)?;
                let operands = [
                    Operand::strided(g, strides.clone()),
                    Operand::dense(&equal, shape),
                    Operand::strided(&counts, strides),
                ];
                map(budget, shape, &operands, Function::Real(|g, equal, count| g * equal / count))?
            }
            Reduce::Mean => {
                let count = dims.iter().map(|dim| shape[*dim]).product::<usize>() as f64;
                let count = with_real!(g.dtype(), T => Ok(Element::into_buffer(budget.filled(1, count as T)?)))?;
                let operands = [Operand::strided(g, strides), Operand::repeated(&count, &[], shape)];
                map(budget, shape, &operands, Function::Real(|g, count, _| g / count))?
            }
            _ => strided_copy(budget, g, shape, &strides, 0)?,
        };
        give(0, gradient)
    }
}

impl Reduction {
    /// The products of all other elements of a lane, from both ends: exact also where elements are 0.
    fn product_gradient<T: Real>(&self, context: &BackwardContext<'_>, g: &Buffer) -> Result<Buffer> {
        let reduced = Reduced::new(context.budget, context.saved_buffer(0)?, &self.shape, &self.dims)?;
        let (x, g, lanes) = (T::slice(reduced.elements())?, T::slice(g)?, reduced.lanes);
        let mut out = context.budget.zeros::<T>(x.len())?;
        let mut before = context.budget.zeros::<f64>(lanes.len)?;
        for (start, g) in lanes.starts().zip(g) {
            let mut product = 1.0;
            for (at, before) in lanes.positions(start).zip(before.iter_mut()) {
                *before = product;
                product *= x[at].to_f64();
            }
            product = g.to_f64();
            for (at, before) in lanes.positions(start).zip(&*before).rev() {
                out[at] = T::from_f64(product * before);
                product *= x[at].to_f64();
            }
        }
        let out = T::into_buffer(out);
        match &reduced.order {
            Some((shape, strides)) => strided_spread(context.budget, &out, shape, strides, 0, x.len()),
            None => Ok(out),
        }
    }
}
