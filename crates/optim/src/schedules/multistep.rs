//! A factor at each milestone: `base gamma^(milestones <= n)`, as in PyTorch's `MultiStepLR`.

use crate::options;
use crate::options::table::Limit::*;
use crate::schedules::closed_form::ClosedFormSchedule;
use crate::schedules::definition::ScheduledGroup;

options! {
    /// Options of the multistep schedule.
    pub(crate) struct MultiStepOptions {
        /// Schedule steps at which the rate changes; a repeated one changes it twice.
        milestones: Vec<usize>, limit AtLeast(0.0);
        /// Factor of the rate at each milestone.
        gamma: f64 = 0.1, limit AtLeast(0.0);
    }
}

pub(crate) struct MultiStep;

impl ClosedFormSchedule for MultiStep {
    type Options = MultiStepOptions;
    const NAME: &'static str = "multistep";
    const PYTORCH: Option<&'static str> = Some("torch.optim.lr_scheduler.MultiStepLR");
    const ABOUT: &'static str = "The rate times a factor, at each of some schedule steps.";

    fn rate(o: &MultiStepOptions, taken: i64, group: ScheduledGroup) -> f64 {
        let passed = o.milestones.iter().filter(|milestone| **milestone as i64 <= taken).count();
        group.base_rate * libm::pow(o.gamma, passed as f64)
    }
}
