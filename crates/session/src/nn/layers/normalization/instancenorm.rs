//! Normalisation of each channel of each sample: `input [n, c, *]`. Ulyanov et al. 2016, <https://arxiv.org/abs/1607.08022>.

use stepwell_optim::{Limit::*, Result, count, options};

use crate::engine::primitives::{Primitive, Reduce};
use crate::engine::{Engine, operations};
use crate::mathematics::normalization::{affine, by_groups};
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::{ForwardContext, InitContext, floating, misfit, weight_and_bias};
use crate::nn::layer::{Layer, LayerDefinition};
use crate::nn::layers::normalization::running::Running;

options! {
    /// Options of instance normalisation.
    pub(crate) struct InstanceNormOptions {
        /// Channels.
        channels: i64, limit AtLeast(1.0), alias "num_features";
        /// Added to the variance.
        eps: f64 = 1e-5, limit Above(0.0);
        /// Share of a batch in the running statistics.
        momentum: f64 = 0.1, limit Closed(0.0, 1.0);
        /// Train a scale and a shift for each channel.
        affine: bool = false;
        /// Keep running statistics for evaluation.
        track: bool = false, alias "track_running_stats";
    }
}

pub(crate) struct InstanceNorm<T = ()> {
    channels: usize,
    eps: f64,
    momentum: f64,
    affine: Option<(T, T)>,
    running: Option<Running<T>>,
}

impl LayerDefinition for InstanceNorm {
    type Options = InstanceNormOptions;
    const NAME: &'static str = "instancenorm";
    const ABOUT: &'static str = "Each channel of each sample normalised.";

    fn make<E: Engine>(o: InstanceNormOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let channels = count(o.channels);
        let affine = context.scale_and_shift(o.affine, &[channels])?;
        let running = if o.track { Some(Running::new(context, channels)?) } else { None };
        Ok(Box::new(InstanceNorm { channels, eps: o.eps, momentum: o.momentum, affine, running }))
    }
}

impl<E: Engine> Layer<E> for InstanceNorm<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        let affine = self.affine.as_ref();
        weight_and_bias(affine.map(|(weight, _)| weight), affine.map(|(_, bias)| bias))
    }

    fn buffers(&self) -> Vec<(&str, &E::Tensor)> {
        self.running.as_ref().map_or_else(Vec::new, Running::named)
    }

    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let engine = context.engine;
        let shape = engine.shape(input)?;
        if shape.len() < 3 || shape[1] != self.channels {
            return Err(misfit(format_args!("[n, {}, *]", self.channels), &shape));
        }
        let training = context.training || self.running.is_none();
        if training && shape[2..].iter().product::<usize>() < 2 {
            return Err(misfit("with more than one value for each channel, or no variance exists", &shape));
        }
        floating(engine, input)?;
        let weight = self.affine.as_ref().map(|(weight, _)| weight);
        if let Some(weight) = weight.or(self.running.as_ref().map(|running| &running.mean)) {
            context.same_dtype(input, weight)?;
        }
        let output = match &self.running {
            None => by_groups(engine, input, self.channels, self.eps)?,
            Some(running) => self.with_statistics(engine, input, &shape, running, training)?,
        };
        match &self.affine {
            Some((weight, bias)) => affine(engine, output, weight, bias),
            None => Ok(output),
        }
    }
}

impl<T> InstanceNorm<T> {
    /// The input normalised as by a batch normalisation of one sample that has the channels of all. While training, the
    /// running statistics become the means of what they would become for each sample.
    fn with_statistics<E: Engine<Tensor = T>>(
        &self,
        engine: &E,
        input: &T,
        shape: &[usize],
        running: &Running<T>,
        training: bool,
    ) -> Result<T> {
        let (samples, channels) = (shape[0], self.channels);
        let all = samples * channels;
        let repeated = |tensor: &T| {
            let rows = engine.primitive(Primitive::Expand(vec![samples, channels]), &[tensor])?;
            let flat = engine.with_shape(&rows, &[all])?;
            engine.convert(&flat, engine.dtype(tensor)?, engine.device(tensor)?)
        };
        let (mean, variance) = (repeated(&running.mean)?, repeated(&running.variance)?);
        let norm = operations::BatchNorm {
            weight: None,
            bias: None,
            running: Some((&mean, &variance)),
            training,
            momentum: self.momentum,
            eps: self.eps,
        };
        let rows = engine.with_shape(input, &[1, all, shape[2..].iter().product()])?;
        let output = engine.with_shape(&engine.batch_norm(&rows, &norm)?, shape)?;
        if training && samples > 0 {
            engine.no_grad(|| {
                for (found, own) in [(&mean, &running.mean), (&variance, &running.variance)] {
                    let rows = engine.with_shape(found, &[samples, channels])?;
                    engine.copy(&engine.reduce(Reduce::Mean, &rows, &[0], false)?, own)?;
                }
                engine.increment(&running.count)
            })?;
        }
        Ok(output)
    }
}
