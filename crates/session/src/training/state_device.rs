//! The device that makes the steps of an optimizer and holds its state.

use std::ptr;
use std::rc::Rc;

use stepwell_optim::{Device, DeviceView, Optimizer, Outcome, Result, StepOptions};

/// The device that has made the steps of an optimizer and holds its state; none before the first.
#[derive(Default)]
pub(crate) struct StateDevice(Option<Rc<dyn Device>>);

impl StateDevice {
    /// Makes a step on a device. State on another device moves there.
    pub(crate) fn step(
        &mut self,
        optimizer: &mut Optimizer,
        device: &Rc<dyn Device>,
        views: &[Option<DeviceView>],
        options: StepOptions<'_>,
    ) -> Result<Outcome> {
        let is_same = |before: &Rc<dyn Device>| ptr::addr_eq(Rc::as_ptr(before), Rc::as_ptr(device));
        if !self.0.as_ref().is_some_and(is_same) {
            self.fetch(optimizer)?;
            self.0 = Some(Rc::clone(device));
        }
        optimizer.device_step(&**device, views, options)
    }

    /// Moves the state to host memory. An error changes nothing.
    pub(crate) fn fetch(&mut self, optimizer: &mut Optimizer) -> Result<()> {
        if let Some(device) = &self.0 {
            optimizer.fetch_device_state(&**device)?;
            self.0 = None;
        }
        Ok(())
    }

    /// A copy of the optimizer with its state, unless that is in host memory.
    pub(crate) fn with_state(&self, optimizer: &Optimizer) -> Result<Option<Optimizer>> {
        let Some(device) = self.0.as_ref().filter(|_| optimizer.has_device_state()) else { return Ok(None) };
        let mut copy = optimizer.without_state();
        copy.set_states(optimizer.device_states(&**device)?);
        Ok(Some(copy))
    }
}
