//! A schedule that is bound to an optimizer, whose learning rates it sets.

use crate::schedules::definition::ScheduleInstance;

/// A schedule with its base rates, one for each group.
///
/// The rates are a function of the base rates and of the progress alone. A learning rate set by hand therefore holds
/// until the next schedule step; bind the schedule again to change its level. PyTorch's `OneCycleLR` and
/// `CosineAnnealingWarmRestarts` do so, too; its other schedules continue from such a rate.
#[derive(Clone, PartialEq)]
pub struct Schedule {
    pub(crate) instance: ScheduleInstance,
    pub(crate) base_rates: Vec<f64>,
}

impl Schedule {
    /// A schedule with these base rates, one for each group.
    pub fn new(instance: ScheduleInstance, base_rates: Vec<f64>) -> Self {
        Self { instance, base_rates }
    }

    /// The kind of schedule, its options and its progress.
    pub fn instance(&self) -> &ScheduleInstance {
        &self.instance
    }

    /// The base rate of each group.
    pub fn base_rates(&self) -> &[f64] {
        &self.base_rates
    }

    /// Adds the base rate of a group that was added to the optimizer. The schedule treats it as if it had been there
    /// before.
    pub(crate) fn add_group(&mut self, rate: f64) {
        self.base_rates.push(rate);
    }
}
