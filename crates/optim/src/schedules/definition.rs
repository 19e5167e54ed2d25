//! A schedule with its types erased, and one that is bound to nothing yet: its options, how far it is, and the schedules
//! inside it.

use crate::error::{Code, Error, Result};
use crate::options;
use crate::options::table::Limit::*;
use crate::options::table::{OptionSet, OptionSpec, defaults, parse};
use crate::options::value::{OptionKind, OptionValue};

/// A parameter group as a schedule sees it.
#[derive(Clone, Copy)]
pub(crate) struct ScheduledGroup {
    /// The learning rate that the schedule starts from.
    pub(crate) base_rate: f64,
    /// Index of the group.
    pub(crate) index: usize,
}

impl ScheduledGroup {
    /// This group's number out of one for all groups or one for each.
    pub(crate) fn choose(self, numbers: &[f64]) -> f64 {
        let index = if numbers.len() == 1 { 0 } else { self.index };
        // That there are as many as groups was checked; a NaN would be refused as a learning rate.
        numbers.get(index).copied().unwrap_or(f64::NAN)
    }
}

/// The schedules inside a schedule, and the key under which its specification has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Children {
    /// There are none.
    None,
    /// One.
    One(&'static str),
    /// A list of at least one.
    Several(&'static str),
}

/// A schedule as the rest of the crate sees it: a name, tables and functions.
pub struct ScheduleDefinition {
    /// The name.
    pub name: &'static str,
    /// The PyTorch class, if there is one.
    pub pytorch: Option<&'static str>,
    /// One sentence.
    pub about: &'static str,
    /// The option table.
    pub options: &'static [OptionSpec],
    /// The table of what changes from schedule step to schedule step, and is saved.
    pub progress: &'static [OptionSpec],
    /// The schedules inside.
    pub children: Children,
    pub(crate) rate: fn(&ScheduleInstance, ScheduledGroup) -> Result<f64>,
    pub(crate) level: fn(&ScheduleInstance, ScheduledGroup) -> Result<f64>,
    pub(crate) momentum: fn(&ScheduleInstance) -> Result<Option<f64>>,
    pub(crate) advance: fn(&mut ScheduleInstance, Option<f64>) -> Result<()>,
}

options! {
    /// The progress of a schedule that only counts.
    pub(crate) struct StepCount {
        /// Schedule steps taken.
        taken: i64 = 0, limit AtLeast(0.0);
    }
}

/// A schedule with its progress: all that is needed to go on from where it is.
#[derive(Clone)]
pub struct ScheduleInstance {
    definition: &'static ScheduleDefinition,
    options: Vec<OptionValue>,
    progress: Vec<OptionValue>,
    children: Vec<ScheduleInstance>,
}

impl ScheduleInstance {
    /// A schedule from named options, from named progress if it has begun, and from the schedules inside it.
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
            let message = format!("{name}: expected {expected}, given {}", children.len());
            return Err(Error::new(Code::Argument, message));
        }
        Ok(Self { definition, options, progress, children })
    }

    /// What kind of schedule it is.
    pub fn definition(&self) -> &'static ScheduleDefinition {
        self.definition
    }

    /// The options, in the order of the table.
    pub fn options(&self) -> &[OptionValue] {
        &self.options
    }

    /// How far it is, in the order of the table.
    pub fn progress(&self) -> &[OptionValue] {
        &self.progress
    }

    /// The schedules inside it.
    pub fn children(&self) -> &[ScheduleInstance] {
        &self.children
    }

    pub(crate) fn children_mut(&mut self) -> &mut [ScheduleInstance] {
        &mut self.children
    }

    /// The options as the schedule's file has them.
    pub(crate) fn typed_options<O: OptionSet>(&self) -> Result<O> {
        O::from_row(&self.options)
    }

    /// The progress as the schedule's file has it.
    pub(crate) fn typed_progress<P: OptionSet>(&self) -> Result<P> {
        P::from_row(&self.progress)
    }

    pub(crate) fn set_progress(&mut self, row: Vec<OptionValue>) {
        self.progress = row;
    }

    /// How often a schedule that counts was advanced.
    pub(crate) fn taken(&self) -> Result<i64> {
        Ok(self.typed_progress::<StepCount>()?.taken)
    }

    /// One more.
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

    /// Fails if an option of a number for each group has another number of them.
    pub(crate) fn check_groups(&self, groups: usize) -> Result<()> {
        for (spec, value) in self.definition.options.iter().zip(&self.options) {
            if let (OptionKind::Numbers, OptionValue::List(list)) = (spec.kind, value)
                && list.len() != 1
                && list.len() != groups
            {
                let (name, option, given) = (self.definition.name, spec.name, list.len());
                let message =
                    format!("{name} {option}: expected one number or one for each of {groups} groups, given {given}");
                return Err(Error::new(Code::OptionRange, message));
            }
        }
        self.children.iter().try_for_each(|child| child.check_groups(groups))
    }
}

/// The same schedule at the same place.
impl PartialEq for ScheduleInstance {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name
            && self.options == other.options
            && self.progress == other.progress
            && self.children == other.children
    }
}

/// The error about a schedule without those inside it, which [`ScheduleInstance::new`] lets nobody make.
pub(crate) fn childless(name: &str) -> Error {
    Error::new(Code::Internal, format!("{name}: no schedule inside"))
}
