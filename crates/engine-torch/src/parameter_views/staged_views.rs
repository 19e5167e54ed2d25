//! Views of copies in host memory, for parameters of any device (`offload: true`).

use std::slice;

use stepwell_optim::fallible::{collected, filled};
use stepwell_optim::{Outcome, Result, View};
use stepwell_session::BusyGuard;

use crate::descriptors;
use crate::error::check_not_busy;
use crate::parameter_views::check::check;
use crate::parameter_views::overlap::{check_overlap, shares_storage};
use crate::parameter_views::staging::{StagedAddresses, Staging, zero_gradients};
use crate::parameter_views::view::view;
use crate::shim::TensorRef;
use crate::tensor::Tensor;

/// See [`Engine::with_staged_views`](stepwell_session::Engine::with_staged_views). Holds a [`BusyGuard`] while `step` runs. `kept` has
/// the buffers of the step before.
///
/// Fails, and writes nothing, unless each parameter and gradient is dense, each gradient fits its parameter, and no memory is
/// in two views. Frozen parameters are not checked. Versions are bumped before the step.
pub(crate) fn with_staged_views(
    kept: &mut Option<Staging>,
    parameters: &[Tensor],
    name: &dyn Fn(usize) -> String,
    zero_grad: bool,
    step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<Outcome>,
) -> Result<()> {
    check_not_busy()?;
    let tensors: Vec<TensorRef<'_>> = collected(parameters.iter().map(Tensor::tensor_ref))?;
    let mut described = Vec::new();
    descriptors::describe_parameters(&tensors, &mut described)?;
    for (index, descriptor) in described.iter().enumerate().filter(|(_, descriptor)| descriptor.has_grad != 0) {
        check(descriptor, slice::from_ref(&descriptor.device), || name(index))?;
    }
    if shares_storage(&described) {
        // A gradient may share memory with another one, since each has its copy.
        check_overlap(&described, name)?;
    }
    let is_member: Vec<u8> = collected(described.iter().map(|descriptor| descriptor.has_grad))?;
    let mut addresses = filled(tensors.len(), StagedAddresses::NONE)?;
    let staging = match kept {
        Some(staging) => staging,
        None => kept.insert(Staging::new()?),
    };
    staging.gather(&tensors, &is_member, &mut addresses)?;
    for (descriptor, addresses) in described.iter_mut().zip(&addresses) {
        (descriptor.data, descriptor.grad_data) = (addresses.parameter, addresses.gradient);
    }
    let mut views = collected(described.iter().map(view))?;
    descriptors::bump(&tensors, Some(&described))?;
    let outcome = {
        let _guard = BusyGuard::new();
        step(&mut views)?
    };
    drop(views);
    if outcome == Outcome::Stepped {
        staging.scatter(&tensors)?;
    }
    if zero_grad { zero_gradients(&tensors) } else { Ok(()) }
}
