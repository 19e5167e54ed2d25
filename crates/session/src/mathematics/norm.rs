//! Norms of vectors.

use stepwell_optim::{Code, Error, Number};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Reduce, Unary};
use crate::mathematics::calculation::{Calculation, Node};

/// The norm of order p over dimensions; order 0 counts the elements that differ from 0. The gradient of a norm of 0 is 0.
pub(crate) fn norm<E: Engine>(c: &Calculation<'_, E>, x: Node, p: f64, dims: &[usize], keepdim: bool) -> Node {
    if p < 0.0 || p == f64::INFINITY {
        let shape = match c.result(x).and_then(|x| c.engine.shape(&x)) {
            Ok(shape) => shape,
            Err(error) => return c.fail(error),
        };
        if dims.iter().any(|dim| shape.get(*dim) == Some(&0)) {
            let p = Number(p);
            let message = format_args!("expected at least one element for a norm of order {p}, given shape {shape:?}");
            return c.fail(Error::new(Code::Shape, message));
        }
    }
    let size = c.unary(Unary::Abs, x);
    if p == f64::INFINITY {
        return c.reduce(Reduce::Amax, size, dims, keepdim);
    }
    if p == f64::NEG_INFINITY {
        return c.reduce(Reduce::Amin, size, dims, keepdim);
    }
    if p == 1.0 {
        return c.reduce(Reduce::Sum, size, dims, keepdim);
    }
    if p == 0.0 {
        let counted = c.compare_number(Compare::Ne, x, 0.0);
        return c.reduce(Reduce::Sum, c.with_dtype_of(counted, x), dims, keepdim);
    }
    let powers = if p == 2.0 {
        c.binary(Binary::Mul, x, x)
    } else if p > 0.0 && p < 1.0 {
        power(c, size, p)
    } else {
        c.with_number(Binary::Pow, size, p)
    };
    power(c, c.reduce(Reduce::Sum, powers, dims, keepdim), 1.0 / p)
}

/// x to a power whose slope is infinite at 0; the gradient there is 0, as in PyTorch.
pub(crate) fn power<E: Engine>(c: &Calculation<'_, E>, x: Node, exponent: f64) -> Node {
    let is_zero = c.compare_number(Compare::Eq, x, 0.0);
    let safe = c.choose(is_zero, c.number(x, 1.0), x);
    let power = if exponent == 0.5 { c.unary(Unary::Sqrt, safe) } else { c.with_number(Binary::Pow, safe, exponent) };
    c.choose(is_zero, c.number(x, 0.0), power)
}
