//! Convolutions over one to three dimensions, and their transposes. Both are composed of the ones over two.

use stepwell_optim::{Code, Error, Result, joined};

use crate::engine::Engine;
use crate::engine::operations::{Window, positions};
use crate::engine::primitives::{Binary, Primitive};
use crate::mathematics::calculation::{Calculation, calculated};
use crate::mathematics::padding::{Fill, pad};
use crate::mathematics::tensor_math::TensorMath;

/// How a kernel moves. Lists have a number for each dimension of an image.
#[derive(Clone, Debug)]
pub(crate) struct Convolution {
    pub(crate) stride: Vec<usize>,
    pub(crate) padding: Vec<usize>,
    pub(crate) dilation: Vec<usize>,
    /// Groups of channels that do not see each other; at least 1.
    pub(crate) groups: usize,
    /// The elements around an image.
    pub(crate) fill: Fill,
    /// Of a transposed convolution: by how many elements the output is larger.
    pub(crate) beyond: Option<Vec<usize>>,
}

/// The last dimensions in the notation of shapes.
pub(crate) fn letters(rank: usize) -> String {
    ["l", "h, w", "d, h, w"].get(rank.wrapping_sub(1)).copied().unwrap_or("*").to_owned()
}

/// Sizes as `3x3`.
pub(crate) fn product_of(sizes: &[usize]) -> String {
    joined(&sizes.iter().map(ToString::to_string).collect::<Vec<_>>(), "x")
}

/// A convolution of `x [n, in, *]`, or `[in, *]`, with `weight [out, in / groups, *]` or, transposed, `[in, out / groups, *]`,
/// plus `bias [out]`. All have one dtype of floating point.
///
/// # Errors
/// [`Code::Shape`] unless the shapes fit.
pub(crate) fn convolve<E: Engine>(
    engine: &E,
    convolution: &Convolution,
    x: &E::Tensor,
    weight: &E::Tensor,
    bias: Option<&E::Tensor>,
) -> Result<E::Tensor> {
    let (shape, weight_shape) = (engine.shape(x)?, engine.shape(weight)?);
    let Convolution { stride, groups, beyond, .. } = convolution;
    let (rank, transposed) = (stride.len(), beyond.is_some());
    let misfit = |expected: String, given: &[usize]| {
        Err(Error::new(Code::Shape, format_args!("expected {expected}, given {given:?}")))
    };
    if weight_shape.len() != rank + 2 || weight_shape.contains(&0) || weight_shape[0] % groups != 0 {
        let ends = if transposed { "in, out" } else { "out, in" };
        let of = if *groups == 1 { String::new() } else { format!(" / {groups}") };
        return misfit(format!("a weight of shape [{ends}{of}, {}]", letters(rank)), &weight_shape);
    }
    let kernel = &weight_shape[2..];
    let [channels, outputs] = match transposed {
        true => [weight_shape[0], weight_shape[1].saturating_mul(*groups)],
        false => [weight_shape[1].saturating_mul(*groups), weight_shape[0]],
    };
    if let Some(bias) = bias {
        let found = engine.shape(bias)?;
        if found != [outputs] {
            return misfit(format!("a bias of shape [{outputs}] for weight {weight_shape:?}"), &found);
        }
    }
    let spatial = shape.len().checked_sub(rank).filter(|leading| {
        matches!(leading, 1 | 2) && shape[leading - 1] == channels && !shape[*leading..].contains(&0)
    });
    let sizes = spatial.map(|leading| &shape[leading..]);
    let Some(out) = sizes.and_then(|sizes| convolution.output(kernel, sizes)) else {
        let kernel = product_of(kernel);
        let expected = match transposed {
            true => format!("input of shape [n, {channels}, {}] for a {kernel} kernel", letters(rank)),
            false => format!("input of shape [n, {channels}, {}] that a {kernel} kernel fits into", letters(rank)),
        };
        return misfit(expected, &shape);
    };
    let images = if shape.len() == rank + 2 { shape[0] } else { 1 };
    engine.check_memory(&[&[images.max(1), outputs], &*out].concat(), engine.dtype(x)?)?;
    let (mut x, mut convolution) = (x.clone(), convolution.clone());
    if !matches!(convolution.fill, Fill::Constant(_)) {
        let amounts: Vec<_> = convolution.padding.iter().rev().flat_map(|amount| [*amount as i64; 2]).collect();
        x = pad(engine, &x, &amounts, convolution.fill)?;
        convolution.padding.fill(0);
    }
    let mut sizes = engine.shape(&x)?;
    sizes.splice(..sizes.len() - rank, [images, channels]);
    let y = if rank == 3 {
        volumes(engine, &convolution, &engine.with_shape(&x, &sizes)?, weight, bias, &out)?
    } else {
        // One dimension is the width of an image of height 1.
        let plane = |sizes: &[usize]| [&sizes[..2], if rank == 1 { &[1][..] } else { &[] }, &sizes[2..]].concat();
        let (x, weight) = (engine.with_shape(&x, &plane(&sizes))?, engine.with_shape(weight, &plane(&weight_shape))?);
        convolution.planes(engine, &x, &weight, bias, &out)?
    };
    let mut result = vec![images, outputs];
    result.extend(&out);
    engine.with_shape(&y, &result[usize::from(shape.len() == rank + 1)..])
}

impl Convolution {
    /// Fails unless a transposed one is larger by less than its stride or its dilation. `owner` comes first in the message.
    pub(crate) fn check_beyond(&self, owner: &str) -> Result<()> {
        let Some(beyond) = &self.beyond else { return Ok(()) };
        if (0..beyond.len()).all(|i| beyond[i] < self.stride[i].max(self.dilation[i])) {
            return Ok(());
        }
        let (stride, dilation) = (&self.stride, &self.dilation);
        let message = format_args!(
            "{owner} outpad: expected less than stride {stride:?} or dilate {dilation:?}, given {beyond:?}"
        );
        Err(Error::new(Code::OptionRange, message))
    }

    /// The sizes of the output; `None` unless the kernel fits.
    fn output(&self, kernel: &[usize], sizes: &[usize]) -> Option<Vec<usize>> {
        let along = |i: usize| {
            let (stride, padding, dilation) = (self.stride[i], self.padding[i], self.dilation[i]);
            let Some(beyond) = &self.beyond else {
                return positions(sizes[i], kernel[i], [stride, padding, dilation], false);
            };
            let span = dilation.checked_mul(kernel[i] - 1)?.checked_add(1)?;
            let all = sizes[i].checked_sub(1)?.checked_mul(stride)?.checked_add(span)?.checked_add(beyond[i])?;
            all.checked_sub(padding.checked_mul(2)?).filter(|size| *size > 0)
        };
        (0..sizes.len()).map(along).collect()
    }

    /// A convolution of images. `out` has the sizes of the output, of which the last two count.
    fn planes<E: Engine>(
        &self,
        engine: &E,
        x: &E::Tensor,
        weight: &E::Tensor,
        bias: Option<&E::Tensor>,
        out: &[usize],
    ) -> Result<E::Tensor> {
        let last = |list: &[usize], one: usize| match *list {
            [.., height, width] => [height, width],
            [width] => [one, width],
            [] => [one, one],
        };
        let window = Window {
            stride: last(&self.stride, 1),
            padding: last(&self.padding, 0),
            dilation: last(&self.dilation, 1),
        };
        let primitive = match self.beyond {
            Some(_) => Primitive::ConvTranspose2d { window, groups: self.groups, size: last(out, 1) },
            None => Primitive::Conv2d { window, groups: self.groups },
        };
        let inputs: Vec<_> = [x, weight].into_iter().chain(bias).collect();
        engine.primitive(primitive, &inputs)
    }
}

/// A convolution of volumes `[n, in, d, h, w]`: the sum of the convolutions of their planes with each plane of the kernel.
///
/// Along the depth, a transposed one is a convolution of planes with planes of zeros between them.
fn volumes<E: Engine>(
    engine: &E,
    convolution: &Convolution,
    x: &E::Tensor,
    weight: &E::Tensor,
    bias: Option<&E::Tensor>,
    out: &[usize],
) -> Result<E::Tensor> {
    let weight_shape = engine.shape(weight)?;
    let (depth, dilation) = (weight_shape[2], convolution.dilation[0]);
    let (mut stride, mut amounts) = (convolution.stride[0], [convolution.padding[0] as i64; 2]);
    // Planes first: [n, d, in, h, w].
    let mut x = engine.transpose(x, 1, 2)?;
    if let Some(beyond) = &convolution.beyond {
        x = spread(engine, &x, stride)?;
        let reach = ((depth - 1) as i64).saturating_mul(dilation as i64);
        amounts = [reach - amounts[0], (reach - amounts[0]).saturating_add(beyond[0] as i64)];
        stride = 1;
    }
    x = pad(engine, &x, &[0, 0, 0, 0, 0, 0, amounts[0], amounts[1]], Fill::Constant(0.0))?;
    let shape = engine.shape(&x)?;
    let images = shape[0];
    let c = Calculation::new(engine);
    let (x, weight) = (c.input(&x), c.input(weight));
    let mut total = None;
    for plane in 0..depth {
        let part = Primitive::Slice { dim: 1, start: plane * dilation, length: out[0], step: stride };
        let part = c.with_shape(c.primitive(part, &[x]), &[&[images * out[0]], &shape[2..]].concat());
        let index = if convolution.beyond.is_some() { depth - 1 - plane } else { plane };
        let kernel = c.slice(weight, 2, index, 1);
        let kernel = c.result(c.with_shape(kernel, &[&weight_shape[..2], &weight_shape[3..]].concat()))?;
        let y = c.with(part, &|part| convolution.planes(engine, part, &kernel, bias.filter(|_| plane == 0), out));
        total = Some(match total {
            Some(total) => c.binary(Binary::Add, total, y),
            None => y,
        });
    }
    let total = total.unwrap_or(x);
    let shape = c.shape(total)?;
    c.result(c.permuted(c.with_shape(total, &[&[images, out[0]], &shape[1..]].concat()), &[0, 2, 1, 3, 4]))
}

/// Planes of zeros between the planes of `[n, d, *]`, so that these have a distance of `stride`.
fn spread<E: Engine>(engine: &E, x: &E::Tensor, stride: usize) -> Result<E::Tensor> {
    let shape = engine.shape(x)?;
    let apart = [&shape[..2], &[1], &shape[2..]].concat();
    let mut amounts = vec![0; 2 * (apart.len() - 2)];
    if let Some(behind) = amounts.last_mut() {
        *behind = stride as i64 - 1;
    }
    calculated(engine, &|c| {
        let x = c.with_shape(c.input(x), &apart);
        let x = c.with(x, &|x| pad(engine, x, &amounts, Fill::Constant(0.0)));
        let x = c.with_shape(x, &[&[shape[0], shape[1] * stride], &shape[2..]].concat());
        c.slice(x, 1, 0, (shape[1] - 1) * stride + 1)
    })
}
