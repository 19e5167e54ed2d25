//! The largest element and the mean of each window of `x [n, c, h, w]`.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Result, Shared};
use stepwell_session::{Extent, Pooling};

use crate::autograd::backward::{Backward, BackwardContext, InputGradients, SavedTensor};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::engine_error;
use crate::memory::{CountedVec, MemoryBudget, element_count};

/// The windows of images.
struct Windows {
    images: usize,
    /// Height and width of an image.
    size: [usize; 2],
    /// The rows of each position along the height, and the columns of each along the width.
    extents: [Vec<Extent>; 2],
    dilation: [usize; 2],
    /// The divisor of a mean, if it is not the number of elements.
    divisor: Option<usize>,
}

struct Largest(Windows);
struct Mean(Windows);

const INPUT: usize = 0;
/// The index of the saved argmax: for each window, the index of its largest element in the image.
const ARGMAX: usize = 1;

pub(crate) fn pool2d(autograd: &Autograd, x: &Tensor, pooling: &Pooling) -> Result<Vec<Tensor>> {
    let shape = x.shape();
    let &[n, c, h, w] = &*shape else { return Err(engine_error("windows of a tensor that is not images")) };
    let size = [h, w];
    let out = Some(size).filter(|size| !size.contains(&0)).and_then(|size| pooling.output_size(size));
    let out = out.ok_or_else(|| engine_error("windows that do not fit into their image"))?;
    let shape = [n, c, out[0], out[1]];
    element_count(&shape)?;
    let along = |i: usize| collected((0..out[i]).map(|at| pooling.extent(i, at, size[i])));
    let divisor = if let Pooling::Mean { divisor, .. } = pooling { *divisor } else { None };
    let dilation = [pooling.dilation(0), pooling.dilation(1)];
    let windows = Windows { images: n * c, size, extents: [along(0)?, along(1)?], dilation, divisor };
    let storage = x.storage();
    let output = match pooling {
        Pooling::Max { .. } | Pooling::AdaptiveMax(_) => {
            let (buffer, argmax) = {
                let x = storage.read()?;
                with_real!(x.dtype(), T => windows.largest::<T>(&autograd.budget, T::slice(&x)?).map(|(largest, argmax)| (T::into_buffer(largest), i64::into_buffer(argmax))))?
            };
            let saved = vec![Some(x.saved()), Some(SavedTensor::new(&Storage::new(argmax)))];
            autograd.record_output(&shape, Storage::new(buffer), &[Some(x)], Largest(windows), saved)
        }
        Pooling::Mean { .. } | Pooling::AdaptiveMean(_) => {
            let buffer = {
                let x = storage.read()?;
                with_real!(x.dtype(), T => windows.means::<T>(&autograd.budget, T::slice(&x)?).map(Element::into_buffer))?
            };
            autograd.record_output(&shape, Storage::new(buffer), &[Some(x)], Mean(windows), Vec::new())
        }
    };
    Ok(vec![output?])
}

impl Windows {
    fn position_count(&self) -> usize {
        self.extents[0].len().saturating_mul(self.extents[1].len())
    }

    /// The number of elements of an image.
    fn len(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Calls `f` with the index in the image of each element of a window.
    #[inline(always)]
    fn for_each_element(&self, [rows, columns]: [Extent; 2], mut f: impl FnMut(usize)) {
        let (width, [down, across]) = (self.size[1], self.dilation);
        for i in 0..rows.count {
            let start = (rows.start + i * down) * width + columns.start;
            (0..columns.count).for_each(|j| f(start + j * across));
        }
    }

    /// Calls `f` with each window, in order: its index, and its rows and columns.
    ///
    /// Not an iterator: in the WebAssembly module each call of a flattened iterator takes as long as a small window.
    #[inline(always)]
    fn for_each_window(&self, mut f: impl FnMut(usize, [Extent; 2])) {
        let [rows, columns] = &self.extents;
        let mut index = 0;
        for row in rows {
            for column in columns {
                f(index, [*row, *column]);
                index += 1;
            }
        }
    }

    #[inline(never)]
    fn largest<T: Real>(&self, budget: &Shared<MemoryBudget>, x: &[T]) -> Result<(CountedVec<T>, CountedVec<i64>)> {
        let count = self.images.saturating_mul(self.position_count());
        // The index is -1 if a window contains padding only.
        let (mut largest, mut argmax) = (budget.filled(count, T::NEG_INFINITY)?, budget.filled(count, -1)?);
        let positions = self.position_count();
        let outputs = largest.chunks_exact_mut(positions).zip(argmax.chunks_exact_mut(positions));
        for (image, (largest, argmax)) in x.chunks_exact(self.len()).zip(outputs) {
            self.for_each_window(|index, window| {
                let (mut best, mut best_at) = (largest[index], argmax[index]);
                self.for_each_element(window, |at| {
                    let candidate = image[at];
                    if candidate > best || best_at < 0 || candidate.is_nan() {
                        (best, best_at) = (candidate, at as i64);
                    }
                });
                (largest[index], argmax[index]) = (best, best_at);
            });
        }
        Ok((largest, argmax))
    }

    /// The number by which the sum of a window is divided.
    fn divisor<T: Real>(&self, [rows, columns]: [Extent; 2]) -> T {
        T::from_f64(self.divisor.map_or(rows.divisor as f64 * columns.divisor as f64, |divisor| divisor as f64))
    }

    #[inline(never)]
    fn means<T: Real>(&self, budget: &Shared<MemoryBudget>, x: &[T]) -> Result<CountedVec<T>> {
        let mut out = budget.zeros::<T>(self.images.saturating_mul(self.position_count()))?;
        for (image, out) in x.chunks_exact(self.len()).zip(out.chunks_exact_mut(self.position_count())) {
            self.for_each_window(|index, window| {
                let mut sum = T::ZERO;
                self.for_each_element(window, |at| sum = sum + image[at]);
                // A window of padding only has the mean 0, whatever its divisor.
                if window.iter().all(|extent| extent.count > 0) {
                    out[index] = sum / self.divisor(window);
                }
            });
        }
        Ok(out)
    }
}

impl Backward for Largest {
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        // Not read. As in PyTorch, a graph whose input was changed is outdated.
        let _: &[T] = context.saved(INPUT)?;
        let argmax: &[i64] = context.saved(ARGMAX)?;
        let (len, positions) = (self.0.len(), self.0.position_count());
        let mut out = context.budget.zeros::<T>(self.0.images * len)?;
        for (image, sums) in out.chunks_exact_mut(len).enumerate() {
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

impl Backward for Mean {
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        let windows = &self.0;
        let mut out = context.budget.zeros::<T>(windows.images * windows.len())?;
        for (image, gradient) in
            out.chunks_exact_mut(windows.len()).zip(gradient.chunks_exact(windows.position_count()))
        {
            windows.for_each_window(|index, window| {
                let share = gradient[index] / windows.divisor(window);
                windows.for_each_element(window, |at| image[at] = image[at] + share);
            });
        }
        Ok(vec![Some(out)])
    }
}
