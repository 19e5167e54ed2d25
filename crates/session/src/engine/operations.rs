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
    #[inline(never)]
    pub fn positions(&self, kernel: [usize; 2], size: [usize; 2]) -> Option<[usize; 2]> {
        let along = |i: usize| {
            let dilation = Some(self.dilation[i]).filter(|dilation| *dilation > 0)?;
            let span = dilation.checked_mul(kernel[i].checked_sub(1)?)?.checked_add(1)?;
            let padded = size[i].checked_add(self.padding[i].checked_mul(2)?)?;
            padded.checked_sub(span)?.checked_div(self.stride[i])?.checked_add(1)
        };
        Some([along(0)?, along(1)?])
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
