//! Several schedules at once: each has the rate of the one before it for its base rate.
//!
//! For schedules that multiply by a factor this is the product of the factors, and PyTorch's `ChainedScheduler`: `step`,
//! `multistep`, `exponential`, `linear`, `polynomial`, `cosine` with min 0. One that has a rate of its own, such as the
//! minimum of `cosine`, goes from the rate before it to that. `onecycle` asks for no base rate, so it comes first. PyTorch
//! forgets in each step of `onecycle` and `restarts`, and where a warm-up ends, what the others in the chain have made of
//! the rate, and chains no `plateau`.

use crate::fallible::Results;
use crate::schedules::definition::{Children, ScheduleDefinition, ScheduledGroup};

pub(crate) const DEFINITION: ScheduleDefinition = ScheduleDefinition {
    name: "chained",
    pytorch: Some("torch.optim.lr_scheduler.ChainedScheduler"),
    about: "Several schedules at once, each from the rate of the one before it.",
    options: &[],
    progress: &[],
    children: Children::Several("of"),
    rate: |instance, group| {
        instance.children().iter().try_fold(group.base_rate, |rate, child| child.rate(ScheduledGroup { base_rate: rate, ..group }))
    },
    level: |instance, group| {
        instance.children().iter().try_fold(group.base_rate, |rate, child| child.level(ScheduledGroup { base_rate: rate, ..group }))
    },
    momentum: |instance| {
        let momenta = instance.children().iter().map(|child| child.momentum()).values()?;
        Ok(momenta.into_iter().flatten().next_back())
    },
    advance: |instance, metric| instance.children_mut().iter_mut().try_for_each(|child| child.advance(metric)),
};
