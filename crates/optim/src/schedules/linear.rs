//! A straight line from one factor to another: `base (start + (end - start) n / steps)`, then constant. As PyTorch's
//! `LinearLR`, which does not accept a start of 0, since it multiplies the last rate.

use crate::options;
use crate::options::table::Limit::*;
use crate::schedules::closed_form::ClosedFormSchedule;
use crate::schedules::definition::ScheduledGroup;

options! {
    /// Options of the linear schedule.
    pub(crate) struct LinearOptions {
        /// The first factor.
        start: f64 = 1.0 / 3.0, limit Closed(0.0, 1.0), alias "start_factor";
        /// The last factor.
        end: f64 = 1.0, limit Closed(0.0, 1.0), alias "end_factor";
        /// Schedule steps from the first factor to the last.
        steps: i64 = 5, limit AtLeast(1.0), alias "total_iters";
    }
}

pub(crate) struct Linear;

impl ClosedFormSchedule for Linear {
    type Options = LinearOptions;
    const NAME: &'static str = "linear";
    const PYTORCH: Option<&'static str> = Some("torch.optim.lr_scheduler.LinearLR");
    const ABOUT: &'static str = "The rate times a factor that changes by the same amount at each schedule step.";

    fn rate(o: &LinearOptions, taken: i64, group: ScheduledGroup) -> f64 {
        group.base_rate * between(o.start, o.end, taken, o.steps)
    }
}

/// The factor after `taken` of `steps` steps from `start` to `end`; exactly `end` at the last.
pub(super) fn between(start: f64, end: f64, taken: i64, steps: i64) -> f64 {
    if taken >= steps { end } else { start + (end - start) * taken as f64 / steps as f64 }
}
