//! A rule with the options of the groups of one optimizer, and the constants of a step.

use crate::rule::Rule;
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::squares::StageSquares;

/// A [`Rule`] with the options of each group and the constants of the step.
pub(crate) struct RuleInstance<R: Rule> {
    pub(super) options: Vec<R::Options>,
    pub(super) constants: Vec<GroupConstants<R>>,
}

/// Constants of the parameters of a group that have the same step count.
pub(super) struct GroupConstants<R: Rule> {
    pub(super) group: usize,
    pub(super) float: R::Constants<f32>,
    pub(super) double: R::Constants<f64>,
}

impl<R: Rule> RuleInstance<R> {
    /// The constants of a tensor.
    #[inline(always)]
    pub(super) fn constants(&self, tensor: &ParamTensor) -> &GroupConstants<R> {
        &self.constants[tensor.constants as usize]
    }

    /// The factor of the second stage, from the sums of squares of parameter and update.
    pub(super) fn factor(&self, tensor: &ParamTensor, squares: StageSquares) -> f64 {
        let options = &self.options[self.constants(tensor).group];
        R::factor(options, squares.parameter.sqrt(), squares.update.sqrt())
    }
}

impl<R: Rule> Default for RuleInstance<R> {
    fn default() -> Self {
        Self { options: Vec::new(), constants: Vec::new() }
    }
}
