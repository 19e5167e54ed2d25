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
        match window.positions(kernel, size) {
            Some(output_size) => Ok(Self { size, kernel, window: *window, output_size }),
            None => Err(engine_error(format!("a window of {kernel:?} does not fit into an image of {size:?}"))),
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

    /// The elements of the kernel that are inside the image at a position along a dimension.
    pub(crate) fn kernel_inside(&self, dimension: usize, position: usize) -> std::ops::Range<usize> {
        let (dilation, padding) = (self.window.dilation[dimension], self.window.padding[dimension]);
        let offset = position * self.window.stride[dimension];
        let first = padding.saturating_sub(offset).div_ceil(dilation);
        let end = (self.size[dimension] + padding).saturating_sub(offset).div_ceil(dilation);
        let end = end.min(self.kernel[dimension]);
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
