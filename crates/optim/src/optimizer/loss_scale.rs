//! Scaling of the loss, so that small gradients do not vanish in 16 bits: the scale grows after so many good steps and
//! backs off after a step whose gradients were not finite. The rule is that of `torch.amp.GradScaler`, to the bit:
//! <https://docs.pytorch.org/docs/2.11/amp.html#gradient-scaling>.

use crate::error::{Code, Error, Result};
use crate::number::Number;
use crate::options;
use crate::options::table::Limit::*;
use crate::options::table::{OptionSet, defaults, parse};
use crate::options::value::OptionValue;
use crate::sweep::step_options::Outcome;

options! {
    /// Options of a loss scale, and how far it has come.
    pub(crate) struct LossScaleOptions {
        /// The first scale.
        init: f64 = 65536.0, limit Above(0.0), alias "init_scale";
        /// What the scale is multiplied by after enough good steps.
        growth: f64 = 2.0, limit Above(1.0), alias "growth_factor";
        /// What the scale is multiplied by after a bad step.
        backoff: f64 = 0.5, limit Open(0.0, 1.0), alias "backoff_factor";
        /// Good steps in a row that make the scale grow.
        interval: i64 = 2000, limit AtLeast(1.0), alias "growth_interval";
        /// The scale never becomes smaller; null: than a number of 32 bits can be.
        min: Option<f64> = None, limit Above(0.0), alias "min_loss_scale";
        /// The scale of the next step; null: the first.
        scale: Option<f64> = None, limit Above(0.0);
        /// Good steps since the scale last changed.
        growth_tracker: i64 = 0, limit AtLeast(0.0);
        /// Bad steps, which were skipped.
        skipped: i64 = 0, limit AtLeast(0.0);
    }
}

/// What a loss is multiplied by before its gradients are taken.
#[derive(Clone, Debug, PartialEq)]
pub struct LossScale {
    growth: f64,
    backoff: f64,
    interval: i64,
    init: f64,
    min: Option<f64>,
    /// A number of 32 bits, as PyTorch's is.
    scale: f32,
    growth_tracker: i64,
    skipped: i64,
}

impl LossScale {
    /// From named options, those of [`LossScale::described`]; what is left out is at its default.
    ///
    /// # Errors
    /// [`Code::OptionUnknown`], [`Code::OptionType`], [`Code::OptionRange`]
    pub fn new(named: &[(String, OptionValue)]) -> Result<Self> {
        let specs = LossScaleOptions::SPECS;
        let row = parse("lossscale", specs, &defaults(specs), &[], named)?;
        let LossScaleOptions { init, growth, backoff, interval, min, scale, growth_tracker, skipped } =
            LossScaleOptions::from_row(&row)?;
        let given = scale.unwrap_or(init);
        let scale = given as f32;
        if !scale.is_normal() {
            let message = format!("lossscale: expected a scale that is a number of 32 bits, given {}", Number(given));
            return Err(Error::new(Code::OptionRange, message));
        }
        if let Some(min) = min.filter(|min| given < *min) {
            let (min, given) = (Number(min), Number(given));
            let message = format!("lossscale: expected a scale that is at least min, which is {min}, given {given}");
            return Err(Error::new(Code::OptionRange, message));
        }
        Ok(Self { growth, backoff, interval, init, min, scale, growth_tracker, skipped })
    }

    /// What the next loss is multiplied by.
    pub fn scale(&self) -> f64 {
        f64::from(self.scale)
    }

    /// The options and how far it has come, by name: what [`LossScale::new`] makes the same from.
    pub fn described(&self) -> Vec<(&'static str, OptionValue)> {
        let Self { growth, backoff, interval, init, min, scale, growth_tracker, skipped } = *self;
        let values = [
            OptionValue::Float(init),
            OptionValue::Float(growth),
            OptionValue::Float(backoff),
            OptionValue::Integer(interval),
            min.map_or(OptionValue::Null, OptionValue::Float),
            OptionValue::Float(f64::from(scale)),
            OptionValue::Integer(growth_tracker),
            OptionValue::Integer(skipped),
        ];
        LossScaleOptions::SPECS.iter().map(|spec| spec.name).zip(values).collect()
    }

    /// Learns what became of a step.
    pub(crate) fn update(&mut self, outcome: Outcome) {
        let changed = |factor: f64| Some((f64::from(self.scale) * factor) as f32).filter(|scale| scale.is_normal());
        match outcome {
            Outcome::Skipped => {
                // It never vanishes, for nothing can be divided by 0.
                let smaller = changed(self.backoff).unwrap_or(self.scale);
                self.scale = self.min.map_or(smaller, |min| smaller.max(min as f32));
                self.growth_tracker = 0;
                self.skipped += 1;
            }
            Outcome::Stepped => {
                self.growth_tracker += 1;
                if self.growth_tracker >= self.interval {
                    // It never becomes infinite.
                    self.scale = changed(self.growth).unwrap_or(self.scale);
                    self.growth_tracker = 0;
                }
            }
        }
    }
}
