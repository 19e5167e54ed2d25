//! The interface between an operation and the backward pass.

use std::cell::Ref;
use std::rc::Rc;

use stepwell_optim::Result;

use crate::autograd::storage::Storage;
use crate::elements::buffer::Buffer;
use crate::elements::element::{Element, Real};
use crate::error::internal_error;
use crate::memory::{CountedVec, MemoryBudget};

/// The maximum number of inputs of an operation.
pub(crate) const MAX_INPUTS: usize = 3;

/// The gradients of the inputs; `None` for an input that needs none.
pub(crate) type InputGradients<T> = [Option<CountedVec<T>>; MAX_INPUTS];

/// The backward of an operation, generic over the floating-point type.
pub(crate) trait Backward: 'static {
    /// The gradients of the inputs, from `gradient`, the gradient of the output.
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>>;
}

/// A [`Backward`] as a trait object, with the type known at run time.
pub(crate) trait ErasedBackward {
    fn run(&self, context: &BackwardContext<'_>, gradient: Buffer) -> Result<[Option<Buffer>; MAX_INPUTS]>;
}

impl<G: Backward> ErasedBackward for G {
    fn run(&self, context: &BackwardContext<'_>, gradient: Buffer) -> Result<[Option<Buffer>; MAX_INPUTS]> {
        match gradient {
            Buffer::Float(gradient) => Ok(self.backward(context, gradient)?.map(|g| g.map(Element::into_buffer))),
            Buffer::Double(gradient) => Ok(self.backward(context, gradient)?.map(|g| g.map(Element::into_buffer))),
            Buffer::Long(_) => Err(internal_error("a gradient with integer elements")),
        }
    }
}

/// Arguments of [`Backward::backward`].
pub(crate) struct BackwardContext<'a> {
    pub(crate) budget: &'a Rc<MemoryBudget>,
    /// True for each input whose gradient is needed.
    pub(crate) needs_input_grad: [bool; MAX_INPUTS],
    pub(crate) saved: &'a [Option<Ref<'a, Buffer>>],
}

impl BackwardContext<'_> {
    /// The elements of a saved tensor.
    pub(crate) fn saved<T: Element>(&self, index: usize) -> Result<&[T]> {
        match self.optional_saved(index)? {
            Some(saved) => Ok(saved),
            None => Err(internal_error("a backward needs a tensor that was not saved")),
        }
    }

    /// The elements of a saved tensor; `None` if the operation saved none at this index.
    pub(crate) fn optional_saved<T: Element>(&self, index: usize) -> Result<Option<&[T]>> {
        self.saved.get(index).and_then(Option::as_ref).map(|buffer| T::slice(buffer)).transpose()
    }

    /// The gradients of inputs that need one; frees the others.
    pub(crate) fn needed<T>(&self, gradients: [CountedVec<T>; MAX_INPUTS]) -> InputGradients<T> {
        let mut needs = self.needs_input_grad.into_iter();
        gradients.map(|gradient| needs.next().is_some_and(|needs| needs).then_some(gradient))
    }
}

/// The storage of a tensor, with its version when the operation ran.
pub(crate) struct SavedTensor {
    pub(crate) storage: Rc<Storage>,
    pub(crate) version: u64,
}

impl SavedTensor {
    pub(crate) fn new(storage: &Rc<Storage>) -> Self {
        Self { storage: Rc::clone(storage), version: storage.version() }
    }
}
