//! Tensors: an identity, a shape, and elements that several of them may share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use stepwell_session::Dtype;

use crate::autograd::backward::{ErasedBackward, MAX_INPUTS, SavedTensor};
use crate::autograd::storage::Storage;
use crate::elements::buffer::Buffer;

/// A tensor. A clone is the same one: same elements, gradient and identity.
#[derive(Clone)]
pub struct Tensor(Rc<TensorImpl>);

struct TensorImpl {
    identity: u64,
    data: RefCell<TensorData>,
    /// Of a leaf.
    requires_grad: Cell<bool>,
    grad: RefCell<Option<Tensor>>,
    /// What made it; none of a leaf.
    grad_fn: Option<Rc<Function>>,
    /// The gradient of a backward that is running.
    pending: RefCell<Option<Buffer>>,
}

#[derive(Clone)]
struct TensorData {
    shape: Rc<[usize]>,
    dtype: Dtype,
    storage: Rc<Storage>,
}

impl Tensor {
    /// A tensor of a new identity. The shape has as many elements as the storage.
    pub(crate) fn new(
        identity: u64,
        shape: Rc<[usize]>,
        dtype: Dtype,
        storage: Rc<Storage>,
        grad_fn: Option<Rc<Function>>,
    ) -> Self {
        Self(Rc::new(TensorImpl {
            identity,
            data: RefCell::new(TensorData { shape, dtype, storage }),
            requires_grad: Cell::new(false),
            grad: RefCell::new(None),
            grad_fn,
            pending: RefCell::new(None),
        }))
    }

    pub(crate) fn identity(&self) -> u64 {
        self.0.identity
    }

    pub(crate) fn shape(&self) -> Rc<[usize]> {
        Rc::clone(&self.0.data.borrow().shape)
    }

    /// The number of elements.
    pub(crate) fn len(&self) -> usize {
        self.0.data.borrow().shape.iter().product()
    }

    pub(crate) fn dtype(&self) -> Dtype {
        self.0.data.borrow().dtype
    }

    pub(crate) fn storage(&self) -> Rc<Storage> {
        Rc::clone(&self.0.data.borrow().storage)
    }

    /// Takes over what `source` is made of.
    pub(crate) fn replace(&self, source: &Tensor) {
        let data = source.0.data.borrow().clone();
        let before = std::mem::replace(&mut *self.0.data.borrow_mut(), data);
        before.storage.bump();
    }

    pub(crate) fn grad_fn(&self) -> Option<&Rc<Function>> {
        self.0.grad_fn.as_ref()
    }

    pub(crate) fn requires_grad(&self) -> bool {
        self.0.grad_fn.is_some() || self.0.requires_grad.get()
    }

    pub(crate) fn set_requires_grad(&self, flag: bool) {
        self.0.requires_grad.set(flag);
    }

    pub(crate) fn grad(&self) -> Option<Tensor> {
        self.0.grad.borrow().clone()
    }

    pub(crate) fn set_grad(&self, grad: Option<Tensor>) {
        // What was there is dropped when nothing is borrowed any more.
        let before = self.0.grad.replace(grad);
        drop(before);
    }

    /// Its elements as they are now, for a gradient.
    pub(crate) fn saved(&self) -> SavedTensor {
        SavedTensor::new(&self.storage())
    }

    /// The gradient that a backward has for a leaf so far.
    pub(crate) fn pending(&self) -> &RefCell<Option<Buffer>> {
        &self.0.pending
    }
}

/// A gradient can have a gradient, and so on: one after the other, since there is little stack.
impl Drop for TensorImpl {
    fn drop(&mut self) {
        let mut next = self.grad.get_mut().take();
        while let Some(Tensor(node)) = next {
            next = Rc::into_inner(node).and_then(|mut node| node.grad.get_mut().take());
        }
    }
}

/// What made an input.
pub(crate) enum Edge {
    Leaf(Tensor),
    Function(Rc<Function>),
}

/// An operation that ran, and what its gradient needs.
pub(crate) struct Function {
    /// Larger than that of every function before it.
    pub(crate) order: u64,
    pub(crate) inputs: [Option<Edge>; MAX_INPUTS],
    pub(crate) operation: Box<dyn ErasedBackward>,
    /// None after a backward. An operation that needs nothing keeps its nothing, as in PyTorch.
    pub(crate) saved: RefCell<Option<Vec<Option<SavedTensor>>>>,
    pub(crate) len: usize,
    pub(crate) dtype: Dtype,
    /// The gradient of a backward that is running.
    pub(crate) pending: RefCell<Option<Buffer>>,
    pub(crate) visited: Cell<bool>,
    /// See the drop.
    pub(crate) next_to_drop: Option<Rc<Function>>,
}

impl Function {
    pub(crate) fn release(&self) {
        let mut saved = self.saved.borrow_mut();
        if saved.as_ref().is_some_and(|saved| saved.iter().any(Option::is_some)) {
            *saved = None;
        }
    }
}

/// One function after the other, since there is little stack, and without memory, of which there may be none: those that
/// nobody else has are a list, each keeping the next.
impl Drop for Function {
    fn drop(&mut self) {
        fn take(function: &mut Function, mut list: Option<Rc<Function>>) -> Option<Rc<Function>> {
            for edge in function.inputs.iter_mut().filter_map(Option::take) {
                if let Edge::Function(mut before) = edge
                    && let Some(own) = Rc::get_mut(&mut before)
                {
                    own.next_to_drop = list;
                    list = Some(before);
                }
            }
            list
        }
        let mut list = self.next_to_drop.take();
        list = take(self, list);
        while let Some(mut function) = list {
            let Some(own) = Rc::get_mut(&mut function) else { return };
            list = own.next_to_drop.take();
            list = take(own, list);
        }
    }
}
