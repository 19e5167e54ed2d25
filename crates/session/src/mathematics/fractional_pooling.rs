//! The largest element of windows at random distances. Graham 2014, "Fractional Max-Pooling",
//! <https://arxiv.org/abs/1412.6071>.

use stepwell_optim::fallible::{collected, with_capacity};
use stepwell_optim::{Code, Error, Result, Results};

use crate::engine::Engine;
use crate::engine::primitives::Primitive;
use crate::mathematics::calculation::Calculation;
use crate::mathematics::convolution::{letters, product_of};
use crate::mathematics::tensor_math::TensorMath;
use crate::random::Random;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// The sizes of the windows and of the output, or the ratios of output and input; one list is empty.
#[derive(Clone, Debug)]
pub(crate) struct Fractions {
    pub(crate) kernel: Vec<usize>,
    pub(crate) size: Vec<usize>,
    pub(crate) ratio: Vec<f64>,
}

/// The largest element of each window of `x [n, c, *]` or `[c, *]`. `samples [n, c, rank]` has numbers in [0, 1) that place the
/// windows; without them, they are drawn.
///
/// # Errors
/// [`Code::Shape`] unless the windows fit; [`Code::Argument`] for samples beyond [0, 1).
pub(crate) fn fractional_pool<E: Engine>(
    engine: &E,
    random: &mut Random,
    x: &E::Tensor,
    fractions: &Fractions,
    samples: Option<&E::Tensor>,
) -> Result<E::Tensor> {
    let Fractions { kernel, size, ratio } = fractions;
    let (shape, rank) = (engine.shape(x)?, kernel.len());
    let leading = shape.len().checked_sub(rank).filter(|leading| matches!(leading, 1 | 2)).unwrap_or(0);
    let (channels, sizes) = shape.split_at(leading);
    let out: Vec<_> = match size.is_empty() {
        true => sizes.iter().zip(ratio).map(|(size, ratio)| (*size as f64 * ratio) as usize).collect(),
        false => size.clone(),
    };
    let fits = |i: usize| out[i] > 0 && kernel[i].saturating_add(out[i] - 1) <= sizes[i];
    if leading == 0 || channels[leading - 1] == 0 || !(0..rank).all(fits) {
        let (letters, kernel) = (letters(rank), product_of(kernel));
        let message = format_args!(
            "expected input of shape [n, c, {letters}] for {kernel} windows and an output of {out:?}, given {shape:?}"
        );
        return Err(Error::new(Code::Shape, message));
    }
    let (images, inner) = (channels.iter().product::<usize>(), sizes.iter().product::<usize>());
    let (count, elements) = (out.iter().product::<usize>(), kernel.iter().product::<usize>());
    engine.check_memory(&[images.max(1), count, elements], Dtype::Long)?;
    let dtype = engine.dtype(x)?;
    let samples = match samples {
        Some(samples) => {
            let (expected, found) =
                ([if leading == 2 { shape[0] } else { 1 }, channels[leading - 1], rank], engine.shape(samples)?);
            if found != expected {
                return Err(Error::new(
                    Code::Shape,
                    format_args!("expected samples of shape {expected:?}, given {found:?}"),
                ));
            }
            match engine.data(samples)?.cast(Dtype::Double)? {
                Data::Double(samples) => samples,
                _ => Vec::new(),
            }
        }
        None => {
            let drawn = collected((0..images * rank).map(|_| random.unit()))?;
            // Rounded down, since a sample is below 1.
            if dtype == Dtype::Double {
                drawn
            } else {
                collected(drawn.into_iter().map(|x| (x * 16_777_216.0).floor() / 16_777_216.0))?
            }
        }
    };
    if !samples.iter().all(|sample| (0.0..1.0).contains(sample)) {
        return Err(Error::new(Code::Argument, "expected samples in [0, 1)"));
    }
    let mut indices = with_capacity(images * count * elements)?;
    for samples in samples.chunks_exact(rank) {
        // As in PyTorch, the first of two samples places windows along the width.
        let sample = |i: usize| samples[if rank == 2 { 1 - i } else { i }];
        let starts = (0..rank).map(|i| starts(sample(i), sizes[i], out[i], kernel[i], dtype)).values()?;
        for position in 0..count {
            for element in 0..elements {
                let (mut index, mut stride) = (0, 1);
                let (mut position, mut element) = (position, element);
                for i in (0..rank).rev() {
                    index += (starts[i][position % out[i]] + element % kernel[i]) * stride;
                    stride *= sizes[i];
                    (position, element) = (position / out[i], element / kernel[i]);
                }
                indices.push(index as i64);
            }
        }
    }
    let c = Calculation::new(engine);
    let flat = c.with_shape(c.input(x), &[images, inner]);
    let indices = c.tensor(flat, Data::Long(indices), &[images, count * elements]);
    let windows = c.primitive(Primitive::Gather(1), &[flat, indices]);
    let split = [images, count, elements];
    let largest = Primitive::ArgReduce { largest: true, dim: 2, keepdim: true };
    let largest = c.primitive(largest, &[c.with_shape(windows, &split)]);
    let chosen = c.primitive(Primitive::Gather(2), &[c.with_shape(indices, &split), largest]);
    let y = c.primitive(Primitive::Gather(1), &[flat, c.with_shape(chosen, &[images, count])]);
    c.result(c.with_shape(y, &[channels, &*out].concat()))
}

/// The first element of each window along a dimension. In single precision, as in PyTorch, except for `double`.
fn starts(sample: f64, size: usize, out: usize, kernel: usize, dtype: Dtype) -> Result<Vec<usize>> {
    let last = size - kernel;
    let at = |i: f64| match dtype {
        Dtype::Double => ((i + sample) * (last as f64 / (out - 1) as f64)) as usize,
        _ => ((i as f32 + sample as f32) * (last as f32 / (out - 1) as f32)) as usize,
    };
    collected((0..out).map(|i| if i + 1 == out { last } else { (at(i as f64) - at(0.0)).min(last) }))
}
