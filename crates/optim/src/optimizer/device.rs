//! Steps on a device, and the state that is there.

use crate::device::buffer::DeviceBuffer;
use crate::device::device::{Device, DeviceView};
use crate::device::state::DeviceState;
use crate::device::sweep::DeviceSweep;
use crate::error::{Code, Error, Result};
use crate::fallible::with_capacity;
use crate::optimizer::{Optimizer, closure_required};
use crate::optimizers::definition::Method;
use crate::state::param_state::State;
use crate::sweep::step_options::{Outcome, StepOptions};

impl Optimizer {
    /// As [`Optimizer::step`], for parameters on a device. The state is made on the device, and state on the host moves
    /// there. The step waits for the device if the options or a loss scale ask for gradients that are finite. Threads,
    /// instruction set and memory limit of the options are not used.
    ///
    /// # Errors
    /// As for [`Optimizer::step`], and errors of the device. An error changes nothing, except one that says so: a rule
    /// with two stages may fail after the first one has updated the state.
    /// - [`Code::Memory`] if there is no memory on the device for new state
    /// - [`Code::Internal`] for a state on another device
    pub fn device_step(
        &mut self,
        device: &dyn Device,
        views: &[Option<DeviceView>],
        options: StepOptions<'_>,
    ) -> Result<Outcome> {
        let has_gradients = views.iter().any(Option::is_some);
        self.step_with(views.len(), has_gradients, options, |optimizer, options| {
            let Method::Each(rule) = optimizer.definition.method else {
                return Err(closure_required(optimizer.definition));
            };
            let sweep = optimizer.device_sweep.get_or_insert_with(|| DeviceSweep::new(rule(), device));
            let outcome = sweep.step(device, &mut optimizer.groups, views, options);
            if let Some(host) = &mut optimizer.sweep {
                host.invalidate();
            }
            outcome
        })
    }

    /// True if buffers of the state are on a device. [`crate::Group::states`] does not contain these buffers.
    pub fn has_device_state(&self) -> bool {
        self.device_buffers().next().is_some()
    }

    /// A copy of the state of each parameter in host memory, group by group. Waits for earlier steps.
    ///
    /// # Errors
    /// [`Code::Memory`], and errors of the device
    pub fn device_states(&self, device: &dyn Device) -> Result<Vec<Option<State>>> {
        let mut states = with_capacity(self.groups.iter().map(|group| group.states.len()).sum())?;
        let empty = DeviceState::default();
        let on_device = self.device_sweep.as_ref().map_or(&empty, |sweep| &sweep.state);
        for (index, group) in self.groups.iter().enumerate() {
            for (parameter, state) in group.states.iter().enumerate() {
                let copy = |state: &State| -> Result<State> {
                    let buffers = on_device.downloaded(device, (index, parameter), Some(&state.buffers))?;
                    Ok(State { step: state.step, buffers })
                };
                states.push(state.as_ref().map(copy).transpose()?);
            }
        }
        Ok(states)
    }

    /// Moves the state from the device to host memory, where the other functions find it. Waits for earlier steps. The
    /// next step on a device moves it back.
    ///
    /// # Errors
    /// [`Code::Memory`], and errors of the device. An error changes nothing.
    pub fn fetch_device_state(&mut self, device: &dyn Device) -> Result<()> {
        let Some(sweep) = &self.device_sweep else { return Ok(()) };
        let mut fetched = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            for parameter in 0..group.states.len() {
                fetched.push(sweep.state.downloaded(device, (index, parameter), None)?);
            }
        }
        let states = self.groups.iter_mut().flat_map(|group| &mut group.states);
        for (state, fetched) in states.zip(fetched) {
            let Some(state) = state else { continue };
            for (buffer, fetched) in state.buffers.iter_mut().zip(fetched) {
                if fetched.is_some() {
                    *buffer = fetched;
                }
            }
        }
        self.device_sweep = None;
        self.invalidate();
        Ok(())
    }

    /// The buffers on the device.
    pub(super) fn device_buffers(&self) -> impl Iterator<Item = &DeviceBuffer> {
        self.device_sweep.iter().flat_map(|sweep| sweep.state.buffers())
    }

    /// Checks that the state is in host memory, as a step there requires.
    pub(super) fn check_on_host(&self) -> Result<()> {
        match self.has_device_state() {
            true => Err(Error::new(Code::Internal, "a step in host memory with a state on a device")),
            false => Ok(()),
        }
    }
}
