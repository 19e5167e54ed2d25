//! Elements at indices: whole slices along a dimension, or one element for each index.

use stepwell_optim::{Code, Error, Result, Shared};

use crate::autograd::backward::{BackwardContext, ErasedBackward, Give};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::elements::element::Element;
use crate::error::internal_error;
use crate::memory::{MemoryBudget, element_count};
use crate::primitives::layout::{Lanes, OPERANDS, Run, for_each_run, row_major};
use crate::primitives::map::{Widen, with_elements};

/// An index as a position in a dimension of this size.
fn checked(index: i64, size: usize) -> Result<usize> {
    let position = usize::try_from(index).ok().filter(|position| *position < size);
    position.ok_or_else(|| {
        let message = match size.checked_sub(1) {
            Some(last) => format!("expected indices from 0 to {last}, given {index}"),
            None => format!("expected no index, since the dimension has size 0, given {index}"),
        };
        Error::new(Code::Argument, message)
    })
}

/// Elements that are added in the type of the tensor.
trait Sum: Widen {
    fn plus(self, other: Self) -> Self;
}
macro_rules! sum {
    ($($type:ty: $a:ident, $b:ident => $sum:expr;)*) => {
        $(impl Sum for $type {
            fn plus(self, $b: Self) -> Self {
                let $a = self;
                $sum
            }
        })*
    };
}
sum! {
    f32: a, b => a + b;
    f64: a, b => a + b;
    i64: a, b => a.wrapping_add(b);
    bool: a, b => a | b;
}

struct IndexSelect {
    lanes: Lanes,
}

pub(crate) fn index_select(autograd: &Autograd, [x, indices]: [&Tensor; 2], dim: usize) -> Result<Vec<Tensor>> {
    let mut shape = x.shape().to_vec();
    let lanes = Lanes::along(&shape, dim);
    match shape.get_mut(dim) {
        Some(size) => *size = indices.len(),
        None if indices.len() == 1 => {}
        None => return Err(internal_error("several indices into a tensor without dimensions")),
    }
    let buffer = {
        let (x, indices) = (x.storage(), indices.storage());
        let (x, indices) = (x.read()?, indices.read()?);
        let indices = i64::slice(&indices)?;
        indices.iter().try_for_each(|index| checked(*index, lanes.len).map(drop))?;
        with_elements!(&*x, x => slices(&autograd.budget, x, indices, lanes, element_count(&shape)?))?
    };
    let saved = vec![Some(indices.saved())];
    Ok(vec![autograd.record_output(&shape, Storage::new(buffer), &[Some(x)], IndexSelect { lanes }, saved)?])
}

#[inline(never)]
fn slices<T: Element>(
    budget: &Shared<MemoryBudget>,
    x: &[T],
    indices: &[i64],
    lanes: Lanes,
    len: usize,
) -> Result<Buffer> {
    let Lanes { outer, len: size, inner } = lanes;
    let mut out = budget.zeros::<T>(len)?;
    for outer in 0..outer {
        for (i, index) in indices.iter().enumerate() {
            let from = &x[(outer * size + checked(*index, size)?) * inner..][..inner];
            out[(outer * indices.len() + i) * inner..][..inner].copy_from_slice(from);
        }
    }
    Ok(T::into_buffer(out))
}

impl ErasedBackward for IndexSelect {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        let indices: &[i64] = context.saved(0)?;
        let Lanes { outer, len: size, inner } = self.lanes;
        let gradient = with_elements!(g, g => {
            let mut out = context.budget.zeros(outer * size * inner)?;
            for outer in 0..outer {
                for (i, index) in indices.iter().enumerate() {
                    let to = &mut out[(outer * size + checked(*index, size)?) * inner..][..inner];
                    let g = &g[(outer * indices.len() + i) * inner..][..inner];
                    to.iter_mut().zip(g).for_each(|(to, g)| *to = Sum::plus(*to, *g));
                }
            }
            Element::into_buffer(out)
        });
        give(0, gradient)
    }
}

/// Elements of a tensor, one for each position of indices: the position is the same but along `dim`.
struct Indexed {
    dim: usize,
    /// The shape of the tensor, of the indices, and of what is added to the tensor.
    shape: Shared<[usize]>,
    indices: Shared<[usize]>,
    source: Shared<[usize]>,
}

impl Indexed {
    /// Fails if a position would be beyond the tensor or the source.
    fn check(self) -> Result<Self> {
        let Self { dim, shape, indices, source } = &self;
        let ranks = shape.len() == indices.len() && source.len() == indices.len();
        let sizes = indices.iter().zip(&**source).zip(&**shape).enumerate();
        let mut fits = sizes.map(|(i, ((size, source), shape))| size <= source && (i == *dim || size <= shape));
        if ranks && fits.all(|fits| fits) { Ok(self) } else { Err(internal_error("indices beyond their tensor")) }
    }

    /// Calls `f` with each position of the tensor, of the indices and of the source.
    fn for_each(&self, indices: &[i64], f: &mut dyn FnMut(usize, usize, usize)) -> Result<()> {
        let mut strides = row_major(&self.shape);
        let source = row_major(&self.source);
        let (size, stride) = match strides.get_mut(self.dim) {
            Some(stride) => (self.shape[self.dim], std::mem::replace(stride, 0)),
            None => (1, 0),
        };
        let mut result = Ok(());
        for_each_run(&self.indices, [&strides, &source, &[]], [0; OPERANDS], &mut |run: Run| {
            run.for_each(|i, [at, source, _]| match checked(indices[i], size) {
                Ok(index) => f(at + index * stride as usize, i, source),
                Err(error) if result.is_ok() => result = Err(error),
                Err(_) => {}
            });
        });
        result
    }

    /// The elements of a tensor at the indices.
    fn gathered(&self, budget: &Shared<MemoryBudget>, x: &Buffer, indices: &[i64]) -> Result<Buffer> {
        with_elements!(x, x => {
            let mut out = budget.zeros(indices.len())?;
            self.for_each(indices, &mut |at, i, _| out[i] = x[at])?;
            Ok(Element::into_buffer(out))
        })
    }

    /// The elements of `source` added at the indices to `out`.
    fn scatter(&self, mut out: Buffer, source: &Buffer, indices: &[i64]) -> Result<Buffer> {
        with_elements!(&mut out, out => {
            let source = source_slice(source, out)?;
            self.for_each(indices, &mut |at, _, from| out[at] = Sum::plus(out[at], source[from]))?;
        });
        Ok(out)
    }
}

/// The elements of a buffer, in the type of others.
fn source_slice<'a, T: Element>(buffer: &'a Buffer, _: &[T]) -> Result<&'a [T]> {
    T::slice(buffer)
}

struct Gather(Indexed);

pub(crate) fn gather(autograd: &Autograd, [x, indices]: [&Tensor; 2], dim: usize) -> Result<Vec<Tensor>> {
    let indexed = Indexed { dim, shape: x.shape(), indices: indices.shape(), source: indices.shape() }.check()?;
    let buffer = {
        let (x, indices) = (x.storage(), indices.storage());
        let (x, indices) = (x.read()?, indices.read()?);
        indexed.gathered(&autograd.budget, &x, i64::slice(&indices)?)?
    };
    let (shape, saved) = (indices.shape(), vec![Some(indices.saved())]);
    Ok(vec![autograd.record_output(&shape, Storage::new(buffer), &[Some(x)], Gather(indexed), saved)?])
}

impl ErasedBackward for Gather {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        let zeros = zeros_like(context.budget, g, self.0.shape.iter().product())?;
        give(0, self.0.scatter(zeros, g, context.saved(0)?)?)
    }
}

/// `len` zeros of the type of a buffer.
fn zeros_like(budget: &Shared<MemoryBudget>, like: &Buffer, len: usize) -> Result<Buffer> {
    fn zeros<T: Element>(budget: &Shared<MemoryBudget>, len: usize, _: &[T]) -> Result<Buffer> {
        budget.zeros::<T>(len).map(T::into_buffer)
    }
    with_elements!(like, like => zeros(budget, len, like))
}

struct ScatterAdd(Indexed);

pub(crate) fn scatter_add(autograd: &Autograd, [x, indices, source]: [&Tensor; 3], dim: usize) -> Result<Vec<Tensor>> {
    let shape = x.shape();
    let indexed =
        Indexed { dim, shape: Shared::clone(&shape), indices: indices.shape(), source: source.shape() }.check()?;
    let buffer = {
        let (x, indices, source) = (x.storage(), indices.storage(), source.storage());
        let (x, indices, source) = (x.read()?, indices.read()?, source.read()?);
        indexed.scatter(x.copy(&autograd.budget)?, &source, i64::slice(&indices)?)?
    };
    let saved = vec![Some(indices.saved())];
    let operands = [Some(x), None, Some(source)];
    Ok(vec![autograd.record_output(&shape, Storage::new(buffer), &operands, ScatterAdd(indexed), saved)?])
}

impl ErasedBackward for ScatterAdd {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(gradient) = gradients.first_mut().and_then(Option::take) else {
            return Err(internal_error("no gradient"));
        };
        if context.needs_input_grad(2) {
            let indices = context.saved::<i64>(0)?;
            let out = zeros_like(context.budget, &gradient, self.0.source.iter().product())?;
            give(2, self.source_gradient(out, &gradient, indices)?)?;
        }
        give(0, gradient)
    }
}

impl ScatterAdd {
    /// The gathered gradient; 0 where no index is.
    fn source_gradient(&self, mut out: Buffer, g: &Buffer, indices: &[i64]) -> Result<Buffer> {
        with_elements!(&mut out, out => {
            let g = source_slice(g, out)?;
            self.0.for_each(indices, &mut |at, _, source| out[source] = g[at])?;
        });
        Ok(out)
    }
}
