//! Windows over one to three dimensions: their largest element, mean or norm; `input [n, c, *]`, or `[c, *]`.

use std::ops::RangeInclusive;

use stepwell_optim::{Code, Error, Limit::*, Result, options};

use crate::engine::Engine;
use crate::mathematics::fractional_pooling::{Fractions, fractional_pool};
use crate::mathematics::pooling::{Function, Pool, norm_pool, pool};
use crate::nn::context::{ForwardContext, InitContext, MAX_WINDOW_SIZE, floating};
use crate::nn::layer::Layer;
use crate::nn::named_options::{NamedOptions, layers_of};

options! {
    /// Options of a maximum over windows.
    pub(crate) struct MaxPoolOptions {
        /// Size of the window, for all dimensions or for each.
        size: Vec<usize>, limit Closed(1.0, MAX_WINDOW_SIZE), alias "kernel_size";
        /// Distance between two positions of the window; null for windows side by side.
        stride: Option<Vec<usize>> = None, limit Closed(1.0, MAX_WINDOW_SIZE);
        /// Elements of -infinity added on each side; at most half the window.
        pad: Vec<usize> = vec![0], limit Closed(0.0, MAX_WINDOW_SIZE), alias "padding";
        /// Distance between two elements of the window.
        dilate: Vec<usize> = vec![1], limit Closed(1.0, MAX_WINDOW_SIZE), alias "dilation";
        /// Let the last window be partly beyond the end.
        ceiling: bool = false, alias "ceil_mode";
    }
}

options! {
    /// Options of a mean over windows.
    pub(crate) struct MeanPoolOptions {
        /// Size of the window, for all dimensions or for each.
        size: Vec<usize>, limit Closed(1.0, MAX_WINDOW_SIZE), alias "kernel_size";
        /// Distance between two positions of the window; null for windows side by side.
        stride: Option<Vec<usize>> = None, limit Closed(1.0, MAX_WINDOW_SIZE);
        /// Zeros added on each side; at most half the window.
        pad: Vec<usize> = vec![0], limit Closed(0.0, MAX_WINDOW_SIZE), alias "padding";
        /// Let the last window be partly beyond the end.
        ceiling: bool = false, alias "ceil_mode";
        /// Count the zeros that are added.
        countpad: bool = true, alias "count_include_pad";
        /// The number that a sum is divided by; null for the number of elements.
        divisor: Option<i64> = None, limit AtLeast(1.0), alias "divisor_override";
    }
}

options! {
    /// Options of windows that cover the input.
    pub(crate) struct AdaptiveOptions {
        /// Size of the output, for all dimensions or for each.
        size: Vec<usize>, limit Closed(1.0, MAX_WINDOW_SIZE), alias "output_size";
    }
}

options! {
    /// Options of a norm over windows.
    pub(crate) struct NormPoolOptions {
        /// The order of the norm.
        p: f64, alias "norm_type";
        /// Size of the window, for all dimensions or for each.
        size: Vec<usize>, limit Closed(1.0, MAX_WINDOW_SIZE), alias "kernel_size";
        /// Distance between two positions of the window; null for windows side by side.
        stride: Option<Vec<usize>> = None, limit Closed(1.0, MAX_WINDOW_SIZE);
        /// Let the last window be partly beyond the end.
        ceiling: bool = false, alias "ceil_mode";
    }
}

options! {
    /// Options of a maximum over windows at random distances.
    pub(crate) struct FractionalOptions {
        /// Size of the window, for all dimensions or for each.
        size: Vec<usize>, limit Closed(1.0, MAX_WINDOW_SIZE), alias "kernel_size";
        /// Size of the output, for all dimensions or for each; null with a ratio.
        outsize: Option<Vec<usize>> = None, limit Closed(1.0, MAX_WINDOW_SIZE), alias "output_size";
        /// Size of the output relative to the input; null with a size.
        ratio: Option<Vec<f64>> = None, limit Open(0.0, 1.0), alias "output_ratio";
    }
}

struct PoolLayer {
    pool: Pool,
    /// The order of a norm.
    p: Option<f64>,
}

/// Windows of options, which may lack all but the size.
#[inline(never)]
fn windows<E: Engine>(o: &NamedOptions<'_>, function: Function) -> Result<Box<dyn Layer<E>>> {
    let size = o.sizes("size", &[])?;
    let pool = Pool {
        function,
        stride: o.sizes("stride", &size)?,
        padding: o.sizes("pad", &[0])?,
        dilation: o.sizes("dilate", &[1])?,
        ceiling: o.flag("ceiling") == Some(true),
        count_padding: o.flag("countpad") != Some(false),
        divisor: o.number("divisor").map(|divisor| divisor as usize),
        size,
    };
    pool.check_padding(o.owner)?;
    Ok(Box::new(PoolLayer { pool, p: o.number("p") }))
}

fn largest<E: Engine>(o: &NamedOptions<'_>, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
    windows(o, Function::Max)
}

fn mean<E: Engine>(o: &NamedOptions<'_>, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
    windows(o, Function::Mean)
}

fn adaptive_largest<E: Engine>(o: &NamedOptions<'_>, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
    windows(o, Function::AdaptiveMax)
}

fn adaptive_mean<E: Engine>(o: &NamedOptions<'_>, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
    windows(o, Function::AdaptiveMean)
}

fn fractional<E: Engine>(o: &NamedOptions<'_>, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
    let (kernel, size, ratio) = (o.sizes("size", &[])?, o.sizes("outsize", &[])?, o.numbers("ratio", o.rank)?);
    if size.is_empty() == ratio.is_empty() {
        let given = if size.is_empty() { "none" } else { "both" };
        return Err(Error::new(Code::Argument, format_args!("{}: expected outsize or ratio, given {given}", o.owner)));
    }
    Ok(Box::new(FractionalLayer(Fractions { kernel, size, ratio })))
}

layers_of! {
    MaxPool1d, "maxpool1d", 1, MaxPoolOptions, largest, "The largest element of each window of a sequence.";
    MaxPool2d, "maxpool2d", 2, MaxPoolOptions, largest, "The largest element of each window of an image.";
    MaxPool3d, "maxpool3d", 3, MaxPoolOptions, largest, "The largest element of each window of a volume.";
    MeanPool1d, "avgpool1d", 1, MeanPoolOptions, mean, "The mean of each window of a sequence.";
    MeanPool2d, "avgpool2d", 2, MeanPoolOptions, mean, "The mean of each window of an image.";
    MeanPool3d, "avgpool3d", 3, MeanPoolOptions, mean, "The mean of each window of a volume.";
    AdaptiveMax1d, "adaptmax1d", 1, AdaptiveOptions, adaptive_largest, "The largest elements of parts of a sequence.";
    AdaptiveMax2d, "adaptmax2d", 2, AdaptiveOptions, adaptive_largest, "The largest elements of parts of an image.";
    AdaptiveMax3d, "adaptmax3d", 3, AdaptiveOptions, adaptive_largest, "The largest elements of parts of a volume.";
    AdaptiveMean1d, "adaptavg1d", 1, AdaptiveOptions, adaptive_mean, "The means of parts of a sequence.";
    AdaptiveMean2d, "adaptavg2d", 2, AdaptiveOptions, adaptive_mean, "The means of parts of an image.";
    AdaptiveMean3d, "adaptavg3d", 3, AdaptiveOptions, adaptive_mean, "The means of parts of a volume.";
    NormPool1d, "lppool1d", 1, NormPoolOptions, mean, "The norm of each window of a sequence.";
    NormPool2d, "lppool2d", 2, NormPoolOptions, mean, "The norm of each window of an image.";
    FractionalPool2d, "fmaxpool2d", 2, FractionalOptions, fractional, "The largest elements of windows of an image at random distances.";
    FractionalPool3d, "fmaxpool3d", 3, FractionalOptions, fractional, "The largest elements of windows of a volume at random distances.";
}

impl<E: Engine> Layer<E> for PoolLayer {
    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        floating(context.engine, input)?;
        match self.p {
            Some(p) => norm_pool(context.engine, input, p, &self.pool),
            None => pool(context.engine, input, &self.pool),
        }
    }
}

struct FractionalLayer(Fractions);

impl<E: Engine> Layer<E> for FractionalLayer {
    /// The second input has the samples that place the windows.
    fn inputs(&self) -> RangeInclusive<usize> {
        1..=2
    }

    fn forward_all(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        floating(context.engine, &inputs[0])?;
        fractional_pool(context.engine, context.random, &inputs[0], &self.0, inputs.get(1)).map(|output| vec![output])
    }
}
