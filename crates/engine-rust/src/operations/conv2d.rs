//! 2D convolution of `input [n, in, h, w]` with `weight [out, in / groups, kh, kw]`, by im2col.
//!
//! The im2col matrix of an image has a column for each position of the window. Each image and group is one matrix product.

use stepwell_optim::Result;
use stepwell_session::Window;

use crate::autograd::backward::{Backward, BackwardContext, InputGradients};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::engine_error;
use crate::matrix::{Matrix, Output, multiply};
use crate::memory::{CountedVec, element_count};
use crate::operations::sums::sum;
use crate::operations::window::SlidingWindow;

struct Conv2d {
    images: usize,
    groups: usize,
    /// Input and output channels of one group.
    inputs: usize,
    outputs: usize,
    sliding: SlidingWindow,
}

const INPUT: usize = 0;
const WEIGHT: usize = 1;
const BIAS: usize = 2;

pub(crate) fn conv2d(
    autograd: &Autograd,
    input: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    window: &Window,
    groups: usize,
) -> Result<Tensor> {
    let (shape, weight_shape) = (input.shape(), weight.shape());
    let shape_error = || {
        engine_error(format!("conv2d: input {shape:?} and bias do not fit weight {weight_shape:?} in {groups} groups"))
    };
    let (&[images, channels, h, w], &[outputs, inputs, kh, kw]) = (&*shape, &*weight_shape) else {
        return Err(shape_error());
    };
    let bias_fits = bias.is_none_or(|bias| *bias.shape() == [outputs]);
    if groups == 0 || outputs % groups != 0 || inputs.checked_mul(groups) != Some(channels) || !bias_fits {
        return Err(shape_error());
    }
    let sliding = SlidingWindow::new([h, w], [kh, kw], window)?;
    let shape = [images, outputs, sliding.output_size[0], sliding.output_size[1]];
    element_count(&shape)?;
    element_count(&[inputs, kh, kw, sliding.output_size[0], sliding.output_size[1]])?;
    let operation = Conv2d { images, groups, inputs, outputs: outputs / groups, sliding };
    let buffer = with_real!(input.dtype(), T => operation.forward::<T>(autograd, input, weight, bias).map(Element::into_buffer))?;
    let saved = vec![Some(input.saved()), Some(weight.saved())];
    autograd.record_output(&shape, Storage::new(buffer), &[Some(input), Some(weight), bias], operation, saved)
}

impl Conv2d {
    /// Elements of one group of input channels of one image.
    fn input_len(&self) -> usize {
        self.inputs * self.sliding.size[0] * self.sliding.size[1]
    }

    /// Elements of one group of output channels of one image.
    fn output_len(&self) -> usize {
        self.outputs * self.sliding.position_count()
    }

    /// Elements of a window: the rows of the im2col matrix.
    fn window_len(&self) -> usize {
        self.inputs * self.sliding.kernel[0] * self.sliding.kernel[1]
    }

    /// True for a 1 × 1 convolution without stride or padding, whose im2col matrix is the image itself.
    fn is_pointwise(&self) -> bool {
        let Window { stride, padding, .. } = self.sliding.window;
        self.sliding.kernel == [1, 1] && stride == [1, 1] && padding == [0, 0]
    }

    /// All pairs of image and group: the index of the pair, and the index of the group.
    fn image_groups(&self) -> impl Iterator<Item = (usize, usize)> {
        let groups = self.groups;
        (0..self.images * groups).map(move |part| (part, part % groups))
    }

    fn weight<'a, T>(&self, weight: &'a [T], group: usize) -> Matrix<'a, T> {
        let len = self.outputs * self.window_len();
        Matrix::new(&weight[group * len..][..len], self.outputs, self.window_len())
    }

    fn forward<T: Real>(
        &self,
        autograd: &Autograd,
        x: &Tensor,
        w: &Tensor,
        b: Option<&Tensor>,
    ) -> Result<CountedVec<T>> {
        let (x, w, b) = (x.storage(), w.storage(), b.map(Tensor::storage));
        let (x, w) = (x.read()?, w.read()?);
        let (x, w) = (T::slice(&x)?, T::slice(&w)?);
        let b = b.as_ref().map(|b| b.read()).transpose()?;
        let b = b.as_ref().map(|b| T::slice(b)).transpose()?;
        let (in_len, out_len, positions) = (self.input_len(), self.output_len(), self.sliding.position_count());
        let mut out = autograd.budget.zeros::<T>(self.images.saturating_mul(self.groups).saturating_mul(out_len))?;
        let mut columns = self.column_buffer(&autograd.budget)?;
        for (part, group) in self.image_groups() {
            let out = &mut out[part * out_len..][..out_len];
            if let Some(b) = b {
                let bias = &b[group * self.outputs..][..self.outputs];
                out.chunks_exact_mut(positions).zip(bias).for_each(|(channel, b)| channel.fill(*b));
            }
            let windows = self.im2col(&x[part * in_len..][..in_len], &mut columns);
            multiply(out, Output::Accumulate, self.weight(w, group), windows)?;
        }
        Ok(out)
    }

    /// Scratch memory for the im2col matrix.
    fn column_buffer<T: Real>(&self, budget: &std::rc::Rc<crate::memory::MemoryBudget>) -> Result<CountedVec<T>> {
        budget.zeros(if self.is_pointwise() { 0 } else { self.window_len() * self.sliding.position_count() })
    }

    /// The im2col matrix of one group of an image: `[window elements, positions]`.
    fn im2col<'a, T: Real>(&self, image: &'a [T], columns: &'a mut [T]) -> Matrix<'a, T> {
        let (rows, positions) = (self.window_len(), self.sliding.position_count());
        if self.is_pointwise() {
            return Matrix::new(image, rows, positions);
        }
        self.for_each_row(|row, channel, kernel| {
            let row = &mut columns[row * positions..][..positions];
            self.im2col_row(row, channel_of(image, channel, self.sliding.size), kernel);
        });
        Matrix::new(columns, rows, positions)
    }

    /// Calls `f` with each row of the im2col matrix: its index, channel, and position in the kernel.
    fn for_each_row(&self, mut f: impl FnMut(usize, usize, [usize; 2])) {
        let [height, width] = self.sliding.kernel;
        for row in 0..self.window_len() {
            f(row, row / (height * width), [row / width % height, row % width]);
        }
    }

    /// Copies the elements that one element of the kernel meets at all positions; 0 outside of the image.
    fn im2col_row<T: Real>(&self, row: &mut [T], image: &[T], [ky, kx]: [usize; 2]) {
        let (sliding, width) = (&self.sliding, self.sliding.size[1]);
        let (ys, xs) = (sliding.positions_inside(0, ky), sliding.positions_inside(1, kx));
        for (y, row) in row.chunks_exact_mut(sliding.output_size[1]).enumerate() {
            if !ys.contains(&y) || xs.is_empty() {
                row.fill(T::ZERO);
                continue;
            }
            row[..xs.start].fill(T::ZERO);
            row[xs.end..].fill(T::ZERO);
            let line = &image[sliding.input_index(0, ky, y) * width..][..width];
            let from = &line[sliding.input_index(1, kx, xs.start)..];
            let row = &mut row[xs.clone()];
            match sliding.window.stride[1] {
                1 => row.copy_from_slice(&from[..row.len()]),
                stride => row.iter_mut().zip(from.iter().step_by(stride)).for_each(|(out, x)| *out = *x),
            }
        }
    }

    /// The transpose of [`Conv2d::im2col_row`]: adds a row to the elements that it was copied from.
    fn col2im_row<T: Real>(&self, image: &mut [T], row: &[T], [ky, kx]: [usize; 2]) {
        let (sliding, width) = (&self.sliding, self.sliding.size[1]);
        let (ys, xs) = (sliding.positions_inside(0, ky), sliding.positions_inside(1, kx));
        if xs.is_empty() {
            return;
        }
        for (y, row) in row.chunks_exact(sliding.output_size[1]).enumerate().filter(|(y, _)| ys.contains(y)) {
            let line = &mut image[sliding.input_index(0, ky, y) * width..][..width];
            let to = &mut line[sliding.input_index(1, kx, xs.start)..];
            let row = &row[xs.clone()];
            match sliding.window.stride[1] {
                1 => to.iter_mut().zip(row).for_each(|(sum, g)| *sum = *sum + *g),
                stride => to.iter_mut().step_by(stride).zip(row).for_each(|(sum, g)| *sum = *sum + *g),
            }
        }
    }
}

fn channel_of<T>(image: &[T], channel: usize, size: [usize; 2]) -> &[T] {
    let len = size[0] * size[1];
    &image[channel * len..][..len]
}

impl Backward for Conv2d {
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        let (x, w): (&[T], &[T]) = (context.saved(INPUT)?, context.saved(WEIGHT)?);
        let (in_len, out_len, positions) = (self.input_len(), self.output_len(), self.sliding.position_count());
        let (weight_len, size) = (self.outputs * self.window_len(), self.sliding.size);
        let zeros = |operand: usize, len: usize| {
            context.budget.zeros::<T>(if context.needs_input_grad(operand) { len } else { 0 })
        };
        let mut dx = zeros(INPUT, x.len())?;
        let mut dw = zeros(WEIGHT, w.len())?;
        let mut db = zeros(BIAS, self.groups * self.outputs)?;
        let mut columns = self.column_buffer::<T>(context.budget)?;
        for (part, group) in self.image_groups() {
            let g = &gradient[part * out_len..][..out_len];
            let matrix = Matrix::new(g, self.outputs, positions);
            if context.needs_input_grad(WEIGHT) {
                let windows = self.im2col(&x[part * in_len..][..in_len], &mut columns);
                multiply(
                    &mut dw[group * weight_len..][..weight_len],
                    Output::Accumulate,
                    matrix,
                    windows.transposed(),
                )?;
            }
            if context.needs_input_grad(INPUT) {
                let image = &mut dx[part * in_len..][..in_len];
                let weight = self.weight(w, group).transposed();
                if self.is_pointwise() {
                    multiply(image, Output::Overwrite, weight, matrix)?;
                } else {
                    multiply(&mut columns, Output::Overwrite, weight, matrix)?;
                    self.for_each_row(|row, channel, kernel| {
                        let len = size[0] * size[1];
                        let row = &columns[row * positions..][..positions];
                        self.col2im_row(&mut image[channel * len..][..len], row, kernel);
                    });
                }
            }
            if context.needs_input_grad(BIAS) {
                for (total, g) in db[group * self.outputs..].iter_mut().zip(g.chunks_exact(positions)) {
                    *total = *total + T::from_f64(sum(g));
                }
            }
        }
        Ok(context.needed([dx, dw, db]))
    }
}
