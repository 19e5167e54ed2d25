//! What an operation supplies for its gradient, and what it is given.

use std::cell::Ref;
use std::rc::Rc;

use stepwell_optim::Result;

use crate::autograd::storage::Storage;
use crate::elements::buffer::Buffer;
use crate::elements::element::{Element, Real};
use crate::error::internal_error;
use crate::memory::{CountedVec, MemoryBudget};

/// The most tensors that an operation works on.
pub(crate) const MAX_INPUTS: usize = 3;

/// InputGradients of the inputs.
pub(crate) type InputGradients<T> = [Option<CountedVec<T>>; MAX_INPUTS];

/// The gradient of an operation, written once for both types of floating point.
pub(crate) trait Backward: 'static {
    /// The gradients of the inputs that need one, from that of the output.
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>>;
}

/// The same for a type that is known at run time.
pub(crate) trait ErasedBackward {
    fn run(&self, context: &BackwardContext<'_>, gradient: Buffer) -> Result<[Option<Buffer>; MAX_INPUTS]>;
}

impl<G: Backward> ErasedBackward for G {
    fn run(&self, context: &BackwardContext<'_>, gradient: Buffer) -> Result<[Option<Buffer>; MAX_INPUTS]> {
        match gradient {
            Buffer::Float(gradient) => Ok(self.backward(context, gradient)?.map(|g| g.map(Element::into_buffer))),
            Buffer::Double(gradient) => Ok(self.backward(context, gradient)?.map(|g| g.map(Element::into_buffer))),
            Buffer::Long(_) => Err(internal_error("a gradient of whole numbers")),
        }
    }
}

/// What the gradient of an operation is computed from.
pub(crate) struct BackwardContext<'a> {
    pub(crate) budget: &'a Rc<MemoryBudget>,
    pub(crate) needs_input_grad: [bool; MAX_INPUTS],
    pub(crate) saved: &'a [Option<Ref<'a, Buffer>>],
}

impl BackwardContext<'_> {
    /// What was saved at that index.
    pub(crate) fn saved<T: Element>(&self, index: usize) -> Result<&[T]> {
        match self.optional_saved(index)? {
            Some(saved) => Ok(saved),
            None => Err(internal_error("a gradient needs what was not saved")),
        }
    }

    /// What was saved at that index, if anything was.
    pub(crate) fn optional_saved<T: Element>(&self, index: usize) -> Result<Option<&[T]>> {
        self.saved.get(index).and_then(Option::as_ref).map(|buffer| T::slice(buffer)).transpose()
    }
}

/// Elements as they were when an operation ran.
pub(crate) struct SavedTensor {
    pub(crate) storage: Rc<Storage>,
    pub(crate) version: u64,
}

impl SavedTensor {
    pub(crate) fn new(storage: &Rc<Storage>) -> Self {
        Self { storage: Rc::clone(storage), version: storage.version() }
    }
}
