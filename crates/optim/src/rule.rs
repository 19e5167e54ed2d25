//! The trait that an optimizer's file implements.

use crate::error::Result;
#[cfg(not(target_family = "wasm"))]
use crate::numeric::kernel::{KernelSource, MAX_CONSTANTS};
use crate::numeric::scalar::Scalar;
use crate::options::rule_options::RuleOptions;
use crate::state::param_state::RULE_BUFFERS;

/// The maximal number of values of [`Rule::norm_inputs`].
#[cfg(not(target_family = "wasm"))]
pub const MAX_NORM_INPUTS: usize = 16;

/// The kernels of a rule for some of its options.
#[cfg(not(target_family = "wasm"))]
#[derive(Clone, Copy, Debug)]
pub(crate) struct RuleKernels {
    /// The kernel of a rule with one stage, or of the first stage.
    pub(crate) update: KernelSource,
    /// The kernel of the second stage. One of its constants is the factor. Each other constant has the value of the
    /// first stage's constant with its name.
    pub(crate) apply: Option<KernelSource>,
    /// Indices of the kernel's state buffers in [`Rule::BUFFERS`], in the order of its arguments.
    pub(crate) buffers: &'static [usize],
}

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

    /// The kernels, each for some of the options.
    #[cfg(not(target_family = "wasm"))]
    const KERNELS: &'static [RuleKernels];
    /// The functions `constants_from_norm` and `factor` as CUDA C++: see `device/source/prelude.cuh`.
    #[cfg(not(target_family = "wasm"))]
    const NORM_FUNCTIONS: &'static str = include_str!("device/source/no_norm_functions.cuh");

    /// Index of the kernels that the constants are for, and the values of the constants in the kernel's order.
    #[cfg(not(target_family = "wasm"))]
    fn kernel_constants<T: Scalar>(constants: &Self::Constants<T>) -> (usize, [f64; MAX_CONSTANTS]);

    /// The values of options from which [`Rule::NORM_FUNCTIONS`] compute.
    #[cfg(not(target_family = "wasm"))]
    fn norm_inputs(_options: &Self::Options) -> [f64; MAX_NORM_INPUTS] {
        [0.0; MAX_NORM_INPUTS]
    }

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
