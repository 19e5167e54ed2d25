//! Convolutions, their transposes, windows as columns, padding and interpolation.

use stepwell_optim::{Code, Error, OptionSet, OptionSpec, OptionValue, Result, defaults, parse};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::mathematics::convolution::convolve;
use crate::nn::context::{ForwardContext, InitContext};
use crate::nn::layers::convolution::{ConvolutionOptions, TransposedOptions, convolution};
use crate::nn::layers::layer_kinds;
use crate::nn::named_options::NamedOptions;

operations! { E,
    /// The convolution of sequences `[n, in, l]` with a weight `[out, in / groups, k]`, plus a bias `[out]`.
    "conv1d" (x: Tensor, weight: Tensor, bias: Tensor = null, stride: Sizes = 1.0, pad: Sizes = 0.0, dilate: Sizes = 1.0,
        groups: Whole = 1.0) gradient 1 => |cx, given| convolved(cx, given, "conv1d", 1, ConvolutionOptions::SPECS);
    /// The convolution of images `[n, in, h, w]` with a weight `[out, in / groups, kh, kw]`, plus a bias `[out]`.
    "conv2d" (x: Tensor, weight: Tensor, bias: Tensor = null, stride: Sizes = 1.0, pad: Sizes = 0.0, dilate: Sizes = 1.0,
        groups: Whole = 1.0) gradient 1 => |cx, given| convolved(cx, given, "conv2d", 2, ConvolutionOptions::SPECS);
    /// The convolution of volumes `[n, in, d, h, w]` with a weight `[out, in / groups, kd, kh, kw]`, plus a bias `[out]`.
    "conv3d" (x: Tensor, weight: Tensor, bias: Tensor = null, stride: Sizes = 1.0, pad: Sizes = 0.0, dilate: Sizes = 1.0,
        groups: Whole = 1.0) gradient 1 => |cx, given| convolved(cx, given, "conv3d", 3, ConvolutionOptions::SPECS);
    /// The transposed convolution of sequences `[n, in, l]` with a weight `[in, out / groups, k]`, plus a bias `[out]`.
    "convtranspose1d" as "conv_transpose1d" (x: Tensor, weight: Tensor, bias: Tensor = null, stride: Sizes = 1.0,
        pad: Sizes = 0.0, outpad: Sizes = 0.0, groups: Whole = 1.0, dilate: Sizes = 1.0) gradient 1 =>
        |cx, given| convolved(cx, given, "convtranspose1d", 1, TransposedOptions::SPECS);
    /// The transposed convolution of images `[n, in, h, w]` with a weight `[in, out / groups, kh, kw]`, plus a bias `[out]`.
    "convtranspose2d" as "conv_transpose2d" (x: Tensor, weight: Tensor, bias: Tensor = null, stride: Sizes = 1.0,
        pad: Sizes = 0.0, outpad: Sizes = 0.0, groups: Whole = 1.0, dilate: Sizes = 1.0) gradient 1 =>
        |cx, given| convolved(cx, given, "convtranspose2d", 2, TransposedOptions::SPECS);
    /// The transposed convolution of volumes `[n, in, d, h, w]` with a weight `[in, out / groups, kd, kh, kw]`, plus a bias.
    "convtranspose3d" as "conv_transpose3d" (x: Tensor, weight: Tensor, bias: Tensor = null, stride: Sizes = 1.0,
        pad: Sizes = 0.0, outpad: Sizes = 0.0, groups: Whole = 1.0, dilate: Sizes = 1.0) gradient 1 =>
        |cx, given| convolved(cx, given, "convtranspose3d", 3, TransposedOptions::SPECS);
    /// The windows of images `[n, c, h, w]` as columns `[n, c * kh * kw, positions]`.
    "unfold" as "nn.functional.unfold" (x: Tensor, size: Sizes, dilate: Sizes = 1.0, pad: Sizes = 0.0, stride: Sizes = 1.0)
        gradient 1 => |cx, given| layer(cx, given, "unfold");
    /// The sums of columns `[n, c * kh * kw, positions]` at the elements of images of size `out`: `[n, c, h, w]`.
    "fold" as "nn.functional.fold" (x: Tensor, out: Sizes, size: Sizes, dilate: Sizes = 1.0, pad: Sizes = 0.0,
        stride: Sizes = 1.0) gradient 1 => |cx, given| layer(cx, given, "fold");
    /// x with elements added around the last dimensions: two amounts for each, the last dimension first; negative to remove.
    "pad" as "nn.functional.pad" (x: Tensor, pad: Sizes, mode: Fill = constant, value: Number = 0.0) gradient 1 =>
        |cx, given| layer(cx, given, "pad");
    /// Images `[n, c, *]` in another size: one size or scale for all dimensions, or one for each.
    "interpolate" as "nn.functional.interpolate" (x: Tensor, size: Sizes = null, scale: Numbers = null, mode: Mode = nearest,
        align: Flag = null, rescale: Flag = null) gradient 1 => |cx, given| layer(cx, given, "interpolate");
}

/// The layer of a kind, made of the arguments and run on the tensors among them.
pub(crate) fn layer<E: Engine>(cx: &mut Context<'_, E>, given: &Given<E>, kind: &str) -> Result<Output<E>> {
    let Some(kind) = layer_kinds::<E>().into_iter().find(|found| found.name == kind) else {
        return Err(Error::new(Code::Internal, "a kind of layer that does not exist"));
    };
    let values = parse(kind.name, kind.options, &defaults(kind.options), &[], &given.layer_options())?;
    let layer = kind.make(
        &values,
        &mut InitContext {
            engine: cx.engine,
            random: &mut *cx.random,
            parts: Vec::new(),
            remaining: usize::MAX,
            is_blank: false,
        },
    )?;
    let mut inputs = Vec::new();
    for operand in given.all_operands() {
        inputs.push(cx.tensor(operand)?);
    }
    let mut context = ForwardContext { engine: cx.engine, random: &mut *cx.random, training: false, host: None };
    let mut outputs = layer.forward_all(&mut context, &inputs)?;
    Ok(Output::One(outputs.remove(0)))
}

/// A convolution; transposed, if the options are.
fn convolved<E: Engine>(
    cx: &Context<'_, E>,
    given: &Given<E>,
    owner: &str,
    rank: usize,
    specs: &'static [OptionSpec],
) -> Result<Output<E>> {
    // A weight has the channels and the size of the kernel, which come first.
    let mut values = defaults(specs);
    values[..3].fill(OptionValue::List(vec![1.0]));
    let values = parse(owner, specs, &values, &[], &given.layer_options())?;
    let convolution = convolution(&NamedOptions { owner, specs, values: &values, rank })?;
    let tensors = cx.promoted(&given.all_operands().collect::<Vec<_>>(), true)?;
    let weight = cx.engine.shape(&tensors[1])?;
    convolve(cx.engine, &convolution, &tensors[0], &tensors[1], tensors.get(2)).map(Output::One).map_err(|error| {
        match error.code() {
            Code::Shape => error.followed_by(&format!(", with weight {weight:?}")),
            _ => error,
        }
    })
}
