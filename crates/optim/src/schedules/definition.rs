//! Definitions of schedules with their types erased, and instances: options, progress and inner schedules.

use crate::error::{Code, Error, Result};
use crate::options;
use crate::options::table::Limit::*;
use crate::options::table::{OptionSet, OptionSpec, defaults, parse};
use crate::options::value::{OptionKind, OptionValue};

/// The inputs of a schedule for one parameter group.
#[derive(Clone, Copy)]
pub(crate) struct ScheduledGroup {
    /// The learning rate that the schedule starts from.
    pub(crate) base_rate: f64,
    /// Index of the group.
    pub(crate) index: usize,
}

impl ScheduledGroup {
    /// The number for this group, from a list of one number for all groups or one for each.
    pub(crate) fn choose(self, numbers: &[f64]) -> f64 {
        let index = if numbers.len() == 1 { 0 } else { self.index };
        // The length was checked. A learning rate of NaN would be rejected.
        numbers.get(index).copied().unwrap_or(f64::NAN)
    }
}

/// The inner schedules of a schedule, and their key in its specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Children {
    /// No inner schedule.
    None,
    /// One inner schedule.
    One(&'static str),
    /// A list of at least one inner schedule.
    Several(&'static str),
}

/// A name, tables and functions: the interface of a schedule to the rest of the crate.
pub struct ScheduleDefinition {
    /// The name.
    pub name: &'static str,
    /// The PyTorch class, if there is one; empty in WebAssembly, as `about` is.
    pub pytorch: Option<&'static str>,
    /// A one-sentence description.
    pub about: &'static str,
    /// The option table.
    pub options: &'static [OptionSpec],
    /// The table of progress, which schedule steps change and files store.
    pub progress: &'static [OptionSpec],
    /// The inner schedules.
    pub children: Children,
    pub(crate) rate: fn(&ScheduleInstance, ScheduledGroup) -> Result<f64>,
    pub(crate) level: fn(&ScheduleInstance, ScheduledGroup) -> Result<f64>,
    pub(crate) momentum: fn(&ScheduleInstance) -> Result<Option<f64>>,
    pub(crate) advance: fn(&mut ScheduleInstance, Option<f64>) -> Result<()>,
}

options! {
    /// The progress of a schedule that only counts its steps.
    pub(crate) struct StepCount {
        /// Schedule steps taken.
        taken: i64 = 0, limit AtLeast(0.0);
    }
}

/// A schedule with its options and progress: everything that is needed to continue.
#[derive(Clone)]
pub struct ScheduleInstance {
    definition: &'static ScheduleDefinition,
    options: Vec<OptionValue>,
    progress: Vec<OptionValue>,
    children: Vec<ScheduleInstance>,
}

impl ScheduleInstance {
    /// A schedule from named options, named progress and inner schedules.
    pub fn new(
        definition: &'static ScheduleDefinition,
        options: &[(String, OptionValue)],
        progress: &[(String, OptionValue)],
        children: Vec<ScheduleInstance>,
    ) -> Result<Self> {
        let name = definition.name;
        let options = parse(name, definition.options, &defaults(definition.options), &[], options)?;
        let owner = format!("{name} progress");
        let progress = parse(&owner, definition.progress, &defaults(definition.progress), &[], progress)?;
        let (expected, fits) = match definition.children {
            Children::None => ("no schedule inside it".into(), children.is_empty()),
            Children::One(key) => (format!("{key}: a schedule"), children.len() == 1),
            Children::Several(key) => (format!("{key}: a list of at least one schedule"), !children.is_empty()),
        };
        if !fits {
            let message = format_args!("{name}: expected {expected}, given {}", children.len());
            return Err(Error::new(Code::Argument, message));
        }
        Ok(Self { definition, options, progress, children })
    }

    /// The definition of the schedule.
    pub fn definition(&self) -> &'static ScheduleDefinition {
        self.definition
    }

    /// The options, in the order of the table.
    pub fn options(&self) -> &[OptionValue] {
        &self.options
    }

    /// The progress, in the order of the table.
    pub fn progress(&self) -> &[OptionValue] {
        &self.progress
    }

    /// The inner schedules.
    pub fn children(&self) -> &[ScheduleInstance] {
        &self.children
    }

    pub(crate) fn children_mut(&mut self) -> &mut [ScheduleInstance] {
        &mut self.children
    }

    /// The options as the struct of the schedule.
    pub(crate) fn typed_options<O: OptionSet>(&self) -> Result<O> {
        O::from_values(&self.options)
    }

    /// The progress as the struct of the schedule.
    pub(crate) fn typed_progress<P: OptionSet>(&self) -> Result<P> {
        P::from_values(&self.progress)
    }

    pub(crate) fn set_progress(&mut self, values: Vec<OptionValue>) {
        self.progress = values;
    }

    /// The number of steps of a schedule that counts them.
    pub(crate) fn taken(&self) -> Result<i64> {
        Ok(self.typed_progress::<StepCount>()?.taken)
    }

    /// Counts a step.
    pub(crate) fn count_step(&mut self) -> Result<()> {
        self.progress = vec![OptionValue::Integer(self.taken()? + 1)];
        Ok(())
    }

    pub(crate) fn rate(&self, group: ScheduledGroup) -> Result<f64> {
        (self.definition.rate)(self, group)
    }

    pub(crate) fn level(&self, group: ScheduledGroup) -> Result<f64> {
        (self.definition.level)(self, group)
    }

    pub(crate) fn momentum(&self) -> Result<Option<f64>> {
        (self.definition.momentum)(self)
    }

    pub(crate) fn advance(&mut self, metric: Option<f64>) -> Result<()> {
        (self.definition.advance)(self, metric)
    }

    /// Checks that lists with one number for each group have the right length.
    pub(crate) fn check_groups(&self, groups: usize) -> Result<()> {
        for (spec, value) in self.definition.options.iter().zip(&self.options) {
            if let (OptionKind::Numbers, OptionValue::List(list)) = (spec.kind, value)
                && list.len() != 1
                && list.len() != groups
            {
                let (name, option, given) = (self.definition.name, spec.name, list.len());
                let message = format_args!(
                    "{name} {option}: expected one number or one for each of {groups} groups, given {given}"
                );
                return Err(Error::new(Code::OptionRange, message));
            }
        }
        self.children.iter().try_for_each(|child| child.check_groups(groups))
    }
}

/// Compares kind, options, progress and inner schedules.
impl PartialEq for ScheduleInstance {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name
            && self.options == other.options
            && self.progress == other.progress
            && self.children == other.children
    }
}

/// The error for a schedule without its inner schedules, which [`ScheduleInstance::new`] rejects.
pub(crate) fn childless(name: &str) -> Error {
    Error::new(Code::Internal, format_args!("{name}: no schedule inside"))
}
