//! Elementwise functions, each with its derivative. GELU is from Hendrycks and Gimpel 2016, <https://arxiv.org/abs/1606.08415>.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};

use stepwell_optim::Result;
use stepwell_session::{Activation, Dtype};

use crate::autograd::backward::{Backward, BackwardContext, InputGradients, SavedTensor};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::elements::element::{Real, with_real};
use crate::memory::CountedVec;

struct Elementwise(Activation);

pub(crate) fn activation(autograd: &Autograd, input: &Tensor, activation: Activation) -> Result<Tensor> {
    let (shape, storage) = (input.shape(), input.storage());
    let buffer = match (&*storage.read()?, activation) {
        (Buffer::Long(x), Activation::Relu) => Buffer::Long(autograd.budget.collect(x.iter().map(|x| *x.max(&0)))?),
        // The result has PyTorch's default dtype.
        (long @ Buffer::Long(_), Activation::Tanh | Activation::Sigmoid) => {
            forward::<f32>(autograd, &long.convert(&autograd.budget, Dtype::Float)?, activation)?
        }
        (x, _) => with_real!(x.dtype(), T => forward::<T>(autograd, x, activation))?,
    };
    let result = Storage::new(buffer);
    let saved = match activation {
        // Their derivatives are simple functions of the output.
        Activation::Relu | Activation::Tanh | Activation::Sigmoid => SavedTensor::new(&result),
        Activation::Gelu { .. } => SavedTensor::new(&storage),
    };
    autograd.record_output(&shape, result, &[Some(input)], Elementwise(activation), vec![Some(saved)])
}

fn forward<T: Real>(autograd: &Autograd, x: &Buffer, activation: Activation) -> Result<Buffer> {
    let x = T::slice(x)?.iter();
    let budget = &autograd.budget;
    Ok(T::into_buffer(match activation {
        Activation::Relu => budget.collect(x.map(|x| x.clamp_min(T::ZERO)))?,
        Activation::Tanh => budget.collect(x.map(|x| x.tanh()))?,
        Activation::Sigmoid => budget.collect(x.map(|x| sigmoid(*x)))?,
        Activation::Gelu { tanh: false } => budget.collect(x.map(|x| *x * normal(*x)))?,
        Activation::Gelu { tanh: true } => {
            let half = T::from_f64(0.5);
            budget.collect(x.map(|x| half * *x * (T::ONE + inner(*x).tanh())))?
        }
    }))
}

/// 1 / (1 + exp(-x))
pub(crate) fn sigmoid<T: Real>(x: T) -> T {
    T::ONE / (T::ONE + (-x).exp())
}

/// The cumulative distribution function of the normal distribution.
fn normal<T: Real>(x: T) -> T {
    T::from_f64(0.5) * (T::ONE + (x * T::from_f64(FRAC_1_SQRT_2)).erf())
}

const CUBIC: f64 = 0.044715;

/// √(2/π) (x + 0.044715 x³): the argument of the tanh approximation of the error function.
fn inner<T: Real>(x: T) -> T {
    T::from_f64(SQRT_2 * FRAC_2_SQRT_PI * 0.5) * (x + T::from_f64(CUBIC) * x * x * x)
}

impl Backward for Elementwise {
    fn backward<T: Real>(
        &self,
        context: &BackwardContext<'_>,
        mut gradient: CountedVec<T>,
    ) -> Result<InputGradients<T>> {
        let saved: &[T] = context.saved(0)?;
        let pairs = gradient.iter_mut().zip(saved);
        match self.0 {
            Activation::Relu => pairs.for_each(|(g, y)| *g = if *y <= T::ZERO { T::ZERO } else { *g }),
            Activation::Tanh => pairs.for_each(|(g, y)| *g = *g * (T::ONE - *y * *y)),
            Activation::Sigmoid => pairs.for_each(|(g, y)| *g = *g * ((T::ONE - *y) * *y)),
            Activation::Gelu { tanh: false } => {
                let (half, scale) = (T::from_f64(-0.5), T::from_f64(FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * 0.5));
                pairs.for_each(|(g, x)| *g = *g * (normal(*x) + *x * (*x * *x * half).exp() * scale));
            }
            Activation::Gelu { tanh: true } => {
                let half = T::from_f64(0.5);
                let (slope, cubic) = (T::from_f64(SQRT_2 * FRAC_2_SQRT_PI * 0.5), T::from_f64(3.0 * CUBIC));
                pairs.for_each(|(g, x)| {
                    let x = *x;
                    let t = inner(x).tanh();
                    let left = half * (T::ONE + t);
                    let right = half * x * (T::ONE - t * t) * slope * (T::ONE + cubic * x * x);
                    *g = *g * (left + right);
                });
            }
        }
        Ok(vec![Some(gradient)])
    }
}
