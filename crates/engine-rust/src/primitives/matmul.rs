//! Matrix products, with leading dimensions that are broadcast.

use stepwell_optim::{Result, Shared};

use crate::autograd::backward::{BackwardContext, ErasedBackward, Give};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::elements::element::{Element, with_real};
use crate::error::internal_error;
use crate::matrix::{Matrix, Output, Product, multiply};
use crate::memory::{MemoryBudget, element_count};
use crate::primitives::layout::{OPERANDS, Run, broadcast, for_each_run, repeated};

/// `a [*, m, k]` times `b [*, k, n]`.
struct MatMul {
    m: usize,
    k: usize,
    n: usize,
    /// The leading dimensions of the output.
    batch: Vec<usize>,
    /// The strides of `a` and `b` along them, in matrices.
    strides: [Vec<isize>; 2],
    lens: [usize; 2],
}

pub(crate) fn matmul(autograd: &Autograd, [a, b]: [&Tensor; 2]) -> Result<Vec<Tensor>> {
    let (left, right) = (a.shape(), b.shape());
    let (&[ref left @ .., mut m, k], &[ref right @ .., inner, n]) = (&*left, &*right) else {
        return Err(internal_error("a matrix product of tensors without two dimensions"));
    };
    if inner != k {
        return Err(internal_error("a matrix product of shapes that do not fit"));
    }
    let mut batch = broadcast(&[left, right])?;
    let shape = [&*batch, &[m, n]].concat();
    let len = element_count(&shape)?;
    let mut strides = [repeated(left, &batch), repeated(right, &batch)];
    // One product of many rows, if all matrices of `a` are multiplied by one of `b`.
    if right.iter().all(|size| *size == 1) && left.len() == batch.len() {
        m *= batch.iter().product::<usize>();
        (batch, strides) = (Vec::new(), [Vec::new(), Vec::new()]);
    }
    let operation = MatMul { m, k, n, batch, strides, lens: [a.len(), b.len()] };
    let buffer = {
        let (a, b) = (a.storage(), b.storage());
        let (a, b) = (a.read()?, b.read()?);
        let budget = &autograd.budget;
        match a.dtype().is_floating() {
            true => with_real!(a.dtype(), T => operation.forward::<T>(budget, &a, &b, len))?,
            false => operation.forward::<i64>(budget, &a, &b, len)?,
        }
    };
    let operands = [Some(a), Some(b)];
    let needs = autograd.needs_grad([Some(a), Some(b)]);
    let saved = vec![needs[1].then(|| a.saved()), needs[0].then(|| b.saved())];
    Ok(vec![autograd.record_output(&shape, Storage::new(buffer), &operands, operation, saved)?])
}

impl MatMul {
    /// Calls `f` with the positions of the first elements of each product's three matrices.
    fn for_each_product(&self, f: &mut dyn FnMut(usize, usize, usize) -> Result<()>) -> Result<()> {
        let (m, k, n) = (self.m, self.k, self.n);
        let mut result = Ok(());
        for_each_run(&self.batch, [&self.strides[0], &self.strides[1], &[]], [0; OPERANDS], &mut |run: Run| {
            run.for_each(|at, [a, b, _]| {
                if result.is_ok() {
                    result = f(a * m * k, b * k * n, at * m * n);
                }
            });
        });
        result
    }

    fn forward<T: Element + Product>(
        &self,
        budget: &Shared<MemoryBudget>,
        a: &Buffer,
        b: &Buffer,
        len: usize,
    ) -> Result<Buffer> {
        let (a, b) = (T::slice(a)?, T::slice(b)?);
        let (m, k, n) = (self.m, self.k, self.n);
        let mut out = budget.any::<T>(len)?;
        self.for_each_product(&mut |i, j, at| {
            let (a, b) = (Matrix::new(&a[i..][..m * k], m, k), Matrix::new(&b[j..][..k * n], k, n));
            multiply(&mut out[at..][..m * n], Output::Overwrite, a, b)
        })?;
        Ok(T::into_buffer(out))
    }

    /// The gradient of one input, summed over the products that it is in.
    fn gradient<T: Element + Product>(
        &self,
        context: &BackwardContext<'_>,
        g: &Buffer,
        input: usize,
    ) -> Result<Buffer> {
        let (g, other) = (T::slice(g)?, context.saved::<T>(1 - input)?);
        let (m, k, n) = (self.m, self.k, self.n);
        let mut out = context.budget.zeros::<T>(self.lens[input])?;
        self.for_each_product(&mut |i, j, at| {
            let g = Matrix::new(&g[at..][..m * n], m, n);
            match input {
                0 => {
                    let b = Matrix::new(&other[j..][..k * n], k, n);
                    multiply(&mut out[i..][..m * k], Output::Accumulate, g, b.transposed())
                }
                _ => {
                    let a = Matrix::new(&other[i..][..m * k], m, k);
                    multiply(&mut out[j..][..k * n], Output::Accumulate, a.transposed(), g)
                }
            }
        })?;
        Ok(T::into_buffer(out))
    }
}

impl ErasedBackward for MatMul {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        for input in 0..2 {
            if context.needs_input_grad(input) {
                give(input, with_real!(g.dtype(), T => self.gradient::<T>(context, g, input))?)?;
            }
        }
        Ok(())
    }
}
