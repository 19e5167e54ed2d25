//! The memory of parameters and gradients as slices.

use std::cell::{Cell, RefMut};
use std::rc::Rc;

use stepwell_optim::fallible::{push, with_capacity};
use stepwell_optim::{Code, Error, Result, View};
use stepwell_session::{BusyGuard, first_places};

use crate::autograd::storage::Storage;
use crate::autograd::tensor::Tensor;
use crate::elements::buffer::Buffer;
use crate::error::internal_error;
use crate::memory::MemoryBudget;

/// A parameter that has a gradient, with the storage of both.
struct Slot {
    index: usize,
    parameter: Rc<Storage>,
    gradient: Rc<Storage>,
    /// The gradient where it lies in memory that a gradient before it lends.
    copy: Option<Buffer>,
}

/// Lends what can be lent: gradient like parameter, and no memory twice. `busy` is set meanwhile. Where two gradients
/// share their memory the second is lent as a copy: the first is set to zero for both. A parameter whose flag is off is
/// neither lent nor checked; its gradient is set to zero here.
pub(crate) fn with_parameter_views(
    busy: &Cell<bool>,
    budget: &Rc<MemoryBudget>,
    parameters: &[Tensor],
    zero_grad: bool,
    step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<()>,
) -> Result<()> {
    let (mut slots, mut frozen) = (with_capacity(parameters.len())?, Vec::new());
    for (index, parameter) in parameters.iter().enumerate() {
        match parameter.grad() {
            Some(gradient) if parameter.requires_grad() => {
                check(index, parameter, &gradient)?;
                slots.push(Slot { index, parameter: parameter.storage(), gradient: gradient.storage(), copy: None });
            }
            Some(gradient) => push(&mut frozen, gradient.storage())?,
            None => {}
        }
    }
    for shared in refuse_overlap(&slots)? {
        let copy = slots[shared].gradient.read()?.copy(budget)?;
        slots[shared].copy = Some(copy);
    }
    let (mut lent, mut views) = (with_capacity(slots.len())?, with_capacity(parameters.len())?);
    // From here on graphs that need a parameter as it was are outdated, however the step ends.
    for Slot { index, parameter, gradient, copy } in &mut slots {
        let gradient = match copy {
            Some(copy) => Lent::Copy(copy),
            None if zero_grad => Lent::Itself(gradient.write()?),
            None => Lent::Itself(gradient.write_uncounted()?),
        };
        lent.push((*index, parameter.write()?, gradient));
    }
    views.extend(parameters.iter().map(|_| None::<View<'_>>));
    for (index, parameter, gradient) in &mut lent {
        let gradient = match gradient {
            Lent::Itself(gradient) => &mut **gradient,
            Lent::Copy(copy) => copy,
        };
        views[*index] = Some(match (&mut **parameter, gradient) {
            (Buffer::Float(parameter), Buffer::Float(gradient)) => View::Float(parameter, gradient),
            (Buffer::Double(parameter), Buffer::Double(gradient)) => View::Double(parameter, gradient),
            _ => return Err(internal_error("a gradient that was checked does not fit")),
        });
    }
    {
        let _guard = BusyGuard::new(busy);
        step(&mut views)?;
    }
    drop(lent);
    if zero_grad {
        frozen.iter().try_for_each(|gradient| gradient.write().map(|mut gradient| gradient.clear()))?;
    }
    Ok(())
}

/// A gradient on loan.
enum Lent<'a> {
    Itself(RefMut<'a, Buffer>),
    Copy(&'a mut Buffer),
}

fn check(index: usize, parameter: &Tensor, gradient: &Tensor) -> Result<()> {
    let (code, what) = if !parameter.dtype().is_floating() {
        (Code::Dtype, "its dtype is not of floating point")
    } else if gradient.shape() != parameter.shape() {
        (Code::Gradient, "its gradient has another shape")
    } else if gradient.dtype() != parameter.dtype() {
        (Code::Gradient, "its gradient has another dtype")
    } else {
        return Ok(());
    };
    Err(Error::new(code, format!("parameter {index} cannot be updated: {what}")))
}

/// Fails where a parameter shares memory with another or with a gradient. Returns the slots whose gradients share memory
/// with gradients before them.
fn refuse_overlap(slots: &[Slot]) -> Result<Vec<usize>> {
    let address = |storage: &Rc<Storage>| Rc::as_ptr(storage).addr() as u64;
    let count = slots.len();
    let gradients = slots.iter().map(|slot| address(&slot.gradient));
    let mut places = with_capacity(2 * count)?;
    places.extend(slots.iter().map(|slot| address(&slot.parameter)).chain(gradients));
    let mut shared = Vec::new();
    for (place, first) in first_places(&places)?.into_iter().enumerate().filter(|(place, first)| first != place) {
        let (number, code, what) = match place.checked_sub(count) {
            None => (place, Code::Parameter, "parameter"),
            Some(number) if first < count => (number, Code::Gradient, "gradient"),
            Some(number) => {
                push(&mut shared, number)?;
                continue;
            }
        };
        let (first, second) = (slots[first].index, slots[number].index);
        return Err(Error::new(code, format!("parameter {first} shares memory with {what} {second}")));
    }
    Ok(shared)
}
