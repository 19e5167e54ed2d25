//! Copies of a buffer as another element type.

use stepwell_optim::{Result, Shared};
use stepwell_session::Dtype;

use crate::elements::buffer::Buffer;
use crate::elements::element::{Element, with_real};
use crate::error::unsupported_dtype;
use crate::memory::MemoryBudget;

impl Buffer {
    /// A copy as another type. Conversion to integers truncates, as in PyTorch.
    pub(crate) fn convert(&self, budget: &Shared<MemoryBudget>, dtype: Dtype) -> Result<Self> {
        match (self, dtype) {
            (Buffer::Float(v), Dtype::Long) => Ok(Buffer::Long(budget.collect(v.iter().map(|x| *x as i64))?)),
            (Buffer::Double(v), Dtype::Long) => Ok(Buffer::Long(budget.collect(v.iter().map(|x| *x as i64))?)),
            (Buffer::Long(v), Dtype::Long) => Ok(Buffer::Long(budget.copy(v)?)),
            (Buffer::Bool(v), Dtype::Long) => Ok(Buffer::Long(budget.collect(v.iter().map(|x| i64::from(*x)))?)),
            (Buffer::Float(v), Dtype::Bool) => Ok(Buffer::Bool(budget.collect(v.iter().map(|x| *x != 0.0))?)),
            (Buffer::Double(v), Dtype::Bool) => Ok(Buffer::Bool(budget.collect(v.iter().map(|x| *x != 0.0))?)),
            (Buffer::Long(v), Dtype::Bool) => Ok(Buffer::Bool(budget.collect(v.iter().map(|x| *x != 0))?)),
            (Buffer::Bool(v), Dtype::Bool) => Ok(Buffer::Bool(budget.copy(v)?)),
            (_, Dtype::Half | Dtype::BFloat16) => Err(unsupported_dtype(dtype)),
            (_, dtype) => with_real!(dtype, T => Ok(Element::into_buffer(match self {
                Buffer::Float(v) => budget.collect(v.iter().map(|x| *x as T))?,
                Buffer::Double(v) => budget.collect(v.iter().map(|x| *x as T))?,
                Buffer::Long(v) => budget.collect(v.iter().map(|x| *x as T))?,
                Buffer::Bool(v) => budget.collect(v.iter().map(|x| T::from(u8::from(*x))))?,
            }))),
        }
    }
}
