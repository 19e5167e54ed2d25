//! A factor every few schedule steps: `base gamma^(n / every)`, rounded down. As PyTorch's `StepLR`.

use crate::options;
use crate::options::table::Limit::*;
use crate::schedules::closed_form::ClosedFormSchedule;
use crate::schedules::definition::ScheduledGroup;

options! {
    /// Options of the step schedule.
    pub(crate) struct StepScheduleOptions {
        /// Schedule steps between two changes.
        every: i64, limit AtLeast(1.0), alias "step_size";
        /// Factor of the rate at each change.
        gamma: f64 = 0.1, limit AtLeast(0.0);
    }
}

pub(crate) struct StepSchedule;

impl ClosedFormSchedule for StepSchedule {
    type Options = StepScheduleOptions;
    const NAME: &'static str = "step";
    const PYTORCH: Option<&'static str> = Some("torch.optim.lr_scheduler.StepLR");
    const ABOUT: &'static str = "The rate times a factor, once in a number of schedule steps.";

    fn rate(o: &StepScheduleOptions, taken: i64, group: ScheduledGroup) -> f64 {
        group.base_rate * libm::pow(o.gamma, (taken / o.every) as f64)
    }
}
