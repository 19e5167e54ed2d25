//! An optimizer: parameter groups with their options, and the state of each parameter.

mod averages;
mod groups;
pub(crate) mod loss_scale;
mod schedule_steps;
pub(crate) mod state_size;

use crate::error::{Code, Error, Result};
use crate::optimizer::loss_scale::LossScale;
use crate::optimizers::definition::{Definition, Method};
use crate::optimizers::lbfgs::closure_step::{ClosureStep, LbfgsState};
use crate::optimizers::lbfgs::state_dict::AnyLbfgsStateDict;
use crate::options::table::{defaults, parse};
use crate::options::value::OptionValue;
use crate::schedules::schedule::Schedule;
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
            let message = format!("{}: expected options of at least one group", definition.name);
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
    /// - [`Code::Internal`] if a thread panicked, by a bug; some elements are then updated
    pub fn step(&mut self, views: &mut [Option<View<'_>>], options: StepOptions<'_>) -> Result<Outcome> {
        self.check_not_swapped()?;
        let Some(sweep) = &mut self.sweep else {
            let name = self.definition.name;
            let message = format!("{name} needs a closure that computes the loss: step(optimizer, closure)");
            return Err(Error::new(Code::ClosureRequired, message));
        };
        let count: usize = self.groups.iter().map(|group| group.states.len()).sum();
        if views.len() != count {
            let message = format!("{} views given for {count} parameters", views.len());
            return Err(Error::new(Code::Internal, message));
        }
        let outcome = match &mut self.loss_scale {
            None => sweep.step(&mut self.groups, views, options)?,
            Some(loss_scale) => {
                let scaled = StepOptions { loss_scale: loss_scale.scale(), non_finite: NonFinite::Skip, ..options };
                let outcome = sweep.step(&mut self.groups, views, scaled)?;
                // A step without gradients does not change the scale.
                if views.iter().any(Option::is_some) {
                    loss_scale.update(outcome);
                }
                outcome
            }
        };
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

    /// Sets the state of each parameter, group by group.
    pub fn set_states(&mut self, states: impl IntoIterator<Item = Option<State>>) {
        let slots = self.groups.iter_mut().flat_map(|group| &mut group.states);
        slots.zip(states).for_each(|(slot, state)| *slot = state);
        self.invalidate();
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

fn new_sweep(definition: &Definition) -> Option<Sweep> {
    match definition.method {
        Method::Each(rule) => Some(Sweep::new(rule())),
        Method::Closure => None,
    }
}
