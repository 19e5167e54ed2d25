//! Several schedules at once: each has the rate of the one before it for its base rate. As PyTorch's `ChainedScheduler`.
//!
//! For schedules that multiply by a factor this is the product of the factors. One that has a rate of its own, such as
//! the minimum of `cosine`, goes from the rate before it to that. `onecycle` asks for no base rate, so it comes first.

use crate::shape::{Base, Children, ScheduleDefinition};
use crate::Results;

pub(crate) const DEFINITION: ScheduleDefinition = ScheduleDefinition {
    name: "chained",
    pytorch: Some("torch.optim.lr_scheduler.ChainedScheduler"),
    about: "Several schedules at once, each from the rate of the one before it.",
    options: &[],
    progress: &[],
    children: Children::Several("of"),
    rate: |curve, base| {
        curve.children().iter().try_fold(base.rate, |rate, child| child.rate(Base { rate, ..base }))
    },
    momentum: |curve| {
        let momenta = curve.children().iter().map(|child| child.momentum()).values()?;
        Ok(momenta.into_iter().flatten().next_back())
    },
    advance: |curve, metric| curve.children_mut().iter_mut().try_for_each(|child| child.advance(metric)),
};
