//! Distances of two inputs.

use stepwell_optim::Limit::*;

use crate::mathematics::calculation::calculated;
use crate::mathematics::distance;
use crate::nn::context::floating;
use crate::nn::layer_kind::function_layers;

function_layers! { E,
    /// The norm of the difference of two inputs, along the last dimension.
    "pairwise" {
        /// Order of the norm.
        p: f64 = 2.0, alias "norm";
        /// Added to the difference.
        eps: f64 = 1e-6;
        /// Keep the last dimension, of size 1.
        keepdim: bool = false;
    } => Function(2, |cx, x, o| {
        floating(cx.engine, &x[0])?;
        let (p, eps) = (o.number(0)?, o.number(1)?);
        calculated(cx.engine, &|c| distance::pairwise(c, [0, 1].map(|i| c.input(&x[i])), p, eps, o.flag(2)))
    });
    /// The cosine of the angle of two inputs along a dimension.
    "similar" {
        /// Dimension; negative from the end.
        dim: i64 = 1;
        /// Least norm that a vector counts with.
        eps: f64 = 1e-8, limit AtLeast(0.0);
    } => Function(2, |cx, x, o| {
        floating(cx.engine, &x[0])?;
        distance::similar(cx.engine, &x[0], &x[1], o.whole(0)?, o.number(1)?)
    });
}
