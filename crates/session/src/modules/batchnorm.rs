//! Normalisation of each channel over the batch: `input [n, c, *]`. Ioffe and Szegedy 2015,
//! <https://arxiv.org/abs/1502.03167>.

use stepwell_optim::{Limit::*, Result, count, options};

use super::{Build, Layer, Plan, Run, floating, misfit};
use crate::Engine;
use crate::engine;

options! {
    /// Options of batch normalisation.
    pub(crate) struct BatchNormOptions {
        /// Channels.
        channels: i64, limit AtLeast(1.0), alias "num_features";
        /// Added to the variance.
        eps: f64 = 1e-5, limit Above(0.0);
        /// Share of a batch in the running statistics.
        momentum: f64 = 0.1, limit Closed(0.0, 1.0);
        /// Train a scale and a shift for each channel.
        affine: bool = true;
        /// Keep running statistics for evaluation.
        track: bool = true, alias "track_running_stats";
    }
}

pub(crate) struct BatchNorm<T = ()> {
    channels: usize,
    eps: f64,
    momentum: f64,
    affine: Option<(T, T)>,
    running: Option<(T, T)>,
}

impl Plan for BatchNorm {
    type Options = BatchNormOptions;
    const NAME: &'static str = "batchnorm";
    const ABOUT: &'static str = "Each channel normalised over the batch.";

    fn make<E: Engine>(o: BatchNormOptions, build: &mut Build<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let channels = count(o.channels);
        let shape = [channels];
        let affine = if o.affine { Some((build.constant(&shape, 1.0)?, build.constant(&shape, 0.0)?)) } else { None };
        let running = if o.track { Some((build.buffer(&shape, 0.0)?, build.buffer(&shape, 1.0)?)) } else { None };
        Ok(Box::new(BatchNorm { channels, eps: o.eps, momentum: o.momentum, affine, running }))
    }
}

impl<E: Engine> Layer<E> for BatchNorm<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        self.affine.iter().flat_map(|(weight, bias)| [("weight", weight), ("bias", bias)]).collect()
    }

    fn buffers(&self) -> Vec<(&str, &E::Tensor)> {
        self.running.iter().flat_map(|(mean, var)| [("running_mean", mean), ("running_var", var)]).collect()
    }

    fn forward(&self, run: &mut Run<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let shape = run.engine.shape(input)?;
        if shape.len() < 2 || shape[1] != self.channels {
            return Err(misfit(format_args!("[n, {}, *]", self.channels), &shape));
        }
        let training = run.training || self.running.is_none();
        let per_channel: usize = shape.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, size)| size).product();
        if training && per_channel < 2 {
            return Err(misfit("with more than one value for each channel, or no variance exists", &shape));
        }
        floating(run.engine, input)?;
        if let Some((weight, _)) = self.affine.as_ref().or(self.running.as_ref()) {
            run.same_dtype(input, weight)?;
        }
        let norm = engine::BatchNorm {
            weight: self.affine.as_ref().map(|(weight, _)| weight),
            bias: self.affine.as_ref().map(|(_, bias)| bias),
            running: self.running.as_ref().map(|(mean, var)| (mean, var)),
            training,
            momentum: self.momentum,
            eps: self.eps,
        };
        run.engine.batch_norm(input, &norm)
    }
}
