//! 2D convolution of `x [n, in, h, w]` with `weight [out, in / groups, kh, kw]`, by im2col, and its transpose.
//!
//! The im2col matrix of an image has a column for each position of the window. Each image and group is one matrix product. The
//! transpose maps outputs of a convolution to its image: it is the gradient of the image, and exchanges forward and backward.

use stepwell_optim::{Result, Shared};
use stepwell_session::Window;

use crate::autograd::backward::{Backward, BackwardContext, InputGradients};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::engine_error;
use crate::matrix::{Matrix, Output, multiply};
use crate::memory::{CountedVec, MemoryBudget, element_count};
use crate::operations::sums::sum;
use crate::primitives::window::SlidingWindow;

struct Conv2d {
    images: usize,
    groups: usize,
    /// Channels of the image and of the positions in one group.
    inputs: usize,
    outputs: usize,
    sliding: SlidingWindow,
    /// Whether the operation maps positions to images.
    transposed: bool,
}

const INPUT: usize = 0;
const WEIGHT: usize = 1;
const BIAS: usize = 2;

/// A convolution; with the size of the output, a transposed one.
pub(crate) fn convolution(
    autograd: &Autograd,
    inputs: &[&Tensor],
    window: &Window,
    groups: usize,
    transposed: Option<[usize; 2]>,
) -> Result<Vec<Tensor>> {
    let (x, weight, bias) = match inputs {
        [x, weight] => (*x, *weight, None),
        [x, weight, bias] => (*x, *weight, Some(*bias)),
        _ => return Err(misfit()),
    };
    let (shape, weight_shape) = (x.shape(), weight.shape());
    let (&[images, channels, h, w], &[outputs, inputs, kh, kw]) = (&*shape, &*weight_shape) else {
        return Err(misfit());
    };
    let sizes = [outputs, inputs, kh, kw, groups];
    if sizes.contains(&0) || transposed.is_some_and(|size| [size[0], size[1], h, w].contains(&0)) {
        return Err(misfit());
    }
    // The channels of the input, and the ones of the output.
    let (own, others) = if transposed.is_some() {
        (Some(outputs), inputs.checked_mul(groups))
    } else {
        (inputs.checked_mul(groups), Some(outputs))
    };
    let others = others.filter(|_| outputs % groups == 0 && own == Some(channels)).ok_or_else(misfit)?;
    if bias.is_some_and(|bias| *bias.shape() != [others]) {
        return Err(misfit());
    }
    let sliding = match transposed {
        Some(size) => SlidingWindow::at(size, [kh, kw], window, [h, w])?,
        None => SlidingWindow::new([h, w], [kh, kw], window)?,
    };
    let size = transposed.unwrap_or(sliding.output_size);
    let shape = [images, others, size[0], size[1]];
    element_count(&shape)?;
    element_count(&[inputs, kh, kw, sliding.output_size[0], sliding.output_size[1]])?;
    let operation =
        Conv2d { images, groups, inputs, outputs: outputs / groups, sliding, transposed: transposed.is_some() };
    let buffer = with_real!(x.dtype(), T => operation.forward::<T>(&autograd.budget, x, weight, bias).map(Element::into_buffer))?;
    let saved = vec![Some(x.saved()), Some(weight.saved())];
    Ok(vec![autograd.record_output(&shape, Storage::new(buffer), &[Some(x), Some(weight), bias], operation, saved)?])
}

fn misfit() -> stepwell_optim::Error {
    engine_error("a convolution of shapes that do not fit")
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
        budget: &Shared<MemoryBudget>,
        x: &Tensor,
        w: &Tensor,
        b: Option<&Tensor>,
    ) -> Result<CountedVec<T>> {
        let (x, w, b) = (x.storage(), w.storage(), b.map(Tensor::storage));
        let (x, w) = (x.read()?, w.read()?);
        let (x, w) = (T::slice(&x)?, T::slice(&w)?);
        let b = b.as_ref().map(|b| b.read()).transpose()?;
        let b = b.as_ref().map(|b| T::slice(b)).transpose()?;
        self.map(budget, self.transposed, x, w, b)
    }

    /// Positions of images, or, if `transposed`, images of positions.
    #[inline(never)]
    fn map<T: Real>(
        &self,
        budget: &Shared<MemoryBudget>,
        transposed: bool,
        x: &[T],
        w: &[T],
        b: Option<&[T]>,
    ) -> Result<CountedVec<T>> {
        let (image_len, out_len, positions) = (self.input_len(), self.output_len(), self.sliding.position_count());
        let (in_len, out_len) = if transposed { (out_len, image_len) } else { (image_len, out_len) };
        let mut out = budget.zeros::<T>(self.images.saturating_mul(self.groups).saturating_mul(out_len))?;
        if let Some(b) = b {
            let channel_len = out_len / if transposed { self.inputs } else { self.outputs };
            out.chunks_exact_mut(channel_len).zip(b.iter().cycle()).for_each(|(channel, b)| channel.fill(*b));
        }
        let mut columns = self.column_buffer(budget)?;
        for (part, group) in self.image_groups() {
            let (x, out) = (&x[part * in_len..][..in_len], &mut out[part * out_len..][..out_len]);
            let weight = self.weight(w, group);
            if !transposed {
                multiply(out, Output::Accumulate, weight, self.im2col(x, &mut columns))?;
                continue;
            }
            let x = Matrix::new(x, self.outputs, positions);
            if self.is_pointwise() {
                multiply(out, Output::Accumulate, weight.transposed(), x)?;
                continue;
            }
            multiply(&mut columns, Output::Overwrite, weight.transposed(), x)?;
            let len = self.sliding.size[0] * self.sliding.size[1];
            self.for_each_row(|row, channel, kernel| {
                let row = &columns[row * positions..][..positions];
                self.col2im_row(&mut out[channel * len..][..len], row, kernel);
            });
        }
        Ok(out)
    }

    /// The gradient of the weight.
    #[inline(never)]
    fn weight_gradient<T: Real>(
        &self,
        budget: &Shared<MemoryBudget>,
        images: &[T],
        g: &[T],
        len: usize,
    ) -> Result<CountedVec<T>> {
        let (in_len, out_len, positions) = (self.input_len(), self.output_len(), self.sliding.position_count());
        let weight_len = self.outputs * self.window_len();
        let mut out = budget.zeros::<T>(len)?;
        let mut columns = self.column_buffer::<T>(budget)?;
        for (part, group) in self.image_groups() {
            let g = Matrix::new(&g[part * out_len..][..out_len], self.outputs, positions);
            let windows = self.im2col(&images[part * in_len..][..in_len], &mut columns);
            multiply(&mut out[group * weight_len..][..weight_len], Output::Accumulate, g, windows.transposed())?;
        }
        Ok(out)
    }

    /// Scratch memory for the im2col matrix.
    fn column_buffer<T: Real>(&self, budget: &Shared<MemoryBudget>) -> Result<CountedVec<T>> {
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
        let budget = context.budget;
        let mut gradients = vec![None, None, None];
        if context.needs_input_grad(INPUT) {
            gradients[INPUT] = Some(self.map(budget, !self.transposed, &gradient, w, None)?);
        }
        if context.needs_input_grad(WEIGHT) {
            let (images, positions) = if self.transposed { (&*gradient, x) } else { (x, &*gradient) };
            gradients[WEIGHT] = Some(self.weight_gradient(budget, images, positions, w.len())?);
        }
        if context.needs_input_grad(BIAS) {
            let (channels, len) = match self.transposed {
                true => (self.inputs, self.input_len()),
                false => (self.outputs, self.output_len()),
            };
            let mut sums = budget.zeros::<T>(self.groups * channels)?;
            for (i, g) in gradient.chunks_exact(len / channels).enumerate() {
                let total = &mut sums[i % (self.groups * channels)];
                *total = *total + T::from_f64(sum(g));
            }
            gradients[BIAS] = Some(sums);
        }
        Ok(gradients)
    }
}
