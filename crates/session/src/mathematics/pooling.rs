//! Windows over one to three dimensions: their largest element, mean, or norm. They are composed of windows over two.

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::operations::{Pooling, Window, positions};
use crate::engine::primitives::{Binary, Primitive, Unary};
use crate::mathematics::calculation::calculated;
use crate::mathematics::convolution::{letters, product_of};
use crate::mathematics::tensor_math::TensorMath;

/// Which windows, and the function of each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    Max,
    Mean,
    AdaptiveMax,
    AdaptiveMean,
}

/// Windows and their function. Lists have a number for each dimension of an image.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) function: Function,
    /// The sizes of the window; of the output, if the windows are adaptive.
    pub(crate) size: Vec<usize>,
    pub(crate) stride: Vec<usize>,
    pub(crate) padding: Vec<usize>,
    pub(crate) dilation: Vec<usize>,
    /// Whether the last window may be partly beyond the end.
    pub(crate) ceiling: bool,
    /// Whether the padding counts in a mean.
    pub(crate) count_padding: bool,
    /// The divisor of a mean, if it is not the number of elements.
    pub(crate) divisor: Option<usize>,
}

/// The largest element or the mean of each window of `x [n, c, *]`, or `[c, *]`, of floating point.
///
/// # Errors
/// [`Code::Shape`] unless the windows fit.
pub(crate) fn pool<E: Engine>(engine: &E, x: &E::Tensor, pool: &Pool) -> Result<E::Tensor> {
    let (shape, rank) = (engine.shape(x)?, pool.size.len());
    let leading = shape.len().checked_sub(rank).filter(|leading| matches!(leading, 1 | 2));
    let sizes = leading.filter(|leading| !shape[leading - 1..].contains(&0)).map(|leading| &shape[leading..]);
    let Some(out) = sizes.and_then(|sizes| pool.output(sizes)) else {
        let (letters, size) = (letters(rank), product_of(&pool.size));
        let fit =
            if pool.is_adaptive() { "with elements".to_owned() } else { format!("that a {size} window fits into") };
        let message = format_args!("expected input of shape [n, c, {letters}] {fit}, given {shape:?}");
        return Err(Error::new(Code::Shape, message));
    };
    let channels = &shape[..shape.len() - rank];
    let images = if let [images, _] = channels { *images } else { 1 };
    let count = channels[channels.len() - 1];
    engine.check_memory(&[&[images.max(1), count], &*out].concat(), engine.dtype(x)?)?;
    let sizes = &shape[shape.len() - rank..];
    let y = match *sizes {
        [width] => pool.planes(engine, x, [images, count, 1, width], [None, Some(0)], pool.divisor)?,
        [height, width] => pool.planes(engine, x, [images, count, height, width], [Some(0), Some(1)], pool.divisor)?,
        // The windows of planes first. The divisor of a volume is the product of both divisors.
        [depth, height, width] => {
            let divisor = pool.divisor.map(|_| 1);
            engine.check_memory(&[images.max(1), count, depth, out[1], out[2]], engine.dtype(x)?)?;
            let planes = [images, count * depth, height, width];
            let planes = pool.planes(engine, x, planes, [Some(1), Some(2)], divisor)?;
            pool.planes(engine, &planes, [images, count, depth, out[1] * out[2]], [Some(0), None], pool.divisor)?
        }
        _ => return Err(Error::new(Code::Internal, "windows over more than three dimensions")),
    };
    engine.with_shape(&y, &[channels, &*out].concat())
}

impl Pool {
    /// Windows that cover the image, for an output of this size.
    pub(crate) fn adaptive(function: Function, size: Vec<usize>) -> Self {
        let none = Vec::new;
        let (stride, padding, dilation) = (none(), none(), none());
        Self { function, size, stride, padding, dilation, ceiling: false, count_padding: true, divisor: None }
    }

    /// Fails if the padding is more than half of the window. `owner` comes first in the message.
    pub(crate) fn check_padding(&self, owner: &str) -> Result<()> {
        if self.padding.iter().zip(&self.size).all(|(padding, size)| *padding <= size / 2) {
            return Ok(());
        }
        let message =
            format_args!("{owner} pad: expected at most half of size {:?}, given {:?}", self.size, self.padding);
        Err(Error::new(Code::OptionRange, message))
    }

    fn is_adaptive(&self) -> bool {
        matches!(self.function, Function::AdaptiveMax | Function::AdaptiveMean)
    }

    /// The sizes of the output; `None` unless the window fits.
    fn output(&self, sizes: &[usize]) -> Option<Vec<usize>> {
        if self.is_adaptive() {
            return Some(self.size.clone());
        }
        let along = |i: usize| {
            let [stride, padding, dilation] = [self.stride[i], self.padding[i], self.dilation[i]];
            // A window can be all padding if its elements are further apart than the image is wide. libtorch then takes an
            // element outside of the image for the largest, and its backward writes there.
            let misses = padding > 0 && dilation > sizes[i];
            positions(sizes[i], self.size[i], [stride, padding, dilation], self.ceiling).filter(|_| !misses)
        };
        (0..sizes.len()).map(along).collect()
    }

    /// The windows over two dimensions, each by its index. Along `None`, a window has one element.
    fn planes<E: Engine>(
        &self,
        engine: &E,
        x: &E::Tensor,
        shape: [usize; 4],
        dims: [Option<usize>; 2],
        divisor: Option<usize>,
    ) -> Result<E::Tensor> {
        let along = |list: &[usize], one: usize| dims.map(|dim| dim.map_or(one, |dim| list[dim]));
        let parts = [0, 1].map(|i| dims[i].map_or(shape[i + 2], |dim| self.size[dim]));
        let (kernel, ceiling) = (along(&self.size, 1), self.ceiling);
        let pooling = match self.function {
            Function::AdaptiveMax => Pooling::AdaptiveMax(parts),
            Function::AdaptiveMean => Pooling::AdaptiveMean(parts),
            function => {
                let window = Window {
                    stride: along(&self.stride, 1),
                    padding: along(&self.padding, 0),
                    dilation: along(&self.dilation, 1),
                };
                match function {
                    Function::Max => Pooling::Max { kernel, window, ceiling },
                    _ => Pooling::Mean { kernel, window, ceiling, count_padding: self.count_padding, divisor },
                }
            }
        };
        engine.primitive(Primitive::Pool2d(pooling), &[&engine.with_shape(x, &shape)?])
    }
}

/// The norm of order `p` of each window, with windows as for [`pool`].
pub(crate) fn norm_pool<E: Engine>(engine: &E, x: &E::Tensor, p: f64, windows: &Pool) -> Result<E::Tensor> {
    let count = windows.size.iter().map(|size| *size as f64).product();
    calculated(engine, &|c| {
        let powers = c.with_number(Binary::Pow, c.input(x), p);
        let means = c.with(powers, &|powers| pool(engine, powers, windows));
        let size = c.unary(Unary::Relu, c.unary(Unary::Abs, means));
        let signed = c.binary(Binary::Mul, c.unary(Unary::Sign, means), size);
        c.with_number(Binary::Pow, c.with_number(Binary::Mul, signed, count), 1.0 / p)
    })
}
