//! A schedule that is bound to nothing yet: its options, how far it is, and the schedules inside it.

use crate::error::{Code, Error, Result};
use crate::options::table::{Kind, OptionSet, defaults, parse};
use crate::options::value::Value;
use crate::schedules::SCHEDULES;
use crate::schedules::closed_form::{Base, Children, ScheduleDefinition, Taken};

/// The schedule of that name.
pub fn schedule_definition(name: &str) -> Result<&'static ScheduleDefinition> {
    SCHEDULES.iter().find(|definition| definition.name == name).ok_or_else(|| {
        let known: Vec<_> = SCHEDULES.iter().map(|definition| definition.name).collect();
        let message = format!("unknown schedule `{name}`, expected one of {}", known.join(", "));
        Error::new(Code::UnknownName, message)
    })
}

/// A schedule with its progress: all that is needed to go on from where it is.
#[derive(Clone)]
pub struct Curve {
    definition: &'static ScheduleDefinition,
    options: Vec<Value>,
    progress: Vec<Value>,
    children: Vec<Curve>,
}

impl Curve {
    /// A schedule from named options, from named progress if it has begun, and from the schedules inside it.
    pub fn new(
        definition: &'static ScheduleDefinition,
        options: &[(String, Value)],
        progress: &[(String, Value)],
        children: Vec<Curve>,
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
    pub fn options(&self) -> &[Value] {
        &self.options
    }

    /// How far it is, in the order of the table.
    pub fn progress(&self) -> &[Value] {
        &self.progress
    }

    /// The schedules inside it.
    pub fn children(&self) -> &[Curve] {
        &self.children
    }

    pub(crate) fn children_mut(&mut self) -> &mut [Curve] {
        &mut self.children
    }

    /// The options as the schedule's file has them.
    pub(crate) fn own<O: OptionSet>(&self) -> Result<O> {
        O::from_row(&self.options)
    }

    /// The progress as the schedule's file has it.
    pub(crate) fn state<P: OptionSet>(&self) -> Result<P> {
        P::from_row(&self.progress)
    }

    pub(crate) fn set_progress(&mut self, row: Vec<Value>) {
        self.progress = row;
    }

    /// How often a schedule that counts was advanced.
    pub(crate) fn taken(&self) -> Result<i64> {
        Ok(self.state::<Taken>()?.taken)
    }

    /// One more.
    pub(crate) fn count(&mut self) -> Result<()> {
        self.progress = vec![Value::Integer(self.taken()? + 1)];
        Ok(())
    }

    pub(crate) fn rate(&self, base: Base) -> Result<f64> {
        (self.definition.rate)(self, base)
    }

    pub(crate) fn level(&self, base: Base) -> Result<f64> {
        (self.definition.level)(self, base)
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
            if let (Kind::Numbers, Value::List(list)) = (spec.kind, value)
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
impl PartialEq for Curve {
    fn eq(&self, other: &Self) -> bool {
        self.definition.name == other.definition.name
            && self.options == other.options
            && self.progress == other.progress
            && self.children == other.children
    }
}
