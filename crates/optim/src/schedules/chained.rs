//! Several schedules in a chain: each takes the rate of the one before it as its base rate.
//!
//! For schedules that multiply by a factor, the result is the product of the factors, as in PyTorch's
//! `ChainedScheduler`. These are `step`, `multistep`, `exponential`, `linear`, `polynomial`, and `cosine` with min 0. A
//! schedule with rates of its own goes from the rate before it to its own rate; the minimum of `cosine` is an example.
//! `onecycle` ignores the base rate, so it comes first. In PyTorch, `onecycle`, `restarts` and the end of a warm-up
//! discard the changes of other schedules in the chain. Its chains do not take `plateau`.

use crate::fallible::Results;
use crate::options::table::documentation;
use crate::schedules::definition::{Children, ScheduleDefinition, ScheduledGroup};

pub(crate) const DEFINITION: ScheduleDefinition = ScheduleDefinition {
    name: "chained",
    pytorch: Some(documentation("torch.optim.lr_scheduler.ChainedScheduler")),
    about: documentation("Several schedules at once, each from the rate of the one before it."),
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
