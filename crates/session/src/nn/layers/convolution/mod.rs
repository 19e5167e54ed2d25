//! Convolutions: `input [n, in, *]`, or `[in, *]`, to `[n, out, *]`, over one to three dimensions; and their transposes.
//!
//! Weight and bias start uniform in ±1/√(in / groups · elements of the kernel), as in PyTorch; for a transposed one `out` counts.

pub(crate) mod folding;

use stepwell_optim::{Code, Error, Limit::*, OptionKind, OptionType, OptionValue, Result, options};

use crate::engine::Engine;
use crate::mathematics::convolution::{Convolution, convolve};
use crate::mathematics::padding::Fill;
use crate::nn::context::{ForwardContext, InitContext, MAX_WINDOW_SIZE, weight_and_bias};
use crate::nn::layer::Layer;
use crate::nn::named_options::{NamedOptions, layers_of};

/// The word of the elements around an image.
#[derive(Clone, Debug)]
pub(crate) struct PaddingMode(String);

impl OptionType for PaddingMode {
    const KIND: OptionKind = OptionKind::Word(&["zeros", "reflect", "replicate", "circular"]);
    fn from_value(value: &OptionValue) -> Option<Self> {
        if let OptionValue::Word(word) = value { Some(PaddingMode(word.clone())) } else { None }
    }
    fn into_value(self) -> OptionValue {
        OptionValue::Word(self.0)
    }
}

/// The one word of the elements around the image of a transposed convolution.
#[derive(Clone, Debug)]
pub(crate) struct Zeros;

impl OptionType for Zeros {
    const KIND: OptionKind = OptionKind::Word(&["zeros"]);
    fn from_value(_: &OptionValue) -> Option<Self> {
        Some(Zeros)
    }
    fn into_value(self) -> OptionValue {
        OptionValue::Word("zeros".into())
    }
}

options! {
    /// Options of a convolution.
    pub(crate) struct ConvolutionOptions {
        /// Channels of the input.
        inputs: i64, limit AtLeast(1.0), alias "in_channels";
        /// Channels of the output.
        outputs: i64, limit AtLeast(1.0), alias "out_channels";
        /// Size of the kernel, for all dimensions or for each.
        size: Vec<usize>, limit Closed(1.0, MAX_WINDOW_SIZE), alias "kernel_size";
        /// Distance between two positions of the kernel.
        stride: Vec<usize> = vec![1], limit Closed(1.0, MAX_WINDOW_SIZE);
        /// Elements added on each side.
        pad: Vec<usize> = vec![0], limit Closed(0.0, MAX_WINDOW_SIZE), alias "padding";
        /// Distance between two elements of the kernel.
        dilate: Vec<usize> = vec![1], limit Closed(1.0, MAX_WINDOW_SIZE), alias "dilation";
        /// Groups of channels that do not see each other.
        groups: i64 = 1, limit AtLeast(1.0);
        /// Add a bias.
        bias: bool = true;
        /// The elements that are added.
        padmode: PaddingMode = PaddingMode("zeros".into()), alias "padding_mode";
    }
}

options! {
    /// Options of a transposed convolution.
    pub(crate) struct TransposedOptions {
        /// Channels of the input.
        inputs: i64, limit AtLeast(1.0), alias "in_channels";
        /// Channels of the output.
        outputs: i64, limit AtLeast(1.0), alias "out_channels";
        /// Size of the kernel, for all dimensions or for each.
        size: Vec<usize>, limit Closed(1.0, MAX_WINDOW_SIZE), alias "kernel_size";
        /// Distance between two positions of the kernel in the output.
        stride: Vec<usize> = vec![1], limit Closed(1.0, MAX_WINDOW_SIZE);
        /// Elements removed on each side of the output.
        pad: Vec<usize> = vec![0], limit Closed(0.0, MAX_WINDOW_SIZE), alias "padding";
        /// Elements added at the end of the output; less than stride or dilation.
        outpad: Vec<usize> = vec![0], limit Closed(0.0, MAX_WINDOW_SIZE), alias "output_padding";
        /// Groups of channels that do not see each other.
        groups: i64 = 1, limit AtLeast(1.0);
        /// Add a bias.
        bias: bool = true;
        /// Distance between two elements of the kernel.
        dilate: Vec<usize> = vec![1], limit Closed(1.0, MAX_WINDOW_SIZE), alias "dilation";
        /// The elements around the input.
        padmode: Zeros = Zeros, alias "padding_mode";
    }
}

struct ConvolutionLayer<T> {
    convolution: Convolution,
    weight: T,
    bias: Option<T>,
}

/// The convolution of options; a transposed one if they have `outpad`.
#[inline(never)]
pub(crate) fn convolution(o: &NamedOptions<'_>) -> Result<Convolution> {
    let is_transposed = o.specs.iter().any(|spec| spec.name == "outpad");
    let convolution = Convolution {
        stride: o.sizes("stride", &[1])?,
        padding: o.sizes("pad", &[0])?,
        dilation: o.sizes("dilate", &[1])?,
        groups: o.count("groups"),
        fill: Fill::of(o.word("padmode"), 0.0),
        beyond: if is_transposed { Some(o.sizes("outpad", &[0])?) } else { None },
    };
    convolution.check_beyond(o.owner)?;
    Ok(convolution)
}

#[inline(never)]
fn make<E: Engine>(o: &NamedOptions<'_>, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
    let (convolution, size) = (convolution(o)?, o.sizes("size", &[])?);
    let (inputs, outputs, groups) = (o.count("inputs"), o.count("outputs"), convolution.groups);
    if inputs % groups != 0 || outputs % groups != 0 {
        let message = format_args!("{} groups: expected a divisor of {inputs} and {outputs}, given {groups}", o.owner);
        return Err(Error::new(Code::OptionRange, message));
    }
    let [first, second] = if convolution.beyond.is_some() { [inputs, outputs] } else { [outputs, inputs] };
    let fan_in = size.iter().fold((second / groups) as f64, |product, size| product * *size as f64);
    let bound = 1.0 / fan_in.sqrt();
    let weight = context.uniform(&[&[first, second / groups], &*size].concat(), bound)?;
    let bias = if o.flag("bias") == Some(true) { Some(context.uniform(&[outputs], bound)?) } else { None };
    Ok(Box::new(ConvolutionLayer { convolution, weight, bias }))
}

layers_of! {
    Conv1d, "conv1d", 1, ConvolutionOptions, make, "A convolution of sequences.";
    Conv2d, "conv2d", 2, ConvolutionOptions, make, "A convolution of images.";
    Conv3d, "conv3d", 3, ConvolutionOptions, make, "A convolution of volumes.";
    ConvTranspose1d, "convtranspose1d", 1, TransposedOptions, make, "A transposed convolution of sequences.";
    ConvTranspose2d, "convtranspose2d", 2, TransposedOptions, make, "A transposed convolution of images.";
    ConvTranspose3d, "convtranspose3d", 3, TransposedOptions, make, "A transposed convolution of volumes.";
}

impl<E: Engine> Layer<E> for ConvolutionLayer<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        weight_and_bias(Some(&self.weight), self.bias.as_ref())
    }

    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        context.same_dtype(input, &self.weight)?;
        convolve(context.engine, &self.convolution, input, &self.weight, self.bias.as_ref())
    }
}
