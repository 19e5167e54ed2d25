//! Batch normalization, Ioffe and Szegedy 2015, <https://arxiv.org/abs/1502.03167>: `input [n, c, *]` normalized over every
//! dimension except `c`.

use stepwell_optim::{Result, Shared};
use stepwell_session::BatchNorm as Options;

use crate::autograd::backward::{Backward, BackwardContext, InputGradients, SavedTensor};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::engine_error;
use crate::memory::{CountedVec, MemoryBudget, element_count};
use crate::operations::normalization::{Normalized, Saved};
use crate::operations::sums::{centered_dot, centered_square_sum, sum};

struct BatchNorm {
    images: usize,
    channels: usize,
    /// The number of elements of one channel of one image.
    len: usize,
    training: bool,
}

pub(crate) fn batch_norm(autograd: &Autograd, input: &Tensor, options: &Options<'_, Tensor>) -> Result<Tensor> {
    let shape = input.shape();
    let &[images, channels, ref rest @ ..] = &*shape else {
        return Err(engine_error(format!("batch_norm: expected input [n, c, *], given {shape:?}")));
    };
    let Options { weight, bias, running, training, .. } = *options;
    let running_tensors = running.map_or([None, None], |(mean, variance)| [Some(mean), Some(variance)]);
    let operands = [weight, bias, running_tensors[0], running_tensors[1]];
    if operands.iter().flatten().any(|tensor| *tensor.shape() != [channels] || tensor.dtype() != input.dtype()) {
        return Err(engine_error(format!("batch_norm: weight, bias or statistics do not fit input {shape:?}")));
    }
    let written = running_tensors.into_iter().flatten().map(Tensor::storage).collect::<Vec<_>>();
    let read = [Some(input), weight, bias].into_iter().flatten().map(Tensor::storage).collect::<Vec<_>>();
    let shared = |(i, storage)| read.iter().chain(&written[..i]).any(|other| Shared::ptr_eq(other, storage));
    if written.iter().enumerate().any(shared) {
        return Err(engine_error("batch_norm: the running statistics share memory"));
    }
    let len = element_count(rest)?;
    let operation = BatchNorm { images, channels, len, training: training || running.is_none() };
    if operation.training && images * len < 2 && !input.shape().contains(&0) {
        return Err(engine_error("batch_norm: expected more than 1 value per channel when training"));
    }
    let (buffer, statistics) = with_real!(input.dtype(), T => {
        operation.forward::<T>(autograd, input, options).map(|(out, statistics)| (T::into_buffer(out), f64::into_buffer(statistics)))
    })?;
    let saved = vec![
        Some(input.saved()),
        weight.map(Tensor::saved),
        Some(SavedTensor::new(&Storage::new(statistics))),
        // Not read. As in PyTorch, a graph whose running statistics were overwritten is outdated.
        running_tensors[0].map(Tensor::saved),
        running_tensors[1].map(Tensor::saved),
    ];
    autograd.record_output(&shape, Storage::new(buffer), &[Some(input), weight, bias], operation, saved)
}

impl BatchNorm {
    /// The ranges of elements of a channel, one for each image.
    fn channel_ranges(&self, channel: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let Self { images, channels, len, .. } = *self;
        (0..images).map(move |image| {
            let start = (image * channels + channel) * len;
            start..start + len
        })
    }

    fn forward<T: Real>(
        &self,
        autograd: &Autograd,
        input: &Tensor,
        options: &Options<'_, Tensor>,
    ) -> Result<(CountedVec<T>, CountedVec<f64>)> {
        let (input, weight, bias) =
            (input.storage(), options.weight.map(Tensor::storage), options.bias.map(Tensor::storage));
        let input = input.read()?;
        let weight = weight.as_ref().map(|weight| weight.read()).transpose()?;
        let bias = bias.as_ref().map(|bias| bias.read()).transpose()?;
        let x = T::slice(&input)?;
        let weight = weight.as_ref().map(|weight| T::slice(weight)).transpose()?;
        let bias = bias.as_ref().map(|bias| T::slice(bias)).transpose()?;
        let mut out = autograd.budget.zeros::<T>(x.len())?;
        let statistics = self.statistics(&autograd.budget, x, options)?;
        for channel in 0..self.channels {
            let (mean, inverse) = (statistics[2 * channel], statistics[2 * channel + 1]);
            let scale = inverse * weight.map_or(1.0, |weight| weight[channel].to_f64());
            let normalized = Normalized::new(mean, scale, bias.map_or(0.0, |bias| bias[channel].to_f64()));
            for range in self.channel_ranges(channel) {
                out[range.clone()].iter_mut().zip(&x[range]).for_each(|(out, x)| *out = normalized.of(*x));
            }
        }
        Ok((out, statistics))
    }

    /// Mean and 1 / √(variance + eps) of each channel. In training, updates the running statistics.
    fn statistics<T: Real>(
        &self,
        budget: &Shared<MemoryBudget>,
        x: &[T],
        options: &Options<'_, Tensor>,
    ) -> Result<CountedVec<f64>> {
        let mut statistics = budget.zeros(2 * self.channels)?;
        let running = options.running.map(|(mean, variance)| (mean.storage(), variance.storage()));
        let count = (self.images * self.len) as f64;
        if !self.training {
            let Some((mean, variance)) = running else { return Err(engine_error("batch_norm: no running statistics")) };
            let (mean, variance) = (mean.read()?, variance.read()?);
            let (mean, variance) = (T::slice(&mean)?, T::slice(&variance)?);
            for channel in 0..self.channels {
                statistics[2 * channel] = mean[channel].to_f64();
                statistics[2 * channel + 1] = 1.0 / (variance[channel].to_f64() + options.eps).sqrt();
            }
            return Ok(statistics);
        }
        let mut running = match &running {
            Some((mean, variance)) => Some((mean.write_uncounted()?, variance.write_uncounted()?)),
            None => None,
        };
        for channel in 0..self.channels {
            let mean = self.channel_ranges(channel).map(|range| sum(&x[range])).sum::<f64>() / count;
            let squares = self.channel_ranges(channel).map(|range| centered_square_sum(mean, &x[range])).sum::<f64>();
            statistics[2 * channel] = mean;
            statistics[2 * channel + 1] = 1.0 / (squares / count + options.eps).sqrt();
            if let Some((running_mean, running_variance)) = &mut running {
                let update = |old: &mut T, new: f64| {
                    *old = T::from_f64(options.momentum * new + (1.0 - options.momentum) * old.to_f64());
                };
                update(&mut T::slice_mut(running_mean)?[channel], mean);
                update(&mut T::slice_mut(running_variance)?[channel], squares / (count - 1.0));
            }
        }
        Ok(statistics)
    }
}

impl Backward for BatchNorm {
    fn backward<T: Real>(
        &self,
        context: &BackwardContext<'_>,
        mut gradient: CountedVec<T>,
    ) -> Result<InputGradients<T>> {
        let Saved { x, weight, statistics } = Saved::<T>::of(context)?;
        let count = (self.images * self.len) as f64;
        let (mut dw, mut db) = (context.budget.zeros::<T>(self.channels)?, context.budget.zeros::<T>(self.channels)?);
        for channel in 0..self.channels {
            let (mean, inverse) = (statistics[2 * channel], statistics[2 * channel + 1]);
            let (mut total, mut dot) = (0.0, 0.0);
            for range in self.channel_ranges(channel) {
                let g = &gradient[range.clone()];
                total += sum(g);
                dot += centered_dot(mean, g, &x[range]);
            }
            (dw[channel], db[channel]) = (T::from_f64(dot * inverse), T::from_f64(total));
            // g = (g - mean(g) - (x - mean) * projection) * scale
            let scale = inverse * weight.map_or(1.0, |weight| weight[channel].to_f64());
            let (slope, shift) = match self.training {
                true => (-dot / count * inverse * inverse * scale, -total / count * scale),
                false => (0.0, 0.0),
            };
            let (scale, projected) = (T::from_f64(scale), Normalized::new(mean, slope, shift));
            for range in self.channel_ranges(channel) {
                let pairs = gradient[range.clone()].iter_mut().zip(&x[range]);
                pairs.for_each(|(g, x)| *g = *g * scale + projected.of(*x));
            }
        }
        Ok(context.needed([gradient, dw, db]))
    }
}
