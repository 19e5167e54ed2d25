//! Polynomial decay to 0: `base (1 - n / steps)^power`, then 0. As PyTorch's `PolynomialLR`.

use crate::options;
use crate::options::table::Limit::*;
use crate::schedules::closed_form::ClosedFormSchedule;
use crate::schedules::definition::ScheduledGroup;

options! {
    /// Options of the polynomial schedule.
    pub(crate) struct PolynomialOptions {
        /// Schedule steps to zero.
        steps: i64 = 5, limit AtLeast(1.0), alias "total_iters";
        /// The power; 1 for a straight line.
        power: f64 = 1.0, limit AtLeast(0.0);
    }
}

pub(crate) struct Polynomial;

impl ClosedFormSchedule for Polynomial {
    type Options = PolynomialOptions;
    const NAME: &'static str = "polynomial";
    const PYTORCH: Option<&'static str> = Some("torch.optim.lr_scheduler.PolynomialLR");
    const ABOUT: &'static str = "A power of what is left of the schedule steps, down to zero.";

    fn rate(o: &PolynomialOptions, taken: i64, group: ScheduledGroup) -> f64 {
        group.base_rate * libm::pow(1.0 - taken.min(o.steps) as f64 / o.steps as f64, o.power)
    }
}
