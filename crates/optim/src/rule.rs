//! The trait that an optimizer's file implements.

use crate::error::Result;
use crate::numeric::scalar::Scalar;
use crate::options::rule_options::RuleOptions;
use crate::state::param_state::RULE_BUFFERS;

/// An optimizer that updates each parameter from its own gradient and state. In addition, it may use the L2 norm of all
/// gradients, as LAMB does.
///
/// An implementation does not handle parameter groups, missing gradients, dtypes, threads, saving or loading.
pub(crate) trait Rule: 'static {
    /// The option table.
    type Options: RuleOptions;
    /// The values that all elements share, for parameters of one group with one step count.
    type Constants<T: Scalar>: Copy + Send + Sync;
    /// The name in the k-api.
    const NAME: &'static str;
    /// The PyTorch class, if there is one.
    const PYTORCH: Option<&'static str>;
    /// A one-sentence description.
    const ABOUT: &'static str;
    /// False for an optimizer whose state has no step count.
    const COUNTS_STEPS: bool = true;
    /// True for an optimizer that multiplies its update by a factor of the norms of parameter and update. It implements
    /// [`Rule::measure`], [`Rule::factor`] and [`Rule::apply`] instead of [`Rule::update`].
    const TWO_STAGES: bool = false;
    /// Keys of the state buffers, as in PyTorch, in the order of `state`.
    const BUFFERS: &'static [&'static str];
    /// How many of the last buffers an option adds: a step with default options does not create them.
    const OPTIONAL_BUFFERS: usize = 0;

    /// Marks the buffers that are averages of gradients, which the option `moments` may store in bfloat16. Averages of
    /// squares stay in full: they change by too little in a step for 16 bits.
    const GRADIENT_AVERAGES: [bool; RULE_BUFFERS];

    /// The initial value of each buffer; `None` for a buffer that these options do not use.
    fn initial_values(options: &Self::Options) -> [Option<f64>; RULE_BUFFERS];

    /// Checks options against each other, in addition to the limit of each.
    fn check(_options: &Self::Options) -> Result<()> {
        Ok(())
    }

    /// True if the rule uses [`StepInputs::gradient_norm`].
    fn wants_gradient_norm(_options: &Self::Options) -> bool {
        false
    }

    /// Computes the constants of a step.
    fn constants<T: Scalar>(options: &Self::Options, step: &StepInputs) -> Self::Constants<T>;

    /// Updates a block of elements and their state in place.
    fn update<T: Scalar>(_constants: &Self::Constants<T>, _block: Block<'_, T>) {}

    /// The first stage: updates the state of a block, and writes its update.
    fn measure<T: Scalar>(_constants: &Self::Constants<T>, _block: Block<'_, T>, _update: &mut [T]) {}

    /// The factor of the update, from the L2 norms of parameter and update.
    fn factor(_options: &Self::Options, _parameter_norm: f64, _update_norm: f64) -> f64 {
        1.0
    }

    /// The second stage: subtracts the factor times the update, which is computed again from the state.
    fn apply<T: Scalar>(_constants: &Self::Constants<T>, _factor: T, _block: Block<'_, T>) {}
}

/// The inputs of a step, apart from the parameter itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StepInputs {
    /// 1 for the first step of this parameter.
    pub(crate) step_count: u64,
    /// True if this step created one of the formula's buffers.
    pub(crate) created: bool,
    /// The L2 norm of the gradients of all groups, after clipping; 0 if no rule uses it.
    pub(crate) gradient_norm: f64,
}

/// Elements of a parameter, of its gradient and of its state buffers, in the order of [`Rule::BUFFERS`]. All slices
/// have one length, except that buffers not in use are empty.
pub(crate) struct Block<'a, T> {
    pub(crate) parameter: &'a mut [T],
    pub(crate) gradient: &'a [T],
    pub(crate) state: [&'a mut [T]; RULE_BUFFERS],
}
