//! A convolution: `input [n, in, h, w]` to `[n, out, h', w']`.
//!
//! Weight and bias start uniform in ±1/√(in / groups · kernel height · kernel width), as in PyTorch.

use stepwell_optim::{Code, Error, Limit::*, Result, count, options};

use crate::engine::Engine;
use crate::engine::element_count::checked_element_count;
use crate::engine::operations::Window;
use crate::nn::context::{ForwardContext, InitContext, MAX_WINDOW_SIZE, misfit, pair, weight_and_bias};
use crate::nn::layer::{Layer, LayerDefinition};

options! {
    /// Options of a convolution.
    pub(crate) struct Conv2dOptions {
        /// Channels of the input.
        inputs: i64, limit AtLeast(1.0), alias "in_channels";
        /// Channels of the output.
        outputs: i64, limit AtLeast(1.0), alias "out_channels";
        /// Height and width of the kernel.
        size: Vec<usize>, limit Closed(1.0, MAX_WINDOW_SIZE), alias "kernel_size";
        /// Distance between two positions of the kernel.
        stride: Vec<usize> = vec![1], limit Closed(1.0, MAX_WINDOW_SIZE);
        /// Zeros added on each side.
        pad: Vec<usize> = vec![0], limit Closed(0.0, MAX_WINDOW_SIZE), alias "padding";
        /// Distance between two elements of the kernel.
        dilate: Vec<usize> = vec![1], limit Closed(1.0, MAX_WINDOW_SIZE), alias "dilation";
        /// Groups of channels that do not see each other.
        groups: i64 = 1, limit AtLeast(1.0);
        /// Add a bias.
        bias: bool = true;
    }
}

pub(crate) struct Conv2d<T = ()> {
    inputs: usize,
    outputs: usize,
    kernel: [usize; 2],
    window: Window,
    groups: usize,
    weight: T,
    bias: Option<T>,
}

impl LayerDefinition for Conv2d {
    type Options = Conv2dOptions;
    const NAME: &'static str = "conv2d";
    const ABOUT: &'static str = "A convolution of images.";

    fn make<E: Engine>(o: Conv2dOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let (inputs, outputs, groups) = (count(o.inputs), count(o.outputs), count(o.groups));
        if inputs % groups != 0 || outputs % groups != 0 {
            let message = format!("conv2d groups: expected a divisor of {inputs} and {outputs}, given {groups}");
            return Err(Error::new(Code::OptionRange, message));
        }
        let kernel = pair(Self::NAME, "size", &o.size)?;
        let window = Window::of(Self::NAME, &o.stride, &o.pad, &o.dilate)?;
        let fan_in = (inputs / groups) as f64 * kernel[0] as f64 * kernel[1] as f64;
        let bound = 1.0 / fan_in.sqrt();
        let weight = context.uniform(&[outputs, inputs / groups, kernel[0], kernel[1]], bound)?;
        let bias = if o.bias { Some(context.uniform(&[outputs], bound)?) } else { None };
        Ok(Box::new(Conv2d { inputs, outputs, kernel, window, groups, weight, bias }))
    }
}

impl<E: Engine> Layer<E> for Conv2d<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        weight_and_bias(Some(&self.weight), self.bias.as_ref())
    }

    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let shape = context.engine.shape(input)?;
        let positions = match *shape {
            [_, channels, h, w] if channels == self.inputs => self.window.positions(self.kernel, [h, w]),
            _ => None,
        };
        let Some([height, width]) = positions else {
            let [height, width] = self.kernel;
            let least = format!("[n, {}, h, w] that a {height}x{width} kernel fits into", self.inputs);
            return Err(misfit(least, &shape));
        };
        context.same_dtype(input, &self.weight)?;
        checked_element_count(
            context.engine,
            &[shape[0].max(1), self.outputs, height, width],
            context.engine.dtype(input)?,
        )?;
        context.engine.conv2d(input, &self.weight, self.bias.as_ref(), &self.window, self.groups)
    }
}
