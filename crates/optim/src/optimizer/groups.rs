//! Parameter groups of an optimizer: their options and parameters.

use crate::error::{Code, Error, Result};
use crate::fallible::{Results, with_capacity};
use crate::optimizer::Optimizer;
use crate::options::table::parse;
use crate::options::value::OptionValue;
use crate::state::group::Group;

impl Optimizer {
    /// The group of an index, or `None` for the next new group. An error for any other index.
    pub(super) fn group_or_next(&self, group: usize) -> Result<Option<&Group>> {
        if group > self.groups.len() {
            let message =
                format_args!("group {group} invalid, cannot be greater than number of groups({})", self.groups.len());
            return Err(Error::new(Code::Group, message));
        }
        if group == self.groups.len() && self.definition.needs_closure() {
            let message = format_args!("group {group} invalid, {} has one group only", self.definition.name);
            return Err(Error::new(Code::Group, message));
        }
        Ok(self.groups.get(group))
    }

    /// The options that [`Optimizer::edit`] would set: the group's options or the defaults of a new group, with
    /// changes.
    pub fn plan(
        &self,
        group: usize,
        positional: &[OptionValue],
        named: &[(String, OptionValue)],
    ) -> Result<Vec<OptionValue>> {
        let base = self.group_or_next(group)?.map_or(&self.defaults, |group| &group.options);
        let values = parse(self.definition.name, self.definition.options, base, positional, named)?;
        (self.definition.check)(&values)?;
        Ok(values)
    }

    /// Sets the options of a group, or adds the group, and appends `parameters` parameters to it. `options` come from
    /// [`Optimizer::plan`] for the same group.
    pub fn edit(&mut self, group: usize, options: Vec<OptionValue>, parameters: usize) -> Result<()> {
        if parameters > 0 && self.lbfgs_state.is_some() {
            let message = format_args!("{} cannot take more parameters after its first step", self.definition.name);
            return Err(Error::new(Code::Parameter, message));
        }
        let before = self.group_or_next(group)?.map_or(0, |group| group.states.len());
        // Allocated before any change.
        let mut states = with_capacity(before + parameters)?;
        if self.group_or_next(group)?.is_none() {
            if let (Some(schedule), Some(OptionValue::Float(rate))) = (&mut self.schedule, options.first()) {
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
            Some(OptionValue::Float(rate)) => *rate,
            _ => f64::NAN,
        };
        self.groups.iter().map(rate).collect()
    }

    /// Sets one learning rate for all groups, or one for each.
    pub fn set_rates(&mut self, rates: &[f64]) -> Result<()> {
        if rates.len() != 1 && rates.len() != self.groups.len() {
            let (given, groups) = (rates.len(), self.groups.len());
            let message = format_args!("length error: {given} learning rates given for {groups} parameter group(s)");
            return Err(Error::new(Code::Argument, message));
        }
        let options: Vec<_> = (0..self.groups.len())
            .map(|i| self.plan(i, &[OptionValue::Float(rates[if rates.len() == 1 { 0 } else { i }])], &[]))
            .values()?;
        self.set_options(options);
        Ok(())
    }

    /// Sets the options of every group; each list comes from [`Optimizer::plan`] for its group.
    pub(crate) fn set_options(&mut self, options: Vec<Vec<OptionValue>>) {
        for (group, values) in self.groups.iter_mut().zip(options) {
            group.options = values;
        }
        self.invalidate();
    }
}
