//! Half a cosine wave from the base rate to a minimum, as in PyTorch's `CosineAnnealingLR`.
//!
//! ```text
//! min + (base - min) (1 + cos(pi n / steps)) / 2
//! ```
//!
//! After `steps` the wave continues and the rate rises again, as in PyTorch. Loshchilov and Hutter 2016,
//! <https://arxiv.org/abs/1608.03983>, without restarts.

use std::f64::consts::PI;

use crate::options;
use crate::options::table::Limit::*;
use crate::schedules::closed_form::ClosedFormSchedule;
use crate::schedules::definition::ScheduledGroup;

options! {
    /// Options of the cosine schedule.
    pub(crate) struct CosineOptions {
        /// Schedule steps from the base rate to the minimum; after twice as many the rate is back.
        steps: i64, limit AtLeast(1.0), alias "T_max";
        /// The smallest rate.
        min: f64 = 0.0, limit AtLeast(0.0), alias "eta_min";
    }
}

pub(crate) struct Cosine;

impl ClosedFormSchedule for Cosine {
    type Options = CosineOptions;
    const NAME: &'static str = "cosine";
    const PYTORCH: Option<&'static str> = Some("torch.optim.lr_scheduler.CosineAnnealingLR");
    const ABOUT: &'static str = "Half a cosine wave from the base rate to the smallest.";

    fn rate(o: &CosineOptions, taken: i64, group: ScheduledGroup) -> f64 {
        // Reduced to one period, so that the cosine of a large count is exact, too.
        wave(group.base_rate, o.min, taken % (2 * o.steps), o.steps)
    }
}

/// The rate after `taken` of `steps` steps from `base` to `min`.
pub(super) fn wave(base: f64, min: f64, taken: i64, steps: i64) -> f64 {
    min + (base - min) * (1.0 + libm::cos(PI * taken as f64 / steps as f64)) / 2.0
}
