//! What a schedule's file supplies, and the same with its types erased for the rest of the crate.

use crate::error::{Code, Error, Result};
use crate::options;
use crate::options::table::Limit::*;
use crate::options::table::{OptionSet, OptionSpec};
use crate::schedules::definition::Curve;

/// A schedule whose rate is a function of the base rate and of the number of schedule steps, and of nothing else.
///
/// That it is a closed form is what makes resuming exact: there is no running product to be saved.
pub(crate) trait Shape: 'static {
    /// The option table.
    type Options: OptionSet;
    /// The name.
    const NAME: &'static str;
    /// The PyTorch class, if there is one.
    const PYTORCH: Option<&'static str>;
    /// One sentence.
    const ABOUT: &'static str;

    /// The learning rate after `taken` schedule steps.
    fn rate(options: &Self::Options, taken: i64, base: Base) -> f64;

    /// The rate that a warm-up before this schedule rises to. The base rate, but of one that does not start from it.
    fn level(_options: &Self::Options, base: Base) -> f64 {
        base.rate
    }

    /// Momentum or beta1 after `taken` schedule steps, for a schedule that drives it too.
    fn momentum(_options: &Self::Options, _taken: i64) -> Option<f64> {
        None
    }
}

/// A parameter group as a schedule sees it.
#[derive(Clone, Copy)]
pub(crate) struct Base {
    /// The learning rate that the schedule starts from.
    pub(crate) rate: f64,
    /// Index of the group.
    pub(crate) group: usize,
}

impl Base {
    /// This group's number out of one for all groups or one for each.
    pub(crate) fn choose(self, numbers: &[f64]) -> f64 {
        let index = if numbers.len() == 1 { 0 } else { self.group };
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
    pub(crate) rate: fn(&Curve, Base) -> Result<f64>,
    pub(crate) level: fn(&Curve, Base) -> Result<f64>,
    pub(crate) momentum: fn(&Curve) -> Result<Option<f64>>,
    pub(crate) advance: fn(&mut Curve, Option<f64>) -> Result<()>,
}

options! {
    /// The progress of a schedule that only counts.
    pub(crate) struct Taken {
        /// Schedule steps taken.
        taken: i64 = 0, limit AtLeast(0.0);
    }
}

/// The definition of a [`Shape`].
pub(crate) const fn shape<S: Shape>() -> ScheduleDefinition {
    ScheduleDefinition {
        name: S::NAME,
        pytorch: S::PYTORCH,
        about: S::ABOUT,
        options: S::Options::SPECS,
        progress: Taken::SPECS,
        children: Children::None,
        rate: |curve, base| Ok(S::rate(&curve.own()?, curve.taken()?, base)),
        level: |curve, base| Ok(S::level(&curve.own()?, base)),
        momentum: |curve| Ok(S::momentum(&curve.own()?, curve.taken()?)),
        advance: |curve, _| curve.count(),
    }
}

/// The error about a schedule without those inside it, which [`Curve::new`] lets nobody make.
pub(crate) fn childless(name: &str) -> Error {
    Error::new(Code::Internal, format!("{name}: no schedule inside"))
}
