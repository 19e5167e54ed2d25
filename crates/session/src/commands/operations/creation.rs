//! New tensors, on the CPU, of `float` unless a dtype is given. Random ones come from the session's generator.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Number, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::mathematics::tensor_math::TensorMath;
use crate::random::Random;
use crate::values::data::Data;
use crate::values::device::Device;
use crate::values::dtype::Dtype;
use crate::values::numbers::size_of;

operations! { E,
    /// Zeros.
    "zeros" (shape: Sizes, dtype: Dtype = null) no_gradient 1 => |cx, given| full(cx, given, 0.0);
    /// Ones.
    "ones" (shape: Sizes, dtype: Dtype = null) no_gradient 1 => |cx, given| full(cx, given, 1.0);
    /// A matrix with ones on its diagonal; `m` columns, by default `n`.
    "eye" (n: Whole, m: Whole = null, dtype: Dtype = null) no_gradient 1 => |cx, given| {
        let rows = given.size(0)?;
        let columns = if given.whole_or_none(1).is_some() { given.size(1)? } else { rows };
        let shape = [rows, columns];
        listed(cx, &shape, given.dtype(2), &|i| f64::from(u8::from(i / columns == i % columns)))
    };
    /// Numbers from start up to below end, with a distance of step. Whole numbers become `long`.
    "arange" (start: Number, end: Number, step: Number = 1.0, dtype: Dtype = null) no_gradient 1 => |cx, given| {
        let (start, end, step) = (given.number(0)?, given.number(1)?, given.number(2)?);
        let count = ((end - start) / step).ceil();
        if !count.is_finite() || count < 0.0 {
            let message = format_args!(
                "expected a step from {} towards {}, given {}", Number(start), Number(end), Number(step)
            );
            return Err(Error::new(Code::Argument, message));
        }
        let is_whole = [start, end, step].iter().all(|x| x.fract() == 0.0);
        let dtype = given.dtype(3).unwrap_or(if is_whole { Dtype::Long } else { Dtype::Float });
        listed(cx, &[count as usize], Some(dtype), &|i| start + i as f64 * step)
    };
    /// `steps` numbers from start to end, at equal distances.
    "linspace" (start: Number, end: Number, steps: Whole, dtype: Dtype = null) no_gradient 1 => |cx, given| {
        let (start, end, steps) = (given.number(0)?, given.number(1)?, given.size(2)?);
        listed(cx, &[steps], given.dtype(3), &|i| spaced(start, end, steps, i))
    };
    /// `steps` powers of a base, with exponents from start to end.
    "logspace" (start: Number, end: Number, steps: Whole, base: Number = 10.0, dtype: Dtype = null) no_gradient 1 =>
        |cx, given| {
            let (start, end, steps) = (given.number(0)?, given.number(1)?, given.size(2)?);
            let base = given.number(3)?;
            listed(cx, &[steps], given.dtype(4), &|i| libm::pow(base, spaced(start, end, steps, i)))
        };
    /// Random numbers, uniform in [0, 1).
    "rand" (shape: Sizes, dtype: Dtype = null) no_gradient 1 => |cx, given| {
        // Rounding to the dtype must not reach 1.
        let draw: fn(&mut Random) -> f64 = match given.dtype(1) {
            Some(Dtype::Half) => |random: &mut Random| random.unit().min(1.0 - 1.0 / 2048.0),
            Some(Dtype::BFloat16) => |random: &mut Random| random.unit().min(1.0 - 1.0 / 256.0),
            Some(Dtype::Double) => Random::unit,
            _ => |random: &mut Random| random.unit().min(1.0 - 1.0 / 16_777_216.0),
        };
        drawn(cx, given, draw)
    };
    /// Random numbers of the standard normal distribution.
    "randn" (shape: Sizes, dtype: Dtype = null) no_gradient 1 => |cx, given| drawn(cx, given, Random::normal);
    /// Random whole numbers from low up to below high, of `long` unless a dtype is given.
    "randint" (low: Whole, high: Whole, shape: Sizes, dtype: Dtype = null) no_gradient 1 => |cx, given| {
        let (low, high) = (given.whole(0)?, given.whole(1)?);
        if low >= high {
            return Err(Error::new(Code::Argument, format_args!("expected low below high, given {low} and {high}")));
        }
        let width = (high - low) as f64;
        let shape = sizes(given, 2)?;
        let dtype = given.dtype(3).unwrap_or(Dtype::Long);
        if dtype == Dtype::Bool && (low < 0 || high > 2) {
            let message = format_args!("expected low and high within 0 and 2 for dtype bool, given {low} and {high}");
            return Err(Error::new(Code::Argument, message));
        }
        dtype.check_holds(low as f64)?;
        dtype.check_holds((high - 1) as f64)?;
        let count = crate::engine::element_count::checked_element_count(cx.engine, &shape, dtype)?;
        let numbers = collected((0..count).map(|_| low as f64 + (cx.random.unit() * width).floor()))?;
        cx.engine.tensor(&Data::Double(numbers).cast(dtype)?, &shape, Device::Cpu).map(Output::One)
    };
}

fn sizes<E: Engine>(given: &Given<E>, index: usize) -> Result<Vec<usize>> {
    let mut sizes = Vec::new();
    for size in given.list(index).unwrap_or_default() {
        sizes.push(size_of(*size, || {
            Error::new(Code::Shape, format_args!("expected whole numbers >= 0 in a shape, given {size}"))
        })?);
    }
    Ok(sizes)
}

fn full<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, number: f64) -> Result<Output<E>> {
    let (shape, dtype) = (sizes(given, 0)?, given.dtype(1).unwrap_or(Dtype::Float));
    cx.engine.check_memory(&shape, dtype)?;
    cx.engine.full(&Data::Double(vec![number]).cast(dtype)?, &shape, Device::Cpu).map(Output::One)
}

/// Element i is the value of a function.
#[inline(never)]
pub(crate) fn listed<E: Engine>(
    cx: &Context<'_, E>,
    shape: &[usize],
    dtype: Option<Dtype>,
    of: &dyn Fn(usize) -> f64,
) -> Result<Output<E>> {
    let dtype = dtype.unwrap_or(Dtype::Float);
    // In memory as doubles first.
    cx.engine.check_memory(shape, Dtype::Double)?;
    let numbers = collected((0..shape.iter().product()).map(of))?;
    cx.engine.tensor(&Data::Double(numbers).cast(dtype)?, shape, Device::Cpu).map(Output::One)
}

/// From both ends, as PyTorch, so that the last number is `end`.
fn spaced(start: f64, end: f64, steps: usize, i: usize) -> f64 {
    let step = (end - start) / (steps.max(2) - 1) as f64;
    if i < steps / 2 || steps == 1 { start + step * i as f64 } else { end - step * (steps - 1 - i) as f64 }
}

fn drawn<E: Engine>(cx: &mut Context<'_, E>, given: &Given<E>, draw: impl Fn(&mut Random) -> f64) -> Result<Output<E>> {
    let (shape, dtype) = (sizes(given, 0)?, given.dtype(1).unwrap_or(Dtype::Float));
    if !dtype.is_floating() {
        let message = format_args!("expected a dtype of floating point, given {}", dtype.name());
        return Err(Error::new(Code::Dtype, message));
    }
    cx.engine.check_memory(&shape, Dtype::Double)?;
    let numbers = collected((0..shape.iter().product::<usize>()).map(|_| draw(cx.random)))?;
    cx.engine.tensor(&Data::Double(numbers).cast(dtype)?, &shape, Device::Cpu).map(Output::One)
}
