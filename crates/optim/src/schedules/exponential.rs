//! Exponential decay: `base gamma^n`, as in PyTorch's `ExponentialLR`.

use crate::options;
use crate::options::table::Limit::*;
use crate::schedules::closed_form::ClosedFormSchedule;
use crate::schedules::definition::ScheduledGroup;

options! {
    /// Options of the exponential schedule.
    pub(crate) struct ExponentialOptions {
        /// Factor of the rate at each schedule step.
        gamma: f64, limit AtLeast(0.0);
    }
}

pub(crate) struct Exponential;

impl ClosedFormSchedule for Exponential {
    type Options = ExponentialOptions;
    const NAME: &'static str = "exponential";
    const PYTORCH: Option<&'static str> = Some("torch.optim.lr_scheduler.ExponentialLR");
    const ABOUT: &'static str = "The rate times a factor, at each schedule step.";

    fn rate(o: &ExponentialOptions, taken: i64, group: ScheduledGroup) -> f64 {
        group.base_rate * libm::pow(o.gamma, taken as f64)
    }
}
