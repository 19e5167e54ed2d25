//! Recording of operations in the graph.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use stepwell_optim::Result;
use stepwell_session::Dtype;

use crate::autograd::backward::{Backward, ErasedBackward, MAX_INPUTS, SavedTensor};
use crate::autograd::storage::Storage;
use crate::autograd::tensor::{Edge, Function, Tensor};
use crate::elements::buffer::Buffer;
use crate::memory::MemoryBudget;

/// The tensors that an operation works on.
pub(crate) type Inputs<'a> = [Option<&'a Tensor>; MAX_INPUTS];

/// The state of autograd of one engine.
pub(crate) struct Autograd {
    pub(crate) budget: Rc<MemoryBudget>,
    recording: Cell<bool>,
    /// The next identity of a tensor, or order of a function.
    id: Cell<u64>,
}

impl Autograd {
    pub(crate) fn new(memory_limit: usize) -> Self {
        Self { budget: MemoryBudget::new(memory_limit), recording: Cell::new(true), id: Cell::new(1) }
    }

    fn next_id(&self) -> u64 {
        let id = self.id.get();
        self.id.set(id + 1);
        id
    }

    /// Runs `f` without recording operations. Restores the flag if `f` panics.
    pub(crate) fn without_recording<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Restore<'a>(&'a Cell<bool>, bool);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let _restore = Restore(&self.recording, self.recording.replace(false));
        f()
    }

    /// A leaf with a storage of its own.
    pub(crate) fn leaf(&self, shape: &[usize], buffer: Buffer) -> Tensor {
        self.leaf_over(shape, buffer.dtype(), Storage::new(buffer))
    }

    /// A leaf over a storage that other tensors may have.
    pub(crate) fn leaf_over(&self, shape: &[usize], dtype: Dtype, storage: Rc<Storage>) -> Tensor {
        Tensor::new(self.next_id(), shape.into(), dtype, storage, None)
    }

    /// True for each input that a backward would compute a gradient of.
    pub(crate) fn needs_grad(&self, inputs: Inputs<'_>) -> [bool; MAX_INPUTS] {
        inputs.map(|input| self.recording.get() && input.is_some_and(Tensor::requires_grad))
    }

    /// The output tensor of an operation. Records the operation if an input requires a gradient. Its backward reads `saved` with
    /// [`BackwardContext::saved`].
    pub(crate) fn record_output(
        &self,
        shape: &[usize],
        storage: Rc<Storage>,
        inputs: Inputs<'_>,
        operation: impl Backward,
        saved: Vec<Option<SavedTensor>>,
    ) -> Result<Tensor> {
        self.record_boxed(shape, storage, inputs, Box::new(operation), saved)
    }

    /// The part of [`Autograd::record_output`] that is compiled once, not for each operation.
    fn record_boxed(
        &self,
        shape: &[usize],
        storage: Rc<Storage>,
        inputs: Inputs<'_>,
        operation: Box<dyn ErasedBackward>,
        saved: Vec<Option<SavedTensor>>,
    ) -> Result<Tensor> {
        let (dtype, len) = {
            let buffer = storage.read()?;
            (buffer.dtype(), buffer.len())
        };
        let edges = inputs.map(|input| {
            let input = input.filter(|input| self.recording.get() && input.requires_grad())?;
            Some(match input.grad_fn() {
                Some(function) => Edge::Function(Rc::clone(function)),
                None => Edge::Leaf(input.clone()),
            })
        });
        let grad_fn = edges.iter().any(Option::is_some).then(|| {
            Rc::new(Function {
                order: self.next_id(),
                inputs: edges,
                operation,
                saved: RefCell::new(Some(saved)),
                len,
                dtype,
                pending: RefCell::new(None),
                visited: Cell::new(false),
                next_to_drop: None,
            })
        });
        Ok(Tensor::new(self.next_id(), shape.into(), dtype, storage, grad_fn))
    }
}
