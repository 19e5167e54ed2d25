//! The largest element of each window: `input [n, c, h, w]` to `[n, c, h', w']`.

use stepwell_optim::{Code, Error, Limit::*, Result, options};

use crate::engine::Engine;
use crate::engine::element_count::checked_element_count;
use crate::engine::operations::Window;
use crate::nn::context::{ForwardContext, InitContext, MAX_WINDOW_SIZE, misfit, pair};
use crate::nn::layer::{Layer, LayerDefinition};

options! {
    /// Options of a maximum over windows.
    pub(crate) struct MaxPool2dOptions {
        /// Height and width of the window.
        size: Vec<usize>, limit Closed(1.0, MAX_WINDOW_SIZE), alias "kernel_size";
        /// Distance between two positions of the window; null for windows side by side.
        stride: Option<Vec<usize>> = None, limit Closed(1.0, MAX_WINDOW_SIZE);
        /// Rows and columns of -infinity added on each side; at most half the window.
        pad: Vec<usize> = vec![0], limit Closed(0.0, MAX_WINDOW_SIZE), alias "padding";
        /// Distance between two elements of the window.
        dilate: Vec<usize> = vec![1], limit Closed(1.0, MAX_WINDOW_SIZE), alias "dilation";
    }
}

pub(crate) struct MaxPool2d {
    kernel: [usize; 2],
    window: Window,
}

impl LayerDefinition for MaxPool2d {
    type Options = MaxPool2dOptions;
    const NAME: &'static str = "maxpool2d";
    const ABOUT: &'static str = "The largest element of each window of an image.";

    fn make<E: Engine>(o: MaxPool2dOptions, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let kernel = pair(Self::NAME, "size", &o.size)?;
        let window = Window::of(Self::NAME, o.stride.as_ref().unwrap_or(&o.size), &o.pad, &o.dilate)?;
        if (0..2).any(|i| window.padding[i] > kernel[i] / 2) {
            let message =
                format!("maxpool2d pad: expected at most half of size {kernel:?}, given {:?}", window.padding);
            return Err(Error::new(Code::OptionRange, message));
        }
        Ok(Box::new(MaxPool2d { kernel, window }))
    }
}

impl<E: Engine> Layer<E> for MaxPool2d {
    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let shape = context.engine.shape(input)?;
        let Window { padding, dilation, .. } = self.window;
        // A window can be all padding if its elements are further apart than the image is wide. libtorch then takes an
        // element outside of the image for the largest, and its backward writes there.
        let misses = |i: usize, size: usize| padding[i] > 0 && dilation[i] > size;
        let positions = match *shape {
            [_, _, h, w] if !misses(0, h) && !misses(1, w) => self.window.positions(self.kernel, [h, w]),
            _ => None,
        };
        let Some([height, width]) = positions else {
            let [height, width] = self.kernel;
            return Err(misfit(format_args!("[n, c, h, w] that a {height}x{width} window fits into"), &shape));
        };
        checked_element_count(
            context.engine,
            &[shape[0].max(1), shape[1].max(1), height, width],
            context.engine.dtype(input)?,
        )?;
        context.engine.max_pool2d(input, self.kernel, &self.window)
    }
}
