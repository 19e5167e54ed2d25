//! Loss scaling, which keeps small 16-bit gradients from underflowing. The scale grows after a number of good steps,
//! and backs off after a step with gradients that are not finite. Equal to `torch.amp.GradScaler` to the bit:
//! <https://docs.pytorch.org/docs/2.11/amp.html#gradient-scaling>.

use crate::error::{Code, Error, Result};
use crate::number::Number;
use crate::options;
use crate::options::table::Limit::*;
use crate::options::table::{OptionSet, OptionSpec, defaults, parse};
use crate::options::value::OptionValue;
use crate::sweep::step_options::Outcome;

options! {
    /// Options and progress of a loss scale.
    pub(crate) struct LossScaleOptions {
        /// The first scale.
        init: f64 = 65536.0, limit Above(0.0), alias "init_scale";
        /// Factor of the scale after `interval` good steps.
        growth: f64 = 2.0, limit Above(1.0), alias "growth_factor";
        /// Factor of the scale after a bad step.
        backoff: f64 = 0.5, limit Open(0.0, 1.0), alias "backoff_factor";
        /// Good steps in a row before the scale grows.
        interval: i64 = 2000, limit AtLeast(1.0), alias "growth_interval";
        /// Smallest scale; null: the smallest normal number of 32 bits.
        min: Option<f64> = None, limit Above(0.0), alias "min_loss_scale";
        /// Scale of the next step; null: `init`.
        scale: Option<f64> = None, limit Above(0.0);
        /// Good steps since the scale last changed.
        growth_tracker: i64 = 0, limit AtLeast(0.0);
        /// Bad steps, which were skipped.
        skipped: i64 = 0, limit AtLeast(0.0);
    }
}

/// The factor of a loss before its backward pass.
#[derive(Clone, Debug, PartialEq)]
pub struct LossScale {
    growth: f64,
    backoff: f64,
    interval: i64,
    init: f64,
    min: Option<f64>,
    /// In f32, as in PyTorch.
    scale: f32,
    growth_tracker: i64,
    skipped: i64,
}

impl LossScale {
    /// The options, and after them the progress: `scale`, `growth_tracker` and `skipped`.
    pub const OPTIONS: &'static [OptionSpec] = LossScaleOptions::SPECS;

    /// A loss scale from named options, as [`LossScale::described`] returns them. Missing options have their defaults.
    ///
    /// # Errors
    /// [`Code::OptionUnknown`], [`Code::OptionType`], [`Code::OptionRange`]
    pub fn new(named: &[(String, OptionValue)]) -> Result<Self> {
        let specs = LossScaleOptions::SPECS;
        let values = parse("lossscale", specs, &defaults(specs), &[], named)?;
        let LossScaleOptions { init, growth, backoff, interval, min, scale, growth_tracker, skipped } =
            LossScaleOptions::from_values(&values)?;
        let given = scale.unwrap_or(init);
        let scale = given as f32;
        if let Some(given) = [init, given].into_iter().find(|scale| !(*scale as f32).is_normal()) {
            let message =
                format_args!("lossscale: expected a scale that a float of 32 bits can hold, given {}", Number(given));
            return Err(Error::new(Code::OptionRange, message));
        }
        if let Some(min) = min.filter(|min| given < *min) {
            let (min, given) = (Number(min), Number(given));
            let message =
                format_args!("lossscale: expected a scale that is at least min, which is {min}, given {given}");
            return Err(Error::new(Code::OptionRange, message));
        }
        Ok(Self { growth, backoff, interval, init, min, scale, growth_tracker, skipped })
    }

    /// The factor of the next loss.
    pub fn scale(&self) -> f64 {
        f64::from(self.scale)
    }

    /// Options and progress by name, from which [`LossScale::new`] makes an equal loss scale.
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

    /// Updates the scale after a step, once its outcome is known.
    pub(crate) fn update(&mut self, outcome: Outcome) {
        let changed = |factor: f64| Some((f64::from(self.scale) * factor) as f32).filter(|scale| scale.is_normal());
        match outcome {
            Outcome::Pending => {}
            Outcome::Skipped => {
                // The scale never underflows to 0, since gradients are divided by it.
                let smaller = changed(self.backoff).unwrap_or(self.scale);
                self.scale = self.min.map_or(smaller, |min| smaller.max(min as f32));
                self.growth_tracker = 0;
                self.skipped += 1;
            }
            Outcome::Stepped => {
                self.growth_tracker += 1;
                if self.growth_tracker >= self.interval {
                    // The scale never overflows.
                    self.scale = changed(self.growth).unwrap_or(self.scale);
                    self.growth_tracker = 0;
                }
            }
        }
    }
}
