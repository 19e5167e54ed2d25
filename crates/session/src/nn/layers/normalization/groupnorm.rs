//! Normalisation of groups of channels of each sample: `input [n, c, *]`. Wu and He 2018,
//! <https://arxiv.org/abs/1803.08494>.

use stepwell_optim::{Code, Error, Limit::*, Result, count, options};

use crate::engine::Engine;
use crate::mathematics::normalization::{affine, by_groups};
use crate::nn::context::{ForwardContext, InitContext, floating, misfit, weight_and_bias};
use crate::nn::layer::{Layer, LayerDefinition};

options! {
    /// Options of group normalisation.
    pub(crate) struct GroupNormOptions {
        /// Groups of channels; a divisor of the channels.
        groups: i64, limit AtLeast(1.0), alias "num_groups";
        /// Channels.
        channels: i64, limit AtLeast(1.0), alias "num_channels";
        /// Added to the variance.
        eps: f64 = 1e-5, limit Above(0.0);
        /// Train a scale and a shift for each channel.
        affine: bool = true;
    }
}

pub(crate) struct GroupNorm<T = ()> {
    groups: usize,
    channels: usize,
    eps: f64,
    affine: Option<(T, T)>,
}

impl LayerDefinition for GroupNorm {
    type Options = GroupNormOptions;
    const NAME: &'static str = "groupnorm";
    const ABOUT: &'static str = "Groups of channels of each sample normalised.";

    fn make<E: Engine>(o: GroupNormOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let (groups, channels) = (count(o.groups), count(o.channels));
        if !channels.is_multiple_of(groups) {
            let message = format_args!("groupnorm groups: expected a divisor of {channels}, given {groups}");
            return Err(Error::new(Code::OptionRange, message));
        }
        Ok(Box::new(GroupNorm {
            groups,
            channels,
            eps: o.eps,
            affine: context.scale_and_shift(o.affine, &[channels])?,
        }))
    }
}

impl<E: Engine> Layer<E> for GroupNorm<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        let affine = self.affine.as_ref();
        weight_and_bias(affine.map(|(weight, _)| weight), affine.map(|(_, bias)| bias))
    }

    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let shape = context.engine.shape(input)?;
        if shape.len() < 2 || shape[1] != self.channels {
            return Err(misfit(format_args!("[n, {}, *]", self.channels), &shape));
        }
        floating(context.engine, input)?;
        if let Some((weight, _)) = &self.affine {
            context.same_dtype(input, weight)?;
        }
        let output = by_groups(context.engine, input, self.groups, self.eps)?;
        match &self.affine {
            Some((weight, bias)) => affine(context.engine, output, weight, bias),
            None => Ok(output),
        }
    }
}
