//! Tensors: an identity, a shape, and elements that several of them may share.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::rc::Rc;

use stepwell_optim::Result;
use stepwell_session::Dtype;

use crate::autograd::backward_pass::Function;
use crate::elements::buffer::Buffer;
use crate::error::lent;

/// A tensor. A clone is the same one: same elements, gradient and identity.
#[derive(Clone)]
pub struct Tensor(Rc<Node>);

struct Node {
    identity: u64,
    body: RefCell<Body>,
    /// Of a leaf.
    requires_grad: Cell<bool>,
    grad: RefCell<Option<Tensor>>,
    /// What made it; none of a leaf.
    maker: Option<Rc<Function>>,
    /// The gradient of a backward that is running.
    pending: RefCell<Option<Buffer>>,
}

#[derive(Clone)]
struct Body {
    shape: Rc<[usize]>,
    dtype: Dtype,
    storage: Rc<Storage>,
}

/// Elements, and how often they were written to.
#[derive(Debug)]
pub(crate) struct Storage {
    buffer: RefCell<Buffer>,
    version: Cell<u64>,
}

impl Storage {
    pub(crate) fn new(buffer: Buffer) -> Rc<Self> {
        Rc::new(Self { buffer: RefCell::new(buffer), version: Cell::new(0) })
    }

    pub(crate) fn read(&self) -> Result<Ref<'_, Buffer>> {
        self.buffer.try_borrow().map_err(|_| lent())
    }

    /// The elements to be written to, which is counted.
    pub(crate) fn write(&self) -> Result<RefMut<'_, Buffer>> {
        let buffer = self.buffer.try_borrow_mut().map_err(|_| lent())?;
        self.bump();
        Ok(buffer)
    }

    /// The elements to be written to by an operation that PyTorch does not count.
    pub(crate) fn write_uncounted(&self) -> Result<RefMut<'_, Buffer>> {
        self.buffer.try_borrow_mut().map_err(|_| lent())
    }

    /// Makes graphs that need the elements as they are outdated.
    pub(crate) fn bump(&self) {
        self.version.set(self.version.get().wrapping_add(1));
    }

    pub(crate) fn version(&self) -> u64 {
        self.version.get()
    }
}

impl Tensor {
    /// A tensor of a new identity. The shape has as many elements as the storage.
    pub(crate) fn new(
        identity: u64,
        shape: Rc<[usize]>,
        dtype: Dtype,
        storage: Rc<Storage>,
        maker: Option<Rc<Function>>,
    ) -> Self {
        Self(Rc::new(Node {
            identity,
            body: RefCell::new(Body { shape, dtype, storage }),
            requires_grad: Cell::new(false),
            grad: RefCell::new(None),
            maker,
            pending: RefCell::new(None),
        }))
    }

    pub(crate) fn identity(&self) -> u64 {
        self.0.identity
    }

    pub(crate) fn shape(&self) -> Rc<[usize]> {
        Rc::clone(&self.0.body.borrow().shape)
    }

    /// The number of elements.
    pub(crate) fn len(&self) -> usize {
        self.0.body.borrow().shape.iter().product()
    }

    pub(crate) fn dtype(&self) -> Dtype {
        self.0.body.borrow().dtype
    }

    pub(crate) fn storage(&self) -> Rc<Storage> {
        Rc::clone(&self.0.body.borrow().storage)
    }

    /// Takes over what `source` is made of.
    pub(crate) fn replace(&self, source: &Tensor) {
        let body = source.0.body.borrow().clone();
        let before = std::mem::replace(&mut *self.0.body.borrow_mut(), body);
        before.storage.bump();
    }

    pub(crate) fn maker(&self) -> Option<&Rc<Function>> {
        self.0.maker.as_ref()
    }

    pub(crate) fn requires_grad(&self) -> bool {
        self.0.maker.is_some() || self.0.requires_grad.get()
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

    /// The gradient that a backward has for a leaf so far.
    pub(crate) fn pending(&self) -> &RefCell<Option<Buffer>> {
        &self.0.pending
    }
}

/// A gradient can have a gradient, and so on: one after the other, since there is little stack.
impl Drop for Node {
    fn drop(&mut self) {
        let mut next = self.grad.get_mut().take();
        while let Some(Tensor(node)) = next {
            next = Rc::into_inner(node).and_then(|mut node| node.grad.get_mut().take());
        }
    }
}
