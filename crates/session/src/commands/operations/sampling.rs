//! Random draws by the probabilities in a tensor, from the session's generator.

use stepwell_optim::fallible::with_capacity;
use stepwell_optim::{Code, Error, Number, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::mathematics::tensor_math::TensorMath;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

operations! { E,
    /// 1 with the probability that each element is, else 0.
    "bernoulli" (x: Tensor) no_gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let mut numbers = doubles(cx, &x)?;
        for number in &mut numbers {
            if !(0.0..=1.0).contains(number) {
                let message = format_args!("expected probabilities from 0 to 1, given {}", Number(*number));
                return Err(Error::new(Code::Argument, message));
            }
            *number = f64::from(u8::from(cx.random.unit() < *number));
        }
        let data = Data::Double(numbers).cast(cx.engine.dtype(&x)?)?;
        cx.engine.tensor(&data, &cx.engine.shape(&x)?, cx.engine.device(&x)?).map(Output::One)
    };
    /// `n` indices for each row of weights `[*, k]`, drawn in proportion to them. Without `replace` they differ.
    "multinomial" (x: Tensor, n: Whole = 1.0, replace: Flag = false) no_gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let (mut shape, n, replace) = (cx.engine.shape(&x)?, given.size(1)?, given.flag(2));
        let columns = match shape[..] {
            [columns] | [_, columns] if columns > 0 && n > 0 => columns,
            _ => {
                let message = format_args!("expected weights [k] or [rows, k] and n of at least 1, given shape {shape:?} and n {n}");
                return Err(Error::new(Code::Shape, message));
            }
        };
        let dims = shape.len();
        shape[dims - 1] = n;
        cx.engine.check_memory(&shape, Dtype::Double)?;
        let mut weights = doubles(cx, &x)?;
        let mut indices = with_capacity(shape.iter().product())?;
        for row in weights.chunks_mut(columns) {
            draw_row(row, n, replace, &mut indices, &mut || cx.random.unit())?;
        }
        cx.engine.tensor(&Data::Long(indices), &shape, cx.engine.device(&x)?).map(Output::One)
    };
}

fn doubles<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor) -> Result<Vec<f64>> {
    match cx.engine.data(x)?.cast(Dtype::Double)? {
        Data::Double(numbers) => Ok(numbers),
        _ => Err(Error::new(Code::Internal, "numbers of another dtype")),
    }
}

/// Draws `n` indices of one row of weights.
fn draw_row(
    weights: &mut [f64],
    n: usize,
    replace: bool,
    indices: &mut Vec<i64>,
    unit: &mut dyn FnMut() -> f64,
) -> Result<()> {
    if let Some(wrong) = weights.iter().find(|weight| !(0.0..f64::INFINITY).contains(*weight)) {
        return Err(Error::new(Code::Argument, format_args!("expected finite weights >= 0, given {}", Number(*wrong))));
    }
    let drawable = weights.iter().filter(|weight| **weight > 0.0).count();
    let needed = if replace { 1 } else { n };
    if drawable < needed {
        let message = format_args!("expected at least {needed} weights > 0 in each row, given {drawable}");
        return Err(Error::new(Code::Argument, message));
    }
    // Sums of the weights up to each one: the first sum above a random part of the total belongs to the index.
    let mut sums = with_capacity(weights.len())?;
    for draw in 0..n {
        if draw == 0 || !replace {
            sums.clear();
            let mut sum = 0.0;
            for weight in &*weights {
                sum += weight;
                sums.push(sum);
            }
        }
        let total = sums[sums.len() - 1];
        let place = unit() * total;
        // Rounding may reach the total, so that no sum is larger.
        let last = weights.iter().rposition(|weight| *weight > 0.0).unwrap_or(0);
        let index = sums.partition_point(|sum| *sum <= place).min(last);
        indices.push(index as i64);
        if !replace {
            weights[index] = 0.0;
        }
    }
    Ok(())
}
