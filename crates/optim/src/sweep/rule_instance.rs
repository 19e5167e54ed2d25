//! A rule with the options of the groups of one optimizer, and the constants of a step.

use crate::rule::Rule;
use crate::sweep::param_tensor::ParamTensor;

/// The rule of a [`Rule`].
pub(crate) struct RuleInstance<R: Rule> {
    pub(super) options: Vec<R::Options>,
    pub(super) constants: Vec<GroupConstants<R>>,
}

/// What the parameters of a group that have seen as many steps have in common.
pub(super) struct GroupConstants<R: Rule> {
    pub(super) group: usize,
    pub(super) float: R::Constants<f32>,
    pub(super) double: R::Constants<f64>,
}

impl<R: Rule> RuleInstance<R> {
    /// Those of a tensor.
    #[inline(always)]
    pub(super) fn constants(&self, tensor: &ParamTensor) -> &GroupConstants<R> {
        &self.constants[tensor.constants as usize]
    }
    /// What the updates of a tensor are multiplied by.
    pub(super) fn factor(&self, tensor: &ParamTensor, squares: [f64; 2]) -> f64 {
        let [parameter, update] = squares.map(f64::sqrt);
        R::factor(&self.options[self.constants(tensor).group], parameter, update)
    }
}

impl<R: Rule> Default for RuleInstance<R> {
    fn default() -> Self {
        Self { options: Vec::new(), constants: Vec::new() }
    }
}
