//! Losses of elements: input and target have one shape and one dtype, and so have the losses.

use std::f64::consts::PI;

use stepwell_optim::{Code, Error};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Unary};
use crate::mathematics::activation::log1p_exp;
use crate::mathematics::calculation::{Calculation, Node};
use crate::values::data::Data;

/// x where it is at least 0, else 0. The gradient at 0 is 1, as of PyTorch's `clamp_min`.
pub(crate) fn at_least_zero<E: Engine>(c: &Calculation<'_, E>, x: Node) -> Node {
    c.number_where(c.compare_number(Compare::Lt, x, 0.0), 0.0, x)
}

/// Numbers as a tensor of the dtype and on the device of `x`; one number has no dimension.
///
/// # Errors
/// [`Code::Shape`] unless there is one number, or `size` of them.
pub(crate) fn weights<E: Engine>(c: &Calculation<'_, E>, x: Node, name: &str, numbers: &[f64], size: usize) -> Node {
    if numbers.len() != size && numbers.len() != 1 {
        let given = numbers.len();
        return c.fail(Error::new(Code::Shape, format_args!("option {name}: expected {size} numbers, given {given}")));
    }
    let shape: &[usize] = if numbers.len() == 1 { &[] } else { &[numbers.len()] };
    c.tensor(x, Data::Double(numbers.to_vec()), shape)
}

/// (1 - y) x + (1 + (posweight - 1) y) log(1 + exp(-x)): the binary cross entropy of sigmoid(x). `size` is of the last dimension.
pub(crate) fn weighted_logits<E: Engine>(
    c: &Calculation<'_, E>,
    [x, y]: [Node; 2],
    posweight: &[f64],
    size: usize,
) -> Node {
    let less_one: Vec<f64> = posweight.iter().map(|weight| weight - 1.0).collect();
    let less_one = weights(c, x, "posweight", &less_one, size);
    let factor = c.with_number(Binary::Add, c.binary(Binary::Mul, y, less_one), 1.0);
    let logarithm = log1p_exp(c, c.unary(Unary::Neg, x));
    let negative = c.binary(Binary::Sub, x, c.binary(Binary::Mul, x, y));
    c.binary(Binary::Add, negative, c.binary(Binary::Mul, factor, logarithm))
}

/// d² / 2 where |d| < delta, else delta (|d| - delta / 2), of d = x - y. Huber 1964.
pub(crate) fn huber<E: Engine>(c: &Calculation<'_, E>, [x, y]: [Node; 2], delta: f64) -> Node {
    let difference = c.binary(Binary::Sub, x, y);
    let size = c.unary(Unary::Abs, difference);
    let square = c.with_number(Binary::Mul, c.binary(Binary::Mul, size, size), 0.5);
    let line = c.with_number(Binary::Mul, c.with_number(Binary::Sub, size, 0.5 * delta), delta);
    c.choose(c.compare_number(Compare::Lt, size, delta), square, line)
}

/// y (log y - x) of log-probabilities x; 0 where y = 0. With `log`, exp(y) (y - x).
pub(crate) fn kl<E: Engine>(c: &Calculation<'_, E>, [x, y]: [Node; 2], log: bool) -> Node {
    if log {
        let share = c.unary(Unary::Exp, y);
        return c.binary(Binary::Mul, share, c.binary(Binary::Sub, y, x));
    }
    // The logarithm of 0 would make gradients NaN.
    let is_zero = c.compare_number(Compare::Eq, y, 0.0);
    let logarithm = c.unary(Unary::Log, c.choose(is_zero, c.number(y, 1.0), y));
    c.binary(Binary::Sub, c.binary(Binary::Mul, y, logarithm), c.binary(Binary::Mul, y, x))
}

/// exp(x) - y x of the logarithm x of a rate; unless `log`, x - y log(x + eps) of the rate x. With `full`, Stirling's
/// approximation y log y - y + log(2 pi y) / 2 is added where y > 1.
pub(crate) fn poisson<E: Engine>(c: &Calculation<'_, E>, [x, y]: [Node; 2], log: bool, full: bool, eps: f64) -> Node {
    let (rate, logarithm) =
        if log { (c.unary(Unary::Exp, x), x) } else { (x, c.unary(Unary::Log, c.with_number(Binary::Add, x, eps))) };
    let loss = c.binary(Binary::Sub, rate, c.binary(Binary::Mul, y, logarithm));
    if !full {
        return loss;
    }
    let is_small = c.compare_number(Compare::Le, y, 1.0);
    let safe = c.choose(is_small, c.number(y, 1.0), y);
    let product = c.binary(Binary::Mul, safe, c.unary(Unary::Log, safe));
    let root = c.unary(Unary::Log, c.with_number(Binary::Mul, safe, 2.0 * PI));
    let root = c.with_number(Binary::Mul, root, 0.5);
    let stirling = c.binary(Binary::Add, c.binary(Binary::Sub, product, safe), root);
    let stirling = c.choose(is_small, c.number(y, 0.0), stirling);
    c.binary(Binary::Add, loss, stirling)
}

/// x where y = 1, and max(0, margin - x) where y = -1. Any other target adds both.
pub(crate) fn hinge<E: Engine>(c: &Calculation<'_, E>, [x, y]: [Node; 2], margin: f64) -> Node {
    let zero = c.number(x, 0.0);
    let rest = c.with_number(Binary::Add, c.unary(Unary::Neg, x), margin);
    let rest = c.choose(c.compare_number(Compare::Eq, y, 1.0), zero, at_least_zero(c, rest));
    let own = c.choose(c.compare_number(Compare::Eq, y, -1.0), zero, x);
    c.binary(Binary::Add, own, rest)
}

/// log(1 + exp(-y x)).
pub(crate) fn soft_margin<E: Engine>(c: &Calculation<'_, E>, [x, y]: [Node; 2]) -> Node {
    log1p_exp(c, c.unary(Unary::Neg, c.binary(Binary::Mul, x, y)))
}
