//! A rule with the options of the groups of one optimizer, and the constants of a step.

use crate::rule::Rule;
use crate::sweep::param_tensor::Unit;

/// The program of a [`Rule`].
pub(crate) struct RuleProgram<R: Rule> {
    pub(super) options: Vec<R::Options>,
    pub(super) constants: Vec<Constants<R>>,
}

/// What the parameters of a group that have seen as many steps have in common.
pub(super) struct Constants<R: Rule> {
    pub(super) group: usize,
    pub(super) float: R::Constants<f32>,
    pub(super) double: R::Constants<f64>,
}

impl<R: Rule> RuleProgram<R> {
    /// Those of a unit.
    #[inline(always)]
    pub(super) fn constants(&self, unit: &Unit) -> &Constants<R> {
        &self.constants[unit.constants as usize]
    }
    /// What the updates of a unit are multiplied by.
    pub(super) fn factor(&self, unit: &Unit, squares: [f64; 2]) -> f64 {
        let [parameter, update] = squares.map(f64::sqrt);
        R::factor(&self.options[self.constants(unit).group], parameter, update)
    }
}

impl<R: Rule> Default for RuleProgram<R> {
    fn default() -> Self {
        Self { options: Vec::new(), constants: Vec::new() }
    }
}
