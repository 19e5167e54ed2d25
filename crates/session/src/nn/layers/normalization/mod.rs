//! Normalisation: of the batch, of samples, of groups of channels, over neighbouring channels, and by given numbers.

pub(crate) mod batchnorm;
pub(crate) mod groupnorm;
pub(crate) mod instancenorm;
pub(crate) mod layernorm;
pub(crate) mod rmsnorm;
pub(crate) mod running;

use stepwell_optim::{Limit::*, Result};

use crate::engine::Engine;
use crate::mathematics::{distance, normalization};
use crate::nn::context::{ForwardContext, floating, misfit};
use crate::nn::function_layer::Settings;
use crate::nn::layer_kind::function_layers;
use crate::values::data::Data;

function_layers! { E,
    /// Each element divided by a power of the mean square of neighbouring channels.
    "localnorm" {
        /// Channels whose squares are averaged, with half of them before the own one.
        size: i64, limit AtLeast(1.0);
        /// Factor of the mean square.
        alpha: f64 = 1e-4;
        /// Exponent.
        beta: f64 = 0.75;
        /// Added to the mean square.
        k: f64 = 1.0;
    } => Function(1, |cx, x, o| by_neighbours(cx, x, o));
    /// `localnorm` of images `[n, c, h, w]`.
    "crossmap2d" {
        /// Channels whose squares are averaged, with half of them before the own one.
        size: i64, limit AtLeast(1.0);
        /// Factor of the mean square.
        alpha: f64 = 1e-4;
        /// Exponent.
        beta: f64 = 0.75;
        /// Added to the mean square.
        k: f64 = 1.0;
    } => Function(1, |cx, x, o| {
        let shape = cx.engine.shape(&x[0])?;
        if shape.len() != 4 {
            return Err(misfit("[n, c, h, w]", &shape));
        }
        by_neighbours(cx, x, o)
    });
    /// Vectors along a dimension divided by their norm.
    "normalize" {
        /// Order of the norm.
        p: f64 = 2.0;
        /// Dimension; negative from the end.
        dim: i64 = 1;
        /// Least norm that a vector is divided by.
        eps: f64 = 1e-12, limit AtLeast(0.0);
    } => Function(1, |cx, x, o| {
        floating(cx.engine, &x[0])?;
        distance::normalize(cx.engine, &x[0], o.number(0)?, o.whole(1)?, o.number(2)?)
    });
    /// The input minus given means, divided by given deviations.
    "zscore" {
        /// Mean, or one for each channel of `[*, c, h, w]`.
        mean: Vec<f64>;
        /// Standard deviation, or one for each channel.
        std: Vec<f64>;
    } => Function(1, |cx, x, o| {
        floating(cx.engine, &x[0])?;
        let (dtype, device) = (cx.engine.dtype(&x[0])?, cx.engine.device(&x[0])?);
        let tensor = |numbers: &[f64]| {
            let shape: &[usize] = if numbers.len() == 1 { &[] } else { &[numbers.len()] };
            cx.engine.tensor(&Data::Double(numbers.to_vec()).cast(dtype)?, shape, device)
        };
        normalization::zscore(cx.engine, &x[0], &tensor(o.numbers(0))?, &tensor(o.numbers(1))?)
    });
}

fn by_neighbours<E: Engine>(cx: &ForwardContext<'_, E>, x: &[E::Tensor], o: &Settings) -> Result<E::Tensor> {
    floating(cx.engine, &x[0])?;
    normalization::by_neighbours(cx.engine, &x[0], o.whole(0)?, [o.number(1)?, o.number(2)?, o.number(3)?])
}
