//! Arguments of the operations of an engine.

/// How a window moves over an image; each pair is height, width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Distance between two positions.
    pub stride: [usize; 2],
    /// Rows and columns added on each side: zeros for a convolution, -infinity for a maximum.
    pub padding: [usize; 2],
    /// Distance between two elements of the window.
    pub dilation: [usize; 2],
}

impl Window {
    /// How many positions a kernel has along the height and the width of images of that size; `None` unless it fits.
    pub fn positions(&self, kernel: [usize; 2], size: [usize; 2]) -> Option<[usize; 2]> {
        let along = |i: usize| positions(size[i], kernel[i], self.along(i), false);
        Some([along(0)?, along(1)?])
    }

    /// Stride, padding and dilation along a dimension.
    fn along(&self, dimension: usize) -> [usize; 3] {
        [self.stride, self.padding, self.dilation].map(|pair| pair[dimension])
    }
}

/// How many positions a kernel has along a dimension; `None` unless it fits. If `ceiling`, the last one may be partly beyond the
/// padded end.
#[inline(never)]
pub(crate) fn positions(
    size: usize,
    kernel: usize,
    [stride, padding, dilation]: [usize; 3],
    ceiling: bool,
) -> Option<usize> {
    let span = Some(dilation).filter(|dilation| *dilation > 0)?.checked_mul(kernel.checked_sub(1)?)?.checked_add(1)?;
    let rest = size.checked_add(padding.checked_mul(2)?)?.checked_sub(span)?;
    let steps = rest.checked_div(stride)?;
    // A window that starts beyond the image and its first padding does not count.
    let is_partial = ceiling && rest % stride > 0 && (steps + 1).checked_mul(stride)? < size.checked_add(padding)?;
    (steps + usize::from(is_partial)).checked_add(1)
}

/// Windows of an image, and the function of each; pairs are height, width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The largest element of each window.
    Max {
        /// The size of the window.
        kernel: [usize; 2],
        /// How it moves.
        window: Window,
        /// Whether the last window may be partly beyond the end.
        ceiling: bool,
    },
    /// The sum of each window, divided by a number of elements. Its dilation is 1.
    Mean {
        /// The size of the window.
        kernel: [usize; 2],
        /// How it moves.
        window: Window,
        /// Whether the last window may be partly beyond the end.
        ceiling: bool,
        /// Whether elements of the padding count.
        count_padding: bool,
        /// The divisor, if it is not the number of elements.
        divisor: Option<usize>,
    },
    /// The largest element of each of so many parts of the image. Neighboring parts share a row unless the size is divisible.
    AdaptiveMax([usize; 2]),
    /// The mean of these parts.
    AdaptiveMean([usize; 2]),
}

/// The elements of a window along one dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The index of the first one in the image.
    pub start: usize,
    /// The number of elements in the image.
    pub count: usize,
    /// The number of elements by which a mean is divided.
    pub divisor: usize,
}

impl Pooling {
    /// Height and width of the output; `None` unless the window fits.
    pub fn output_size(&self, size: [usize; 2]) -> Option<[usize; 2]> {
        match self {
            Pooling::AdaptiveMax(parts) | Pooling::AdaptiveMean(parts) => Some(*parts),
            Pooling::Max { kernel, window, ceiling } | Pooling::Mean { kernel, window, ceiling, .. } => {
                let along = |i: usize| positions(size[i], kernel[i], window.along(i), *ceiling);
                Some([along(0)?, along(1)?])
            }
        }
    }

    /// The distance between two elements of a window along a dimension.
    pub fn dilation(&self, dimension: usize) -> usize {
        match self {
            Pooling::Max { window, .. } => window.dilation[dimension],
            _ => 1,
        }
    }

    /// The window at a position along a dimension, of a size of the image at which it fits.
    #[inline(never)]
    pub fn extent(&self, dimension: usize, position: usize, size: usize) -> Extent {
        let (kernel, window) = match self {
            Pooling::AdaptiveMax(parts) | Pooling::AdaptiveMean(parts) => {
                // In 128 bits, since sizes of WebAssembly have 32.
                let parts = parts[dimension] as u128;
                let bound = |position: usize| position as u128 * size as u128;
                let start = (bound(position) / parts) as usize;
                let count = bound(position + 1).div_ceil(parts) as usize - start;
                return Extent { start, count, divisor: count };
            }
            Pooling::Max { kernel, window, .. } | Pooling::Mean { kernel, window, .. } => (kernel, window),
        };
        let [stride, padding, dilation] = window.along(dimension);
        let offset = position * stride;
        let first = padding.saturating_sub(offset).div_ceil(dilation);
        let end = (size + padding).saturating_sub(offset).div_ceil(dilation).min(kernel[dimension]);
        let count = end.saturating_sub(first);
        let divisor = match self {
            Pooling::Mean { count_padding: true, .. } => kernel[dimension].min(size + 2 * padding - offset),
            _ => count,
        };
        let start = if count > 0 { offset + first * dilation - padding } else { 0 };
        Extent { start, count, divisor }
    }
}

/// Elementwise functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// tanh(x)
    Tanh,
    /// 1 / (1 + exp(-x))
    Sigmoid,
    /// x Φ(x), with the exact error function or its tanh approximation.
    Gelu {
        /// Use the tanh approximation.
        tanh: bool,
    },
}

/// Parameters and running statistics of a batch normalisation.
pub struct BatchNorm<'a, T> {
    /// Scale of each channel.
    pub weight: Option<&'a T>,
    /// Shift of each channel.
    pub bias: Option<&'a T>,
    /// Running mean and variance of each channel, updated in place while training.
    pub running: Option<(&'a T, &'a T)>,
    /// Use the statistics of this batch, and update the running ones.
    pub training: bool,
    /// Share of this batch in the running statistics.
    pub momentum: f64,
    /// Added to the variance.
    pub eps: f64,
}

/// Losses, defined as the PyTorch modules of the same names define them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// `CrossEntropyLoss`: logits `[n, c]` and classes `[n]` (long) or probabilities `[n, c]`.
    CrossEntropy {
        /// A class that counts for nothing.
        ignore: i64,
    },
    /// `NLLLoss`: log-probabilities `[n, c]` and classes `[n]` (long).
    Nll {
        /// A class that counts for nothing.
        ignore: i64,
    },
    /// `MSELoss`.
    Mse,
    /// `L1Loss`.
    L1,
    /// `SmoothL1Loss`.
    SmoothL1 {
        /// Where the quadratic part ends; > 0.
        beta: f64,
    },
    /// `BCELoss`: probabilities.
    Bce,
    /// `BCEWithLogitsLoss`.
    BceWithLogits,
}

/// The reduction of the losses of the elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
    /// They stay as they are.
    None,
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
}
