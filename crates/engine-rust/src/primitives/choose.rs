//! Comparisons, and the choice between two tensors.

use std::cmp::Ordering;

use stepwell_optim::{Result, Shared};
use stepwell_session::Compare;

use crate::autograd::backward::{BackwardContext, ErasedBackward, Give};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::elements::element::Element;
use crate::error::internal_error;
use crate::memory::{CountedVec, MemoryBudget, element_count};
use crate::primitives::layout::{OPERANDS, Run, broadcast, for_each_run, repeated, row_major};
use crate::primitives::map::with_elements;
use crate::primitives::reduce::sum_to;

/// The result of a comparison for each order of its operands: less, equal, greater, unordered.
fn results(compare: Compare) -> [bool; 4] {
    match compare {
        Compare::Eq => [false, true, false, false],
        Compare::Ne => [true, false, true, true],
        Compare::Lt => [true, false, false, false],
        Compare::Le => [true, true, false, false],
        Compare::Gt => [false, false, true, false],
        Compare::Ge => [false, true, true, false],
    }
}

pub(crate) fn compare(autograd: &Autograd, [a, b]: [&Tensor; 2], compare: Compare) -> Result<Vec<Tensor>> {
    let shapes = [a.shape(), b.shape()];
    let shape = broadcast(&[&shapes[0], &shapes[1]])?;
    let strides = [repeated(&shapes[0], &shape), repeated(&shapes[1], &shape)];
    let (a, b) = (a.storage(), b.storage());
    let (a, b) = (a.read()?, b.read()?);
    let out = with_elements!(&*a, a => elements(&autograd.budget, &shape, a, &b, &strides, results(compare)))?;
    Ok(vec![autograd.leaf(&shape, Buffer::Bool(out))])
}

#[inline(never)]
fn elements<T: Element>(
    budget: &Shared<MemoryBudget>,
    shape: &[usize],
    a: &[T],
    b: &Buffer,
    strides: &[Vec<isize>; 2],
    results: [bool; 4],
) -> Result<CountedVec<bool>> {
    let b = T::slice(b)?;
    let mut out = budget.zeros::<bool>(element_count(shape)?)?;
    for_each_run(shape, [&strides[0], &strides[1], &[]], [0; OPERANDS], &mut |run: Run| {
        run.for_each(|at, [i, j, _]| {
            out[at] = results[match a[i].partial_cmp(&b[j]) {
                Some(Ordering::Less) => 0,
                Some(Ordering::Equal) => 1,
                Some(Ordering::Greater) => 2,
                None => 3,
            }];
        });
    });
    Ok(out)
}

struct Choice {
    condition: Shared<[usize]>,
    inputs: [Shared<[usize]>; 2],
    shape: Vec<usize>,
}

/// `a` where the condition is true, else `b`.
pub(crate) fn choose(autograd: &Autograd, [condition, a, b]: [&Tensor; 3]) -> Result<Vec<Tensor>> {
    let (test, inputs) = (condition.shape(), [a.shape(), b.shape()]);
    let shape = broadcast(&[&test, &inputs[0], &inputs[1]])?;
    let strides = [repeated(&test, &shape), repeated(&inputs[0], &shape), repeated(&inputs[1], &shape)];
    let buffer = {
        let (condition, a, b) = (condition.storage(), a.storage(), b.storage());
        let (condition, a, b) = (condition.read()?, a.read()?, b.read()?);
        let condition = bool::slice(&condition)?;
        with_elements!(&*a, like => chosen(&autograd.budget, &shape, condition, [Some(&a), Some(&b)], &strides, like))?
    };
    let backward = Choice { condition: test, inputs, shape: shape.clone() };
    let operands = [None, Some(a), Some(b)];
    Ok(vec![autograd.record_output(
        &shape,
        Storage::new(buffer),
        &operands,
        backward,
        vec![Some(condition.saved())],
    )?])
}

/// The elements that the condition chooses; 0 for a missing tensor. The last argument has the type of the elements.
#[inline(never)]
fn chosen<T: Element>(
    budget: &Shared<MemoryBudget>,
    shape: &[usize],
    condition: &[bool],
    [a, b]: [Option<&Buffer>; 2],
    strides: &[Vec<isize>; OPERANDS],
    _: &[T],
) -> Result<Buffer> {
    let (a, b) = (a.map(T::slice).transpose()?, b.map(T::slice).transpose()?);
    let mut out = budget.zeros::<T>(element_count(shape)?)?;
    for_each_run(shape, strides.each_ref().map(Vec::as_slice), [0; OPERANDS], &mut |run: Run| {
        run.for_each(|at, [test, i, j]| {
            let (from, position) = if condition[test] { (a, i) } else { (b, j) };
            if let Some(from) = from {
                out[at] = from[position];
            }
        });
    });
    Ok(T::into_buffer(out))
}

impl ErasedBackward for Choice {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        let condition = context.saved(0)?;
        for input in 0..2 {
            if !context.needs_input_grad(input + 1) {
                continue;
            }
            let dense = row_major(&self.shape);
            let strides = [repeated(&self.condition, &self.shape), dense.clone(), dense];
            let budget = context.budget;
            let operands = if input == 0 { [Some(g), None] } else { [None, Some(g)] };
            let all = with_elements!(g, like => chosen(budget, &self.shape, condition, operands, &strides, like))?;
            give(input + 1, sum_to(budget, &all, &self.shape, &self.inputs[input])?)?;
        }
        Ok(())
    }
}
