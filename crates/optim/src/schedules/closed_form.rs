//! The trait that the file of a schedule in closed form implements.

use crate::options::table::OptionSet;
use crate::schedules::definition::{Base, Children, ScheduleDefinition, Taken};

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
