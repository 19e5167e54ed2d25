//! Losses of three tensors.

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Unary};
use crate::mathematics::calculation::{Calculation, Node};
use crate::mathematics::distance::pairwise;
use crate::nn::loss::elements::at_least_zero;

/// 1 - cos(a, b) where y = 1, max(0, cos(a, b) - margin) where y = -1, of rows `[n, d]` and `[n]` targets, or of two vectors
/// and a number.
pub(crate) fn cosine<E: Engine>(c: &Calculation<'_, E>, [a, b, y]: [Node; 3], margin: f64) -> Result<Node> {
    /// Added to squared lengths, as PyTorch does.
    const EPSILON: f64 = 1e-12;
    let (shape, other, targets) = (c.shape(a)?, c.shape(b)?, c.shape(y)?);
    if shape.is_empty() || shape.len() > 2 || other != shape || targets != shape[..shape.len() - 1] {
        let message = format_args!(
            "expected two tensors of shape [n, d] with targets [n], or [d] with a number, given {shape:?}, {other:?} and \
             {targets:?}"
        );
        return Err(Error::new(Code::Shape, message));
    }
    let product = |a, b| c.sum(c.binary(Binary::Mul, a, b), shape.len() - 1);
    let squares = c.binary(
        Binary::Mul,
        c.with_number(Binary::Add, product(a, a), EPSILON),
        c.with_number(Binary::Add, product(b, b), EPSILON),
    );
    let cosine = c.binary(Binary::Div, product(a, b), c.unary(Unary::Sqrt, squares));
    let zero = c.number(cosine, 0.0);
    let near = c.with_number(Binary::Add, c.unary(Unary::Neg, cosine), 1.0);
    let near = c.choose(c.compare_number(Compare::Eq, y, 1.0), near, zero);
    let far = at_least_zero(c, c.with_number(Binary::Sub, cosine, margin));
    let far = c.choose(c.compare_number(Compare::Eq, y, -1.0), far, zero);
    Ok(c.binary(Binary::Add, near, far))
}

/// max(0, -y (a - b) + margin), of shapes that broadcast.
pub(crate) fn margin<E: Engine>(c: &Calculation<'_, E>, [a, b, y]: [Node; 3], margin: f64) -> Node {
    let product = c.checked_binary(Binary::Mul, c.checked_binary(Binary::Sub, b, a), y);
    at_least_zero(c, c.with_number(Binary::Add, product, margin))
}

/// max(0, |anchor - positive| - |anchor - negative| + margin) along the last dimension.
pub(crate) fn triplet<E: Engine>(
    c: &Calculation<'_, E>,
    [anchor, positive, negative]: [Node; 3],
    margin: f64,
    p: f64,
    eps: f64,
    swap: bool,
) -> Node {
    let distance = |a, b| {
        let distance = pairwise(c, [a, b], p, eps, false);
        match (c.shape(a), c.shape(b)) {
            (Ok(a), Ok(b)) if a.is_empty() && b.is_empty() => {
                c.fail(Error::new(Code::Shape, "expected tensors of shape [*, d], given []"))
            }
            _ => distance,
        }
    };
    let near = distance(anchor, positive);
    let mut far = distance(anchor, negative);
    if swap {
        far = c.checked_binary(Binary::Minimum, far, distance(positive, negative));
    }
    at_least_zero(c, c.with_number(Binary::Add, c.checked_binary(Binary::Sub, near, far), margin))
}
