//! Variances, norms, distances, and normalisation.

use stepwell_optim::{Code, Error, Number, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Reduce};
use crate::mathematics::calculation::{Calculation, calculated};
use crate::mathematics::norm::{norm, power};
use crate::mathematics::tensor_math::TensorMath;
use crate::mathematics::{distance, normalization};

operations! { E,
    /// The variance over all elements or over dimensions, with the divisor n - correction.
    "variance" as "var" (x: Tensor, dim: Dims = null, correction: Number = 1.0, keepdim: Flag = false) gradient 1 =>
        |cx, given| moments(cx, given, false).map(|(_, variance)| Output::One(variance));
    /// The square root of the variance.
    "std" (x: Tensor, dim: Dims = null, correction: Number = 1.0, keepdim: Flag = false) gradient 1 =>
        |cx, given| moments(cx, given, true).map(|(_, deviation)| Output::One(deviation));
    /// The mean and the standard deviation, in the order of the k-api.
    "meanstd" as "std_mean" (x: Tensor, dim: Dims = null, correction: Number = 1.0, keepdim: Flag = false) gradient 2 =>
        |cx, given| moments(cx, given, true).map(|(mean, deviation)| Output::Several(vec![mean, deviation]));
    /// The mean and the variance, in the order of the k-api.
    "meanvar" as "var_mean" (x: Tensor, dim: Dims = null, correction: Number = 1.0, keepdim: Flag = false) gradient 2 =>
        |cx, given| moments(cx, given, false).map(|(mean, variance)| Output::Several(vec![mean, variance]));
    /// The norm of order p over all elements or over dimensions. Order 0 counts the elements that differ from 0, without a gradient.
    "vnorm" as "linalg.vector_norm" (x: Tensor, p: Number = 2.0, dim: Dims = null, keepdim: Flag = false) gradient 1 =>
        |cx, given| {
            let x = cx.only_floating(given.operand(0)?)?;
            let (p, dims) = (given.number(1)?, cx.engine.dims(&x, given.dims(2))?);
            calculated(cx.engine, &|c| norm(c, c.input(&x), p, &dims, given.flag(3))).map(Output::One)
        };
    /// The norm of order p of x - y: see `vnorm`.
    "dist" (x: Tensor, y: Tensor, p: Number = 2.0) gradient 1 => |cx, given| {
        let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], true)?;
        let difference = cx.engine.binary(Binary::Sub, &tensors[0], &tensors[1])?;
        let (p, dims) = (given.number(2)?, cx.engine.dims(&difference, None)?);
        calculated(cx.engine, &|c| norm(c, c.input(&difference), p, &dims, false)).map(Output::One)
    };
    /// Parts of x along a dimension, each scaled down to a norm of order p of `maxnorm` if its norm is larger.
    "renorm" (x: Tensor, p: Number, dim: Dim, maxnorm: Number) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        let (engine, p, maxnorm) = (cx.engine, given.number(1)?, given.number(3)?);
        let (dim, mut dims) = (engine.dim(&x, given.whole(2)?)?, engine.dims(&x, None)?);
        if dims.len() < 2 || !(p > 0.0 && p.is_finite()) || maxnorm < 0.0 || maxnorm.is_nan() {
            let shape = engine.shape(&x)?;
            let message = format_args!(
                "expected two dimensions, a finite order > 0 and a largest norm >= 0, given shape {shape:?}, {} and {}",
                Number(p), Number(maxnorm)
            );
            return Err(Error::new(Code::Argument, message));
        }
        dims.remove(dim);
        calculated(engine, &|c| {
            let x = c.input(&x);
            let norms = norm(c, x, p, &dims, true);
            let is_large = c.compare_number(Compare::Gt, norms, maxnorm);
            // As in PyTorch, so that a scaled norm is not larger by rounding.
            let divisor = c.with_number(Binary::Add, norms, 1e-7);
            let factor = c.binary(Binary::Div, c.number(x, maxnorm), divisor);
            c.binary(Binary::Mul, x, c.choose(is_large, factor, c.number(x, 1.0)))
        }).map(Output::One)
    };
    /// The norm of order p of x - y + eps along the last dimension. x and y broadcast.
    "pairwise" as "nn.functional.pairwise_distance" (x: Tensor, y: Tensor, p: Number = 2.0, eps: Number = 0.000001, keepdim: Flag = false) gradient 1 =>
        |cx, given| {
            let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], true)?;
            let (p, eps) = (given.number(2)?, given.number(3)?);
            let keepdim = given.flag(4);
            calculated(cx.engine, &|c| distance::pairwise(c, [0, 1].map(|i| c.input(&tensors[i])), p, eps, keepdim)).map(Output::One)
        };
    /// The cosine of the angle of x and y along a dimension; norms count as eps at least. x and y broadcast.
    "similar" as "nn.functional.cosine_similarity" (x: Tensor, y: Tensor, dim: Dim = 1.0, eps: Number = 0.00000001) gradient 1 =>
        |cx, given| {
            let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], true)?;
            distance::similar(cx.engine, &tensors[0], &tensors[1], given.whole(2)?, given.number(3)?).map(Output::One)
        };
    /// The distances of order p of every two rows of `x [n, d]`: `[n (n - 1) / 2]`, of the first row with all others first.
    "pdist" as "nn.functional.pdist" (x: Tensor, p: Number = 2.0) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        distance::pdist(cx.engine, &x, given.number(1)?).map(Output::One)
    };
    /// Vectors along a dimension divided by their norm of order p, or by eps if that is larger.
    "normalize" as "nn.functional.normalize" (x: Tensor, p: Number = 2.0, dim: Dim = 1.0, eps: Number = 0.000000000001) gradient 1 =>
        |cx, given| {
            let x = cx.only_floating(given.operand(0)?)?;
            distance::normalize(cx.engine, &x, given.number(1)?, given.whole(2)?, given.number(3)?).map(Output::One)
        };
    /// x minus the mean, divided by the deviation. A list of either is for the channels of `x [*, c, h, w]`.
    "zscore" (x: Tensor, mean: Tensor, std: Tensor) gradient 1 => |cx, given| {
        let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?, given.operand(2)?], true)?;
        normalization::zscore(cx.engine, &tensors[0], &tensors[1], &tensors[2]).map(Output::One)
    };
    /// x divided by the root of its mean square over the last dimensions, which have the sizes in `shape`; times a weight of that shape.
    "rmsnorm" as "nn.functional.rms_norm" (x: Tensor, shape: Sizes, weight: Tensor = null, eps: Number = null) gradient 1 =>
        |cx, given| {
            let mut operands = vec![given.operand(0)?];
            operands.extend(given.operand_or_none(2));
            let tensors = cx.promoted(&operands, true)?;
            let eps = given.number(3).ok();
            let sizes = given.list(1).unwrap_or_default();
            normalization::root_mean_square(cx.engine, &tensors[0], sizes, tensors.get(1), eps).map(Output::One)
        };
    /// Each element of `x [n, c, *]` divided by (k + alpha m) to the power beta, with the mean m of the squares of `size` channels around its own.
    "localnorm" as "nn.functional.local_response_norm" (x: Tensor, size: Whole, alpha: Number = 0.0001, beta: Number = 0.75, k: Number = 1.0) gradient 1 =>
        |cx, given| {
            let x = cx.only_floating(given.operand(0)?)?;
            let terms = [given.number(2)?, given.number(3)?, given.number(4)?];
            normalization::by_neighbours(cx.engine, &x, given.whole(1)?, terms).map(Output::One)
        };
}

/// The mean, in two passes with the variance or its root.
fn moments<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, is_root: bool) -> Result<(E::Tensor, E::Tensor)> {
    let x = cx.only_floating(given.operand(0)?)?;
    let dims = cx.engine.dims(&x, given.dims(1))?;
    let shape = cx.engine.shape(&x)?;
    let count: usize = dims.iter().filter_map(|dim| shape.get(*dim)).product();
    let c = Calculation::new(cx.engine);
    let x = c.input(&x);
    let mean = c.reduce(Reduce::Mean, x, &dims, true);
    let centered = c.binary(Binary::Sub, x, mean);
    let squares = c.reduce(Reduce::Sum, c.binary(Binary::Mul, centered, centered), &dims, given.flag(3));
    let variance = c.with_number(Binary::Div, squares, (count as f64 - given.number(2)?).max(0.0));
    let variance = if is_root { power(&c, variance, 0.5) } else { variance };
    let mean = c.with_shape(mean, &c.shape(variance)?);
    Ok((c.result(mean)?, c.result(variance)?))
}
