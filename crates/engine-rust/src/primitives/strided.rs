//! Copies between a dense tensor and positions with strides.

use stepwell_optim::{Result, Shared};

use crate::elements::buffer::Buffer;
use crate::elements::element::Element;
use crate::memory::{MemoryBudget, element_count};
use crate::primitives::layout::{Run, for_each_run};
use crate::primitives::map::with_elements;

/// The elements of `x` at these strides from an offset: a copy of this shape.
pub(crate) fn strided_copy(
    budget: &Shared<MemoryBudget>,
    x: &Buffer,
    shape: &[usize],
    strides: &[isize],
    offset: isize,
) -> Result<Buffer> {
    #[inline(never)]
    fn copy<T: Element>(
        budget: &Shared<MemoryBudget>,
        x: &[T],
        shape: &[usize],
        strides: &[isize],
        offset: isize,
    ) -> Result<Buffer> {
        let mut out = budget.any::<T>(element_count(shape)?)?;
        for_each_run(shape, [strides, &[], &[]], [offset, 0, 0], &mut |run: Run| {
            if run.strides[0] == 1 {
                let out = &mut out[run.start..][..run.len];
                out.copy_from_slice(&x[run.offsets[0] as usize..][..run.len]);
            } else {
                run.for_each(|at, [from, ..]| out[at] = x[from]);
            }
        });
        Ok(T::into_buffer(out))
    }
    with_elements!(x, x => copy(budget, x, shape, strides, offset))
}

/// The inverse of [`strided_copy`] with distinct positions: `len` elements, which are 0 where `x` has none.
pub(crate) fn strided_spread(
    budget: &Shared<MemoryBudget>,
    x: &Buffer,
    shape: &[usize],
    strides: &[isize],
    offset: isize,
    len: usize,
) -> Result<Buffer> {
    #[inline(never)]
    fn spread<T: Element>(x: &[T], out: &mut [T], shape: &[usize], strides: &[isize], offset: isize) {
        for_each_run(shape, [strides, &[], &[]], [offset, 0, 0], &mut |run: Run| {
            if run.strides[0] == 1 {
                let x = &x[run.start..][..run.len];
                out[run.offsets[0] as usize..][..run.len].copy_from_slice(x);
            } else {
                run.for_each(|at, [to, ..]| out[to] = x[at]);
            }
        });
    }
    with_elements!(x, x => {
        let mut out = budget.zeros(len)?;
        spread(x, &mut out, shape, strides, offset);
        Ok(Element::into_buffer(out))
    })
}
