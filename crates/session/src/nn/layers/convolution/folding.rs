//! Windows of images as columns: `input [n, c, h, w]` to `[n, c · elements of the kernel, positions]`, and back as sums.

use stepwell_optim::{Code, Error, Limit::*, Result, options};

use crate::engine::Engine;
use crate::engine::operations::Window;
use crate::mathematics::unfolding::{Columns, fold, unfold};
use crate::nn::context::{ForwardContext, InitContext, MAX_WINDOW_SIZE, floating};
use crate::nn::layer::Layer;
use crate::nn::named_options::{NamedOptions, layers_of};

options! {
    /// Options of columns.
    pub(crate) struct UnfoldOptions {
        /// Height and width of the kernel.
        size: Vec<usize>, limit Closed(1.0, MAX_WINDOW_SIZE), alias "kernel_size";
        /// Distance between two elements of the kernel.
        dilate: Vec<usize> = vec![1], limit Closed(1.0, MAX_WINDOW_SIZE), alias "dilation";
        /// Rows and columns of zeros added on each side.
        pad: Vec<usize> = vec![0], limit Closed(0.0, MAX_WINDOW_SIZE), alias "padding";
        /// Distance between two positions of the kernel.
        stride: Vec<usize> = vec![1], limit Closed(1.0, MAX_WINDOW_SIZE);
    }
}

options! {
    /// Options of sums of columns.
    pub(crate) struct FoldOptions {
        /// Height and width of the output.
        out: Vec<usize>, limit Closed(1.0, MAX_WINDOW_SIZE), alias "output_size";
        /// Height and width of the kernel.
        size: Vec<usize>, limit Closed(1.0, MAX_WINDOW_SIZE), alias "kernel_size";
        /// Distance between two elements of the kernel.
        dilate: Vec<usize> = vec![1], limit Closed(1.0, MAX_WINDOW_SIZE), alias "dilation";
        /// Rows and columns around the output that the kernel covers too.
        pad: Vec<usize> = vec![0], limit Closed(0.0, MAX_WINDOW_SIZE), alias "padding";
        /// Distance between two positions of the kernel.
        stride: Vec<usize> = vec![1], limit Closed(1.0, MAX_WINDOW_SIZE);
    }
}

struct Folding {
    columns: Columns,
    /// Of a fold: height and width of the output.
    out: Option<[usize; 2]>,
}

#[inline(never)]
fn make<E: Engine>(o: &NamedOptions<'_>, _: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
    let pair = |name: &str| o.sizes(name, &[]).map(|sizes| <[usize; 2]>::try_from(sizes).ok());
    let (Some(kernel), Some(stride), Some(padding), Some(dilation)) =
        (pair("size")?, pair("stride")?, pair("pad")?, pair("dilate")?)
    else {
        return Err(Error::new(Code::Internal, "windows without sizes"));
    };
    let columns = Columns { kernel, window: Window { stride, padding, dilation } };
    Ok(Box::new(Folding { columns, out: pair("out")? }))
}

layers_of! {
    Unfold, "unfold", 2, UnfoldOptions, make, "The windows of an image as columns.";
    Fold, "fold", 2, FoldOptions, make, "The sums of columns at the elements of an image.";
}

impl<E: Engine> Layer<E> for Folding {
    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        floating(context.engine, input)?;
        match self.out {
            Some(size) => fold(context.engine, input, size, &self.columns),
            None => unfold(context.engine, input, &self.columns),
        }
    }
}
