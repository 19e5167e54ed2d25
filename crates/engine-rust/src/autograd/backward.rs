//! The interface between an operation and the backward pass.

use stepwell_optim::{Movable, Result, Shared, SharedRef};
use stepwell_session::Dtype;

use crate::autograd::storage::Storage;
use crate::elements::buffer::Buffer;
use crate::elements::element::{Element, Real};
use crate::error::internal_error;
use crate::memory::{CountedVec, MemoryBudget};

/// The gradients of the inputs; `None` for an input that needs none. Inputs beyond the end need none.
pub(crate) type InputGradients<T> = Vec<Option<CountedVec<T>>>;

/// The backward of an operation with one output, generic over the floating-point type that inputs and output share.
pub(crate) trait Backward: Movable + 'static {
    /// The gradients of the inputs, from `gradient`, the gradient of the output.
    fn backward<T: Real>(&self, context: &BackwardContext<'_>, gradient: CountedVec<T>) -> Result<InputGradients<T>>;
}

/// The backward of any operation: several outputs, and inputs and outputs of several types.
pub(crate) trait ErasedBackward: Movable {
    /// Passes the gradients of the inputs to `give`, with the index of the input. `gradients` has one entry an output: `None`
    /// if no backward has reached the output. At least one is there.
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()>;

    /// The function of the caller that the backward is, in the place of [`ErasedBackward::run`].
    fn called(&self) -> Option<&Called> {
        None
    }
}

/// A function of the caller, which is a backward.
pub(crate) struct Called {
    pub(crate) function: u64,
    /// The shape and the dtype of each input.
    pub(crate) inputs: Vec<(Shared<[usize]>, Dtype)>,
    /// The shape of the output.
    pub(crate) output: Shared<[usize]>,
}

/// Takes the gradient of an input. One of an input that needs none is dropped.
pub(crate) type Give<'a> = dyn FnMut(usize, Buffer) -> Result<()> + 'a;

impl<G: Backward> ErasedBackward for G {
    fn run(&self, context: &BackwardContext<'_>, gradients: &mut [Option<Buffer>], give: &mut Give<'_>) -> Result<()> {
        match gradients.first_mut().and_then(Option::take) {
            Some(Buffer::Float(gradient)) => give_all(self.backward(context, gradient)?, give),
            Some(Buffer::Double(gradient)) => give_all(self.backward(context, gradient)?, give),
            Some(Buffer::Long(_) | Buffer::Bool(_)) | None => {
                Err(internal_error("a gradient without floating-point elements"))
            }
        }
    }
}

/// Compiled once for each type, not for each operation.
#[inline(never)]
fn give_all<T: Element>(gradients: InputGradients<T>, give: &mut Give<'_>) -> Result<()> {
    let gradients = gradients.into_iter().enumerate();
    gradients
        .flat_map(|(input, gradient)| Some((input, gradient?)))
        .try_for_each(|(input, gradient)| give(input, T::into_buffer(gradient)))
}

/// Arguments of [`Backward::backward`].
pub(crate) struct BackwardContext<'a> {
    pub(crate) budget: &'a Shared<MemoryBudget>,
    /// Whether the gradient of an input is needed.
    pub(crate) needs: &'a dyn Fn(usize) -> bool,
    pub(crate) saved: &'a [Option<SharedRef<'a, Buffer>>],
}

impl BackwardContext<'_> {
    /// A saved tensor.
    pub(crate) fn saved_buffer(&self, index: usize) -> Result<&Buffer> {
        let saved = self.saved.get(index).and_then(Option::as_ref);
        saved.map(|saved| &**saved).ok_or_else(|| internal_error("a backward needs a tensor that was not saved"))
    }

    /// Whether the gradient of an input is needed.
    pub(crate) fn needs_input_grad(&self, input: usize) -> bool {
        (self.needs)(input)
    }

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
    pub(crate) fn needed<T>(&self, gradients: [CountedVec<T>; 3]) -> InputGradients<T> {
        let gradients = gradients.into_iter().enumerate();
        gradients.map(|(input, gradient)| self.needs_input_grad(input).then_some(gradient)).collect()
    }
}

/// The storage of a tensor, with its version when the operation ran.
pub(crate) struct SavedTensor {
    pub(crate) storage: Shared<Storage>,
    pub(crate) version: u64,
}

impl SavedTensor {
    pub(crate) fn new(storage: &Shared<Storage>) -> Self {
        Self { storage: Shared::clone(storage), version: storage.version() }
    }
}
