//! Options of a step.

use stepwell_optim::{Clip, Code, Definition, Error, Limit::*, NonFinite, OptionSet, Result, defaults, options, parse};

use crate::values::convert::named_options;
use crate::values::value::Value;

options! {
    /// Work that a step does in addition to its formula, in the same pass.
    pub(crate) struct StepTable {
        /// Set gradients to zero after the step, also after one that is skipped.
        zerograd: bool = false, alias "zero_grad";
        /// Largest norm of all gradients as one vector. Excludes `clipvalue`.
        clipnorm: Option<f64> = None, limit Above(0.0);
        /// Largest element of a gradient. Excludes `clipnorm`.
        clipvalue: Option<f64> = None, limit Above(0.0);
        /// How a step treats gradients that are not finite. With a loss scale, which skips such steps, only `skip` can be given.
        nonfinite: NonFinite = NonFinite::Propagate;
    }
}

/// The options of a step, checked.
pub(crate) struct StepSettings {
    pub(crate) clip: Clip,
    pub(crate) zerograd: bool,
    pub(crate) nonfinite: NonFinite,
    /// True if the policy was given and is not the default.
    pub(crate) is_policy_given: bool,
}

impl StepSettings {
    /// From a dictionary, or nothing.
    pub(crate) fn parse(given: Vec<(String, Value)>) -> Result<Self> {
        let is_policy_given = gives_policy(&given);
        let specs = StepTable::SPECS;
        let row = parse("step", specs, &defaults(specs), &[], &named_options(given)?)?;
        let StepTable { zerograd, clipnorm, clipvalue, nonfinite } = StepTable::from_values(&row)?;
        Ok(Self { clip: clip(clipnorm, clipvalue)?, zerograd, nonfinite, is_policy_given })
    }

    /// Fails for an optimizer whose line search compares the gradients that its closure computes.
    pub(crate) fn check(&self, definition: &Definition) -> Result<()> {
        if !definition.needs_closure() || (!self.zerograd && self.clip == Clip::None) {
            return Ok(());
        }
        let name = definition.name;
        let message = format_args!("{name} takes no options of a step: let its closure clip and zero the gradients");
        Err(Error::new(Code::Argument, message))
    }
}

/// True if the options have a policy for gradients that are not finite.
pub(crate) fn gives_policy(given: &[(String, Value)]) -> bool {
    given.iter().any(|(name, _)| name == "nonfinite")
}

/// The clipping of two options, of which at most one can be set.
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
