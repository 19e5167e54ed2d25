//! Binding and stepping schedules of an optimizer.

use crate::error::{Code, Error, Result};
use crate::fallible::Results;
use crate::optimizer::Optimizer;
use crate::options::value::OptionValue;
use crate::schedules::definition::{ScheduleInstance, ScheduledGroup};
use crate::schedules::schedule::Schedule;

impl Optimizer {
    /// The schedule, if one is bound.
    pub fn schedule_state(&self) -> Option<&Schedule> {
        self.schedule.as_ref()
    }

    /// Restores or removes a schedule, without changing learning rates.
    pub fn set_schedule_state(&mut self, schedule: Option<Schedule>) -> Result<()> {
        if let Some(schedule) = &schedule {
            self.scheduled(schedule)?;
        }
        self.schedule = schedule;
        Ok(())
    }

    /// Binds a schedule and sets the learning rates from it. Starts from the current rates if `base_rates` is `None`.
    pub fn bind(&mut self, instance: ScheduleInstance, base_rates: Option<Vec<f64>>) -> Result<()> {
        let schedule = Schedule::new(instance, base_rates.unwrap_or_else(|| self.rates()));
        let options = self.scheduled(&schedule)?;
        self.set_options(options);
        self.schedule = Some(schedule);
        Ok(())
    }

    /// Makes a schedule step and sets the learning rates. `plateau` needs the metric.
    pub fn advance(&mut self, metric: Option<f64>) -> Result<()> {
        let Some(mut schedule) = self.schedule.clone() else {
            let message = "no schedule is bound to this optimizer: bind one with schedule(optimizer, specification)";
            return Err(Error::new(Code::Argument, message));
        };
        schedule.instance.advance(metric)?;
        let options = self.scheduled(&schedule)?;
        self.set_options(options);
        self.schedule = Some(schedule);
        Ok(())
    }

    /// The options of each group as a schedule sets them.
    fn scheduled(&self, schedule: &Schedule) -> Result<Vec<Vec<OptionValue>>> {
        let (groups, given) = (self.groups().len(), schedule.base_rates.len());
        if given != groups {
            let message = format_args!("expected one base rate for each of {groups} groups, given {given}");
            return Err(Error::new(Code::Argument, message));
        }
        schedule.instance.check_groups(groups)?;
        let momentum = schedule.instance.momentum()?.map(|momentum| self.momentum_option(momentum)).transpose()?;
        let named = momentum.as_slice();
        let scheduled = |(group, rate): (usize, &f64)| {
            // Checks the base rate, which must be a valid learning rate, too.
            self.plan(group, &[OptionValue::Float(*rate)], &[])?;
            let rate = schedule.instance.rate(ScheduledGroup { base_rate: *rate, index: group })?;
            self.plan(group, &[OptionValue::Float(rate)], named)
        };
        schedule.base_rates.iter().enumerate().map(scheduled).values()
    }

    /// The option that `OneCycleLR` calls momentum: `momentum`, or the first of the betas.
    fn momentum_option(&self, momentum: f64) -> Result<(String, OptionValue)> {
        let definition = self.definition();
        let driven = definition.options.iter().find(|spec| matches!(spec.name, "momentum" | "beta1"));
        let Some(spec) = driven else {
            let message = format_args!(
                "the schedule drives momentum, which {} does not have: give it momentum false",
                definition.name
            );
            return Err(Error::new(Code::OptionRange, message));
        };
        Ok((spec.name.to_owned(), OptionValue::Float(momentum)))
    }
}
