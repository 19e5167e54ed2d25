//! The trait of schedules in closed form.

use crate::options::table::{OptionSet, documentation, torch_class};
use crate::schedules::definition::{Children, ScheduleDefinition, ScheduledGroup, StepCount};

/// A schedule whose rate is a function of the base rate and of the number of schedule steps alone.
///
/// So resuming is exact, without a running product in the saved state.
pub(crate) trait ClosedFormSchedule: 'static {
    /// The option table.
    type Options: OptionSet;
    /// The name.
    const NAME: &'static str;
    /// The PyTorch class, if there is one.
    const PYTORCH: Option<&'static str>;
    /// A one-sentence description.
    const ABOUT: &'static str;

    /// The learning rate after `taken` schedule steps.
    fn rate(options: &Self::Options, taken: i64, group: ScheduledGroup) -> f64;

    /// The rate at the end of a warm-up before this schedule. The base rate, unless the schedule does not use it.
    fn level(_options: &Self::Options, group: ScheduledGroup) -> f64 {
        group.base_rate
    }

    /// Momentum or beta1 after `taken` schedule steps, if the schedule drives it.
    fn momentum(_options: &Self::Options, _taken: i64) -> Option<f64> {
        None
    }
}

/// The definition of a [`ClosedFormSchedule`].
pub(crate) const fn closed_form<S: ClosedFormSchedule>() -> ScheduleDefinition {
    ScheduleDefinition {
        name: S::NAME,
        pytorch: torch_class(S::PYTORCH),
        about: documentation(S::ABOUT),
        options: S::Options::SPECS,
        progress: StepCount::SPECS,
        children: Children::None,
        rate: |instance, group| Ok(S::rate(&instance.typed_options()?, instance.taken()?, group)),
        level: |instance, group| Ok(S::level(&instance.typed_options()?, group)),
        momentum: |instance| Ok(S::momentum(&instance.typed_options()?, instance.taken()?)),
        advance: |instance, _| instance.count_step(),
    }
}
