//! A warm-up: a straight line to the base rate, then another schedule from its start.
//!
//! ```text
//! level (start + (1 - start) n / steps)     for n < steps; level: base, max / div before onecycle
//! next(n - steps)                           afterwards
//! ```
//!
//! As PyTorch's `SequentialLR` of a `LinearLR` and the other schedule. PyTorch's does not take `plateau`, and does not
//! nest with `SequentialLR` or `ChainedScheduler`. Momentum that the other schedule drives, it drives from the first
//! step. `plateau` watches its metric only after the warm-up.

use crate::options;
use crate::error::Result;
use crate::options::table::{OptionSet, documentation};
use crate::options::table::Limit::*;
use crate::schedules::definition::{Children, ScheduleDefinition, ScheduleInstance, StepCount, childless};
use crate::schedules::linear::between;

options! {
    /// Options of a warm-up.
    pub(crate) struct WarmupOptions {
        /// Schedule steps of the warm-up, after which the other schedule starts.
        steps: i64, limit AtLeast(1.0), alias "total_iters";
        /// The first factor of the base rate.
        start: f64 = 1.0 / 3.0, limit Closed(0.0, 1.0), alias "start_factor";
    }
}

pub(crate) const DEFINITION: ScheduleDefinition = ScheduleDefinition {
    name: "warmup",
    pytorch: Some(documentation("torch.optim.lr_scheduler.SequentialLR")),
    about: documentation("A straight line up to the base rate, and then another schedule."),
    options: WarmupOptions::SPECS,
    progress: StepCount::SPECS,
    children: Children::One("next"),
    rate: |instance, group| {
        let WarmupOptions { steps, start } = instance.typed_options()?;
        match instance.taken()? {
            taken if taken < steps => Ok(next(instance)?.level(group)? * between(start, 1.0, taken, steps)),
            _ => next(instance)?.rate(group),
        }
    },
    level: |instance, group| next(instance)?.level(group),
    momentum: |instance| next(instance)?.momentum(),
    advance: |instance, metric| {
        let is_over = instance.taken()? >= instance.typed_options::<WarmupOptions>()?.steps;
        if is_over {
            instance.children_mut().iter_mut().try_for_each(|next| next.advance(metric))?;
        }
        instance.count_step()
    },
};

fn next(instance: &ScheduleInstance) -> Result<&ScheduleInstance> {
    instance.children().first().ok_or_else(|| childless("warmup"))
}
