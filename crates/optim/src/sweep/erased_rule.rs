//! A rule with its types erased: the interface between a sweep and an optimizer.

use crate::error::Result;
use crate::fallible::{Results, reserve};
use crate::instruction_set::InstructionSet;
#[cfg(not(target_family = "wasm"))]
use crate::numeric::kernel::MAX_CONSTANTS;
use crate::options::rule_options::{RuleOptions, SharedOptions};
use crate::options::table::OptionSet;
use crate::options::value::OptionValue;
#[cfg(not(target_family = "wasm"))]
use crate::rule::{MAX_NORM_INPUTS, RuleKernels};
use crate::rule::{Rule, StepInputs};
use crate::state::param_state::RULE_BUFFERS;
use crate::sweep::chunk::Chunk;
use crate::sweep::gradient_ops::GradientOps;
use crate::sweep::one_stage::Update;
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::rule_instance::{GroupConstants, RuleInstance};
use crate::sweep::squares::StageSquares;
use crate::sweep::two_stages::{ApplyAndMeasure, ApplyArgs, MeasureArgs, UpdateWholeTensors};
use crate::sweep::update_buffer::UpdateBuffer;

/// A [`Rule`] with its types erased, as a sweep calls it.
pub(crate) trait ErasedRule: Send + Sync {
    /// Sets the options of all groups.
    fn set_options(&mut self, groups: &mut dyn Iterator<Item = &[OptionValue]>) -> Result<()>;
    /// The initial value of each buffer of the formula, in a group.
    fn initial_values(&self, group: usize) -> [Option<f64>; RULE_BUFFERS];
    /// Marks the buffers that are averages of gradients.
    fn gradient_averages(&self) -> [bool; RULE_BUFFERS];
    /// The options that every rule has, of a group.
    fn shared(&self, group: usize) -> SharedOptions;
    /// True if a group needs the norm of all gradients.
    fn wants_gradient_norm(&self) -> bool;
    /// True for a rule with two stages.
    fn has_two_stages(&self) -> bool;
    /// Removes the constants of the last step.
    fn clear_constants(&mut self);
    /// Reserves memory for `count` constants.
    fn reserve_constants(&mut self, count: usize) -> Result<()>;
    /// Computes constants and appends them; tensors refer to them by index.
    fn push_constants(&mut self, group: usize, step: StepInputs);

    /// The kernels of the rule, each for some of its options.
    #[cfg(not(target_family = "wasm"))]
    fn kernels(&self) -> &'static [RuleKernels];
    /// The functions of norms as CUDA C++.
    #[cfg(not(target_family = "wasm"))]
    fn norm_functions(&self) -> &'static str;
    /// Index of the kernels that the options of a group choose.
    #[cfg(not(target_family = "wasm"))]
    fn kernel_index(&self, group: usize) -> usize;
    /// The constants with this index, exact in f32 or f64, in the order of their kernel.
    #[cfg(not(target_family = "wasm"))]
    fn constant_values(&self, index: usize, is_double: bool) -> [f64; MAX_CONSTANTS];
    /// The values of a group's options from which the functions of norms compute.
    #[cfg(not(target_family = "wasm"))]
    fn norm_inputs(&self, group: usize) -> [f64; MAX_NORM_INPUTS];
    /// The factor of the second stage in a group, from the L2 norms of parameter and update.
    #[cfg(not(target_family = "wasm"))]
    fn factor_of_norms(&self, group: usize, parameter_norm: f64, update_norm: f64) -> f64;

    /// Updates chunks.
    ///
    /// # Safety
    /// The chunks belong to the tensors, and no other code accesses the memory of the tensors during the call.
    unsafe fn update(
        &self,
        instruction_set: InstructionSet,
        tensors: &[ParamTensor],
        chunks: &[Chunk],
        gradient_ops: GradientOps,
    );

    /// Runs both stages on small tensors, tensor by tensor, so that the second stage finds the data in the cache.
    ///
    /// # Safety
    /// As for [`ErasedRule::update`].
    unsafe fn update_whole_tensors(
        &self,
        instruction_set: InstructionSet,
        tensors: &[ParamTensor],
        chunks: &[Chunk],
        gradient_ops: GradientOps,
        update_buffer: &UpdateBuffer,
    );

    /// Runs the second stage on chunks of one tensor, and the first stage on the chunks of another tensor at the same
    /// indices. The second stage uses the updates of the first if they were stored. Sets the sums of squares of
    /// parameter and update.
    ///
    /// # Safety
    /// As for [`ErasedRule::update`]; in addition, the factor belongs to the tensor of the second stage. The update
    /// buffer at these indices holds the updates of that tensor until they are read, and no other thread uses it.
    unsafe fn apply_and_measure(
        &self,
        instruction_set: InstructionSet,
        apply_args: Option<ApplyArgs<'_>>,
        measure_args: Option<MeasureArgs<'_>>,
        gradient_ops: GradientOps,
    );

    /// The factor of the second stage, from the sums of squares of parameter and update.
    fn factor(&self, tensor: &ParamTensor, squares: StageSquares) -> f64;
}

impl<R: Rule> ErasedRule for RuleInstance<R> {
    fn set_options(&mut self, groups: &mut dyn Iterator<Item = &[OptionValue]>) -> Result<()> {
        self.options = groups.map(R::Options::from_values).values()?;
        Ok(())
    }

    fn initial_values(&self, group: usize) -> [Option<f64>; RULE_BUFFERS] {
        R::initial_values(&self.options[group])
    }

    fn gradient_averages(&self) -> [bool; RULE_BUFFERS] {
        R::GRADIENT_AVERAGES
    }

    fn shared(&self, group: usize) -> SharedOptions {
        self.options[group].shared()
    }

    fn wants_gradient_norm(&self) -> bool {
        self.options.iter().any(R::wants_gradient_norm)
    }

    fn has_two_stages(&self) -> bool {
        R::TWO_STAGES
    }

    fn clear_constants(&mut self) {
        self.constants.clear();
    }

    fn reserve_constants(&mut self, count: usize) -> Result<()> {
        // There is about one entry per group. WebAssembly serves such small allocations from its reserve.
        if cfg!(target_family = "wasm") { Ok(()) } else { reserve(&mut self.constants, count) }
    }

    fn push_constants(&mut self, group: usize, step: StepInputs) {
        let options = &self.options[group];
        let (float, double) = (R::constants::<f32>(options, &step), R::constants::<f64>(options, &step));
        self.constants.push(GroupConstants { group, float, double });
    }

    #[cfg(not(target_family = "wasm"))]
    fn kernels(&self) -> &'static [RuleKernels] {
        R::KERNELS
    }

    #[cfg(not(target_family = "wasm"))]
    fn norm_functions(&self) -> &'static str {
        R::NORM_FUNCTIONS
    }

    #[cfg(not(target_family = "wasm"))]
    fn kernel_index(&self, group: usize) -> usize {
        let step = StepInputs { step_count: 1, created: false, gradient_norm: 1.0 };
        R::kernel_constants(&R::constants::<f64>(&self.options[group], &step)).0
    }

    #[cfg(not(target_family = "wasm"))]
    fn constant_values(&self, index: usize, is_double: bool) -> [f64; MAX_CONSTANTS] {
        let constants = &self.constants[index];
        let (_, values) = match is_double {
            true => R::kernel_constants(&constants.double),
            false => R::kernel_constants(&constants.float),
        };
        values
    }

    #[cfg(not(target_family = "wasm"))]
    fn norm_inputs(&self, group: usize) -> [f64; MAX_NORM_INPUTS] {
        R::norm_inputs(&self.options[group])
    }

    #[cfg(not(target_family = "wasm"))]
    fn factor_of_norms(&self, group: usize, parameter_norm: f64, update_norm: f64) -> f64 {
        R::factor(&self.options[group], parameter_norm, update_norm)
    }

    unsafe fn update(
        &self,
        instruction_set: InstructionSet,
        tensors: &[ParamTensor],
        chunks: &[Chunk],
        gradient_ops: GradientOps,
    ) {
        if !R::TWO_STAGES {
            instruction_set.run(Update::<R> { constants: &self.constants, tensors, chunks, gradient_ops });
        }
    }

    unsafe fn update_whole_tensors(
        &self,
        instruction_set: InstructionSet,
        tensors: &[ParamTensor],
        chunks: &[Chunk],
        gradient_ops: GradientOps,
        update_buffer: &UpdateBuffer,
    ) {
        if R::TWO_STAGES {
            instruction_set.run(UpdateWholeTensors { rule: self, tensors, chunks, gradient_ops, update_buffer });
        }
    }

    unsafe fn apply_and_measure(
        &self,
        instruction_set: InstructionSet,
        apply_args: Option<ApplyArgs<'_>>,
        measure_args: Option<MeasureArgs<'_>>,
        gradient_ops: GradientOps,
    ) {
        if !R::TWO_STAGES || cfg!(target_family = "wasm") {
            return;
        }
        if let (Some(apply_args), Some(measure_args)) = (apply_args, measure_args)
            && apply_args.tensor.is_double() != measure_args.tensor.is_double()
        {
            // SAFETY: as the caller promises.
            unsafe {
                self.apply_and_measure(instruction_set, Some(apply_args), None, gradient_ops);
                self.apply_and_measure(instruction_set, None, Some(measure_args), gradient_ops);
            }
            return;
        }
        let doubles = measure_args
            .map(|args| args.tensor)
            .or(apply_args.map(|args| args.tensor))
            .is_some_and(ParamTensor::is_double);
        if doubles {
            let measure_args = measure_args.map(|args| (&self.constants(args.tensor).double, args));
            let apply_args = apply_args.map(|args| (&self.constants(args.tensor).double, args));
            instruction_set.run(ApplyAndMeasure::<R, f64> { measure_args, apply_args, gradient_ops });
        } else {
            let measure_args = measure_args.map(|args| (&self.constants(args.tensor).float, args));
            let apply_args = apply_args.map(|args| (&self.constants(args.tensor).float, args));
            instruction_set.run(ApplyAndMeasure::<R, f32> { measure_args, apply_args, gradient_ops });
        }
    }

    fn factor(&self, tensor: &ParamTensor, squares: StageSquares) -> f64 {
        self.factor(tensor, squares)
    }
}
