//! Steps on a device, the state that is there, and the outcomes that the device decides on.

use std::mem;
use std::sync::Arc;

use crate::device::buffer::DeviceBuffer;
use crate::device::device::{Device, DeviceView};
use crate::device::outcomes::MAX_UNKNOWN;
use crate::device::state::DeviceState;
use crate::device::sweep::DeviceSweep;
use crate::error::{Code, Error, Result};
use crate::fallible::with_capacity;
use crate::optimizer::{Optimizer, closure_required};
use crate::optimizers::definition::Method;
use crate::state::param_state::State;
use crate::sweep::step_options::{Outcome, StepOptions};

impl Optimizer {
    /// As [`Optimizer::step`], for parameters on devices, of which each makes the step of its own. The state of a parameter
    /// is made on its device, and state on the host or on another device moves there. Threads, instruction set and memory limit of the options
    /// are not used.
    ///
    /// If the options or a loss scale skip steps with gradients that are not finite, the outcome is
    /// [`Outcome::Pending`]: the device decides, and [`Optimizer::settle`] tells. Until then the step is counted. The
    /// step waits for the device if it makes state or if [`NonFinite::Error`](crate::NonFinite::Error) asks for it. It
    /// waits for earlier steps if a loss scale depends on them, if other parameters have gradients now, or if too many
    /// outcomes are unknown. On several devices it waits for norms and checks, so that its outcome is known.
    ///
    /// # Errors
    /// As for [`Optimizer::step`], and errors of the device. An error changes nothing, except one that says so: a rule
    /// with two stages may fail after the first one has updated the state.
    /// - [`Code::Memory`] if there is no memory on the device for new state
    pub fn device_step(
        &mut self,
        devices: &[Arc<dyn Device>],
        views: &[Option<DeviceView>],
        options: StepOptions<'_>,
    ) -> Result<Outcome> {
        let scales = self.loss_scale.is_some();
        if let Some(sweep) = &self.device_sweep {
            if !sweep.is_on(devices) {
                self.fetch_device_state()?;
            } else if scales || !sweep.has_parameters_of(views) {
                self.settle()?;
            }
        }
        self.learn(MAX_UNKNOWN - 1)?;
        let has_gradients = views.iter().any(Option::is_some);
        self.step_with(views.len(), has_gradients, options, |optimizer, options| {
            let Method::Each(rule) = optimizer.definition.method else {
                return Err(closure_required(optimizer.definition));
            };
            let sweep = match &mut optimizer.device_sweep {
                Some(sweep) => sweep,
                none => none.insert(DeviceSweep::new(rule(), devices)?),
            };
            let outcome = sweep.step(&mut optimizer.groups, views, options);
            if let Some(host) = &mut optimizer.sweep {
                host.invalidate();
            }
            outcome
        })
    }

    /// Learns the outcomes of all steps: takes back the counts of skipped ones, and updates the loss scale. Waits for
    /// these steps. Returns the outcome of the last step, if no outcome but its own was unknown.
    ///
    /// # Errors
    /// Errors of the device
    pub fn settle(&mut self) -> Result<Option<Outcome>> {
        self.learn(0)
    }

    /// As [`Optimizer::settle`], but waits only if more than `most` outcomes are unknown.
    fn learn(&mut self, most: u32) -> Result<Option<Outcome>> {
        let mut last = None;
        while let Some(sweep) = self.device_sweep.as_mut().filter(|sweep| sweep.unknown() > 0) {
            let is_last = sweep.unknown() == 1;
            let Some(skipped) = sweep.learn(&mut self.groups, most)? else { break };
            let outcome = if skipped > 0 { Outcome::Skipped } else { Outcome::Stepped };
            last = is_last.then_some(outcome);
            self.skipped += skipped;
            if mem::take(&mut self.awaits_scale)
                && let Some(loss_scale) = &mut self.loss_scale
            {
                loss_scale.update(outcome);
            }
        }
        Ok(last)
    }

    /// True if outcomes are unknown, so that counts of steps and the loss scale may be wrong.
    pub fn is_unsettled(&self) -> bool {
        self.device_sweep.as_ref().is_some_and(|sweep| sweep.unknown() > 0)
    }

    /// True if buffers of the state are on a device. [`crate::Group::states`] does not contain these buffers.
    pub fn has_device_state(&self) -> bool {
        self.device_buffers().next().is_some()
    }

    /// A copy of the state of each parameter in host memory, group by group. Waits for earlier steps.
    ///
    /// # Errors
    /// [`Code::Memory`], errors of the device, and [`Code::Internal`] unless the steps are settled
    pub fn device_states(&self) -> Result<Vec<Option<State>>> {
        if self.is_unsettled() {
            return Err(Error::new(Code::Internal, "a state with steps whose outcomes are unknown"));
        }
        let mut states = with_capacity(self.groups.iter().map(|group| group.states.len()).sum())?;
        let empty = DeviceState::default();
        let on_device = self.device_sweep.as_ref().map_or(&empty, |sweep| &sweep.state);
        for (index, group) in self.groups.iter().enumerate() {
            for (parameter, state) in group.states.iter().enumerate() {
                let copy = |state: &State| -> Result<State> {
                    let buffers = on_device.downloaded((index, parameter), Some(&state.buffers))?;
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
    pub fn fetch_device_state(&mut self) -> Result<()> {
        self.settle()?;
        let Some(sweep) = &self.device_sweep else { return Ok(()) };
        let mut fetched = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            for parameter in 0..group.states.len() {
                fetched.push(sweep.state.downloaded((index, parameter), None)?);
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
