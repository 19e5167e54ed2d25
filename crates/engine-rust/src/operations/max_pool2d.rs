//! The largest element of each window of `input [n, c, h, w]`.

use stepwell_optim::Result;
use stepwell_session::Window;

use crate::autograd::backward::{Backward, BackwardContext, InputGradients, SavedTensor};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::engine_error;
use crate::memory::{CountedVec, element_count};
use crate::operations::window::SlidingWindow;

struct MaxPool2d {
    images: usize,
    sliding: SlidingWindow,
}

const INPUT: usize = 0;
/// The index of the saved argmax: for each window, the index of its largest element in the image.
const ARGMAX: usize = 1;

pub(crate) fn max_pool2d(autograd: &Autograd, input: &Tensor, kernel: [usize; 2], window: &Window) -> Result<Tensor> {
    let shape = input.shape();
    let &[images, channels, h, w] = &*shape else {
        return Err(engine_error(format!("max_pool2d: expected input [n, c, h, w], given {shape:?}")));
    };
    let sliding = SlidingWindow::new([h, w], kernel, window)?;
    let shape = [images, channels, sliding.output_size[0], sliding.output_size[1]];
    element_count(&shape)?;
    let operation = MaxPool2d { images: images * channels, sliding };
    let (buffer, argmax) = with_real!(input.dtype(), T => {
        operation.forward::<T>(autograd, input).map(|(largest, argmax)| (T::into_buffer(largest), i64::into_buffer(argmax)))
    })?;
    let saved = vec![Some(input.saved()), Some(SavedTensor::new(&Storage::new(argmax)))];
    autograd.record_output(&shape, Storage::new(buffer), &[Some(input)], operation, saved)
}

impl MaxPool2d {
    fn forward<T: Real>(&self, autograd: &Autograd, input: &Tensor) -> Result<(CountedVec<T>, CountedVec<i64>)> {
        let sliding = &self.sliding;
        let [height, width] = sliding.size;
        let input = input.storage();
        let input = input.read()?;
        let input = T::slice(&input)?;
        let len = self.images.saturating_mul(sliding.position_count());
        // The index is -1 if a window contains padding only.
        let (mut largest, mut argmax) =
            (autograd.budget.filled(len, T::NEG_INFINITY)?, autograd.budget.filled(len, -1)?);
        let image_len = height * width;
        for image in 0..self.images {
            let from = &input[image * image_len..][..image_len];
            let (largest, argmax) = (
                &mut largest[image * sliding.position_count()..][..sliding.position_count()],
                &mut argmax[image * sliding.position_count()..][..sliding.position_count()],
            );
            for y in 0..sliding.output_size[0] {
                let rows = sliding.kernel_inside(0, y);
                for x in 0..sliding.output_size[1] {
                    let out = y * sliding.output_size[1] + x;
                    let columns = sliding.kernel_inside(1, x);
                    for row in rows.clone().map(|k| sliding.input_index(0, k, y)) {
                        for column in columns.clone().map(|k| sliding.input_index(1, k, x)) {
                            let candidate = from[row * width + column];
                            if candidate > largest[out] || argmax[out] < 0 || candidate.is_nan() {
                                (largest[out], argmax[out]) = (candidate, (row * width + column) as i64);
                            }
                        }
                    }
                }
            }
        }
        Ok((largest, argmax))
    }
}

impl Backward for MaxPool2d {
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        // Not read. As in PyTorch, a graph whose input was changed is outdated.
        let _: &[T] = context.saved(INPUT)?;
        let argmax: &[i64] = context.saved(ARGMAX)?;
        let (len, positions) = (self.sliding.size[0] * self.sliding.size[1], self.sliding.position_count());
        let mut out = context.budget.zeros::<T>(self.images * len)?;
        for image in 0..self.images {
            let sums = &mut out[image * len..][..len];
            let at = image * positions;
            for (g, index) in gradient[at..][..positions].iter().zip(&argmax[at..][..positions]) {
                if let Some(sum) = usize::try_from(*index).ok().and_then(|index| sums.get_mut(index)) {
                    *sum = *sum + *g;
                }
            }
        }
        Ok(vec![Some(out)])
    }
}
