//! Half a cosine wave from the base rate to a minimum. As PyTorch's `CosineAnnealingLR`.
//!
//! ```text
//! min + (base - min) (1 + cos(pi n / steps)) / 2
//! ```
//!
//! Past `steps` the wave goes on, and the rate rises again, as in PyTorch. Loshchilov and Hutter 2016,
//! <https://arxiv.org/abs/1608.03983>, without its restarts.

use std::f64::consts::PI;

use crate::options;
use crate::options::table::Limit::*;
use crate::schedules::closed_form::ClosedFormSchedule;
use crate::schedules::definition::ScheduledGroup;

options! {
    /// Options of the cosine schedule.
    pub(crate) struct CosineOptions {
        /// Schedule steps from the base rate to the smallest; after as many more the rate is back.
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
        // Within one period, where the cosine of even a large count is exact.
        wave(group.base_rate, o.min, taken % (2 * o.steps), o.steps)
    }
}

/// The rate after `taken` of `steps` steps from `base` to `min`.
pub(super) fn wave(base: f64, min: f64, taken: i64, steps: i64) -> f64 {
    min + (base - min) * (1.0 + libm::cos(PI * taken as f64 / steps as f64)) / 2.0
}
