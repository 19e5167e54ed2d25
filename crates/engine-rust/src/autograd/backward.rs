//! What an operation supplies for its gradient, and what it is given.

use std::cell::Ref;
use std::rc::Rc;

use stepwell_optim::Result;

use crate::autograd::storage::Storage;
use crate::elements::buffer::Buffer;
use crate::elements::element::{Element, Real};
use crate::error::internal;
use crate::memory::{CountedVec, MemoryBudget};

/// The most tensors that an operation works on.
pub(crate) const INPUTS: usize = 3;

/// Gradients of the inputs.
pub(crate) type Gradients<T> = [Option<CountedVec<T>>; INPUTS];

/// The gradient of an operation, written once for both types of floating point.
pub(crate) trait Gradient: 'static {
    /// The gradients of the inputs that need one, from that of the output.
    fn gradients<T: Real>(&self, call: &Call<'_>, gradient: CountedVec<T>) -> Result<Gradients<T>>;
}

/// The same for a type that is known at run time.
pub(crate) trait Operation {
    fn run(&self, call: &Call<'_>, gradient: Buffer) -> Result<[Option<Buffer>; INPUTS]>;
}

impl<G: Gradient> Operation for G {
    fn run(&self, call: &Call<'_>, gradient: Buffer) -> Result<[Option<Buffer>; INPUTS]> {
        match gradient {
            Buffer::Float(gradient) => Ok(self.gradients(call, gradient)?.map(|g| g.map(Element::wrap))),
            Buffer::Double(gradient) => Ok(self.gradients(call, gradient)?.map(|g| g.map(Element::wrap))),
            Buffer::Long(_) => Err(internal("a gradient of whole numbers")),
        }
    }
}

/// What the gradient of an operation is computed from.
pub(crate) struct Call<'a> {
    pub(crate) budget: &'a Rc<MemoryBudget>,
    pub(crate) needed: [bool; INPUTS],
    pub(crate) saved: &'a [Option<Ref<'a, Buffer>>],
}

impl Call<'_> {
    /// What was saved at that place.
    pub(crate) fn saved<T: Element>(&self, place: usize) -> Result<&[T]> {
        match self.maybe_saved(place)? {
            Some(saved) => Ok(saved),
            None => Err(internal("a gradient needs what was not saved")),
        }
    }

    /// What was saved at that place, if anything was.
    pub(crate) fn maybe_saved<T: Element>(&self, place: usize) -> Result<Option<&[T]>> {
        self.saved.get(place).and_then(Option::as_ref).map(|buffer| T::of(buffer)).transpose()
    }
}

/// Elements as they were when an operation ran.
pub(crate) struct Saved {
    pub(crate) storage: Rc<Storage>,
    pub(crate) version: u64,
}

impl Saved {
    pub(crate) fn new(storage: &Rc<Storage>) -> Self {
        Self { storage: Rc::clone(storage), version: storage.version() }
    }
}
