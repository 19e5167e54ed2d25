//! Losses that compare input and target element by element.

use stepwell_optim::Result;
use stepwell_session::Reduction;

use crate::element::{Element, Real, with_real};
use crate::error::{refused, wrong_dtype};
use crate::losses::reduce::{Scales, reduce};
use crate::memory::Vector;
use crate::tape::{Call, Gradient, Gradients, Saved, Tape};
use crate::tensor::{Storage, Tensor};

/// The loss of one element, and its derivatives.
pub(crate) trait Elementwise: Copy + 'static {
    /// Numbers that there is a loss of, if not of all.
    const RANGE: Option<(f64, f64)> = None;
    /// True if the derivatives are functions of input minus target: a graph then stays good when these are changed.
    const OF_DIFFERENCE: bool = false;

    fn value<T: Real>(self, x: T, y: T) -> T;
    /// By the input.
    fn slope<T: Real>(self, x: T, y: T) -> T;
    /// By the target.
    fn target_slope<T: Real>(self, x: T, y: T) -> T;
}

struct Compare<L> {
    loss: L,
    by: Reduction,
}

const INPUT: usize = 0;
const TARGET: usize = 1;

pub(crate) fn loss<L: Elementwise>(
    tape: &Tape,
    loss: L,
    input: &Tensor,
    target: &Tensor,
    by: Reduction,
) -> Result<Tensor> {
    let (shape, target_shape) = (input.shape(), target.shape());
    if shape != target_shape {
        return Err(refused(format!("expected a target of shape {shape:?}, given {target_shape:?}")));
    }
    if target.dtype() != input.dtype() {
        return Err(wrong_dtype(input.dtype().name(), target.dtype()));
    }
    let operation = Compare { loss, by };
    let (buffer, out_shape) = with_real!(input.dtype(), T => {
        operation.forward::<T>(tape, input, target).map(|(out, shape)| (T::wrap(out), shape))
    })?;
    let given = [Some(input), Some(target), None];
    let needed = tape.needed(given);
    let saved = match L::OF_DIFFERENCE {
        true if needed[INPUT] || needed[TARGET] => {
            let difference = with_real!(input.dtype(), T => difference::<T>(tape, input, target).map(T::wrap))?;
            vec![Some(Saved::new(&Storage::new(difference))), None]
        }
        true => Vec::new(),
        false => vec![Some(Saved::of(input)), Some(Saved::of(target))],
    };
    tape.made(&out_shape, Storage::new(buffer), given, operation, saved)
}

fn difference<T: Real>(tape: &Tape, input: &Tensor, target: &Tensor) -> Result<Vector<T>> {
    let (x, y) = (input.storage(), target.storage());
    let (x, y) = (x.read()?, y.read()?);
    tape.meter.each(T::of(&x)?.iter().zip(T::of(&y)?).map(|(x, y)| *x - *y))
}

impl<L: Elementwise> Compare<L> {
    fn forward<T: Real>(&self, tape: &Tape, input: &Tensor, target: &Tensor) -> Result<(Vector<T>, Vec<usize>)> {
        let (x, y) = (input.storage(), target.storage());
        let (x, y) = (x.read()?, y.read()?);
        let (x, y) = (T::of(&x)?, T::of(&y)?);
        if let Some((least, most)) = L::RANGE {
            let outside = |x: &T| !(least..=most).contains(&x.to_f64());
            if x.iter().any(outside) || y.iter().any(outside) {
                return Err(refused(format!("all elements of input and target should be between {least} and {most}")));
            }
        }
        let losses = tape.meter.each(x.iter().zip(y).map(|(x, y)| self.loss.value(*x, *y)))?;
        reduce(&tape.meter, losses, &input.shape(), x.len() as f64, self.by)
    }
}

impl<L: Elementwise> Gradient for Compare<L> {
    fn gradients<T: Real>(&self, call: &Call<'_>, gradient: Vector<T>) -> Result<Gradients<T>> {
        let x: &[T] = call.saved(INPUT)?;
        // Of a difference there is no target: that is 0.
        let y: Option<&[T]> = call.maybe_saved(TARGET)?;
        let scales = Scales::new(&gradient, x.len() as f64, self.by);
        let by = |slope: &dyn Fn(T, T) -> T| -> Result<Option<Vector<T>>> {
            let scales = scales.iter(x.len());
            Ok(Some(match y {
                Some(y) => call.meter.each(scales.zip(x).zip(y).map(|((scale, x), y)| scale * slope(*x, *y)))?,
                None => call.meter.each(scales.zip(x).map(|(scale, x)| scale * slope(*x, T::ZERO)))?,
            }))
        };
        let loss = self.loss;
        Ok([
            if call.needed[INPUT] { by(&|x, y| loss.slope(x, y))? } else { None },
            if call.needed[TARGET] { by(&|x, y| loss.target_slope(x, y))? } else { None },
            None,
        ])
    }
}
