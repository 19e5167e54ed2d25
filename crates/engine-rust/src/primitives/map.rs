//! Elementwise functions of up to three operands that are broadcast. Elements are computed as f64 or i64, one function call
//! each: loops are compiled once for each type, not for each function.

use stepwell_optim::{Result, Shared};

use crate::elements::buffer::Buffer;
use crate::elements::element::Element;
use crate::error::dtype_error;
use crate::memory::{CountedVec, MemoryBudget, element_count};
use crate::primitives::layout::{OPERANDS, Run, for_each_run, repeated, row_major};

/// An element type with the type in which functions compute it: f64, or i64 for `long` and `bool`.
pub(crate) trait Widen: Element {
    type Wide: Copy + PartialOrd;

    fn wide(self) -> Self::Wide;
    /// Rounded to the nearest; every integer but 0 is true.
    fn narrow(wide: Self::Wide) -> Self;
}

macro_rules! widen {
    ($($type:ty: $wide:ty, $x:ident => $widened:expr, $narrowed:expr;)*) => {
        $(impl Widen for $type {
            type Wide = $wide;

            #[inline(always)]
            fn wide(self) -> $wide {
                let $x = self;
                $widened
            }
            #[inline(always)]
            fn narrow($x: $wide) -> Self {
                $narrowed
            }
        })*
    };
}
widen! {
    f32: f64, x => f64::from(x), x as f32;
    f64: f64, x => x, x;
    i64: i64, x => x, x;
    bool: i64, x => i64::from(x), x != 0;
}

/// Evaluates an expression with the elements of a buffer, whatever their type.
macro_rules! with_elements {
    ($buffer:expr, $elements:ident => $body:expr) => {
        match $buffer {
            crate::elements::buffer::Buffer::Float($elements) => $body,
            crate::elements::buffer::Buffer::Double($elements) => $body,
            crate::elements::buffer::Buffer::Long($elements) => $body,
            crate::elements::buffer::Buffer::Bool($elements) => $body,
        }
    };
}
pub(crate) use with_elements;

/// A function of elements of floating point.
pub(crate) type Real = fn(f64, f64, f64) -> f64;
/// A function of integers, or of truth values as 0 and 1.
pub(crate) type Whole = fn(i64, i64, i64) -> i64;

/// The function for the dtype of the operands.
#[derive(Clone, Copy)]
pub(crate) enum Function {
    Real(Real),
    Whole(Whole),
}

/// An operand of [`map`].
pub(crate) struct Operand<'a> {
    buffer: &'a Buffer,
    strides: Vec<isize>,
}

impl<'a> Operand<'a> {
    /// Of the shape of the result.
    pub(crate) fn dense(buffer: &'a Buffer, shape: &[usize]) -> Self {
        Self { buffer, strides: row_major(shape) }
    }

    /// Of a shape that is broadcast to the shape of the result.
    pub(crate) fn repeated(buffer: &'a Buffer, shape: &[usize], to: &[usize]) -> Self {
        Self { buffer, strides: repeated(shape, to) }
    }

    pub(crate) fn strided(buffer: &'a Buffer, strides: Vec<isize>) -> Self {
        Self { buffer, strides }
    }
}

/// The function of each element of one to three operands of one dtype. Arguments beyond them are 0.
pub(crate) fn map(
    budget: &Shared<MemoryBudget>,
    shape: &[usize],
    operands: &[Operand<'_>],
    function: Function,
) -> Result<Buffer> {
    match (operands.first().map(|first| first.buffer), function) {
        (Some(Buffer::Float(_)), Function::Real(f)) => {
            map_elements::<f32>(budget, shape, operands, f).map(Buffer::Float)
        }
        (Some(Buffer::Double(_)), Function::Real(f)) => {
            map_elements::<f64>(budget, shape, operands, f).map(Buffer::Double)
        }
        (Some(Buffer::Long(_)), Function::Whole(f)) => {
            map_elements::<i64>(budget, shape, operands, f).map(Buffer::Long)
        }
        (Some(Buffer::Bool(_)), Function::Whole(f)) => {
            map_elements::<bool>(budget, shape, operands, f).map(Buffer::Bool)
        }
        (first, function) => {
            let expected = if matches!(function, Function::Real(_)) { "float or double" } else { "long or bool" };
            Err(dtype_error(expected, first.map_or(stepwell_session::Dtype::Long, Buffer::dtype)))
        }
    }
}

/// The elements of each operand, and their strides.
type Slices<'a, T> = ([&'a [T]; OPERANDS], [&'a [isize]; OPERANDS]);

/// The elements and strides of the operands. A missing operand has one element.
pub(crate) fn slices<'a, T: Element>(operands: &'a [Operand<'a>], missing: &'a [T]) -> Result<Slices<'a, T>> {
    let (mut elements, mut strides): ([&[T]; OPERANDS], [&[isize]; OPERANDS]) = ([missing; OPERANDS], [&[]; OPERANDS]);
    for (i, operand) in operands.iter().enumerate().take(OPERANDS) {
        (elements[i], strides[i]) = (T::slice(operand.buffer)?, &operand.strides);
    }
    Ok((elements, strides))
}

#[inline(never)]
fn map_elements<T: Widen>(
    budget: &Shared<MemoryBudget>,
    shape: &[usize],
    operands: &[Operand<'_>],
    f: fn(T::Wide, T::Wide, T::Wide) -> T::Wide,
) -> Result<CountedVec<T>> {
    let missing = [T::default()];
    let ([a, b, c], strides) = slices(operands, &missing)?;
    let mut out = budget.any::<T>(element_count(shape)?)?;
    for_each_run(shape, strides, [0; OPERANDS], &mut |run: Run| {
        run.for_each(|at, [i, j, k]| out[at] = T::narrow(f(a[i].wide(), b[j].wide(), c[k].wide())));
    });
    Ok(out)
}
