//! A function whose backward is a function of the caller.

use stepwell_optim::Result;

use crate::autograd::backward::{BackwardContext, Called, ErasedBackward, Give};
use crate::autograd::graph::Autograd;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::error::internal_error;

struct CalledFunction {
    called: Called,
    /// A clone of a tensor of the caller, which lives as long as the function may be called.
    _marker: Tensor,
}

impl ErasedBackward for CalledFunction {
    fn run(&self, _: &BackwardContext<'_>, _: &mut [Option<Buffer>], _: &mut Give<'_>) -> Result<()> {
        Err(internal_error("a function of the caller that was not called"))
    }

    fn called(&self) -> Option<&Called> {
        Some(&self.called)
    }
}

/// A tensor with the elements of `output`, whose backward calls a function with the inputs.
pub(crate) fn with_backward(
    autograd: &Autograd,
    function: u64,
    marker: &Tensor,
    inputs: &[Tensor],
    output: &Tensor,
) -> Result<Tensor> {
    let (mut edges, mut saved, mut described) = (Vec::new(), Vec::new(), Vec::new());
    for input in inputs {
        edges.push(Some(input));
        saved.push(Some(input.saved()));
        described.push((input.shape(), input.dtype()));
    }
    let called = Called { function, inputs: described, output: output.shape() };
    let operation = CalledFunction { called, _marker: marker.clone() };
    autograd.record_output(&output.shape(), output.storage(), &edges, operation, saved)
}
