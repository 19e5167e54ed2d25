//! An optimizer: parameter groups with their options, and the state of each parameter.

mod averages;
#[cfg(not(target_family = "wasm"))]
mod device;
mod groups;
pub(crate) mod loss_scale;
mod schedule_steps;
#[cfg(not(target_family = "wasm"))]
mod sharded;
pub(crate) mod state_size;

#[cfg(not(target_family = "wasm"))]
use crate::device::sweep::DeviceSweep;
use crate::error::{Code, Error, Result};
use crate::optimizer::loss_scale::LossScale;
use crate::optimizers::definition::{Definition, Method};
use crate::optimizers::lbfgs::closure_step::{ClosureStep, LbfgsState};
use crate::optimizers::lbfgs::state_dict::AnyLbfgsStateDict;
use crate::options::table::{defaults, parse};
use crate::options::value::OptionValue;
use crate::schedules::schedule::Schedule;
use crate::state::buffer::Buffer;
use crate::state::group::Group;
use crate::state::param_state::State;
use crate::state::view::View;
use crate::sweep::Sweep;
use crate::sweep::non_finite::NonFinite;
use crate::sweep::step_options::{Outcome, StepOptions};

/// An optimizer of parameters that its caller owns, and that it identifies by group and index.
pub struct Optimizer {
    definition: &'static Definition,
    defaults: Vec<OptionValue>,
    groups: Vec<Group>,
    /// Makes the steps; `None` for L-BFGS.
    sweep: Option<Sweep>,
    /// Makes the steps on a device, and has the state there; `None` before the first.
    #[cfg(not(target_family = "wasm"))]
    device_sweep: Option<DeviceSweep>,
    /// True if the outcome of a step on the device, once it is known, updates the loss scale.
    #[cfg(not(target_family = "wasm"))]
    awaits_scale: bool,
    lbfgs_state: Option<LbfgsState>,
    pub(crate) schedule: Option<Schedule>,
    /// The factor of the loss, if loss scaling is on.
    pub loss_scale: Option<LossScale>,
    /// True while parameters and averages are swapped.
    swapped: bool,
    /// The number of skipped steps.
    skipped: u64,
}

impl Optimizer {
    /// An optimizer with one empty group. The options become the defaults of later groups.
    pub fn new(
        definition: &'static Definition,
        positional: &[OptionValue],
        named: &[(String, OptionValue)],
    ) -> Result<Self> {
        let base = defaults(definition.options);
        let values = parse(definition.name, definition.options, &base, positional, named)?;
        (definition.check)(&values)?;
        let group = Group { options: values.clone(), states: Vec::new() };
        let sweep = new_sweep(definition);
        Ok(Self {
            definition,
            defaults: values,
            groups: vec![group],
            sweep,
            #[cfg(not(target_family = "wasm"))]
            device_sweep: None,
            #[cfg(not(target_family = "wasm"))]
            awaits_scale: false,
            lbfgs_state: None,
            schedule: None,
            loss_scale: None,
            swapped: false,
            skipped: 0,
        })
    }

    /// An optimizer with one empty group for each list of named options. The first list becomes the defaults of later
    /// groups. A missing option has the optimizer's default.
    pub fn with_groups(definition: &'static Definition, options: &[Vec<(String, OptionValue)>]) -> Result<Self> {
        let Some((first, rest)) = options.split_first() else {
            let message = format_args!("{}: expected options of at least one group", definition.name);
            return Err(Error::new(Code::Format, message));
        };
        let mut optimizer = Self::new(definition, &[], first)?;
        for named in rest {
            let made = Self::new(definition, &[], named)?;
            optimizer.group_or_next(optimizer.groups.len())?;
            optimizer.groups.extend(made.groups);
        }
        Ok(optimizer)
    }

    /// The name, options and functions of this kind of optimizer.
    pub fn definition(&self) -> &'static Definition {
        self.definition
    }

    /// The parameter groups; there is at least one.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The state of L-BFGS as plain data, or `None` before its first step.
    ///
    /// # Errors
    /// [`Code::Memory`]
    pub fn lbfgs_state_dict(&self) -> Result<Option<AnyLbfgsStateDict>> {
        self.lbfgs_state.as_ref().map(LbfgsState::state_dict).transpose()
    }

    /// Makes the next step rebuild its lists, since options or state have changed.
    fn invalidate(&mut self) {
        if let Some(sweep) = &mut self.sweep {
            sweep.invalidate();
        }
        #[cfg(not(target_family = "wasm"))]
        if let Some(sweep) = &mut self.device_sweep {
            sweep.invalidate();
        }
    }

    /// Updates every parameter that has a gradient. Takes one view for each parameter, group by group. With a loss
    /// scale, the step divides gradients by it, and is skipped if they are not finite, whatever the options say.
    ///
    /// # Errors
    /// An error changes nothing, except [`Code::Internal`].
    /// - [`Code::ClosureRequired`] for L-BFGS
    /// - [`Code::Parameter`] while parameters and averages are swapped
    /// - [`Code::OptionRange`] for moments in bfloat16 with parameters in f64
    /// - [`Code::Gradient`] for gradients that are not finite, if the options ask for it
    /// - [`Code::Memory`] if there is no memory for new state
    /// - [`Code::Distributed`] if another process that shares the step has failed
    /// - [`Code::Internal`] if a thread panicked, by a bug; some elements are then updated
    pub fn step(&mut self, views: &mut [Option<View<'_>>], options: StepOptions<'_>) -> Result<Outcome> {
        #[cfg(not(target_family = "wasm"))]
        {
            self.settle()?;
            self.check_on_host()?;
        }
        let has_gradients = views.iter().any(Option::is_some);
        #[cfg(not(target_family = "wasm"))]
        let others = options.peers.map(|peers| sharded::keep_own(peers.shards, views)).transpose()?;
        let outcome =
            self.step_with(views.len(), has_gradients, options, |optimizer, options| match &mut optimizer.sweep {
                Some(sweep) => {
                    #[cfg(not(target_family = "wasm"))]
                    if let Some(sweep) = &mut optimizer.device_sweep {
                        sweep.invalidate();
                    }
                    sweep.step(&mut optimizer.groups, views, options)
                }
                None => Err(closure_required(optimizer.definition)),
            });
        #[cfg(not(target_family = "wasm"))]
        if options.zero_gradients && outcome.is_ok() {
            others.into_iter().flatten().for_each(|mut view| view.zero_gradient());
        }
        outcome
    }

    /// Checks that a step is possible, makes it with the options that loss scaling asks for, and updates the loss scale.
    fn step_with(
        &mut self,
        views: usize,
        has_gradients: bool,
        options: StepOptions<'_>,
        step: impl FnOnce(&mut Self, StepOptions<'_>) -> Result<Outcome>,
    ) -> Result<Outcome> {
        self.check_not_swapped()?;
        if self.sweep.is_none() {
            return Err(closure_required(self.definition));
        }
        let count: usize = self.groups.iter().map(|group| group.states.len()).sum();
        if views != count {
            let message = format_args!("{views} views given for {count} parameters");
            return Err(Error::new(Code::Internal, message));
        }
        let scaled = match &self.loss_scale {
            None => options,
            Some(loss_scale) => StepOptions { loss_scale: loss_scale.scale(), non_finite: NonFinite::Skip, ..options },
        };
        let outcome = step(self, scaled)?;
        if let Some(loss_scale) = &mut self.loss_scale {
            // A step without gradients does not change the scale.
            if has_gradients {
                loss_scale.update(outcome);
                #[cfg(not(target_family = "wasm"))]
                {
                    self.awaits_scale = outcome == Outcome::Pending;
                }
            }
        }
        if outcome == Outcome::Skipped {
            self.count_skipped();
        }
        Ok(outcome)
    }

    /// The number of steps skipped since the optimizer was made, because a gradient was not finite.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Counts a skipped step.
    pub fn count_skipped(&mut self) {
        self.skipped += 1;
    }

    /// Sets the state of each parameter, group by group. Forgets steps whose outcomes are unknown.
    pub fn set_states(&mut self, states: impl IntoIterator<Item = Option<State>>) {
        let slots = self.groups.iter_mut().flat_map(|group| &mut group.states);
        slots.zip(states).for_each(|(slot, state)| *slot = state);
        #[cfg(not(target_family = "wasm"))]
        {
            self.device_sweep = None;
        }
        self.invalidate();
    }

    /// A buffer of the state of a parameter, which counts through all groups.
    ///
    /// # Errors
    /// [`Code::Internal`] if there is none.
    pub fn buffer(&self, mut parameter: usize, index: usize) -> Result<&Buffer> {
        let mut state = None;
        for group in &self.groups {
            if let Some(found) = group.states.get(parameter) {
                state = found.as_ref();
                break;
            }
            parameter -= group.states.len();
        }
        let buffer = state.and_then(|state| state.buffers.get(index)?.as_ref());
        buffer.ok_or_else(|| Error::new(Code::Internal, "a buffer that the state does not have"))
    }

    /// Takes the state of each parameter, group after group. The optimizer is then as before its first step.
    pub fn take_states(&mut self) -> Vec<Option<State>> {
        let states = self.groups.iter_mut().flat_map(|group| &mut group.states).map(Option::take).collect();
        self.invalidate();
        states
    }

    /// A copy with options, groups and schedule, but without state.
    pub fn without_state(&self) -> Self {
        let empty = |group: &Group| Group {
            options: group.options.clone(),
            states: group.states.iter().map(|_| None).collect(),
        };
        Self {
            definition: self.definition,
            defaults: self.defaults.clone(),
            groups: self.groups.iter().map(empty).collect(),
            sweep: new_sweep(self.definition),
            #[cfg(not(target_family = "wasm"))]
            device_sweep: None,
            #[cfg(not(target_family = "wasm"))]
            awaits_scale: false,
            lbfgs_state: None,
            schedule: self.schedule.clone(),
            loss_scale: self.loss_scale.clone(),
            swapped: self.swapped,
            skipped: self.skipped,
        }
    }

    /// A step with a closure. The optimizer stays usable during the step, whose result goes to
    /// [`Optimizer::set_lbfgs_state`].
    pub fn closure_step(&self) -> ClosureStep {
        ClosureStep::new(&self.groups[0].options, self.lbfgs_state.as_ref())
    }

    /// A step with a closure that starts without the state of earlier steps.
    pub fn closure_step_without_state(&self) -> ClosureStep {
        ClosureStep::new(&self.groups[0].options, None)
    }

    /// Stores the state that a step with a closure returned.
    pub fn set_lbfgs_state(&mut self, state: LbfgsState) {
        self.lbfgs_state = Some(state);
    }
}

/// The error of a step without a closure.
fn closure_required(definition: &Definition) -> Error {
    let message = format_args!("{} needs a closure that computes the loss: step(optimizer, closure)", definition.name);
    Error::new(Code::ClosureRequired, message)
}

fn new_sweep(definition: &Definition) -> Option<Sweep> {
    match definition.method {
        Method::Each(rule) => Some(Sweep::new(rule())),
        Method::Closure => None,
    }
}
