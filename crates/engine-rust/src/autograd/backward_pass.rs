//! The graph that operations leave behind, and gradients through it.
//!
//! A function knows the functions before it and not the tensors, so what no gradient needs is freed at once. Nothing
//! here recurses, however long the graph is: WebAssembly has little stack.

use std::cell::{Cell, Ref, RefCell};
use std::collections::BinaryHeap;
use std::rc::Rc;

use stepwell_optim::fallible::{out_of_memory, push};
use stepwell_optim::{Code, Error, Number, Result, Results};
use stepwell_session::Dtype;

use crate::autograd::tensor::{Storage, Tensor};
use crate::elements::buffer::Buffer;
use crate::elements::element::{Element, Real};
use crate::error::{internal, outdated, refused};
use crate::memory::{Meter, Vector};

/// The most tensors that an operation works on.
pub(crate) const INPUTS: usize = 3;

/// What an operation works on.
pub(crate) type Inputs<'a> = [Option<&'a Tensor>; INPUTS];

/// Gradients of the inputs.
pub(crate) type Gradients<T> = [Option<Vector<T>>; INPUTS];

/// The gradient of an operation, written once for both types of floating point.
pub(crate) trait Gradient: 'static {
    /// The gradients of the inputs that need one, from that of the output.
    fn gradients<T: Real>(&self, call: &Call<'_>, gradient: Vector<T>) -> Result<Gradients<T>>;
}

/// The same for a type that is known at run time.
trait Operation {
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
    pub(crate) meter: &'a Rc<Meter>,
    pub(crate) needed: [bool; INPUTS],
    saved: &'a [Option<Ref<'a, Buffer>>],
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
    storage: Rc<Storage>,
    version: u64,
}

impl Saved {
    pub(crate) fn new(storage: &Rc<Storage>) -> Self {
        Self { storage: Rc::clone(storage), version: storage.version() }
    }

    pub(crate) fn of(tensor: &Tensor) -> Self {
        Self::new(&tensor.storage())
    }
}

/// What made an input.
enum Edge {
    Leaf(Tensor),
    Made(Rc<Function>),
}

/// An operation that ran, and what its gradient needs.
pub(crate) struct Function {
    /// Larger than that of every function before it.
    order: u64,
    inputs: [Option<Edge>; INPUTS],
    operation: Box<dyn Operation>,
    /// None after a backward. An operation that needs nothing keeps its nothing, as in PyTorch.
    saved: RefCell<Option<Vec<Option<Saved>>>>,
    len: usize,
    dtype: Dtype,
    /// The gradient of a backward that is running.
    pending: RefCell<Option<Buffer>>,
    seen: Cell<bool>,
    /// See the drop.
    dropped_after: Option<Rc<Function>>,
}

/// What is common to all operations of an engine.
pub(crate) struct Tape {
    pub(crate) meter: Rc<Meter>,
    recording: Cell<bool>,
    next: Cell<u64>,
}

impl Tape {
    pub(crate) fn new(budget: usize) -> Self {
        Self { meter: Meter::new(budget), recording: Cell::new(true), next: Cell::new(1) }
    }

    fn number(&self) -> u64 {
        let number = self.next.get();
        self.next.set(number + 1);
        number
    }

    /// Runs `f` without recording operations, also where it panics.
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

    /// A leaf.
    pub(crate) fn leaf(&self, shape: &[usize], buffer: Buffer) -> Tensor {
        self.leaf_over(shape, buffer.dtype(), Storage::new(buffer))
    }

    /// A leaf over elements that there are.
    pub(crate) fn leaf_over(&self, shape: &[usize], dtype: Dtype, storage: Rc<Storage>) -> Tensor {
        Tensor::new(self.number(), shape.into(), dtype, storage, None)
    }

    /// Which inputs a gradient is to be computed for.
    pub(crate) fn needed(&self, inputs: Inputs<'_>) -> [bool; INPUTS] {
        inputs.map(|input| self.recording.get() && input.is_some_and(Tensor::requires_grad))
    }

    /// The result of an operation. What was saved is read again by [`Call::saved`].
    pub(crate) fn made(
        &self,
        shape: &[usize],
        storage: Rc<Storage>,
        inputs: Inputs<'_>,
        operation: impl Gradient,
        saved: Vec<Option<Saved>>,
    ) -> Result<Tensor> {
        self.record(shape, storage, inputs, Box::new(operation), saved)
    }

    fn record(
        &self,
        shape: &[usize],
        storage: Rc<Storage>,
        inputs: Inputs<'_>,
        operation: Box<dyn Operation>,
        saved: Vec<Option<Saved>>,
    ) -> Result<Tensor> {
        let (dtype, len) = {
            let buffer = storage.read()?;
            (buffer.dtype(), buffer.len())
        };
        let edges = inputs.map(|input| {
            let input = input.filter(|input| self.recording.get() && input.requires_grad())?;
            Some(match input.maker() {
                Some(function) => Edge::Made(Rc::clone(function)),
                None => Edge::Leaf(input.clone()),
            })
        });
        let maker = edges.iter().any(Option::is_some).then(|| {
            Rc::new(Function {
                order: self.number(),
                inputs: edges,
                operation,
                saved: RefCell::new(Some(saved)),
                len,
                dtype,
                pending: RefCell::new(None),
                seen: Cell::new(false),
                dropped_after: None,
            })
        });
        Ok(Tensor::new(self.number(), shape.into(), dtype, storage, maker))
    }

    /// Accumulates the gradients of `seed` times a scalar into its leaves and releases the graph. A failure changes nothing.
    pub(crate) fn backward(&self, root: &Tensor, seed: f64) -> Result<()> {
        if !root.requires_grad() {
            return Err(refused("backward needs a tensor made from one that requires a gradient"));
        }
        if root.len() != 1 {
            return Err(refused("backward needs a tensor with one element, such as a mean or a sum"));
        }
        let start = match root.dtype() {
            Dtype::Float => f32::wrap(self.meter.filled(1, rounded(seed)?)?),
            _ => f64::wrap(self.meter.filled(1, seed)?),
        };
        let Some(function) = root.maker() else {
            *root.pending().borrow_mut() = Some(start);
            return self.accumulate(std::slice::from_ref(root));
        };
        let functions = in_order(function)?;
        let mut leaves = Vec::new();
        let result = ready(&functions).and_then(|()| {
            *function.pending.borrow_mut() = Some(start);
            functions.iter().try_for_each(|function| self.pass_on(function, &mut leaves))?;
            self.accumulate(&leaves)
        });
        functions.iter().for_each(|function| drop(function.pending.take()));
        leaves.iter().for_each(|leaf| drop(leaf.pending().take()));
        result?;
        functions.iter().for_each(|function| function.release());
        Ok(())
    }

    /// Takes the gradient of a function to those before it.
    fn pass_on(&self, function: &Function, leaves: &mut Vec<Tensor>) -> Result<()> {
        let Some(gradient) = function.pending.borrow_mut().take() else { return Ok(()) };
        if gradient.len() != function.len || gradient.dtype() != function.dtype {
            return Err(outdated());
        }
        let gradients = {
            let saved = function.saved.borrow();
            let saved =
                saved.iter().flatten().map(|saved| saved.as_ref().map(|saved| saved.storage.read()).transpose());
            let saved = saved.values()?;
            let needed = [0, 1, 2].map(|i| function.inputs[i].is_some());
            function.operation.run(&Call { meter: &self.meter, needed, saved: &saved }, gradient)?
        };
        for (edge, gradient) in function.inputs.iter().zip(gradients) {
            let (Some(edge), Some(gradient)) = (edge, gradient) else { continue };
            let pending = match edge {
                Edge::Made(function) => &function.pending,
                Edge::Leaf(leaf) => leaf.pending(),
            };
            let mut pending = pending.borrow_mut();
            let Some(sum) = &mut *pending else {
                if let Edge::Leaf(leaf) = edge {
                    push(leaves, leaf.clone())?;
                }
                *pending = Some(gradient);
                continue;
            };
            if !sum.add(&gradient) {
                return Err(outdated());
            }
        }
        Ok(())
    }

    /// Adds what a backward found to the gradients of the leaves. All of it fits, or nothing is added.
    fn accumulate(&self, leaves: &[Tensor]) -> Result<()> {
        let unfit = |what| Err(Error::new(Code::Gradient, format!("cannot add to a gradient: it has another {what}")));
        for leaf in leaves {
            let pending = leaf.pending().borrow();
            let Some(found) = pending.as_ref() else { continue };
            if found.len() != leaf.len() || found.dtype() != leaf.dtype() {
                return Err(outdated());
            }
            if let Some(grad) = leaf.grad() {
                if grad.shape() != leaf.shape() {
                    return unfit("shape");
                }
                if grad.dtype() != leaf.dtype() {
                    return unfit("dtype");
                }
                grad.storage().read()?;
            }
        }
        for leaf in leaves {
            let Some(found) = leaf.pending().replace(None) else { continue };
            if !leaf.requires_grad() {
                continue;
            }
            match leaf.grad() {
                Some(grad) => _ = grad.storage().write()?.add(&found),
                None => leaf.set_grad(Some(self.leaf(&leaf.shape(), found))),
            }
        }
        Ok(())
    }
}

/// A gradient to start from, unless it has become zero or infinite.
fn rounded(seed: f64) -> Result<f32> {
    let start = seed as f32;
    if start.is_finite() == seed.is_finite() && (start == 0.0) == (seed == 0.0) {
        return Ok(start);
    }
    let message = format!("a gradient to start from is beyond the range of float, given {:e}", Number(seed));
    Err(Error::new(Code::Gradient, message))
}

/// Every function that the gradient of `last` goes through, the last first.
fn in_order(last: &Rc<Function>) -> Result<Vec<Rc<Function>>> {
    let mut reached = Vec::new();
    let sorted = reach(last, &mut reached);
    reached.iter().for_each(|function| function.seen.set(false));
    sorted
}

/// The same, with all that are `reached` marked as seen.
fn reach(last: &Rc<Function>, reached: &mut Vec<Rc<Function>>) -> Result<Vec<Rc<Function>>> {
    // What is before a function has a smaller order: the largest of those that wait has nothing left that comes after it.
    let (mut waiting, mut sorted) = (BinaryHeap::new(), Vec::new());
    wait(last, &mut waiting, reached)?;
    while let Some((_, place)) = waiting.pop() {
        let Some(function) = reached.get(place).cloned() else { continue };
        for edge in function.inputs.iter().flatten() {
            if let Edge::Made(before) = edge
                && !before.seen.get()
            {
                wait(before, &mut waiting, reached)?;
            }
        }
        push(&mut sorted, function)?;
    }
    Ok(sorted)
}

fn wait(
    function: &Rc<Function>,
    waiting: &mut BinaryHeap<(u64, usize)>,
    reached: &mut Vec<Rc<Function>>,
) -> Result<()> {
    waiting.try_reserve(1).map_err(|_| out_of_memory((waiting.len() + 1) * size_of::<(u64, usize)>()))?;
    push(reached, Rc::clone(function))?;
    function.seen.set(true);
    waiting.push((function.order, reached.len() - 1));
    Ok(())
}

/// Fails unless all that was saved is there and as it was.
fn ready(functions: &[Rc<Function>]) -> Result<()> {
    for function in functions {
        let saved = function.saved.borrow();
        let Some(saved) = saved.as_ref() else {
            return Err(refused(
                "a second backward through the same graph: the first one released it, run the forward again",
            ));
        };
        if saved.iter().flatten().any(|saved| saved.storage.version() != saved.version) {
            return Err(outdated());
        }
    }
    Ok(())
}

impl Function {
    fn release(&self) {
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
                if let Edge::Made(mut before) = edge
                    && let Some(own) = Rc::get_mut(&mut before)
                {
                    own.dropped_after = list;
                    list = Some(before);
                }
            }
            list
        }
        let mut list = self.dropped_after.take();
        list = take(self, list);
        while let Some(mut function) = list {
            let Some(own) = Rc::get_mut(&mut function) else { return };
            list = own.dropped_after.take();
            list = take(own, list);
        }
    }
}
