//! The memory of parameters and gradients as slices.

use std::cell::{Cell, Ref, RefMut};
use std::collections::HashMap;
use std::rc::Rc;

use stepwell_optim::{Code, Error, Result, View};

use crate::buffer::Buffer;
use crate::error::internal;
use crate::tensor::{Storage, Tensor};

/// A parameter that has a gradient, with the storage of both.
struct Slot {
    index: usize,
    parameter: Rc<Storage>,
    gradient: Rc<Storage>,
}

/// Lends what can be lent: gradient like parameter, and no memory twice. `busy` is set meanwhile.
pub(crate) fn lend(
    busy: &Cell<bool>,
    parameters: &[Tensor],
    step: &mut dyn FnMut(&mut [Option<View<'_>>]) -> Result<()>,
) -> Result<()> {
    let mut slots = Vec::with_capacity(parameters.len());
    for (index, parameter) in parameters.iter().enumerate() {
        if let Some(gradient) = parameter.grad() {
            check(index, parameter, &gradient)?;
            slots.push(Slot { index, parameter: parameter.storage(), gradient: gradient.storage() });
        }
    }
    refuse_overlap(&slots)?;
    let gradients = slots.iter().map(|slot| slot.gradient.read()).collect::<Result<Vec<Ref<'_, Buffer>>>>()?;
    // From here on graphs that need a parameter as it was are outdated, however the step ends.
    let mut written = slots.iter().map(|slot| slot.parameter.write()).collect::<Result<Vec<RefMut<'_, Buffer>>>>()?;
    let mut views: Vec<Option<View<'_>>> = parameters.iter().map(|_| None).collect();
    for ((slot, parameter), gradient) in slots.iter().zip(&mut written).zip(&gradients) {
        views[slot.index] = Some(match (&mut **parameter, &**gradient) {
            (Buffer::Float(parameter), Buffer::Float(gradient)) => View::Float(parameter, gradient),
            (Buffer::Double(parameter), Buffer::Double(gradient)) => View::Double(parameter, gradient),
            _ => return Err(internal("a gradient that was checked does not fit")),
        });
    }
    let _loan = Loan::new(busy);
    step(&mut views)
}

/// Ends however the step ends.
struct Loan<'a>(&'a Cell<bool>);

impl<'a> Loan<'a> {
    fn new(busy: &'a Cell<bool>) -> Self {
        busy.set(true);
        Self(busy)
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

fn check(index: usize, parameter: &Tensor, gradient: &Tensor) -> Result<()> {
    let (code, what) = if !parameter.dtype().is_floating() {
        (Code::Dtype, "its dtype is neither float nor double")
    } else if gradient.shape() != parameter.shape() {
        (Code::Gradient, "its gradient has another shape")
    } else if gradient.dtype() != parameter.dtype() {
        (Code::Gradient, "its gradient has another dtype")
    } else {
        return Ok(());
    };
    Err(Error::new(code, format!("parameter {index} cannot be updated: {what}")))
}

/// Fails where memory that would be written to is lent twice. Two gradients may share theirs.
fn refuse_overlap(slots: &[Slot]) -> Result<()> {
    let mut parameters = HashMap::with_capacity(slots.len());
    for slot in slots {
        if let Some(first) = parameters.insert(Rc::as_ptr(&slot.parameter), slot.index) {
            let message = format!("parameter {first} shares memory with parameter {}", slot.index);
            return Err(Error::new(Code::Parameter, message));
        }
    }
    for slot in slots {
        if let Some(parameter) = parameters.get(&Rc::as_ptr(&slot.gradient)) {
            let message = format!("parameter {parameter} shares memory with gradient {}", slot.index);
            return Err(Error::new(Code::Gradient, message));
        }
    }
    Ok(())
}
