//! Options of a step.

use stepwell_optim::{Clip, Code, Definition, Error, Limit::*, NonFinite, OptionSet, Result, defaults, options, parse};

use crate::Dynamic;
use crate::arguments::named_options;

options! {
    /// What a step does beside the formula, in the same pass.
    pub(crate) struct StepSettings {
        /// Set gradients to zero after the step.
        zerograd: bool = false, alias "zero_grad";
        /// Largest norm of all gradients as one vector.
        clipnorm: Option<f64> = None, limit Above(0.0);
        /// Largest element of a gradient.
        clipvalue: Option<f64> = None, limit Above(0.0);
        /// What becomes of the step if a gradient is not finite.
        nonfinite: NonFinite = NonFinite::Propagate;
    }
}

impl StepSettings {
    /// From a dictionary, or nothing.
    pub(crate) fn parse(given: Vec<(String, Dynamic)>) -> Result<Self> {
        let row = parse("options", Self::SPECS, &defaults(Self::SPECS), &[], &named_options(given)?)?;
        let settings = Self::from_row(&row)?;
        clip(settings.clipnorm, settings.clipvalue)?;
        Ok(settings)
    }

    pub(crate) fn clip(&self) -> Result<Clip> {
        clip(self.clipnorm, self.clipvalue)
    }

    /// Fails for an optimizer whose line search compares the gradients that its closure computes.
    pub(crate) fn check(&self, definition: &Definition) -> Result<()> {
        if !definition.needs_closure() || (!self.zerograd && self.clip()? == Clip::None) {
            return Ok(());
        }
        let name = definition.name;
        let message = format!("{name} takes no options of a step: let its closure clip and zero the gradients");
        Err(Error::new(Code::Argument, message))
    }
}

/// At most one of the two.
pub(crate) fn clip(norm: Option<f64>, value: Option<f64>) -> Result<Clip> {
    match (norm, value) {
        (Some(_), Some(_)) => {
            Err(Error::new(Code::OptionRange, "clipnorm and clipvalue exclude each other: set one to null"))
        }
        (Some(max), None) => Ok(Clip::Norm(max)),
        (None, Some(max)) => Ok(Clip::Value(max)),
        (None, None) => Ok(Clip::None),
    }
}
