//! The four arithmetic operations on `float`, without a function call for each element.

use stepwell_optim::{Result, Shared};
use stepwell_session::Binary;

use crate::elements::buffer::Buffer;
use crate::memory::{MemoryBudget, element_count};
use crate::primitives::layout::{OPERANDS, Run, for_each_run};
use crate::primitives::map::{Operand, slices};

pub(crate) use stepwell_matrix::elementwise::Arithmetic as Kernel;

/// One of the four operations.
#[derive(Clone, Copy)]
pub(crate) struct Arithmetic(Kernel);

impl Arithmetic {
    /// `None` for other functions.
    pub(crate) fn of(function: Binary) -> Option<Self> {
        Some(Self(match function {
            Binary::Add => Kernel::Add,
            Binary::Sub => Kernel::Subtract,
            Binary::Mul => Kernel::Multiply,
            Binary::Div => Kernel::Divide,
            _ => return None,
        }))
    }
}

/// The results for two `float` operands. They equal the results of [`map`](crate::primitives::map::map), which rounds once from
/// f64.
pub(crate) fn arithmetic(
    budget: &Shared<MemoryBudget>,
    shape: &[usize],
    operands: &[Operand<'_>],
    Arithmetic(kernel): Arithmetic,
) -> Result<Buffer> {
    let ([a, b, _], strides) = slices::<f32>(operands, &[0.0])?;
    let mut out = budget.any::<f32>(element_count(shape)?)?;
    for_each_run(shape, strides, [0; OPERANDS], &mut |run: Run| {
        let out = &mut out[run.start..][..run.len];
        let (a, b) = (&a[run.offsets[0] as usize..], &b[run.offsets[1] as usize..]);
        let [sa, sb, _] = run.strides.map(|stride| stride as usize);
        stepwell_matrix::elementwise::calculate(kernel, out, (a, sa), (b, sb));
    });
    Ok(Buffer::Float(out))
}
