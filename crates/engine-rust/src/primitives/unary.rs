//! Functions of one argument, each with its derivative.

use std::f64::consts::{FRAC_2_SQRT_PI, LN_2, LN_10, LOG2_E, LOG10_E};

use stepwell_optim::{Result, Shared};
use stepwell_session::{Dtype, Unary};

use crate::autograd::backward::{BackwardContext, ErasedBackward, Give, SavedTensor};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::error::internal_error;
use crate::operations::activations::sigmoid;
use crate::primitives::map::{Function, Operand, Real, Whole, map};
use crate::primitives::special::{digamma, erfinv, trigamma};

/// The tensor that a gradient needs, which is its second argument.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Saves {
    Nothing,
    Input,
    Output,
}
use Saves::{Input, Nothing, Output};

/// A row of the table: the function, the saved tensor, and the gradient of the input. Arguments of the latter are the output's
/// gradient and the saved element.
type Row = (Real, Saves, Real);

fn row(function: Unary) -> Option<Row> {
    /// The gradient of a function that is constant between its steps.
    const FLAT: Real = |_, _, _| 0.0;
    Some(match function {
        Unary::Abs => (|x, _, _| x.abs(), Input, |g, x, _| g * sign(x)),
        Unary::Neg => (|x, _, _| -x, Nothing, |g, _, _| -g),
        Unary::Sign => (|x, _, _| sign(x), Nothing, FLAT),
        Unary::Ceil => (|x, _, _| x.ceil(), Nothing, FLAT),
        Unary::Floor => (|x, _, _| x.floor(), Nothing, FLAT),
        Unary::Round => (|x, _, _| x.round_ties_even(), Nothing, FLAT),
        Unary::Trunc => (|x, _, _| x.trunc(), Nothing, FLAT),
        Unary::Sqrt => (|x, _, _| x.sqrt(), Output, |g, y, _| g / (2.0 * y)),
        Unary::Rsqrt => (|x, _, _| 1.0 / x.sqrt(), Output, |g, y, _| -0.5 * g * (y * y * y)),
        Unary::Exp => (|x, _, _| libm::exp(x), Output, |g, y, _| g * y),
        Unary::Expm1 => (|x, _, _| libm::expm1(x), Output, |g, y, _| g * (y + 1.0)),
        Unary::Log => (|x, _, _| libm::log(x), Input, |g, x, _| g / x),
        Unary::Log1p => (|x, _, _| libm::log1p(x), Input, |g, x, _| g / (x + 1.0)),
        Unary::Log2 => (|x, _, _| log_of_base(x, LOG2_E), Input, |g, x, _| g / (x * LN_2)),
        Unary::Log10 => (|x, _, _| log_of_base(x, LOG10_E), Input, |g, x, _| g / (x * LN_10)),
        Unary::Sin => (|x, _, _| libm::sin(x), Input, |g, x, _| g * libm::cos(x)),
        Unary::Cos => (|x, _, _| libm::cos(x), Input, |g, x, _| -g * libm::sin(x)),
        Unary::Tan => (|x, _, _| libm::tan(x), Output, |g, y, _| g * (1.0 + y * y)),
        Unary::Asin => (|x, _, _| libm::asin(x), Input, |g, x, _| g / (1.0 - x * x).sqrt()),
        Unary::Acos => (|x, _, _| libm::acos(x), Input, |g, x, _| -g / (1.0 - x * x).sqrt()),
        Unary::Atan => (|x, _, _| libm::atan(x), Input, |g, x, _| g / (x * x + 1.0)),
        Unary::Sinh => (|x, _, _| libm::sinh(x), Input, |g, x, _| g * libm::cosh(x)),
        Unary::Cosh => (|x, _, _| libm::cosh(x), Input, |g, x, _| g * libm::sinh(x)),
        Unary::Tanh => (|x, _, _| libm::tanh(x), Output, |g, y, _| g * (1.0 - y * y)),
        Unary::Sigmoid => (|x, _, _| sigmoid(x), Output, |g, y, _| g * ((1.0 - y) * y)),
        Unary::Relu => (|x, _, _| if x < 0.0 { 0.0 } else { x }, Output, |g, y, _| if y <= 0.0 { 0.0 } else { g }),
        Unary::Erf => (|x, _, _| libm::erf(x), Input, |g, x, _| g * (FRAC_2_SQRT_PI * libm::exp(-x * x))),
        Unary::Erfc => (|x, _, _| libm::erfc(x), Input, |g, x, _| -g * (FRAC_2_SQRT_PI * libm::exp(-x * x))),
        Unary::Erfinv => (|x, _, _| erfinv(x), Output, |g, y, _| g * (libm::exp(y * y) / FRAC_2_SQRT_PI)),
        Unary::Lgamma => (|x, _, _| libm::lgamma(x), Input, |g, x, _| g * digamma(x)),
        Unary::Digamma => (|x, _, _| digamma(x), Input, |g, x, _| g * trigamma(x)),
        Unary::Not => return None,
    })
}

/// The function of integers and truth values.
fn whole(function: Unary, dtype: Dtype) -> Option<Whole> {
    Some(match function {
        Unary::Abs => |x, _, _| x.wrapping_abs(),
        Unary::Neg => |x, _, _| x.wrapping_neg(),
        Unary::Sign => |x, _, _| x.signum(),
        Unary::Relu => |x, _, _| x.max(0),
        Unary::Not if dtype == Dtype::Bool => |x, _, _| 1 - x,
        Unary::Not => |x, _, _| !x,
        _ => return None,
    })
}

/// -1, 0 or 1; 0 for NaN, as in PyTorch.
fn sign(x: f64) -> f64 {
    f64::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}

/// The logarithm, from `1 / ln(base)`. Exact for the powers of a base that are doubles, as PyTorch's is.
fn log_of_base(x: f64, factor: f64) -> f64 {
    if factor == LOG2_E { libm::log2(x) } else { libm::log10(x) }
}

struct UnaryBackward {
    function: Unary,
    shape: Shared<[usize]>,
}

pub(crate) fn unary(autograd: &Autograd, x: &Tensor, function: Unary) -> Result<Vec<Tensor>> {
    let (shape, storage) = (x.shape(), x.storage());
    let row = row(function);
    let chosen = match (x.dtype().is_floating(), row) {
        (true, Some((value, ..))) => Some(Function::Real(value)),
        (true, None) => None,
        (false, _) => whole(function, x.dtype()).map(Function::Whole),
    };
    let chosen = chosen.ok_or_else(|| internal_error("a function that the dtype does not have"))?;
    let buffer = storage.read()?;
    let result = Storage::new(map(&autograd.budget, &shape, &[Operand::dense(&buffer, &shape)], chosen)?);
    let saved = match row.map_or(Nothing, |(_, saves, _)| saves) {
        Nothing => None,
        Input => Some(SavedTensor::new(&storage)),
        Output => Some(SavedTensor::new(&result)),
    };
    let backward = UnaryBackward { function, shape: Shared::clone(&shape) };
    Ok(vec![autograd.record_output(&shape, result, &[Some(x)], backward, vec![saved])?])
}

impl ErasedBackward for UnaryBackward {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let (Some(Some(gradient)), Some((_, saves, derivative))) = (gradients.first(), row(self.function)) else {
            return Err(internal_error("a function without a gradient"));
        };
        let mut operands = vec![Operand::dense(gradient, &self.shape)];
        if saves != Nothing {
            operands.push(Operand::dense(context.saved_buffer(0)?, &self.shape));
        }
        give(0, map(context.budget, &self.shape, &operands, Function::Real(derivative))?)
    }
}
