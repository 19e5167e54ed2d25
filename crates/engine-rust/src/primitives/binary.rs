//! Functions of two arguments that are broadcast, each with its derivatives.

use stepwell_optim::{Code, Error, Result, Shared};
use stepwell_session::{Binary, Dtype};

use crate::autograd::backward::{BackwardContext, ErasedBackward, Give};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::elements::element::Element;
use crate::error::internal_error;
use crate::memory::MemoryBudget;
use crate::primitives::arithmetic::{Arithmetic, arithmetic};
use crate::primitives::layout::broadcast;
use crate::primitives::map::{Function, Operand, Real, Whole, map};
use crate::primitives::reduce::sum_to;
use crate::primitives::special::fmod;

/// The gradient of an argument as a function of the output's gradient and both arguments, and which of these it needs.
type Gradient = (Real, [bool; 2]);

const BOTH: [bool; 2] = [true, true];
const NEITHER: [bool; 2] = [false, false];

/// A row of the table: the function, and the gradients of its arguments.
fn row(function: Binary) -> Option<(Real, [Gradient; 2])> {
    const PASSED: Gradient = (|g, _, _| g, NEITHER);
    /// Half of the gradient for equal arguments, all of it for NaN.
    const LARGER: Real = |g, a, b| {
        if a < b {
            0.0
        } else if a == b {
            g / 2.0
        } else {
            g
        }
    };
    const SMALLER: Real = |g, a, b| {
        if a > b {
            0.0
        } else if a == b {
            g / 2.0
        } else {
            g
        }
    };
    Some(match function {
        Binary::Add => (|a, b, _| a + b, [PASSED, PASSED]),
        Binary::Sub => (|a, b, _| a - b, [PASSED, (|g, _, _| -g, NEITHER)]),
        Binary::Mul => (|a, b, _| a * b, [(|g, _, b| g * b, [false, true]), (|g, a, _| g * a, [true, false])]),
        Binary::Div => (|a, b, _| a / b, [(|g, _, b| g / b, [false, true]), (|g, a, b| -g * ((a / b) / b), BOTH)]),
        Binary::Pow => (
            |a, b, _| libm::pow(a, b),
            [
                (|g, a, b| if b == 0.0 { 0.0 } else { g * (b * libm::pow(a, b - 1.0)) }, BOTH),
                (|g, a, b| if a == 0.0 && b >= 0.0 { 0.0 } else { g * (libm::pow(a, b) * libm::log(a)) }, BOTH),
            ],
        ),
        Binary::Maximum => {
            (|a, b, _| if a < b || b.is_nan() { b } else { a }, [(LARGER, BOTH), (|g, a, b| LARGER(g, b, a), BOTH)])
        }
        Binary::Minimum => {
            (|a, b, _| if a > b || b.is_nan() { b } else { a }, [(SMALLER, BOTH), (|g, a, b| SMALLER(g, b, a), BOTH)])
        }
        Binary::Remainder => (|a, b, _| remainder(a, b), [PASSED, (|g, a, b| -g * floor_quotient(a, b), BOTH)]),
        Binary::Fmod => (|a, b, _| fmod(a, b), [PASSED, (|g, a, b| -g * (a / b).trunc(), BOTH)]),
        Binary::Atan2 => (
            |a, b, _| libm::atan2(a, b),
            [
                (|g, a, b| if a == 0.0 && b == 0.0 { 0.0 } else { g * (b / (a * a + b * b)) }, BOTH),
                (|g, a, b| if a == 0.0 && b == 0.0 { 0.0 } else { g * (-a / (a * a + b * b)) }, BOTH),
            ],
        ),
        Binary::And | Binary::Or | Binary::Xor => return None,
    })
}

/// The function of integers and truth values. A divisor is not 0.
fn whole(function: Binary) -> Option<Whole> {
    Some(match function {
        Binary::Add => |a, b, _| a.wrapping_add(b),
        Binary::Sub => |a, b, _| a.wrapping_sub(b),
        Binary::Mul => |a, b, _| a.wrapping_mul(b),
        Binary::Pow => |a, b, _| whole_power(a, b),
        Binary::Maximum => |a, b, _| a.max(b),
        Binary::Minimum => |a, b, _| a.min(b),
        Binary::Remainder => |a, b, _| {
            let rest = a.wrapping_rem(b);
            if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
        },
        Binary::Fmod => |a, b, _| a.wrapping_rem(b),
        Binary::And => |a, b, _| a & b,
        Binary::Or => |a, b, _| a | b,
        Binary::Xor => |a, b, _| a ^ b,
        Binary::Div | Binary::Atan2 => return None,
    })
}

fn whole_power(a: i64, b: i64) -> i64 {
    if b < 0 {
        return match a {
            1 => 1,
            -1 => 1 - 2 * (b & 1),
            _ => 0,
        };
    }
    let (mut power, mut base, mut exponent) = (1i64, a, b);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = power.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    power
}

/// The rest of a division that rounds down: it has the sign of `b`.
fn remainder(a: f64, b: f64) -> f64 {
    let rest = fmod(a, b);
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
}

/// The quotient rounded down, so that rounding does not take it beyond the next whole number.
fn floor_quotient(a: f64, b: f64) -> f64 {
    if b == 0.0 {
        return a / b;
    }
    let rest = fmod(a, b);
    let quotient = (a - rest) / b - f64::from(u8::from(rest != 0.0 && (rest < 0.0) != (b < 0.0)));
    if quotient == 0.0 {
        return 0f64.copysign(a / b);
    }
    let down = quotient.floor();
    if quotient - down > 0.5 { down + 1.0 } else { down }
}

struct BinaryBackward {
    function: Binary,
    inputs: [Shared<[usize]>; 2],
    shape: Vec<usize>,
}

pub(crate) fn binary(autograd: &Autograd, [a, b]: [&Tensor; 2], function: Binary) -> Result<Vec<Tensor>> {
    let inputs = [a.shape(), b.shape()];
    let shape = broadcast(&[&inputs[0], &inputs[1]])?;
    let buffer = {
        let (a, b) = (a.storage(), b.storage());
        let (a, b) = (a.read()?, b.read()?);
        if matches!(function, Binary::Remainder | Binary::Fmod)
            && b.dtype() == Dtype::Long
            && !shape.contains(&0)
            && i64::slice(&b)?.contains(&0)
        {
            return Err(Error::new(Code::Argument, "expected a divisor other than 0"));
        }
        evaluate(&autograd.budget, function, [(&a, &*inputs[0]), (&b, &*inputs[1])], &shape)?
    };
    let requires = autograd.needs_grad([Some(a), Some(b)]);
    let gradients = row(function).map(|(_, gradients)| gradients.map(|(_, needs)| needs)).unwrap_or([NEITHER; 2]);
    let saves = |input: usize| (0..2).any(|of: usize| requires[of] && gradients[of][input]);
    let saved = vec![saves(0).then(|| a.saved()), saves(1).then(|| b.saved())];
    let backward = BinaryBackward { function, inputs, shape: shape.clone() };
    Ok(vec![autograd.record_output(&shape, Storage::new(buffer), &[Some(a), Some(b)], backward, saved)?])
}

fn evaluate(
    budget: &Shared<MemoryBudget>,
    function: Binary,
    [a, b]: [(&Buffer, &[usize]); 2],
    shape: &[usize],
) -> Result<Buffer> {
    let operands = [Operand::repeated(a.0, a.1, shape), Operand::repeated(b.0, b.1, shape)];
    if let (Buffer::Float(_), Some(arithmetical)) = (a.0, Arithmetic::of(function)) {
        return arithmetic(budget, shape, &operands, arithmetical);
    }
    let chosen = match a.0.dtype() {
        dtype if dtype.is_floating() => row(function).map(|(value, _)| Function::Real(value)),
        _ => whole(function).map(Function::Whole),
    };
    map(budget, shape, &operands, chosen.ok_or_else(|| internal_error("a function that the dtype does not have"))?)
}

impl ErasedBackward for BinaryBackward {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let (Some(Some(gradient)), Some((_, rules))) = (gradients.first(), row(self.function)) else {
            return Err(internal_error("a function without a gradient"));
        };
        for (input, (rule, needs)) in rules.into_iter().enumerate() {
            if !context.needs_input_grad(input) {
                continue;
            }
            let passes = needs == NEITHER && !(self.function == Binary::Sub && input == 1);
            let derivative = if passes { None } else { Some(self.derivative(context, gradient, rule, needs)?) };
            let summed = match derivative {
                Some(derivative) if *self.inputs[input] == *self.shape => derivative,
                derivative => {
                    let all = derivative.as_ref().unwrap_or(gradient);
                    sum_to(context.budget, all, &self.shape, &self.inputs[input])?
                }
            };
            give(input, summed)?;
        }
        Ok(())
    }
}

impl BinaryBackward {
    /// The gradient of an argument, of the shape of the output.
    fn derivative(&self, context: &BackwardContext<'_>, g: &Buffer, rule: Real, needs: [bool; 2]) -> Result<Buffer> {
        let shape = &self.shape;
        let other = usize::from(!needs[0]);
        if needs != BOTH
            && needs != NEITHER
            && matches!(g, Buffer::Float(_))
            && let Some(arithmetical) = Arithmetic::of(self.function)
        {
            let operands =
                [Operand::dense(g, shape), Operand::repeated(context.saved_buffer(other)?, &self.inputs[other], shape)];
            return arithmetic(context.budget, shape, &operands, arithmetical);
        }
        let mut operands = vec![Operand::dense(g, shape)];
        for (input, needed) in needs.into_iter().enumerate() {
            operands.push(match needed {
                true => Operand::repeated(context.saved_buffer(input)?, &self.inputs[input], shape),
                // Any elements, of which the function uses none.
                false => Operand::dense(g, shape),
            });
        }
        map(context.budget, shape, &operands, Function::Real(rule))
    }
}
