//! Normalisation of samples, of groups of channels and over neighbouring channels. Inputs are of floating point.

use stepwell_optim::{Code, Error, Result, joined};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Reduce, Unary};
use crate::mathematics::activation::widened;
use crate::mathematics::calculation::{Calculation, calculated};
use crate::mathematics::tensor_math::TensorMath;
use crate::values::dtype::Dtype;

/// x divided by the root of its mean square over the last dimensions, which have these sizes, and times a weight of that
/// shape. Zhang and Sennrich 2019, <https://arxiv.org/abs/1910.07467>. `eps` is added to the mean square. Its default
/// is the distance of 1 to the next number of the dtype. For 16 bits it is the distance in `float`, as in PyTorch.
///
/// # Errors
/// [`Code::Shape`] unless x ends with these sizes, and the weight has this shape.
pub(crate) fn root_mean_square<E: Engine>(
    engine: &E,
    x: &E::Tensor,
    sizes: &[i64],
    weight: Option<&E::Tensor>,
    eps: Option<f64>,
) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    let ends = |shape: &[usize]| shape.iter().rev().zip(sizes.iter().rev()).all(|(own, size)| *own as i64 == *size);
    if sizes.is_empty() || sizes.len() > shape.len() || !ends(&shape) {
        let sizes: Vec<_> = sizes.iter().map(ToString::to_string).collect();
        let message = format_args!("expected input of shape [*, {}], given {shape:?}", joined(&sizes, ", "));
        return Err(Error::new(Code::Shape, message));
    }
    if let Some(weight) = weight {
        let found = engine.shape(weight)?;
        if found.len() != sizes.len() || !ends(&found) {
            return Err(Error::new(Code::Shape, format_args!("expected a weight of shape {sizes:?}, given {found:?}")));
        }
    }
    let smallest = if engine.dtype(x)? == Dtype::Double { f64::EPSILON } else { f64::from(f32::EPSILON) };
    let dims: Vec<usize> = (shape.len() - sizes.len()..shape.len()).collect();
    let normal = widened(engine, x, &|x| {
        calculated(engine, &|c| {
            let x = c.input(x);
            let mean = c.reduce(Reduce::Mean, c.binary(Binary::Mul, x, x), &dims, true);
            let divisor = c.with_number(Binary::Add, mean, eps.unwrap_or(smallest));
            c.binary(Binary::Mul, x, c.unary(Unary::Rsqrt, divisor))
        })
    })?;
    weight.map_or(Ok(normal.clone()), |weight| engine.binary(Binary::Mul, &normal, weight))
}

/// `x [n, c, *]` with the channels of each sample in groups, each of which gets mean 0 and variance 1. The number of channels
/// is a multiple of `groups`. Wu and He 2018, <https://arxiv.org/abs/1803.08494>.
pub(crate) fn by_groups<E: Engine>(engine: &E, x: &E::Tensor, groups: usize, eps: f64) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    let size = shape[1..].iter().product::<usize>() / groups.max(1);
    let rows = engine.with_shape(x, &[shape[0], groups, size])?;
    let normal = engine.layer_norm(&rows, &[size], None, None, eps)?;
    engine.with_shape(&normal, &shape)
}

/// x times a weight plus a bias for each channel of `x [n, c, *]`.
pub(crate) fn affine<E: Engine>(engine: &E, x: E::Tensor, weight: &E::Tensor, bias: &E::Tensor) -> Result<E::Tensor> {
    let mut shape = vec![1; engine.shape(&x)?.len() - 1];
    shape[0] = engine.shape(weight)?[0];
    calculated(engine, &|c| {
        let scaled = c.binary(Binary::Mul, c.input(&x), c.with_shape(c.input(weight), &shape));
        c.binary(Binary::Add, scaled, c.with_shape(c.input(bias), &shape))
    })
}

/// x divided by (`k` + `alpha` m) to the power `beta`. The mean m is of the squares of `size` neighbouring channels, half of
/// which come before the own one; missing ones count as 0. Channels are dimension 1. Krizhevsky et al. 2012.
pub(crate) fn by_neighbours<E: Engine>(
    engine: &E,
    x: &E::Tensor,
    size: i64,
    [alpha, beta, k]: [f64; 3],
) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    if shape.len() < 3 {
        return Err(Error::new(Code::Shape, format_args!("expected input of shape [n, c, *], given {shape:?}")));
    }
    if size < 1 {
        return Err(Error::new(Code::Argument, format_args!("expected a size of at least 1, given {size}")));
    }
    let channels = shape[1];
    // Channels that are further away than there are channels do not exist.
    let [before, after] = [size / 2, (size - 1) / 2].map(|count| count.min(channels as i64) as usize);
    let mut padded = shape.clone();
    padded[1] = channels + before + after;
    engine.check_memory(&padded, engine.dtype(x)?)?;
    widened(engine, x, &|x| {
        calculated(engine, &|c| {
            let x = c.input(x);
            let zeros = |count: usize| {
                let mut shape = shape.clone();
                shape[1] = count;
                c.expand(c.number(x, 0.0), &shape)
            };
            let squares = c.binary(Binary::Mul, x, x);
            let padded = c.cat(1, &[zeros(before), squares, zeros(after)]);
            let mut sum = c.slice(padded, 1, 0, channels);
            for start in 1..=before + after {
                sum = c.binary(Binary::Add, sum, c.slice(padded, 1, start, channels));
            }
            let base = c.with_number(Binary::Mul, sum, alpha / size as f64);
            let base = c.with_number(Binary::Add, base, k);
            c.binary(Binary::Div, x, c.with_number(Binary::Pow, base, beta))
        })
    })
}

/// x minus a mean, divided by a deviation. Means and deviations of one dimension are for the channels of `x [*, c, h, w]`;
/// others broadcast.
pub(crate) fn zscore<E: Engine>(engine: &E, x: &E::Tensor, mean: &E::Tensor, std: &E::Tensor) -> Result<E::Tensor> {
    let c = Calculation::new(engine);
    let by_channel = |given: &E::Tensor| match engine.shape(given)?[..] {
        [count] => Ok(c.with_shape(c.input(given), &[count, 1, 1])),
        _ => Ok(c.input(given)),
    };
    let centered = c.checked_binary(Binary::Sub, c.input(x), by_channel(mean)?);
    c.result(c.checked_binary(Binary::Div, centered, by_channel(std)?))
}
