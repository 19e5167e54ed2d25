//! Views (slices) of the memory of parameters and gradients, for a step.

use stepwell_optim::fallible::{push, with_capacity};
use stepwell_optim::{Code, Error, Result, Shared, SharedRefMut, View};
use stepwell_session::{BusyGuard, first_positions};

use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::error::internal_error;
use crate::memory::MemoryBudget;

/// A parameter that has a gradient, with the storage of both.
struct Storages {
    /// Of the parameter, in the list of parameters.
    index: usize,
    parameter: Shared<Storage>,
    gradient: Shared<Storage>,
    /// A copy of the gradient, if a gradient earlier in the list has the same storage.
    gradient_copy: Option<Buffer>,
}

/// See [`Engine::with_parameter_views`](stepwell_session::Engine::with_parameter_views). Holds a [`BusyGuard`] while `step` runs.
///
/// Fails unless each gradient has the shape and dtype of its parameter. Frozen parameters are not checked.
///
/// A storage must not be in two views, unless both are of gradients. Then the view of the later gradient is a copy, and zeroing the
/// first zeroes the shared storage.
pub(crate) fn with_parameter_views(
    budget: &Shared<MemoryBudget>,
    parameters: &[Tensor],
    name: &dyn Fn(usize) -> String,
    zero_grad: bool,
    step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<()>,
) -> Result<()> {
    let (mut all, mut frozen) = (with_capacity(parameters.len())?, Vec::new());
    for (index, parameter) in parameters.iter().enumerate() {
        match parameter.grad() {
            Some(gradient) if parameter.requires_grad() => {
                check(parameter, &gradient, || name(index))?;
                let (parameter, gradient) = (parameter.storage(), gradient.storage());
                all.push(Storages { index, parameter, gradient, gradient_copy: None });
            }
            Some(gradient) => push(&mut frozen, gradient.storage())?,
            None => {}
        }
    }
    for shared in check_overlap(&all, name)? {
        let copy = all[shared].gradient.read()?.copy(budget)?;
        all[shared].gradient_copy = Some(copy);
    }
    let (mut borrowed, mut views) = (with_capacity(all.len())?, with_capacity(parameters.len())?);
    // `write` bumps the version of each parameter, so that older graphs are outdated even if the step fails.
    for Storages { index, parameter, gradient, gradient_copy } in &mut all {
        let gradient = match gradient_copy {
            Some(copy) => BorrowedGradient::Copy(copy),
            None if zero_grad => BorrowedGradient::Storage(gradient.write()?),
            None => BorrowedGradient::Storage(gradient.write_uncounted()?),
        };
        borrowed.push((*index, parameter.write()?, gradient));
    }
    views.extend(parameters.iter().map(|_| None::<View<'_>>));
    for (index, parameter, gradient) in &mut borrowed {
        let gradient = match gradient {
            BorrowedGradient::Storage(gradient) => &mut **gradient,
            BorrowedGradient::Copy(copy) => copy,
        };
        views[*index] = Some(match (&mut **parameter, gradient) {
            (Buffer::Float(parameter), Buffer::Float(gradient)) => View::Float(parameter, gradient),
            (Buffer::Double(parameter), Buffer::Double(gradient)) => View::Double(parameter, gradient),
            _ => return Err(internal_error("a gradient that was checked does not fit")),
        });
    }
    {
        let _guard = BusyGuard::new();
        step(&mut views)?;
    }
    drop(borrowed);
    if zero_grad {
        frozen.iter().try_for_each(|gradient| gradient.write().map(|mut gradient| gradient.fill_zero()))?;
    }
    Ok(())
}

/// The gradient of a view.
enum BorrowedGradient<'a> {
    Storage(SharedRefMut<'a, Buffer>),
    Copy(&'a mut Buffer),
}

fn check(parameter: &Tensor, gradient: &Tensor, name: impl Fn() -> String) -> Result<()> {
    let (code, what) = if !parameter.dtype().is_floating() {
        (Code::Dtype, "its dtype is not of floating point")
    } else if gradient.shape() != parameter.shape() {
        (Code::Gradient, "its gradient has another shape")
    } else if gradient.dtype() != parameter.dtype() {
        (Code::Gradient, "its gradient has another dtype")
    } else {
        return Ok(());
    };
    Err(Error::new(code, format_args!("parameter {} cannot be updated: {what}", name())))
}

/// Fails if a parameter shares its storage with another parameter or with a gradient. Returns the positions in `all` whose
/// gradient has the storage of an earlier gradient.
fn check_overlap(all: &[Storages], name: &dyn Fn(usize) -> String) -> Result<Vec<usize>> {
    let address = |storage: &Shared<Storage>| Shared::as_ptr(storage).addr() as u64;
    let count = all.len();
    let gradients = all.iter().map(|one| address(&one.gradient));
    // Parameters first, then gradients.
    let mut addresses = with_capacity(2 * count)?;
    addresses.extend(all.iter().map(|one| address(&one.parameter)).chain(gradients));
    let mut shared = Vec::new();
    for (at, first) in first_positions(&addresses)?.into_iter().enumerate().filter(|(at, first)| first != at) {
        let (second, code, what) = match at.checked_sub(count) {
            None => (at, Code::Parameter, "parameter"),
            Some(gradient) if first < count => (gradient, Code::Gradient, "gradient"),
            Some(gradient) => {
                push(&mut shared, gradient)?;
                continue;
            }
        };
        let (first, second) = (name(all[first].index), name(all[second].index));
        return Err(Error::new(code, format_args!("parameter {first} shares memory with {what} {second}")));
    }
    Ok(shared)
}
