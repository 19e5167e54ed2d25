//! Layers that leave out a part of the input while training. Masks come from the session's generator, so they are equal on
//! every engine.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Limit::*, Result};

use crate::engine::Engine;
use crate::engine::element_count::checked_element_count;
use crate::engine::primitives::Binary;
use crate::mathematics::activation::{SELU_ALPHA, SELU_SCALE};
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::{ForwardContext, floating, misfit};
use crate::nn::function_layer::Settings;
use crate::nn::layer_kind::function_layers;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

function_layers! { E,
    /// Elements set to 0 at random while training.
    "dropout" {
        /// Probability of an element to become 0.
        p: f64 = 0.5, limit Closed(0.0, 1.0);
    } => Function(1, |cx, x, o| dropped(cx, x, o, |shape| Ok(shape.len()), scaled));
    /// Channels of images `[n, c, h, w]` or of sequences `[n, c, l]` set to 0 at random while training.
    "drop2d" {
        /// Probability of a channel to become 0.
        p: f64 = 0.5, limit Closed(0.0, 1.0);
    } => Function(1, |cx, x, o| dropped(cx, x, o, images, scaled));
    /// Channels of volumes `[n, c, d, h, w]` or `[c, d, h, w]` set to 0 at random while training.
    "drop3d" {
        /// Probability of a channel to become 0.
        p: f64 = 0.5, limit Closed(0.0, 1.0);
    } => Function(1, |cx, x, o| dropped(cx, x, o, volumes, scaled));
    /// Elements set to the limit of SELU at random while training, so that mean 0 and variance 1 stay.
    "adrop" {
        /// Probability of an element to be set.
        p: f64 = 0.5, limit Closed(0.0, 1.0);
    } => Function(1, |cx, x, o| dropped(cx, x, o, |shape| Ok(shape.len()), alpha_scaled));
    /// Channels of `[n, c, *]` set to the limit of SELU at random while training.
    "fadrop" {
        /// Probability of a channel to be set.
        p: f64 = 0.5, limit Closed(0.0, 1.0);
    } => Function(1, |cx, x, o| dropped(cx, x, o, channels, alpha_scaled));
    /// Samples of `[n, *]` set to 0 at random while training, as of a branch of a residual network.
    "droppath" {
        /// Probability of a sample to become 0.
        p: f64 = 0.0, limit Closed(0.0, 1.0);
    } => Function(1, |cx, x, o| dropped(cx, x, o, samples, scaled));
}

fn images(shape: &[usize]) -> Result<usize> {
    match shape {
        [_, _, _] | [_, _, _, _] => Ok(2),
        _ => Err(misfit("[n, c, h, w] or [n, c, l]", shape)),
    }
}

fn volumes(shape: &[usize]) -> Result<usize> {
    match shape {
        [_, _, _, _, _] => Ok(2),
        [_, _, _, _] => Ok(1),
        _ => Err(misfit("[n, c, d, h, w] or [c, d, h, w]", shape)),
    }
}

fn channels(shape: &[usize]) -> Result<usize> {
    if shape.len() < 2 { Err(misfit("[n, c, *]", shape)) } else { Ok(2) }
}

fn samples(shape: &[usize]) -> Result<usize> {
    if shape.is_empty() { Err(misfit("[n, *]", shape)) } else { Ok(1) }
}

/// The factors and terms of an element that is left out, and of one that is kept.
type Terms = fn(f64) -> [(f64, f64); 2];

/// Kept elements are divided by 1 - p, so that the mean stays. Srivastava et al. 2014.
fn scaled(p: f64) -> [(f64, f64); 2] {
    [(0.0, 0.0), (if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 }, 0.0)]
}

/// Alpha dropout: Klambauer et al. 2017, <https://arxiv.org/abs/1706.02515>.
fn alpha_scaled(p: f64) -> [(f64, f64); 2] {
    if p == 1.0 {
        return [(0.0, 0.0); 2];
    }
    let limit = SELU_SCALE * SELU_ALPHA;
    let factor = 1.0 / ((limit * limit * p + 1.0) * (1.0 - p)).sqrt();
    [(0.0, limit * factor * (p - 1.0)), (factor, limit * factor * p)]
}

/// The input with a part of it left out while training: one decision for each position of the first dimensions, whose number
/// `leading` gives.
fn dropped<E: Engine>(
    cx: &mut ForwardContext<'_, E>,
    x: &[E::Tensor],
    o: &Settings,
    leading: fn(&[usize]) -> Result<usize>,
    terms: Terms,
) -> Result<E::Tensor> {
    let leading = leading(&cx.engine.shape(&x[0])?)?;
    floating(cx.engine, &x[0])?;
    dropped_by(cx, &x[0], o.number(0)?, leading, terms)
}

/// The elements, of which each became 0 with probability `p` while training.
pub(crate) fn dropped_elements<E: Engine>(cx: &mut ForwardContext<'_, E>, x: &E::Tensor, p: f64) -> Result<E::Tensor> {
    let leading = cx.engine.shape(x)?.len();
    dropped_by(cx, x, p, leading, scaled)
}

fn dropped_by<E: Engine>(
    cx: &mut ForwardContext<'_, E>,
    x: &E::Tensor,
    p: f64,
    leading: usize,
    terms: Terms,
) -> Result<E::Tensor> {
    let mut shape = cx.engine.shape(x)?;
    if !cx.training || p == 0.0 {
        return Ok(x.clone());
    }
    shape[leading..].fill(1);
    let dtype = cx.engine.dtype(x)?;
    let count = checked_element_count(cx.engine, &shape, Dtype::Double)?;
    let [(left_out, left_out_term), (kept, kept_term)] = terms(p);
    let chosen = collected((0..count).map(|_| cx.random.chance(p)))?;
    let mask = |yes: f64, no: f64| {
        let mask = Data::Double(collected(chosen.iter().map(|chosen| if *chosen { yes } else { no }))?);
        cx.engine.tensor(&mask.cast(dtype)?, &shape, cx.engine.device(x)?)
    };
    let product = cx.engine.binary(Binary::Mul, x, &mask(left_out, kept)?)?;
    if kept_term == 0.0 {
        return Ok(product);
    }
    cx.engine.binary(Binary::Add, &product, &mask(left_out_term, kept_term)?)
}
