//! The definition of an optimizer: its rule with the types erased, or L-BFGS.

use crate::error::{Code, Error, Result};
use crate::options::rule_options::RuleOptions;
use crate::options::table::{OptionSet, OptionSpec, documentation, torch_class};
use crate::options::value::OptionValue;
use crate::rule::Rule;
use crate::state::param_state::{MASTER, PARAM_AVERAGE};
use crate::sweep::erased_rule::ErasedRule;
use crate::sweep::rule_instance::RuleInstance;

/// A name, an option table and functions: the interface of an optimizer to the rest of the crate.
pub struct Definition {
    /// The name in the k-api.
    pub name: &'static str,
    /// The PyTorch class, if there is one; empty in WebAssembly, as `about` is.
    pub pytorch: Option<&'static str>,
    /// A one-sentence description.
    pub about: &'static str,
    /// The option table, in positional order.
    pub options: &'static [OptionSpec],
    /// True if the state has a step count.
    pub counts_steps: bool,
    /// Keys of the state buffers.
    pub buffers: &'static [&'static str],
    /// How many of the first buffers every step creates, whatever the options.
    pub required_buffers: usize,
    /// Checks options against each other; [`crate::parse`] checks the limit of each.
    pub check: fn(&[OptionValue]) -> Result<()>,
    pub(crate) method: Method,
}

impl Definition {
    /// True if a step needs a closure that computes the loss.
    pub fn needs_closure(&self) -> bool {
        matches!(self.method, Method::Closure)
    }

    /// Keys of all state buffers with their indices. The formula's buffers come first and are always reported; other
    /// buffers are reported only if they are in use.
    pub fn state_keys(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let own = self.buffers.iter().enumerate().map(|(index, key)| (*key, index));
        own.chain([("master_param", MASTER), ("param_average", PARAM_AVERAGE)])
    }
}

/// The way an optimizer makes a step.
pub(crate) enum Method {
    /// Each parameter by itself. The function makes the rule of one optimizer.
    Each(fn() -> Box<dyn ErasedRule>),
    /// All parameters as one vector, with a closure: L-BFGS.
    Closure,
}

/// The definition of a [`Rule`].
pub(crate) const fn define<R: Rule>() -> Definition {
    Definition {
        name: R::NAME,
        pytorch: torch_class(R::PYTORCH),
        about: documentation(R::ABOUT),
        options: R::Options::SPECS,
        counts_steps: R::COUNTS_STEPS,
        buffers: R::BUFFERS,
        required_buffers: R::BUFFERS.len() - R::OPTIONAL_BUFFERS,
        check: |values| {
            let options = R::Options::from_values(values)?;
            if options.shared().bfloat16_moments && !R::GRADIENT_AVERAGES.contains(&true) {
                let name = R::NAME;
                let reason = "since it keeps no average of gradients, given \"bfloat16\"";
                return Err(Error::new(Code::OptionRange, format_args!("{name} moments: expected \"full\", {reason}")));
            }
            R::check(&options)
        },
        method: Method::Each(|| Box::new(RuleInstance::<R>::default())),
    }
}
