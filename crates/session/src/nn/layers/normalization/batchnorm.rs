//! Normalisation of each channel over the batch: `input [n, c, *]`. Ioffe and Szegedy 2015,
//! <https://arxiv.org/abs/1502.03167>.

use stepwell_optim::{Limit::*, Result, count, options};

use crate::engine::Engine;
use crate::engine::operations;
use crate::nn::context::{ForwardContext, InitContext, floating, misfit, weight_and_bias};
use crate::nn::layer::{Layer, LayerDefinition};
use crate::nn::layers::normalization::running::Running;

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
    running: Option<Running<T>>,
}

impl LayerDefinition for BatchNorm {
    type Options = BatchNormOptions;
    const NAME: &'static str = "batchnorm";
    const ABOUT: &'static str = "Each channel normalised over the batch.";

    fn make<E: Engine>(o: BatchNormOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let channels = count(o.channels);
        let affine = context.scale_and_shift(o.affine, &[channels])?;
        let running = if o.track { Some(Running::new(context, channels)?) } else { None };
        Ok(Box::new(BatchNorm { channels, eps: o.eps, momentum: o.momentum, affine, running }))
    }
}

impl<E: Engine> Layer<E> for BatchNorm<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        let affine = self.affine.as_ref();
        weight_and_bias(affine.map(|(weight, _)| weight), affine.map(|(_, bias)| bias))
    }

    fn buffers(&self) -> Vec<(&str, &E::Tensor)> {
        self.running.as_ref().map_or_else(Vec::new, Running::named)
    }

    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let shape = context.engine.shape(input)?;
        if shape.len() < 2 || shape[1] != self.channels {
            return Err(misfit(format_args!("[n, {}, *]", self.channels), &shape));
        }
        let training = context.training || self.running.is_none();
        let per_channel: usize = shape.iter().enumerate().filter(|(i, _)| *i != 1).map(|(_, size)| size).product();
        if training && per_channel < 2 {
            return Err(misfit("with more than one value for each channel, or no variance exists", &shape));
        }
        floating(context.engine, input)?;
        let weight = self.affine.as_ref().map(|(weight, _)| weight);
        if let Some(weight) = weight.or(self.running.as_ref().map(|running| &running.mean)) {
            context.same_dtype(input, weight)?;
        }
        let norm = operations::BatchNorm {
            weight: self.affine.as_ref().map(|(weight, _)| weight),
            bias: self.affine.as_ref().map(|(_, bias)| bias),
            running: self.running.as_ref().map(|running| (&running.mean, &running.variance)),
            training,
            momentum: self.momentum,
            eps: self.eps,
        };
        let output = context.engine.batch_norm(input, &norm)?;
        if let (true, Some(running)) = (context.training, &self.running) {
            context.engine.increment(&running.count)?;
        }
        Ok(output)
    }
}
