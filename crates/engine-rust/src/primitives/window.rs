//! The positions of a sliding window over an image.

use stepwell_optim::Result;
use stepwell_session::Window;

use crate::error::engine_error;

/// A window of `kernel` elements that slides over images of `size`; each pair is height, width.
#[derive(Clone, Copy)]
pub(crate) struct SlidingWindow {
    pub(crate) size: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) window: Window,
    /// The number of positions along each dimension.
    pub(crate) output_size: [usize; 2],
}

impl SlidingWindow {
    pub(crate) fn new(size: [usize; 2], kernel: [usize; 2], window: &Window) -> Result<Self> {
        Self::at(size, kernel, window, window.positions(kernel, size).unwrap_or_default())
    }

    /// A window at these positions, at which it fits.
    pub(crate) fn at(size: [usize; 2], kernel: [usize; 2], window: &Window, output_size: [usize; 2]) -> Result<Self> {
        let possible = window.positions(kernel, size);
        match possible.is_some_and(|possible| (0..2).all(|i| (1..=possible[i]).contains(&output_size[i]))) {
            true => Ok(Self { size, kernel, window: *window, output_size }),
            false => Err(engine_error(format!("a window of {kernel:?} does not fit into an image of {size:?}"))),
        }
    }

    /// The positions along a dimension at which element `k` of the kernel is inside the image.
    pub(crate) fn positions_inside(&self, dimension: usize, k: usize) -> std::ops::Range<usize> {
        let (stride, padding) = (self.window.stride[dimension], self.window.padding[dimension]);
        let offset = k * self.window.dilation[dimension];
        let first = padding.saturating_sub(offset).div_ceil(stride);
        let end = (self.size[dimension] + padding).saturating_sub(offset).div_ceil(stride);
        let end = end.min(self.output_size[dimension]);
        first.min(end)..end
    }

    /// The index in the image, along a dimension, of element `k` of the kernel at a position where it is inside.
    pub(crate) fn input_index(&self, dimension: usize, k: usize, position: usize) -> usize {
        position * self.window.stride[dimension] + k * self.window.dilation[dimension] - self.window.padding[dimension]
    }

    /// The number of positions over one image.
    pub(crate) fn position_count(&self) -> usize {
        self.output_size[0].saturating_mul(self.output_size[1])
    }
}
