//! A step of an optimizer on a device, equal to the step on the host to the bit.
//!
//! A step with the views, options and state of the step before uploads constants and launches kernels. It allocates
//! nothing and does not wait. If gradients that are not finite make it a skipped step, the device decides that, and the
//! host learns it later. A step waits for that decision if it makes state, which a skipped step does not, and if it
//! fails for such gradients.
//!
//! Each of several devices makes the step of its own parameters. The host combines their norms, for which it waits, and
//! decides whether the step is skipped. A step without norms and checks does not wait.

use std::sync::Arc;

use crate::device::combined_norm::{AllSquares, CombinedNorm};
use crate::device::device::{Device, DeviceView, is_same};
use crate::device::layout::{
    APPLY, GRADIENT_SQUARES, MEASURE, SKIPS_ALWAYS, SKIPS_NEVER, SKIPS_NON_FINITE, STEP, StepSettings,
    TRANSFORMED_SQUARES,
};
use crate::device::outcomes::{MAX_UNKNOWN, Outcomes};
use crate::device::state::DeviceState;
use crate::device::state_plan::{ReplacedBuffer, StatePlan};
use crate::device::tables::Tables;
use crate::error::{Error, Result};
use crate::fallible::{reserve, with_capacity};
use crate::numeric::clip::{Clip, GradientTransform};
use crate::state::group::Group;
use crate::state::param_state::RULE_BUFFERS;
use crate::sweep::erased_rule::ErasedRule;
use crate::sweep::non_finite::{NonFinite, non_finite_gradient};
use crate::sweep::step_options::{Outcome, StepOptions};

/// Makes the steps of an optimizer with a [`Rule`](crate::rule::Rule) on devices, and has the state there.
pub(crate) struct DeviceSweep {
    rule: Box<dyn ErasedRule>,
    devices: Vec<Arc<dyn Device>>,
    views: Vec<Option<DeviceView>>,
    pub(crate) state: DeviceState,
    /// Of each device.
    tables: Vec<Tables>,
    /// Unknown outcomes are of steps on one device.
    outcomes: Outcomes,
    /// False if options or state were changed since the last step.
    valid: bool,
    /// The buffers that the step in progress has replaced. An error of the step restores them.
    replaced: Vec<ReplacedBuffer>,
}

impl DeviceSweep {
    pub(crate) fn new(rule: Box<dyn ErasedRule>, devices: &[Arc<dyn Device>]) -> Result<Self> {
        let (mut own, mut tables) = (with_capacity(devices.len())?, with_capacity(devices.len())?);
        for device in devices {
            own.push(Arc::clone(device));
            tables.push(Tables::new(Arc::clone(device)));
        }
        Ok(Self {
            rule,
            devices: own,
            views: Vec::new(),
            state: DeviceState::default(),
            tables,
            outcomes: Outcomes::default(),
            valid: false,
            replaced: Vec::new(),
        })
    }

    /// True if the steps are made on these devices.
    pub(crate) fn is_on(&self, devices: &[Arc<dyn Device>]) -> bool {
        self.devices.len() == devices.len() && self.devices.iter().zip(devices).all(|(a, b)| is_same(a, b))
    }

    /// The number of steps whose outcomes the host does not know.
    pub(crate) fn unknown(&self) -> u32 {
        self.outcomes.unknown()
    }

    /// True if these views are of the parameters of the last step.
    pub(crate) fn has_parameters_of(&self, views: &[Option<DeviceView>]) -> bool {
        let mut pairs = self.views.iter().zip(views);
        self.views.len() == views.len() && pairs.all(|(before, view)| before.is_some() == view.is_some())
    }

    /// Learns outcomes of steps that the host has, and takes back the counts of skipped ones. Waits if more than `most`
    /// are unknown. Returns how many steps were skipped; `None` if nothing is learned.
    pub(crate) fn learn(&mut self, groups: &mut [Group], most: u32) -> Result<Option<u64>> {
        let [tables, ..] = &mut self.tables[..] else { return Ok(None) };
        let learned = self.outcomes.learn(&**tables.device(), tables.skipped(), most)?;
        if let Some(skipped @ 1..) = learned {
            tables.uncount(groups, skipped);
        }
        Ok(learned)
    }

    /// Makes the next step compare its tables, since options or state have changed.
    pub(crate) fn invalidate(&mut self) {
        self.valid = false;
    }

    /// Makes a step. An error changes nothing, except an error of the second stage of a rule with two stages: the first
    /// stage has then updated the state. Fewer than [`MAX_UNKNOWN`] outcomes are unknown, and all of them are of steps of
    /// the parameters of these views.
    pub(crate) fn step(
        &mut self,
        groups: &mut [Group],
        views: &[Option<DeviceView>],
        options: StepOptions<'_>,
    ) -> Result<Outcome> {
        let outcome = self.try_step(groups, views, options);
        if outcome.is_err() {
            self.valid = false;
            for replaced in self.replaced.drain(..) {
                replaced.restore(&mut self.state, groups);
            }
        }
        outcome
    }

    fn try_step(
        &mut self,
        groups: &mut [Group],
        views: &[Option<DeviceView>],
        options: StepOptions<'_>,
    ) -> Result<Outcome> {
        let checks = options.non_finite != NonFinite::Propagate;
        let is_single = self.tables.len() == 1;
        let candidates = if is_single && (checks || self.unknown() > 0) { MAX_UNKNOWN as usize + 1 } else { 1 };
        let has_memory = self.tables.iter().all(|tables| tables.candidates() >= candidates);
        let plan = match self.valid && has_memory && self.views == views {
            true => None,
            false => Some(self.prepare(groups, views, candidates)?),
        };
        let uses_norm = self.rule.wants_gradient_norm();
        let mut settings = settings(options, uses_norm);
        let has_elements = self.with_elements().next().is_some();
        let measures = has_elements && (uses_norm || settings.clips_norm != 0 || checks);
        let mut norm = 0.0;
        if is_single {
            let waits = checks && (options.non_finite == NonFinite::Error || self.makes_state(plan.as_ref(), groups));
            settings.skips = if checks && !waits { SKIPS_NON_FINITE } else { SKIPS_NEVER };
            settings.skipped = self.outcomes.skipped();
            if measures {
                self.upload(settings, norm)?;
                self.launch(GRADIENT_SQUARES)?;
            }
            // Checked before any state is made.
            if measures && waits && self.tables[0].control()?.non_finite != 0 {
                return self.end_without_update(settings, options);
            }
        } else if measures {
            let combined = CombinedNorm::compute(&mut self.tables, &mut *self.rule, views, options)?;
            if checks && combined.non_finite {
                return self.end_without_update(settings, options);
            }
            norm = combined.norm;
            // The host knows what the kernels of norms would compute.
            (settings.transform, settings.clips_norm, settings.uses_norm) = (combined.transform.into(), 0, 0);
        }
        if let Some(plan) = plan.filter(|plan| !plan.is_empty()) {
            let buffers = plan.make(&self.devices, groups)?;
            self.replaced = plan.install(buffers, &mut self.state, groups, views)?;
            self.set_buffers();
        }
        if is_single && measures {
            self.tables[0].upload()?;
        } else {
            self.upload(settings, norm)?;
        }
        if uses_norm && settings.clips_norm != 0 {
            self.launch(TRANSFORMED_SQUARES)?;
        }
        self.update(settings.skips)?;
        for tables in &mut self.tables {
            tables.count(groups);
            tables.clear_created();
        }
        self.replaced.clear();
        self.valid = true;
        if !has_elements || settings.skips != SKIPS_NON_FINITE {
            return Ok(Outcome::Stepped);
        }
        self.outcomes.add(&*self.devices[0], self.tables[0].skipped());
        Ok(Outcome::Pending)
    }

    /// Makes the tables of these views, and plans the missing state.
    fn prepare(&mut self, groups: &[Group], views: &[Option<DeviceView>], candidates: usize) -> Result<StatePlan> {
        self.valid = false;
        self.rule.set_options(&mut groups.iter().map(|group| group.options()))?;
        self.state.extend(groups);
        let plan = self.state.plan(&*self.rule, groups, views, &self.devices)?;
        for (device, tables) in self.tables.iter_mut().enumerate() {
            tables.build(device, &*self.rule, groups, views, &plan.created, candidates)?;
        }
        self.views.clear();
        reserve(&mut self.views, views.len())?;
        self.views.extend_from_slice(views);
        if plan.is_empty() {
            // The buffers are the ones that there are.
            self.set_buffers();
        }
        Ok(plan)
    }

    /// True if the step makes or converts state. A skipped step does not.
    fn makes_state(&self, plan: Option<&StatePlan>, groups: &[Group]) -> bool {
        plan.is_some_and(|plan| !plan.is_empty()) || !self.tables.iter().all(|tables| tables.all_have_states(groups))
    }

    fn set_buffers(&mut self) {
        for tables in &mut self.tables {
            tables.set_buffers(&*self.rule, &self.state);
        }
    }

    /// The tables that have elements.
    fn with_elements(&self) -> impl Iterator<Item = &Tables> {
        self.tables.iter().filter(|tables| !tables.is_empty())
    }

    /// Uploads to each device what its kernels read.
    fn upload(&mut self, settings: StepSettings, norm: f64) -> Result<()> {
        for tables in self.tables.iter_mut().filter(|tables| !tables.is_empty()) {
            tables.upload_constants(&mut *self.rule, settings, self.outcomes.unknown(), norm)?;
            tables.upload()?;
        }
        Ok(())
    }

    fn launch(&self, kernel: &'static str) -> Result<()> {
        self.with_elements().try_for_each(|tables| tables.launch(kernel))
    }

    /// Launches the kernels that update state and parameters.
    fn update(&self, skips: u32) -> Result<()> {
        let kernels = if self.rule.has_two_stages() { &[MEASURE, APPLY][..] } else { &[STEP] };
        let mut updated = None;
        for kernel in kernels {
            for tables in self.with_elements() {
                tables.launch(kernel).map_err(|error| self.half_step(error, updated, skips))?;
                updated = Some(if *kernel == MEASURE { Updated::State } else { Updated::SomeParameters });
            }
        }
        Ok(())
    }

    /// Ends a step without an update, since a gradient is not finite. Zeroes the gradients if asked to, except in the
    /// case of an error.
    fn end_without_update(&mut self, settings: StepSettings, options: StepOptions<'_>) -> Result<Outcome> {
        if options.non_finite == NonFinite::Error {
            let found = AllSquares::read(&self.tables)?.first_non_finite(&self.tables, &self.views)?;
            return match found {
                Some((view, element)) => Err(non_finite_gradient(&(options.name)(view), element)),
                None => Ok(Outcome::Skipped),
            };
        }
        if options.zero_gradients {
            self.upload(StepSettings { skips: SKIPS_ALWAYS, ..settings }, 0.0)?;
            self.launch(if self.rule.has_two_stages() { MEASURE } else { STEP })?;
        }
        Ok(Outcome::Skipped)
    }

    /// True if the step in progress has replaced each buffer of the formula that its kernels update.
    fn replaces_all_state(&self) -> bool {
        let mut slots = self.views.iter();
        self.state.groups.iter().enumerate().all(|(group, members)| {
            members.iter().enumerate().zip(&mut slots).all(|((parameter, buffers), view)| {
                let is_replaced = |index| self.replaced.iter().any(|one| one.place == [group, parameter, index]);
                let in_use = |index: usize| buffers[index].as_ref().is_some_and(|buffer| buffer.len() > 0);
                view.is_none() || (0..RULE_BUFFERS).all(|index| !in_use(index) || is_replaced(index))
            })
        })
    }

    /// The error of a kernel that could not start after others of the step.
    fn half_step(&self, error: Error, updated: Option<Updated>, skips: u32) -> Error {
        let is_skipped = |tables: &Tables| tables.control().is_ok_and(|control| control.non_finite != 0);
        let text = match updated {
            None => return error,
            // The device has skipped the first stage.
            _ if skips == SKIPS_NON_FINITE && self.tables.iter().any(is_skipped) => return error,
            // The buffers that the first stage has updated are not those that remain.
            Some(Updated::State) if self.replaces_all_state() => return error,
            Some(Updated::State) => "the state, but not the parameters",
            Some(Updated::SomeParameters) => "the parameters of one device, but not of all",
        };
        Error::new(error.code(), format!("{error}; the step has updated {text}"))
    }
}

/// The changes of a step that has not launched all of its kernels.
#[derive(Clone, Copy)]
enum Updated {
    State,
    SomeParameters,
}

fn settings(options: StepOptions<'_>, uses_norm: bool) -> StepSettings {
    let unscale = 1.0 / options.loss_scale;
    let (max_norm, clip) = match options.clip {
        Clip::Norm(max) => (Some(max), Clip::None),
        other => (None, other),
    };
    let transform: GradientTransform = clip.transform(0.0).after_scaling(unscale);
    StepSettings {
        unscale,
        max_norm: max_norm.unwrap_or_default(),
        transform: transform.into(),
        clips_norm: u32::from(max_norm.is_some()),
        uses_norm: u32::from(uses_norm),
        zeroes_gradients: u32::from(options.zero_gradients),
        ..StepSettings::default()
    }
}
