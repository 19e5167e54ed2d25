//! The kernels and constants of an optimizer's groups, for a caller that fills the tables of a step itself.

use crate::device::layout::ConstantsRow;
use crate::device::source::{Variant, constants_row, source};
use crate::error::{Code, Error, Result};
use crate::optimizers::definition::{Definition, Method};
use crate::options::value::OptionValue;
use crate::rule::StepInputs;
use crate::state::param_state::RULE_BUFFERS;
use crate::state::view::Element;
use crate::sweep::erased_rule::ErasedRule;

/// A rule with the options of its groups.
pub struct DeviceRule {
    rule: Box<dyn ErasedRule>,
}

impl DeviceRule {
    /// The rule of an optimizer, with one list of option values for each group.
    ///
    /// # Errors
    /// [`Code::ClosureRequired`] for L-BFGS, and the errors of the options.
    pub fn new(definition: &Definition, groups: &[&[OptionValue]]) -> Result<Self> {
        let Method::Each(make) = definition.method else {
            return Err(Error::new(Code::ClosureRequired, format!("{}: expected a closure", definition.name)));
        };
        let mut rule = make();
        rule.set_options(&mut groups.iter().copied())?;
        Ok(Self { rule })
    }

    /// True for a rule with two stages.
    pub fn has_two_stages(&self) -> bool {
        self.rule.has_two_stages()
    }

    /// True if a group needs the norm of all gradients.
    pub fn uses_gradient_norm(&self) -> bool {
        self.rule.wants_gradient_norm()
    }

    /// The initial value of each buffer of the formula; `None` for a buffer that the group does not use.
    pub fn initial_values(&self, group: usize) -> [Option<f64>; RULE_BUFFERS] {
        self.rule.initial_values(group)
    }

    /// The variant of a group's tensors of this type, whose buffers are all there.
    pub fn variant(&self, group: usize, element: Element) -> Variant {
        let stores_bfloat16 = self.rule.shared(group).bfloat16_moments;
        let (averages, initial) = (self.rule.gradient_averages(), self.rule.initial_values(group));
        let bfloat16_buffers =
            std::array::from_fn(|buffer| stores_bfloat16 && averages[buffer] && initial[buffer].is_some());
        Variant { kernel: self.rule.kernel_index(group), element, bfloat16_buffers }
    }

    /// The CUDA C++ for these variants.
    ///
    /// # Errors
    /// [`Code::Internal`]
    pub fn source(&self, variants: &[Variant]) -> Result<String> {
        source(&*self.rule, variants)
    }

    /// The constants of a group for the step with this number, counted from 1. `created` is true if the step creates
    /// one of the formula's buffers.
    pub fn row(&mut self, group: usize, step_count: u64, created: bool, norm: f64, element: Element) -> ConstantsRow {
        self.rule.clear_constants();
        self.rule.push_constants(group, StepInputs { step_count, created, gradient_norm: norm });
        constants_row(&*self.rule, 0, group, element == Element::Double)
    }

    /// The factor of the second stage, from the L2 norms of parameter and update.
    pub fn factor(&self, group: usize, parameter_norm: f64, update_norm: f64) -> f64 {
        self.rule.factor_of_norms(group, parameter_norm, update_norm)
    }
}
