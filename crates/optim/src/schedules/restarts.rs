//! A cosine wave with warm restarts, each half wave at least as long as the last. As PyTorch's
//! `CosineAnnealingWarmRestarts`.
//!
//! ```text
//! min + (base - min) (1 + cos(pi m / length)) / 2      m steps since the last start, length = steps grow^starts
//! ```
//!
//! Loshchilov and Hutter 2016, <https://arxiv.org/abs/1608.03983>.

use crate::options;
use crate::options::table::Limit::*;
use crate::schedules::closed_form::ClosedFormSchedule;
use crate::schedules::cosine::wave;
use crate::schedules::definition::ScheduledGroup;

options! {
    /// Options of the restarts schedule.
    pub(crate) struct RestartsOptions {
        /// Schedule steps to the first restart.
        steps: i64, limit AtLeast(1.0), alias "T_0";
        /// Ratio of the lengths of two consecutive half waves.
        grow: i64 = 1, limit AtLeast(1.0), alias "T_mult";
        /// The smallest rate.
        min: f64 = 0.0, limit AtLeast(0.0), alias "eta_min";
    }
}

pub(crate) struct Restarts;

impl ClosedFormSchedule for Restarts {
    type Options = RestartsOptions;
    const NAME: &'static str = "restarts";
    const PYTORCH: Option<&'static str> = Some("torch.optim.lr_scheduler.CosineAnnealingWarmRestarts");
    const ABOUT: &'static str = "Half a cosine wave from the base rate to the smallest, again and again.";

    fn rate(o: &RestartsOptions, taken: i64, group: ScheduledGroup) -> f64 {
        let (since, length) = position(taken, o.steps, o.grow);
        wave(group.base_rate, o.min, since, length)
    }
}

/// Steps since the last restart, and the length of the current half wave.
fn position(taken: i64, steps: i64, grow: i64) -> (i64, i64) {
    if grow == 1 {
        return (taken % steps, steps);
    }
    let (mut since, mut length) = (taken, steps);
    while since >= length {
        since -= length;
        length = length.saturating_mul(grow);
    }
    (since, length)
}
