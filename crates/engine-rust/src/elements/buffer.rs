//! Elements whose type is known at run time.

use stepwell_optim::fallible::copied;
use stepwell_optim::{Result, Shared};
use stepwell_session::{Data, Dtype};

use crate::error::unsupported_dtype;
use crate::memory::{CountedVec, MemoryBudget};

/// Elements of a tensor in row-major order.
#[derive(Debug)]
pub(crate) enum Buffer {
    Float(CountedVec<f32>),
    Double(CountedVec<f64>),
    Long(CountedVec<i64>),
    Bool(CountedVec<bool>),
}

impl Buffer {
    pub(crate) fn from_data(budget: &Shared<MemoryBudget>, data: &Data) -> Result<Self> {
        Ok(match data {
            Data::Float(elements) => Buffer::Float(budget.copy(elements)?),
            Data::Double(elements) => Buffer::Double(budget.copy(elements)?),
            Data::Long(elements) => Buffer::Long(budget.copy(elements)?),
            Data::Bool(elements) => Buffer::Bool(budget.copy(elements)?),
            Data::Half(_) | Data::BFloat16(_) => return Err(unsupported_dtype(data.dtype())),
        })
    }

    /// As many elements, each equal to the one of `element`, counted against the budget.
    pub(crate) fn full(budget: &Shared<MemoryBudget>, element: &Data, count: usize) -> Result<Self> {
        Ok(match element {
            Data::Float(element) if let [x] = element[..] => Buffer::Float(budget.filled(count, x)?),
            Data::Double(element) if let [x] = element[..] => Buffer::Double(budget.filled(count, x)?),
            Data::Long(element) if let [x] = element[..] => Buffer::Long(budget.filled(count, x)?),
            Data::Bool(element) if let [x] = element[..] => Buffer::Bool(budget.filled(count, x)?),
            _ => return Err(unsupported_dtype(element.dtype())),
        })
    }

    /// A copy, counted against the budget.
    pub(crate) fn copy(&self, budget: &Shared<MemoryBudget>) -> Result<Self> {
        Ok(match self {
            Buffer::Float(elements) => Buffer::Float(budget.copy(elements)?),
            Buffer::Double(elements) => Buffer::Double(budget.copy(elements)?),
            Buffer::Long(elements) => Buffer::Long(budget.copy(elements)?),
            Buffer::Bool(elements) => Buffer::Bool(budget.copy(elements)?),
        })
    }

    pub(crate) fn to_data(&self) -> Result<Data> {
        Ok(match self {
            Buffer::Float(elements) => Data::Float(copied(elements)?),
            Buffer::Double(elements) => Data::Double(copied(elements)?),
            Buffer::Long(elements) => Data::Long(copied(elements)?),
            Buffer::Bool(elements) => Data::Bool(copied(elements)?),
        })
    }

    pub(crate) fn dtype(&self) -> Dtype {
        match self {
            Buffer::Float(_) => Dtype::Float,
            Buffer::Double(_) => Dtype::Double,
            Buffer::Long(_) => Dtype::Long,
            Buffer::Bool(_) => Dtype::Bool,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Buffer::Float(elements) => elements.len(),
            Buffer::Double(elements) => elements.len(),
            Buffer::Long(elements) => elements.len(),
            Buffer::Bool(elements) => elements.len(),
        }
    }

    /// Overwrites the elements. Returns false, and changes nothing, if type or length differ.
    pub(crate) fn copy_from(&mut self, other: &Buffer) -> bool {
        fn copy<T: Copy>(to: &mut [T], from: &[T]) -> bool {
            let fits = to.len() == from.len();
            if fits {
                to.copy_from_slice(from);
            }
            fits
        }
        match (self, other) {
            (Buffer::Float(to), Buffer::Float(from)) => copy(to, from),
            (Buffer::Double(to), Buffer::Double(from)) => copy(to, from),
            (Buffer::Long(to), Buffer::Long(from)) => copy(to, from),
            (Buffer::Bool(to), Buffer::Bool(from)) => copy(to, from),
            _ => false,
        }
    }

    /// Sets every element to 0.
    pub(crate) fn fill_zero(&mut self) {
        match self {
            Buffer::Float(elements) => elements.fill(0.0),
            Buffer::Double(elements) => elements.fill(0.0),
            Buffer::Long(elements) => elements.fill(0),
            Buffer::Bool(elements) => elements.fill(false),
        }
    }

    /// Adds the elements of another buffer. Returns false, and changes nothing, if type or length differ.
    pub(crate) fn add(&mut self, other: &Buffer) -> bool {
        fn add<T: Copy + std::ops::Add<Output = T>>(sum: &mut [T], terms: &[T]) -> bool {
            if sum.len() != terms.len() {
                return false;
            }
            sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum = *sum + *term);
            true
        }
        match (self, other) {
            (Buffer::Float(sum), Buffer::Float(terms)) => add(sum, terms),
            (Buffer::Double(sum), Buffer::Double(terms)) => add(sum, terms),
            _ => false,
        }
    }
}
