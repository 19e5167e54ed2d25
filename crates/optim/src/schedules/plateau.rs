//! A factor whenever a metric has stopped improving, as in PyTorch's `ReduceLROnPlateau`.
//!
//! Each schedule step takes the metric. After more than `patience` steps in a row without an improvement, the rate is
//! cut to `max(rate factor, min)`. The next `cooldown` steps do not count. A metric that is not finite does not
//! improve.
//!
//! Files store the number of cuts; the rate follows from it and from the base rate.

use crate::options;
use crate::error::{Code, Error, Result};
use crate::options::macros::words;
use crate::options::option_type::OptionType;
use crate::options::table::{OptionSet, documentation};
use crate::options::table::Limit::*;
use crate::schedules::definition::{Children, ScheduleDefinition, ScheduleInstance, ScheduledGroup};

words! {
    /// The direction of improvement.
    pub(crate) enum Mode {
        Min = "min",
        Max = "max",
    }
}

words! {
    /// The meaning of the threshold.
    pub(crate) enum ThresholdMode {
        Relative = "rel",
        Absolute = "abs",
    }
}

options! {
    /// Options of the plateau schedule.
    pub(crate) struct PlateauOptions {
        /// Whether smaller or larger metrics are better.
        mode: Mode = Mode::Min;
        /// Factor of the rate at each cut.
        factor: f64 = 0.1, limit HalfOpen(0.0, 1.0);
        /// Schedule steps without an improvement before a cut.
        patience: i64 = 10, limit AtLeast(0.0);
        /// Smallest change of the metric that is an improvement.
        threshold: f64 = 1e-4, limit AtLeast(0.0);
        /// Whether the threshold is relative to the best metric or absolute.
        thresholdmode: ThresholdMode = ThresholdMode::Relative, alias "threshold_mode";
        /// Schedule steps after a cut that do not count.
        cooldown: i64 = 0, limit AtLeast(0.0);
        /// The smallest rate: one for all groups, or one for each.
        min: Vec<f64> = vec![0.0], limit AtLeast(0.0), alias "min_lr";
        /// A cut that changes the rate by at most this is skipped.
        eps: f64 = 1e-8, limit AtLeast(0.0);
    }
}

options! {
    /// Progress of the plateau schedule.
    pub(crate) struct PlateauProgress {
        /// The best metric so far; null before the first.
        best: Option<f64> = None;
        /// Schedule steps in a row without an improvement.
        bad: i64 = 0, limit AtLeast(0.0);
        /// Schedule steps of the cooldown that remain.
        cooling: i64 = 0, limit AtLeast(0.0);
        /// Number of cuts.
        cuts: i64 = 0, limit AtLeast(0.0);
    }
}

pub(crate) const DEFINITION: ScheduleDefinition = ScheduleDefinition {
    name: "plateau",
    pytorch: Some(documentation("torch.optim.lr_scheduler.ReduceLROnPlateau")),
    about: documentation("The rate times a factor, whenever a metric has stopped improving."),
    options: PlateauOptions::SPECS,
    progress: PlateauProgress::SPECS,
    children: Children::None,
    rate: |instance, group| Ok(cut(&instance.typed_options()?, instance.typed_progress::<PlateauProgress>()?.cuts, group)),
    level: |_, group| Ok(group.base_rate),
    momentum: |_| Ok(None),
    advance,
};

fn cut(o: &PlateauOptions, cuts: i64, group: ScheduledGroup) -> f64 {
    let least = group.choose(&o.min);
    let mut rate = group.base_rate;
    for _ in 0..cuts {
        let lower = (rate * o.factor).max(least);
        // After one skipped cut, all later ones are skipped, too.
        if rate - lower <= o.eps {
            break;
        }
        rate = lower;
    }
    rate
}

fn advance(instance: &mut ScheduleInstance, metric: Option<f64>) -> Result<()> {
    let Some(metric) = metric else {
        let message = "plateau needs a metric: advance(optimizer, metric)";
        return Err(Error::new(Code::Argument, message));
    };
    let o: PlateauOptions = instance.typed_options()?;
    let PlateauProgress { mut best, mut bad, mut cooling, mut cuts } = instance.typed_progress()?;
    if metric.is_finite() && best.is_none_or(|best| is_better(&o, metric, best)) {
        best = Some(metric);
        bad = 0;
    } else {
        bad += 1;
    }
    if cooling > 0 {
        cooling -= 1;
        bad = 0;
    }
    if bad > o.patience {
        cuts += 1;
        cooling = o.cooldown;
        bad = 0;
    }
    instance.set_progress(vec![best.into_value(), bad.into_value(), cooling.into_value(), cuts.into_value()]);
    Ok(())
}

fn is_better(o: &PlateauOptions, metric: f64, best: f64) -> bool {
    match (&o.mode, &o.thresholdmode) {
        (Mode::Min, ThresholdMode::Relative) => metric < best * (1.0 - o.threshold),
        (Mode::Min, ThresholdMode::Absolute) => metric < best - o.threshold,
        (Mode::Max, ThresholdMode::Relative) => metric > best * (o.threshold + 1.0),
        (Mode::Max, ThresholdMode::Absolute) => metric > best + o.threshold,
    }
}
