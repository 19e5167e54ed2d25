//! The backward pass: gradients through the graph, in reverse topological order.
//!
//! Nothing here recurses: a long graph would overflow the stack, which is small in WebAssembly.

use std::collections::BinaryHeap;
use std::sync::atomic::Ordering;

use stepwell_optim::fallible::{out_of_memory, push};
use stepwell_optim::{Code, Error, Number, Result, Results, Shared};
use stepwell_session::{CallBackward, Dtype};

use crate::autograd::backward::{BackwardContext, Called};
use crate::autograd::graph::Autograd;
use crate::autograd::tensor::{Edge, Function, FunctionOutput, Origin, Tensor};
use crate::elements::buffer::Buffer;
use crate::elements::element::Element;
use crate::error::{engine_error, internal_error, outdated_graph};

impl Autograd {
    /// As [`Autograd::backward_calling`], for a graph without functions of the caller.
    pub(crate) fn backward(&self, root: &Tensor, seed: f64) -> Result<()> {
        let mut call =
            |_, _: &Tensor, _: &[Tensor]| Err(internal_error("a function of the caller that cannot be called"));
        self.backward_calling(root, seed, &mut call)
    }

    /// Accumulates the gradients of `seed` times a scalar into its leaves and releases the graph. A failure changes neither.
    /// `call` runs functions of the caller.
    pub(crate) fn backward_calling(&self, root: &Tensor, seed: f64, call: &mut CallBackward<'_, Tensor>) -> Result<()> {
        if !root.requires_grad() {
            return Err(engine_error("backward needs a tensor made from one that requires a gradient"));
        }
        if root.len() != 1 {
            return Err(engine_error("backward needs a tensor with one element, such as a mean or a sum"));
        }
        let start = match root.dtype() {
            Dtype::Float => f32::into_buffer(self.budget.filled(1, float_seed(seed)?)?),
            _ => f64::into_buffer(self.budget.filled(1, seed)?),
        };
        let Some(origin) = root.grad_fn() else {
            *root.pending().borrow_mut() = Some(start);
            return self.accumulate(std::slice::from_ref(root));
        };
        let functions = reverse_topological(&origin.function)?;
        let mut leaves = Vec::new();
        let result = check_saved(&functions).and_then(|()| {
            *origin.pending().borrow_mut() = Some(start);
            for (index, function) in functions.iter().enumerate() {
                self.propagate(function, &mut leaves, call)?;
                if function.operation.called().is_some() {
                    // The function may have written to what the rest of the graph needs.
                    check_saved(&functions[index + 1..])?;
                }
            }
            self.accumulate(&leaves)
        });
        functions.iter().for_each(|function| function.drop_pending());
        leaves.iter().for_each(|leaf| drop(leaf.pending().borrow_mut().take()));
        result?;
        functions.iter().for_each(|function| function.release());
        Ok(())
    }

    /// Runs the backward of one function and adds the results to the pending gradients of its inputs. Appends new leaves.
    fn propagate(
        &self,
        function: &Function,
        leaves: &mut Vec<Tensor>,
        call: &mut CallBackward<'_, Tensor>,
    ) -> Result<()> {
        let first = function.first_output.take_gradient()?;
        if let (Some(called), Some(gradient)) = (function.operation.called(), &first) {
            return self.call(function, called, gradient.copy(&self.budget)?, leaves, call);
        }
        if function.more_outputs.is_empty() {
            return if first.is_some() { self.run(function, &mut [first], leaves) } else { Ok(()) };
        }
        let more = function.more_outputs.iter().map(FunctionOutput::take_gradient);
        let mut gradients = std::iter::once(Ok(first)).chain(more).values()?;
        if gradients.iter().any(Option::is_some) { self.run(function, &mut gradients, leaves) } else { Ok(()) }
    }

    /// See [`Autograd::propagate`]. `gradients` belong to the outputs.
    fn run(&self, function: &Function, gradients: &mut [Option<Buffer>], leaves: &mut Vec<Tensor>) -> Result<()> {
        let saved = function.saved.borrow();
        let saved = saved.iter().flatten().map(|saved| saved.as_ref().map(|saved| saved.storage.read()).transpose());
        let saved = saved.values()?;
        let needs = |input: usize| function.inputs.get(input).is_some_and(Option::is_some);
        let context = BackwardContext { budget: &self.budget, needs: &needs, saved: &saved };
        let mut give = |input: usize, gradient: Buffer| give(function, input, gradient, leaves);
        function.operation.run(&context, gradients, &mut give)
    }

    /// Runs a function of the caller. Nothing is borrowed while it runs, so that it may use every tensor.
    fn call(
        &self,
        function: &Function,
        called: &Called,
        gradient: Buffer,
        leaves: &mut Vec<Tensor>,
        call: &mut CallBackward<'_, Tensor>,
    ) -> Result<()> {
        let mut inputs = Vec::new();
        for (saved, (shape, dtype)) in function.saved.borrow().iter().flatten().zip(&called.inputs) {
            let Some(saved) = saved else { return Err(internal_error("a function of the caller without its inputs")) };
            inputs.push(self.leaf_over(shape, *dtype, Shared::clone(&saved.storage)));
        }
        let gradient = self.leaf(&called.output, gradient);
        let gradients = self.without_recording(|| call(called.function, &gradient, &inputs))?;
        for (input, gradient) in gradients.into_iter().enumerate() {
            if let (Some(gradient), Some(Some(_))) = (gradient, function.inputs.get(input)) {
                let copy = gradient.storage().read()?.copy(&self.budget)?;
                give(function, input, copy, leaves)?;
            }
        }
        Ok(())
    }

    /// Adds the pending gradients of leaves to their gradients. Checks all of them before it changes one.
    fn accumulate(&self, leaves: &[Tensor]) -> Result<()> {
        let mismatch =
            |what| Err(Error::new(Code::Gradient, format_args!("cannot add to a gradient: it has another {what}")));
        for leaf in leaves {
            let pending = leaf.pending().borrow();
            let Some(found) = pending.as_ref() else { continue };
            if found.len() != leaf.len() || found.dtype() != leaf.dtype() {
                return Err(outdated_graph());
            }
            if let Some(grad) = leaf.grad() {
                if grad.shape() != leaf.shape() {
                    return mismatch("shape");
                }
                if grad.dtype() != leaf.dtype() {
                    return mismatch("dtype");
                }
                grad.storage().read()?;
            }
        }
        for leaf in leaves {
            let Some(found) = leaf.pending().borrow_mut().take() else { continue };
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

/// Adds a gradient to the pending gradient of an input. Appends new leaves.
fn give(function: &Function, input: usize, gradient: Buffer, leaves: &mut Vec<Tensor>) -> Result<()> {
    let Some(edge) = function.inputs.get(input).and_then(Option::as_ref) else { return Ok(()) };
    let pending = match edge {
        Edge::Function(origin) => origin.pending(),
        Edge::Leaf(leaf) => leaf.pending(),
    };
    let mut pending = pending.borrow_mut();
    let Some(sum) = &mut *pending else {
        if let Edge::Leaf(leaf) = edge {
            push(leaves, leaf.clone())?;
        }
        *pending = Some(gradient);
        return Ok(());
    };
    if sum.add(&gradient) { Ok(()) } else { Err(outdated_graph()) }
}

/// The seed as f32. Fails if it rounds to 0 or to infinity.
fn float_seed(seed: f64) -> Result<f32> {
    let start = seed as f32;
    if start.is_finite() == seed.is_finite() && (start == 0.0) == (seed == 0.0) {
        return Ok(start);
    }
    let message = format_args!("a gradient to start from is beyond the range of float, given {:e}", Number(seed));
    Err(Error::new(Code::Gradient, message))
}

/// All functions that `last` depends on, and `last` itself, in reverse topological order: each after all that use its output.
fn reverse_topological(last: &Shared<Function>) -> Result<Vec<Shared<Function>>> {
    let mut visited = Vec::new();
    let sorted = visit(last, &mut visited);
    visited.iter().for_each(|function| function.visited.store(false, Ordering::Relaxed));
    sorted
}

/// See [`reverse_topological`]. Sets the flag `visited` of each function that it appends to `visited`.
fn visit(last: &Shared<Function>, visited: &mut Vec<Shared<Function>>) -> Result<Vec<Shared<Function>>> {
    // An input has a smaller `order` than the function. So every user of the queue's largest function is already sorted.
    let (mut queue, mut sorted) = (BinaryHeap::new(), Vec::new());
    enqueue(last, &mut queue, visited)?;
    while let Some((_, index)) = queue.pop() {
        let Some(function) = visited.get(index).cloned() else { continue };
        for edge in function.inputs.iter().flatten() {
            if let Edge::Function(Origin { function: input, .. }) = edge
                && !input.visited.load(Ordering::Relaxed)
            {
                enqueue(input, &mut queue, visited)?;
            }
        }
        push(&mut sorted, function)?;
    }
    Ok(sorted)
}

/// Adds a function to the queue and marks it as visited.
fn enqueue(
    function: &Shared<Function>,
    queue: &mut BinaryHeap<(u64, usize)>,
    visited: &mut Vec<Shared<Function>>,
) -> Result<()> {
    queue.try_reserve(1).map_err(|_| out_of_memory((queue.len() + 1) * size_of::<(u64, usize)>()))?;
    push(visited, Shared::clone(function))?;
    function.visited.store(true, Ordering::Relaxed);
    queue.push((function.order, visited.len() - 1));
    Ok(())
}

/// Fails unless all saved tensors exist and have the version at which they were saved.
fn check_saved(functions: &[Shared<Function>]) -> Result<()> {
    for function in functions {
        let saved = function.saved.borrow();
        let Some(saved) = saved.as_ref() else {
            return Err(engine_error(
                "a second backward through the same graph: the first one released it, run the forward again",
            ));
        };
        if saved.iter().flatten().any(|saved| saved.storage.version() != saved.version) {
            return Err(outdated_graph());
        }
    }
    Ok(())
}
