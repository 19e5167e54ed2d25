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
use crate::operations::window::Sweep;

struct MaxPool2d {
    images: usize,
    sweep: Sweep,
}

const INPUT: usize = 0;
const PLACES: usize = 1;

pub(crate) fn max_pool2d(autograd: &Autograd, input: &Tensor, kernel: [usize; 2], window: &Window) -> Result<Tensor> {
    let shape = input.shape();
    let &[images, channels, h, w] = &*shape else {
        return Err(engine_error(format!("max_pool2d: expected input [n, c, h, w], given {shape:?}")));
    };
    let sweep = Sweep::new([h, w], kernel, window)?;
    let shape = [images, channels, sweep.out[0], sweep.out[1]];
    element_count(&shape)?;
    let operation = MaxPool2d { images: images * channels, sweep };
    let (buffer, places) = with_real!(input.dtype(), T => {
        operation.forward::<T>(autograd, input).map(|(largest, places)| (T::into_buffer(largest), i64::into_buffer(places)))
    })?;
    let saved = vec![Some(input.saved()), Some(SavedTensor::new(&Storage::new(places)))];
    autograd.record_output(&shape, Storage::new(buffer), [Some(input), None, None], operation, saved)
}

impl MaxPool2d {
    fn forward<T: Real>(&self, autograd: &Autograd, input: &Tensor) -> Result<(CountedVec<T>, CountedVec<i64>)> {
        let sweep = &self.sweep;
        let [height, width] = sweep.size;
        let input = input.storage();
        let input = input.read()?;
        let input = T::slice(&input)?;
        let len = self.images.saturating_mul(sweep.positions());
        // -1 where a window is all padding.
        let (mut largest, mut places) =
            (autograd.budget.filled(len, T::NEG_INFINITY)?, autograd.budget.filled(len, -1)?);
        let image_len = height * width;
        for image in 0..self.images {
            let from = &input[image * image_len..][..image_len];
            let (largest, places) = (
                &mut largest[image * sweep.positions()..][..sweep.positions()],
                &mut places[image * sweep.positions()..][..sweep.positions()],
            );
            for y in 0..sweep.out[0] {
                let rows = sweep.elements(0, y);
                for x in 0..sweep.out[1] {
                    let out = y * sweep.out[1] + x;
                    let columns = sweep.elements(1, x);
                    for row in rows.clone().map(|k| sweep.place(0, k, y)) {
                        for column in columns.clone().map(|k| sweep.place(1, k, x)) {
                            let candidate = from[row * width + column];
                            if candidate > largest[out] || places[out] < 0 || candidate.is_nan() {
                                (largest[out], places[out]) = (candidate, (row * width + column) as i64);
                            }
                        }
                    }
                }
            }
        }
        Ok((largest, places))
    }
}

impl Backward for MaxPool2d {
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        // Not read, but as in PyTorch a graph whose input has changed is outdated.
        let _: &[T] = context.saved(INPUT)?;
        let places: &[i64] = context.saved(PLACES)?;
        let (len, positions) = (self.sweep.size[0] * self.sweep.size[1], self.sweep.positions());
        let mut out = context.budget.zeros::<T>(self.images * len)?;
        for image in 0..self.images {
            let sums = &mut out[image * len..][..len];
            let at = image * positions;
            for (g, place) in gradient[at..][..positions].iter().zip(&places[at..][..positions]) {
                if let Some(sum) = usize::try_from(*place).ok().and_then(|place| sums.get_mut(place)) {
                    *sum = *sum + *g;
                }
            }
        }
        Ok([Some(out), None, None])
    }
}
