//! One cycle: the rate rises to a maximum and falls to almost 0, and momentum does the opposite. As PyTorch's
//! `OneCycleLR`.
//!
//! ```text
//! warm            max / div -> max                      momentum highmomentum -> lowmomentum
//! the rest        max -> max / div / finaldiv           momentum lowmomentum -> highmomentum
//! ```
//!
//! With `threephase` the rate falls to `max / div` as fast as it has risen, and then to the last rate. Each phase is
//! half a cosine wave or a straight line. The base rate of the optimizer is not used. After the last step PyTorch
//! raises an error; this schedule keeps the last rate. Smith and Topin 2017, <https://arxiv.org/abs/1708.07120>.

use std::f64::consts::PI;

use crate::options;
use crate::options::macros::words;
use crate::options::table::Limit::*;
use crate::schedules::closed_form::ClosedFormSchedule;
use crate::schedules::definition::ScheduledGroup;

words! {
    /// The shape of a phase.
    pub(crate) enum Anneal {
        Cosine = "cos",
        Linear = "linear",
    }
}

options! {
    /// Options of the onecycle schedule.
    pub(crate) struct OneCycleOptions {
        /// The largest rate: one for all groups, or one for each.
        max: Vec<f64>, limit AtLeast(0.0), alias "max_lr";
        /// Schedule steps of the whole cycle.
        steps: i64, limit AtLeast(1.0), alias "total_steps";
        /// Part of the steps in which the rate rises.
        warm: f64 = 0.3, limit Closed(0.0, 1.0), alias "pct_start";
        /// Shape of each phase: half a cosine wave or a straight line.
        anneal: Anneal = Anneal::Cosine, alias "anneal_strategy";
        /// Drive momentum, too, or beta1 if there is no momentum.
        momentum: bool = true, alias "cycle_momentum";
        /// The smallest momentum, at the largest rate.
        lowmomentum: f64 = 0.85, limit AtLeast(0.0), alias "base_momentum";
        /// The largest momentum.
        highmomentum: f64 = 0.95, limit AtLeast(0.0), alias "max_momentum";
        /// Ratio of the largest rate to the first.
        div: f64 = 25.0, limit Above(0.0), alias "div_factor";
        /// Ratio of the first rate to the last.
        finaldiv: f64 = 10_000.0, limit Above(0.0), alias "final_div_factor";
        /// Fall to the first rate as fast as the rate has risen, then to the last.
        threephase: bool = false, alias "three_phase";
    }
}

pub(crate) struct OneCycle;

impl ClosedFormSchedule for OneCycle {
    type Options = OneCycleOptions;
    const NAME: &'static str = "onecycle";
    const PYTORCH: Option<&'static str> = Some("torch.optim.lr_scheduler.OneCycleLR");
    const ABOUT: &'static str = "Up to a largest rate and down to almost none, with momentum the other way round.";

    fn rate(o: &OneCycleOptions, taken: i64, group: ScheduledGroup) -> f64 {
        let (max, first) = (group.choose(&o.max), Self::level(o, group));
        let last = first / o.finaldiv;
        let marks = if o.threephase { vec![first, max, first, last] } else { vec![first, max, last] };
        along(o, taken, &marks)
    }

    fn level(o: &OneCycleOptions, group: ScheduledGroup) -> f64 {
        group.choose(&o.max) / o.div
    }

    fn momentum(o: &OneCycleOptions, taken: i64) -> Option<f64> {
        let (low, high) = (o.lowmomentum, o.highmomentum);
        let marks = if o.threephase { vec![high, low, high, high] } else { vec![high, low, high] };
        o.momentum.then(|| along(o, taken, &marks))
    }
}

/// The value after `taken` steps through phases between marks.
fn along(o: &OneCycleOptions, taken: i64, marks: &[f64]) -> f64 {
    let all = o.steps as f64;
    let rise = o.warm * all - 1.0;
    let ends = if o.threephase { vec![rise, 2.0 * o.warm * all - 2.0, all - 1.0] } else { vec![rise, all - 1.0] };
    let now = (taken as f64).min(all - 1.0);
    let phase = ends.iter().position(|end| now <= *end).unwrap_or(ends.len() - 1);
    let start = if phase == 0 { 0.0 } else { ends[phase - 1] };
    // A phase without steps is over.
    let share = if ends[phase] == start { 1.0 } else { (now - start) / (ends[phase] - start) };
    let (from, to) = (marks[phase], marks[phase + 1]);
    match o.anneal {
        Anneal::Cosine => to + (from - to) / 2.0 * (libm::cos(PI * share) + 1.0),
        Anneal::Linear => (to - from) * share + from,
    }
}
