//! A schedule bound to an optimizer: it sets the learning rates of the groups.

use crate::schedules::definition::ScheduleInstance;

/// A schedule with the rates that it starts from, one for each group.
///
/// The rates are a function of these and of the progress alone. So a learning rate that is set by hand holds until the
/// next schedule step, which sets the schedule's own again: bind anew to change the level. PyTorch's `OneCycleLR` and
/// `CosineAnnealingWarmRestarts` do the same; its others carry such a rate on.
#[derive(Clone, PartialEq)]
pub struct Schedule {
    pub(crate) instance: ScheduleInstance,
    pub(crate) base_rates: Vec<f64>,
}

impl Schedule {
    /// A schedule from these base rates, one for each group.
    pub fn new(instance: ScheduleInstance, base_rates: Vec<f64>) -> Self {
        Self { instance, base_rates }
    }

    /// What it does, and how far it is.
    pub fn instance(&self) -> &ScheduleInstance {
        &self.instance
    }

    /// The rate of each group that the schedule starts from.
    pub fn base_rates(&self) -> &[f64] {
        &self.base_rates
    }

    /// Takes in a group that was added to the optimizer; the schedule applies to it as if it had been there before.
    pub(crate) fn add_group(&mut self, rate: f64) {
        self.base_rates.push(rate);
    }
}
