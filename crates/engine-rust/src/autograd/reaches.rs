//! Whether the graph of a tensor has some leaves: a backward would accumulate their gradients.

use std::collections::HashSet;

use stepwell_optim::fallible::push;
use stepwell_optim::{Result, Shared};

use crate::autograd::tensor::{Edge, Function, Tensor};

/// True if a backward of the tensor would accumulate a gradient of a tensor with one of these identities. In a loop: recursion could
/// overflow the stack.
pub(crate) fn reaches(tensor: &Tensor, identities: &[u64]) -> Result<bool> {
    let Some(origin) = tensor.grad_fn() else {
        return Ok(tensor.requires_grad() && identities.contains(&tensor.identity()));
    };
    let mut visited = HashSet::from([origin.function.order]);
    let mut functions: Vec<Shared<Function>> = vec![Shared::clone(&origin.function)];
    while let Some(function) = functions.pop() {
        for edge in function.inputs.iter().flatten() {
            match edge {
                Edge::Leaf(leaf) if identities.contains(&leaf.identity()) => return Ok(true),
                Edge::Leaf(_) => {}
                Edge::Function(input) if visited.insert(input.function.order) => {
                    push(&mut functions, Shared::clone(&input.function))?;
                }
                Edge::Function(_) => {}
            }
        }
    }
    Ok(false)
}
