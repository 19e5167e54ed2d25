//! An optimizer: parameter groups with their options, and the state of each parameter.

pub(crate) mod loss_scale;
mod schedule_steps;

use crate::error::{Code, Error, Result};
use crate::fallible::{Results, room};
use crate::optimizer::loss_scale::LossScale;
use crate::optimizers::definition::{Definition, Method};
use crate::optimizers::lbfgs::closure_step::{ClosureStep, Learned};
use crate::optimizers::lbfgs::state::Curvature;
use crate::options::table::{defaults, parse};
use crate::options::value::Value;
use crate::schedules::schedule::Schedule;
use crate::state::buffer::Buffer;
use crate::state::group::Group;
use crate::state::param_state::{AVERAGE, Averaged, MASTER, State};
use crate::state::view::View;
use crate::sweep::Sweep;
use crate::sweep::non_finite::NonFinite;
use crate::sweep::step_options::{Outcome, StepOptions};

/// An optimizer over parameters that somebody else owns: it knows them by their place in a group.
pub struct Optimizer {
    definition: &'static Definition,
    defaults: Vec<Value>,
    groups: Vec<Group>,
    /// What makes the steps; none for L-BFGS.
    sweep: Option<Sweep>,
    memory: Option<Learned>,
    pub(crate) schedule: Option<Schedule>,
    /// What the loss is multiplied by, if it is.
    pub loss_scale: Option<LossScale>,
    /// True while parameters and their averages are exchanged.
    averaged: bool,
    /// How many steps were left out.
    skipped: u64,
}

/// What a state holds, counted as the k-api counts it: a scalar is one element of 8 bytes and no tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tensors.
    pub tensors: usize,
    /// Elements of tensors, and scalars.
    pub elements: usize,
    /// Bytes of both.
    pub bytes: usize,
}

impl Counts {
    fn scalars(&mut self, count: usize) {
        self.elements += count;
        self.bytes += 8 * count;
    }

    fn tensor(&mut self, elements: usize, bytes: usize) {
        self.tensors += 1;
        self.elements += elements;
        self.bytes += bytes;
    }
}

impl Optimizer {
    /// An optimizer with one empty group. The options become the defaults of later groups.
    pub fn new(definition: &'static Definition, positional: &[Value], named: &[(String, Value)]) -> Result<Self> {
        let base = defaults(definition.options);
        let row = parse(definition.name, definition.options, &base, positional, named)?;
        (definition.check)(&row)?;
        let group = Group { options: row.clone(), states: Vec::new() };
        let sweep = new_sweep(definition);
        Ok(Self {
            definition,
            defaults: row,
            groups: vec![group],
            sweep,
            memory: None,
            schedule: None,
            loss_scale: None,
            averaged: false,
            skipped: 0,
        })
    }

    /// An optimizer with empty groups of these options, which are named; the first row becomes the defaults of later
    /// groups. What a row leaves out is the optimizer's own default.
    pub fn with_groups(definition: &'static Definition, rows: &[Vec<(String, Value)>]) -> Result<Self> {
        let Some((first, rest)) = rows.split_first() else {
            let message = format!("{}: expected a row of options for at least one group", definition.name);
            return Err(Error::new(Code::Format, message));
        };
        let mut optimizer = Self::new(definition, &[], first)?;
        for row in rest {
            let made = Self::new(definition, &[], row)?;
            optimizer.group_or_next(optimizer.groups.len())?;
            optimizer.groups.extend(made.groups);
        }
        Ok(optimizer)
    }

    /// What kind of optimizer it is.
    pub fn definition(&self) -> &'static Definition {
        self.definition
    }

    /// The parameter groups; there is at least one.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// A copy of what L-BFGS remembers, once it has made a step.
    ///
    /// # Errors
    /// [`Code::Memory`]
    pub fn curvature(&self) -> Result<Option<Curvature>> {
        self.memory.as_ref().map(Learned::curvature).transpose()
    }

    /// The group of that index; the number of groups stands for a new one. Fails with the numbers otherwise.
    fn group_or_next(&self, group: usize) -> Result<Option<&Group>> {
        if group > self.groups.len() {
            let message =
                format!("group {group} invalid, cannot be greater than number of groups({})", self.groups.len());
            return Err(Error::new(Code::Group, message));
        }
        if group == self.groups.len() && self.definition.needs_closure() {
            let message = format!("group {group} invalid, {} has one group only", self.definition.name);
            return Err(Error::new(Code::Group, message));
        }
        Ok(self.groups.get(group))
    }

    /// What [`Optimizer::edit`] would set: the options of the group, or the defaults for a new one, changed as given.
    pub fn plan(&self, group: usize, positional: &[Value], named: &[(String, Value)]) -> Result<Vec<Value>> {
        let base = self.group_or_next(group)?.map_or(&self.defaults, |group| &group.options);
        let row = parse(self.definition.name, self.definition.options, base, positional, named)?;
        (self.definition.check)(&row)?;
        Ok(row)
    }

    /// Sets the options of a group, or adds the group, and appends `parameters` parameters to it. `options` come from
    /// [`Optimizer::plan`] for the same group.
    pub fn edit(&mut self, group: usize, options: Vec<Value>, parameters: usize) -> Result<()> {
        if parameters > 0 && self.memory.is_some() {
            let message = format!("{} cannot take more parameters after its first step", self.definition.name);
            return Err(Error::new(Code::Parameter, message));
        }
        let before = self.group_or_next(group)?.map_or(0, |group| group.states.len());
        // Before anything is changed.
        let mut states = room(before + parameters)?;
        if self.group_or_next(group)?.is_none() {
            if let (Some(schedule), Some(Value::Float(rate))) = (&mut self.schedule, options.first()) {
                schedule.add_group(*rate);
            }
            self.groups.push(Group { options: Vec::new(), states: Vec::new() });
        }
        if let Some(group) = self.groups.get_mut(group) {
            group.options = options;
            states.append(&mut group.states);
            states.resize_with(before + parameters, || None);
            group.states = states;
        }
        self.invalidate();
        Ok(())
    }

    /// The learning rate of each group.
    pub fn rates(&self) -> Vec<f64> {
        let rate = |group: &Group| match group.options.first() {
            Some(Value::Float(rate)) => *rate,
            _ => f64::NAN,
        };
        self.groups.iter().map(rate).collect()
    }

    /// Sets one learning rate for all groups or one for each.
    pub fn set_rates(&mut self, rates: &[f64]) -> Result<()> {
        if rates.len() != 1 && rates.len() != self.groups.len() {
            let (given, groups) = (rates.len(), self.groups.len());
            let message = format!("length error: {given} learning rates given for {groups} parameter group(s)");
            return Err(Error::new(Code::Argument, message));
        }
        let rows: Vec<_> = (0..self.groups.len())
            .map(|i| self.plan(i, &[Value::Float(rates[if rates.len() == 1 { 0 } else { i }])], &[]))
            .values()?;
        self.set_options(rows);
        Ok(())
    }

    /// Sets the options of every group; each row comes from [`Optimizer::plan`] for its group.
    pub(crate) fn set_options(&mut self, rows: Vec<Vec<Value>>) {
        for (group, row) in self.groups.iter_mut().zip(rows) {
            group.options = row;
        }
        self.invalidate();
    }

    /// Options or state are no longer those of the last step.
    fn invalidate(&mut self) {
        if let Some(sweep) = &mut self.sweep {
            sweep.invalidate();
        }
    }

    /// Updates every parameter that has a gradient. One view for each parameter, group after group. With a loss scale,
    /// gradients are divided by it, and a step whose gradients are not finite is skipped, whatever the options say.
    ///
    /// # Errors
    /// [`Code::ClosureRequired`] for L-BFGS; [`Code::Parameter`] while parameters and their averages are exchanged;
    /// [`Code::OptionRange`] for moments of 16 bits beside parameters of 64; [`Code::Gradient`] for gradients that are not finite
    /// where the options ask for it; [`Code::Memory`] for state that finds none. Nothing has been changed then.
    pub fn step(&mut self, views: &mut [Option<View<'_>>], options: StepOptions<'_>) -> Result<Outcome> {
        self.check_not_averaged()?;
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
                // Without a gradient there is nothing to learn from.
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

    /// How many steps were left out since the optimizer was made, because a gradient was not finite.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// One more step was left out.
    pub fn count_skipped(&mut self) {
        self.skipped += 1;
    }

    /// What each parameter has to be exchanged with its average; `None` where there is no average.
    pub fn averages(&self) -> impl Iterator<Item = Option<Averaged<&Buffer>>> {
        self.groups.iter().flat_map(|group| &group.states).map(|state| {
            let state = state.as_ref()?;
            let average = state.buffers[AVERAGE].as_ref()?;
            Some(Averaged { master: state.buffers[MASTER].as_ref(), average })
        })
    }

    /// Sets the same once they have been exchanged, and keeps which way it was.
    pub fn set_averages(&mut self, averages: Vec<Option<Averaged<Buffer>>>) {
        let states = self.groups.iter_mut().flat_map(|group| &mut group.states);
        for (state, averaged) in states.zip(averages) {
            if let (Some(state), Some(Averaged { master, average })) = (state, averaged) {
                state.buffers[MASTER] = master;
                state.buffers[AVERAGE] = Some(average);
            }
        }
        self.averaged = !self.averaged;
        self.invalidate();
    }

    /// Fails while parameters and their averages are exchanged: no step can be made then.
    ///
    /// # Errors
    /// [`Code::Parameter`]
    pub fn check_not_averaged(&self) -> Result<()> {
        if !self.averaged {
            return Ok(());
        }
        let message = "parameters and their averages are exchanged: exchange them back first, by average(optimizer)";
        Err(Error::new(Code::Parameter, message))
    }

    /// True while parameters and their averages are exchanged.
    pub fn is_averaged(&self) -> bool {
        self.averaged
    }

    /// Says whether parameters and their averages are exchanged, in a state that was saved.
    pub fn set_averaged(&mut self, averaged: bool) {
        self.averaged = averaged;
    }

    /// Sets the state of each parameter, group after group.
    pub fn set_states(&mut self, states: impl IntoIterator<Item = Option<State>>) {
        let slots = self.groups.iter_mut().flat_map(|group| &mut group.states);
        slots.zip(states).for_each(|(slot, state)| *slot = state);
        self.invalidate();
    }

    /// The same options and parameters, without any state.
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
            memory: None,
            schedule: self.schedule.clone(),
            loss_scale: self.loss_scale.clone(),
            averaged: self.averaged,
            skipped: self.skipped,
        }
    }

    /// A step with a closure, which may use the optimizer meanwhile. Its result goes to [`Optimizer::remember`].
    pub fn closure_step(&self) -> ClosureStep {
        ClosureStep::new(&self.groups[0].options, self.memory.as_ref())
    }

    /// The same without what is remembered.
    pub fn closure_step_anew(&self) -> ClosureStep {
        ClosureStep::new(&self.groups[0].options, None)
    }

    /// Keeps what a step with a closure has learned.
    pub fn remember(&mut self, learned: Learned) {
        self.memory = Some(learned);
    }

    /// What the state holds.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for state in self.groups.iter().flat_map(|group| &group.states).flatten() {
            counts.scalars(usize::from(self.definition.counts_steps));
            state.buffers.iter().flatten().for_each(|buffer| counts.tensor(buffer.len(), buffer.bytes()));
        }
        if let Some(learned) = &self.memory {
            let (width, pairs, bytes) = learned.size();
            // func_evals, n_iter, t and prev_loss.
            counts.scalars(4);
            // d, prev_flat_grad, old_dirs and old_stps.
            (0..2 + 2 * pairs).for_each(|_| counts.tensor(width, width * bytes));
            // H_diag and the ros are tensors without dimensions.
            (0..=pairs).for_each(|_| counts.tensor(1, bytes));
        }
        counts
    }
}

fn new_sweep(definition: &Definition) -> Option<Sweep> {
    match definition.method {
        Method::Each(program) => Some(Sweep::new(program())),
        Method::Closure => None,
    }
}
