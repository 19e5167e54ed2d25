//! The rows of `weight [rows, columns]` at long `indices [*]`: `[*, columns]`.

use stepwell_optim::Result;
use stepwell_session::Dtype;

use crate::autograd::backward::{Backward, BackwardContext, InputGradients};
use crate::autograd::graph::Autograd;
use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::element::{Element, Real, with_real};
use crate::error::{dtype_error, engine_error};
use crate::memory::{CountedVec, element_count};

struct Embedding {
    rows: usize,
    columns: usize,
}

const INDICES: usize = 1;

pub(crate) fn embedding(autograd: &Autograd, weight: &Tensor, indices: &Tensor) -> Result<Tensor> {
    let weight_shape = weight.shape();
    let &[rows, columns] = &*weight_shape else {
        return Err(engine_error(format!("embedding: expected weight [rows, columns], given {weight_shape:?}")));
    };
    if indices.dtype() != Dtype::Long {
        return Err(dtype_error("long", indices.dtype()));
    }
    let shape = [&*indices.shape(), &[columns]].concat();
    element_count(&shape)?;
    let operation = Embedding { rows, columns };
    let buffer =
        with_real!(weight.dtype(), T => operation.forward::<T>(autograd, weight, indices).map(Element::into_buffer))?;
    let saved = vec![None, Some(indices.saved())];
    autograd.record_output(&shape, Storage::new(buffer), &[Some(weight)], operation, saved)
}

impl Embedding {
    fn row(&self, index: i64) -> Result<usize> {
        let row = usize::try_from(index).ok().filter(|row| *row < self.rows);
        row.ok_or_else(|| engine_error(format!("index {index} is out of range for {} rows", self.rows)))
    }

    fn forward<T: Real>(&self, autograd: &Autograd, weight: &Tensor, indices: &Tensor) -> Result<CountedVec<T>> {
        let (weight, indices) = (weight.storage(), indices.storage());
        let (weight, indices) = (weight.read()?, indices.read()?);
        let (weight, indices) = (T::slice(&weight)?, i64::slice(&indices)?);
        let mut out = autograd.budget.zeros(indices.len().saturating_mul(self.columns))?;
        for (position, index) in indices.iter().enumerate() {
            let row = self.row(*index)?;
            let row = &weight[row * self.columns..][..self.columns];
            out[position * self.columns..][..self.columns].copy_from_slice(row);
        }
        Ok(out)
    }
}

impl Backward for Embedding {
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>> {
        let indices: &[i64] = context.saved(INDICES)?;
        let mut out = context.budget.zeros::<T>(self.rows * self.columns)?;
        for (position, index) in indices.iter().enumerate() {
            let sums = &mut out[self.row(*index)? * self.columns..][..self.columns];
            let row = &gradient[position * self.columns..][..self.columns];
            sums.iter_mut().zip(row).for_each(|(sum, g)| *sum = *sum + *g);
        }
        Ok(vec![Some(out)])
    }
}
