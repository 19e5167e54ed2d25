//! Tensors, and the functions that made them: the nodes of the graph, which refer to each other.
//!
//! A function holds the functions of its inputs, not the input tensors. So an intermediate tensor that no backward needs is freed
//! with its last handle.

use std::sync::atomic::{AtomicBool, Ordering};

use stepwell_optim::{Result, Shared, SharedCell};
use stepwell_session::Dtype;

use crate::autograd::backward::{ErasedBackward, SavedTensor};
use crate::autograd::storage::Storage;
use crate::elements::buffer::Buffer;
use crate::error::outdated_graph;

/// A tensor. A clone is another handle with the same elements, gradient and identity.
#[derive(Clone)]
pub struct Tensor(Shared<TensorImpl>);

struct TensorImpl {
    identity: u64,
    data: SharedCell<TensorData>,
    /// The flag of a leaf. Other tensors require a gradient always.
    requires_grad: AtomicBool,
    grad: SharedCell<Option<Tensor>>,
    /// The function that made the tensor, and as which output; `None` for a leaf.
    grad_fn: Option<Origin>,
    /// The sum of gradients so far, during a backward.
    pending: SharedCell<Option<Buffer>>,
}

#[derive(Clone)]
struct TensorData {
    shape: Shared<[usize]>,
    dtype: Dtype,
    storage: Shared<Storage>,
}

impl Tensor {
    /// A tensor with a new identity. The product of `shape` is the length of the storage.
    pub(crate) fn new(
        identity: u64,
        shape: Shared<[usize]>,
        dtype: Dtype,
        storage: Shared<Storage>,
        grad_fn: Option<Origin>,
    ) -> Self {
        Self(Shared::new(TensorImpl {
            identity,
            data: SharedCell::new(TensorData { shape, dtype, storage }),
            requires_grad: AtomicBool::new(false),
            grad: SharedCell::new(None),
            grad_fn,
            pending: SharedCell::new(None),
        }))
    }

    pub(crate) fn identity(&self) -> u64 {
        self.0.identity
    }

    /// Whether the tensor has clones.
    pub(crate) fn is_shared(&self) -> bool {
        Shared::strong_count(&self.0) > 1
    }

    pub(crate) fn shape(&self) -> Shared<[usize]> {
        Shared::clone(&self.0.data.borrow().shape)
    }

    /// The number of elements.
    pub(crate) fn len(&self) -> usize {
        self.0.data.borrow().shape.iter().product()
    }

    pub(crate) fn dtype(&self) -> Dtype {
        self.0.data.borrow().dtype
    }

    pub(crate) fn storage(&self) -> Shared<Storage> {
        Shared::clone(&self.0.data.borrow().storage)
    }

    /// Takes shape, dtype and storage of `source`. Graphs that have saved the old storage are outdated.
    pub(crate) fn replace(&self, source: &Tensor) {
        let data = source.0.data.borrow().clone();
        let before = std::mem::replace(&mut *self.0.data.borrow_mut(), data);
        before.storage.bump();
    }

    pub(crate) fn grad_fn(&self) -> Option<&Origin> {
        self.0.grad_fn.as_ref()
    }

    pub(crate) fn requires_grad(&self) -> bool {
        self.0.grad_fn.is_some() || self.0.requires_grad.load(Ordering::Relaxed)
    }

    pub(crate) fn set_requires_grad(&self, flag: bool) {
        self.0.requires_grad.store(flag, Ordering::Relaxed);
    }

    pub(crate) fn grad(&self) -> Option<Tensor> {
        self.0.grad.borrow().clone()
    }

    pub(crate) fn set_grad(&self, grad: Option<Tensor>) {
        // Dropped after the borrow has ended: the drop of a tensor may borrow this cell.
        let before = std::mem::replace(&mut *self.0.grad.borrow_mut(), grad);
        drop(before);
    }

    /// The elements at their present version, for a backward.
    pub(crate) fn saved(&self) -> SavedTensor {
        SavedTensor::new(&self.storage())
    }

    /// The sum of gradients of a leaf so far, during a backward.
    pub(crate) fn pending(&self) -> &SharedCell<Option<Buffer>> {
        &self.0.pending
    }
}

/// Drops a chain of gradients (a gradient may have a gradient) in a loop: recursion could overflow the stack.
impl Drop for TensorImpl {
    fn drop(&mut self) {
        let mut next = self.grad.get_mut().take();
        while let Some(Tensor(node)) = next {
            next = Shared::into_inner(node).and_then(|mut node| node.grad.get_mut().take());
        }
    }
}

/// An output of a function.
#[derive(Clone)]
pub(crate) struct Origin {
    pub(crate) function: Shared<Function>,
    /// The index of the output.
    pub(crate) output: usize,
}

impl Origin {
    /// The sum of gradients of the output so far, during a backward.
    pub(crate) fn pending(&self) -> &SharedCell<Option<Buffer>> {
        match self.output.checked_sub(1).and_then(|index| self.function.more_outputs.get(index)) {
            Some(output) => &output.pending,
            None => &self.function.first_output.pending,
        }
    }
}

/// The origin of an input: a leaf, or the function that made it.
pub(crate) enum Edge {
    Leaf(Tensor),
    Function(Origin),
}

/// An output of a function, of which the function holds no tensor.
pub(crate) struct FunctionOutput {
    pub(crate) len: usize,
    pub(crate) dtype: Dtype,
    /// The sum of gradients so far, during a backward.
    pub(crate) pending: SharedCell<Option<Buffer>>,
}

impl FunctionOutput {
    /// The output that has these elements.
    pub(crate) fn of(storage: &Storage) -> Result<Self> {
        let buffer = storage.read()?;
        Ok(Self { len: buffer.len(), dtype: buffer.dtype(), pending: SharedCell::new(None) })
    }

    /// The sum of gradients, whose place is then empty. Fails if it does not fit the output.
    pub(crate) fn take_gradient(&self) -> Result<Option<Buffer>> {
        let gradient = self.pending.borrow_mut().take();
        match &gradient {
            Some(found) if found.len() != self.len || found.dtype() != self.dtype => Err(outdated_graph()),
            _ => Ok(gradient),
        }
    }
}

/// A recorded operation with its saved tensors: the grad_fn of its outputs.
pub(crate) struct Function {
    /// Greater than the order of the functions of its inputs.
    pub(crate) order: u64,
    /// `None` for an input that requires no gradient.
    pub(crate) inputs: Box<[Option<Edge>]>,
    pub(crate) first_output: FunctionOutput,
    /// Apart from the first one, so that a function with one output allocates no list.
    pub(crate) more_outputs: Box<[FunctionOutput]>,
    pub(crate) operation: Box<dyn ErasedBackward>,
    /// `None` after a backward has released it. Without saved tensors it is never released: as in PyTorch, such a graph allows a
    /// second backward.
    pub(crate) saved: SharedCell<Option<Vec<Option<SavedTensor>>>>,
    pub(crate) visited: AtomicBool,
    /// The next function of the list that `drop` makes.
    pub(crate) next_to_drop: Option<Shared<Function>>,
}

impl Function {
    fn outputs(&self) -> impl Iterator<Item = &FunctionOutput> {
        std::iter::once(&self.first_output).chain(&*self.more_outputs)
    }

    /// Frees the sums of gradients of a backward.
    pub(crate) fn drop_pending(&self) {
        self.outputs().for_each(|output| drop(output.pending.borrow_mut().take()));
    }

    pub(crate) fn release(&self) {
        let mut saved = self.saved.borrow_mut();
        if saved.as_ref().is_some_and(|saved| saved.iter().any(Option::is_some)) {
            *saved = None;
        }
    }
}

/// Drops a graph in a loop: recursion could overflow the stack. Functions that no other handle holds form a linked list through
/// their own fields, so that the drop allocates no memory.
impl Drop for Function {
    fn drop(&mut self) {
        fn detach_inputs(function: &mut Function, mut list: Option<Shared<Function>>) -> Option<Shared<Function>> {
            for edge in function.inputs.iter_mut().filter_map(Option::take) {
                if let Edge::Function(Origin { mut function, .. }) = edge
                    && let Some(own) = Shared::get_mut(&mut function)
                {
                    own.next_to_drop = list;
                    list = Some(function);
                }
            }
            list
        }
        let mut list = self.next_to_drop.take();
        list = detach_inputs(self, list);
        while let Some(mut function) = list {
            let Some(own) = Shared::get_mut(&mut function) else { return };
            list = own.next_to_drop.take();
            list = detach_inputs(own, list);
        }
    }
}
