//! Softmax, its logarithm, and log of sum of exp.

use stepwell_optim::{Result, Shared};

use crate::autograd::backward::{BackwardContext, ErasedBackward, Give, SavedTensor};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::elements::element::{Real, with_real};
use crate::error::internal_error;
use crate::memory::MemoryBudget;
use crate::primitives::layout::{Lanes, reduced_shape, unreduced};
use crate::primitives::map::{Function, Operand, map};
use crate::primitives::reduce::Reduced;

struct Softmax {
    lanes: Lanes,
    logarithm: bool,
}

pub(crate) fn softmax(autograd: &Autograd, x: &Tensor, dim: usize, logarithm: bool) -> Result<Vec<Tensor>> {
    let (shape, storage) = (x.shape(), x.storage());
    let operation = Softmax { lanes: Lanes::along(&shape, dim), logarithm };
    let buffer = with_real!(x.dtype(), T => operation.forward::<T>(&autograd.budget, &*storage.read()?))?;
    let result = Storage::new(buffer);
    let saved = vec![Some(SavedTensor::new(&result))];
    Ok(vec![autograd.record_output(&shape, result, &[Some(x)], operation, saved)?])
}

/// The largest element of a lane; NaN if there is one.
fn largest<T: Real>(lane: impl Iterator<Item = T>) -> T {
    lane.fold(T::NEG_INFINITY, |most, x| if x > most || x.is_nan() { x } else { most })
}

impl Softmax {
    fn forward<T: Real>(&self, budget: &Shared<MemoryBudget>, x: &Buffer) -> Result<Buffer> {
        let (x, lanes) = (T::slice(x)?, self.lanes);
        let mut out = budget.any::<T>(x.len())?;
        for start in lanes.starts() {
            let most = largest(lanes.positions(start).map(|at| x[at]));
            let mut sum = 0.0;
            for at in lanes.positions(start) {
                let power = (x[at] - most).exp();
                sum += power.to_f64();
                out[at] = power;
            }
            if self.logarithm {
                let logarithm = T::from_f64(libm::log(sum));
                lanes.positions(start).for_each(|at| out[at] = x[at] - most - logarithm);
            } else {
                let scale = T::from_f64(1.0 / sum);
                lanes.positions(start).for_each(|at| out[at] = out[at] * scale);
            }
        }
        Ok(T::into_buffer(out))
    }

    /// y (g - sum of g y), or g - exp(y) times the sum of g.
    fn gradient<T: Real>(&self, context: &BackwardContext<'_>, g: &Buffer) -> Result<Buffer> {
        let (g, y, lanes) = (T::slice(g)?, context.saved::<T>(0)?, self.lanes);
        let mut out = context.budget.any::<T>(g.len())?;
        for start in lanes.starts() {
            let positions = lanes.positions(start);
            let term = |at: usize| if self.logarithm { g[at].to_f64() } else { g[at].to_f64() * y[at].to_f64() };
            let sum = T::from_f64(positions.clone().map(term).sum());
            for at in positions {
                out[at] = if self.logarithm { g[at] - y[at].exp() * sum } else { y[at] * (g[at] - sum) };
            }
        }
        Ok(T::into_buffer(out))
    }
}

impl ErasedBackward for Softmax {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        give(0, with_real!(g.dtype(), T => self.gradient::<T>(context, g))?)
    }
}

struct LogSumExp {
    shape: Shared<[usize]>,
    dims: Vec<usize>,
}

pub(crate) fn log_sum_exp(autograd: &Autograd, x: &Tensor, dims: &[usize], keepdim: bool) -> Result<Vec<Tensor>> {
    let (shape, storage) = (x.shape(), x.storage());
    let out_shape = reduced_shape(&shape, dims, keepdim);
    let result = {
        let buffer = storage.read()?;
        let reduced = Reduced::new(&autograd.budget, &buffer, &shape, dims)?;
        Storage::new(with_real!(x.dtype(), T => logarithms::<T>(&autograd.budget, reduced.elements(), reduced.lanes))?)
    };
    let saved = vec![Some(SavedTensor::new(&storage)), Some(SavedTensor::new(&result))];
    let backward = LogSumExp { shape, dims: dims.to_vec() };
    Ok(vec![autograd.record_output(&out_shape, result, &[Some(x)], backward, saved)?])
}

fn logarithms<T: Real>(budget: &Shared<MemoryBudget>, x: &Buffer, lanes: Lanes) -> Result<Buffer> {
    let x = T::slice(x)?;
    let mut out = budget.zeros::<T>(lanes.outer * lanes.inner)?;
    for (start, out) in lanes.starts().zip(out.iter_mut()) {
        let most = largest(lanes.positions(start).map(|at| x[at]));
        let shift = if most.abs().to_f64() == f64::INFINITY { T::ZERO } else { most };
        let sum = lanes.positions(start).map(|at| (x[at] - shift).exp().to_f64()).sum::<f64>();
        *out = T::from_f64(libm::log(sum) + shift.to_f64());
    }
    Ok(T::into_buffer(out))
}

impl ErasedBackward for LogSumExp {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        let Some(Some(g)) = gradients.first() else { return Err(internal_error("no gradient")) };
        let strides = unreduced(&self.shape, &self.dims);
        let operands = [
            Operand::strided(g, strides.clone()),
            Operand::dense(context.saved_buffer(0)?, &self.shape),
            Operand::strided(context.saved_buffer(1)?, strides),
        ];
        give(0, map(context.budget, &self.shape, &operands, Function::Real(|g, x, y| g * libm::exp(x - y)))?)
    }
}
