//! A step of an optimizer on a device, equal to the step on the host to the bit.
//!
//! A step with the views, options and state of the step before uploads constants and launches kernels. It allocates
//! nothing and does not wait. If gradients that are not finite make it a skipped step, the device decides that, and the
//! host learns it later. A step waits for that decision if it makes state, which a skipped step does not, and if it
//! fails for such gradients.

use std::rc::Rc;

use half::{bf16, f16};

use crate::device::device::{Device, DeviceView};
use crate::device::layout::{
    APPLY, GRADIENT_SQUARES, MEASURE, Plain, SKIPS_ALWAYS, SKIPS_NEVER, SKIPS_NON_FINITE, STEP, StepSettings,
    TRANSFORMED_SQUARES, bytes_of_mut,
};
use crate::device::outcomes::{MAX_UNKNOWN, Outcomes};
use crate::device::state::DeviceState;
use crate::device::state_plan::StatePlan;
use crate::device::tables::Tables;
use crate::error::{Error, Result};
use crate::fallible::{filled, reserve};
use crate::numeric::clip::{Clip, GradientTransform};
use crate::state::group::Group;
use crate::state::view::Element;
use crate::sweep::erased_rule::ErasedRule;
use crate::sweep::non_finite::{NonFinite, non_finite_gradient};
use crate::sweep::step_options::{Outcome, StepOptions};

// SAFETY: a number of 16 bits has no padding, and every bit pattern is a value.
unsafe impl Plain for f16 {}

/// Makes the steps of an optimizer with a [`Rule`](crate::rule::Rule) on one device, and has the state there.
pub(crate) struct DeviceSweep {
    rule: Box<dyn ErasedRule>,
    device: Rc<dyn Device>,
    views: Vec<Option<DeviceView>>,
    pub(crate) state: DeviceState,
    tables: Tables,
    outcomes: Outcomes,
    /// False if options or state were changed since the last step.
    valid: bool,
    /// The buffers that the step in progress has created, by group, parameter and buffer.
    created: Vec<[usize; 3]>,
}

impl DeviceSweep {
    pub(crate) fn new(rule: Box<dyn ErasedRule>, device: Rc<dyn Device>) -> Self {
        Self {
            rule,
            device,
            views: Vec::new(),
            state: DeviceState::default(),
            tables: Tables::default(),
            outcomes: Outcomes::default(),
            valid: false,
            created: Vec::new(),
        }
    }

    /// The device that makes the steps.
    pub(crate) fn device(&self) -> &Rc<dyn Device> {
        &self.device
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
        let learned = self.outcomes.learn(&*self.device, self.tables.skipped(), most)?;
        if let Some(skipped @ 1..) = learned {
            self.tables.uncount(groups, skipped);
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
            for [group, parameter, buffer] in self.created.drain(..) {
                self.state.groups[group][parameter][buffer] = None;
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
        let device = Rc::clone(&self.device);
        let checks = options.non_finite != NonFinite::Propagate;
        let candidates = if checks || self.unknown() > 0 { MAX_UNKNOWN as usize + 1 } else { 1 };
        let plan = match self.valid && self.views == views && self.tables.candidates() >= candidates {
            true => None,
            false => Some(self.prepare(groups, views, candidates)?),
        };
        let has_elements = !self.tables.is_empty();
        let makes_state = plan.as_ref().is_some_and(|plan| !plan.is_empty()) || !self.tables.all_have_states(groups);
        let waits = checks && (makes_state || options.non_finite == NonFinite::Error);
        let uses_norm = self.rule.wants_gradient_norm();
        let skips = if checks && !waits { SKIPS_NON_FINITE } else { SKIPS_NEVER };
        let settings = StepSettings { skips, skipped: self.outcomes.skipped(), ..settings(options, uses_norm) };
        if has_elements {
            self.tables.upload_constants(&*device, &mut *self.rule, settings, self.outcomes.unknown())?;
            if uses_norm || settings.clips_norm != 0 || checks {
                self.tables.upload(&*device)?;
                self.tables.launch(GRADIENT_SQUARES)?;
            }
            // Checked before any state is made.
            if waits && self.tables.control(&*device)?.non_finite != 0 {
                self.end_without_update(settings, options)?;
                return Ok(Outcome::Skipped);
            }
        }
        if let Some(plan) = plan.filter(|plan| !plan.is_empty()) {
            let buffers = plan.make(&device, groups)?;
            self.created = plan.install(buffers, &mut self.state, groups, views);
            self.tables.set_buffers(&*self.rule, &self.state);
        }
        if has_elements {
            self.tables.upload(&*device)?;
            if uses_norm && settings.clips_norm != 0 {
                self.tables.launch(TRANSFORMED_SQUARES)?;
            }
            if self.rule.has_two_stages() {
                self.tables.launch(MEASURE)?;
                self.tables.launch(APPLY).map_err(|error| self.half_step(error, skips))?;
            } else {
                self.tables.launch(STEP)?;
            }
        }
        self.tables.count(groups);
        self.tables.clear_created();
        self.created.clear();
        self.valid = true;
        if !has_elements || skips != SKIPS_NON_FINITE {
            return Ok(Outcome::Stepped);
        }
        self.outcomes.add(&*device, self.tables.skipped());
        Ok(Outcome::Pending)
    }

    /// Makes the tables of these views, and plans the missing state.
    fn prepare(&mut self, groups: &[Group], views: &[Option<DeviceView>], candidates: usize) -> Result<StatePlan> {
        self.valid = false;
        self.rule.set_options(&mut groups.iter().map(|group| group.options()))?;
        self.state.extend(groups);
        let plan = self.state.plan(&*self.rule, groups, views)?;
        self.tables.build(&*self.device, &*self.rule, groups, views, &plan.created, candidates)?;
        self.views.clear();
        reserve(&mut self.views, views.len())?;
        self.views.extend_from_slice(views);
        if plan.is_empty() {
            // The buffers are the ones that there are.
            self.tables.set_buffers(&*self.rule, &self.state);
        }
        Ok(plan)
    }

    /// Ends a step without an update, since a gradient is not finite. Zeroes the gradients if asked to, except in the
    /// case of an error.
    fn end_without_update(&mut self, settings: StepSettings, options: StepOptions<'_>) -> Result<()> {
        let device = Rc::clone(&self.device);
        if options.non_finite == NonFinite::Error {
            let found = self.tables.first_non_finite_chunk(&*device, &self.views)?;
            let Some((element, address, length, view)) = found else { return Ok(()) };
            let element = match element {
                Element::Float => first_non_finite::<f32>(&*device, address, length)?,
                Element::Double => first_non_finite::<f64>(&*device, address, length)?,
                Element::Half => first_non_finite::<f16>(&*device, address, length)?,
                Element::BFloat16 => first_non_finite::<bf16>(&*device, address, length)?,
            };
            return Err(non_finite_gradient(&(options.name)(view), element));
        }
        if options.zero_gradients {
            let settings = StepSettings { skips: SKIPS_ALWAYS, ..settings };
            self.tables.upload_constants(&*device, &mut *self.rule, settings, self.outcomes.unknown())?;
            self.tables.launch(if self.rule.has_two_stages() { MEASURE } else { STEP })?;
        }
        Ok(())
    }

    /// The error of a second stage that could not start.
    fn half_step(&self, error: Error, skips: u32) -> Error {
        if !self.created.is_empty() {
            // The state that this step has created is removed.
            return error;
        }
        if skips == SKIPS_NON_FINITE && self.tables.control(&*self.device).is_ok_and(|found| found.non_finite != 0) {
            // The device has skipped the first stage.
            return error;
        }
        Error::new(error.code(), format!("{error}; the step has updated the state, but not the parameters"))
    }
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

/// The first element that is infinite or NaN.
fn first_non_finite<T: Plain + Default + Into<f64>>(device: &dyn Device, address: u64, length: usize) -> Result<f64> {
    let mut elements = filled(length, T::default())?;
    device.download(address, bytes_of_mut(&mut elements))?;
    Ok(elements.into_iter().map(Into::into).find(|element: &f64| !element.is_finite()).unwrap_or(f64::NAN))
}
