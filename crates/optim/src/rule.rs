//! The trait that an optimizer's file implements.

use crate::error::Result;
use crate::numeric::scalar::Scalar;
use crate::options::rule_options::RuleOptions;
use crate::state::param_state::RULE_BUFFERS;

/// An optimizer that updates each parameter from its own gradient and state.
///
/// An implementor does not see parameter groups, missing gradients, dtypes, threads, saving or loading.
pub(crate) trait Rule: 'static {
    /// The option table.
    type Options: RuleOptions;
    /// What is the same for every element of the parameters of a group that have seen as many steps.
    type Constants<T: Scalar>: Copy + Send + Sync;
    /// The name, as in the k-api.
    const NAME: &'static str;
    /// The PyTorch class, if there is one.
    const PYTORCH: Option<&'static str>;
    /// One sentence.
    const ABOUT: &'static str;
    /// False for an optimizer whose state has no step count.
    const COUNTS_STEPS: bool = true;
    /// True for an optimizer that moves a parameter by its update times a factor, which follows from the norms of both:
    /// it has [`Rule::measure`], [`Rule::factor`] and [`Rule::apply`] instead of [`Rule::update`].
    const TWO_STAGES: bool = false;
    /// Keys of the state buffers, as in PyTorch, in the order in which `state` shows them.
    const BUFFERS: &'static [&'static str];

    /// Which of [`Rule::BUFFERS`] are averages of gradients, which the option `moments` may keep in 16 bits. Those of squares
    /// change by too little in a step, and what is taken from them has to be as exact.
    const AVERAGES: [bool; RULE_BUFFERS];

    /// What each of [`Rule::BUFFERS`] starts with, `None` for one that these options do not use.
    fn initial_values(options: &Self::Options) -> [Option<f64>; RULE_BUFFERS];

    /// A rule over several options, beyond the limit of each.
    fn check(_options: &Self::Options) -> Result<()> {
        Ok(())
    }

    /// True if [`Step::gradient_norm`] is wanted.
    fn wants_gradient_norm(_options: &Self::Options) -> bool {
        false
    }

    /// Everything that a step computes once.
    fn constants<T: Scalar>(options: &Self::Options, step: &Step) -> Self::Constants<T>;

    /// Updates a block of elements and their state in place.
    fn update<T: Scalar>(_constants: &Self::Constants<T>, _block: Block<'_, T>) {}

    /// The first stage: updates the state of a block, and writes the update.
    fn measure<T: Scalar>(_constants: &Self::Constants<T>, _block: Block<'_, T>, _update: &mut [T]) {}

    /// What the update of a parameter is multiplied by, from the norms of both.
    fn factor(_options: &Self::Options, _parameter_norm: f64, _update_norm: f64) -> f64 {
        1.0
    }

    /// The second stage: moves the parameter by the factor times the update, which is computed again from the state.
    fn apply<T: Scalar>(_constants: &Self::Constants<T>, _factor: T, _block: Block<'_, T>) {}
}

/// What a step knows beside the parameter itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step {
    /// 1 for the first step of this parameter.
    pub(crate) number: u64,
    /// True if this step made one of the buffers.
    pub(crate) created: bool,
    /// The L2 norm of the gradients of all groups, as clipped; 0 unless wanted.
    pub(crate) gradient_norm: f64,
}

/// Elements of one parameter, of its gradient and of its state buffers in the order of [`Rule::BUFFERS`]. All have one
/// length but the buffers that the options do not use, which are empty.
pub(crate) struct Block<'a, T> {
    pub(crate) parameter: &'a mut [T],
    pub(crate) gradient: &'a [T],
    pub(crate) state: [&'a mut [T]; RULE_BUFFERS],
}
