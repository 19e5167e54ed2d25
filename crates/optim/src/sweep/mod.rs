//! One sweep over the parameters of all groups: the tensors and chunks, their order, and the number of threads.
//!
//! The lists of tensors and chunks are kept while the views stay equal. A step with kept lists allocates nothing.

mod batches;
mod blocks;
pub(crate) mod chunk;
mod context;
pub(crate) mod erased_rule;
#[cfg(not(target_family = "wasm"))]
mod exchange;
mod gradient_norm;
mod gradient_ops;
mod mixed_precision;
pub(crate) mod new_state;
pub(crate) mod non_finite;
mod one_stage;
mod param_average;
mod param_tensor;
mod pipeline;
mod preparation;
pub(crate) mod rule_instance;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod shards;
mod squares;
mod stealing_ranges;
pub(crate) mod step_options;
mod two_stages;
mod update_buffer;
mod work_plan;

use std::mem;

use crate::error::{Code, Error, Result};
use crate::numeric::clip::{Clip, GradientTransform};
use crate::rule::StepInputs;
use crate::state::group::Group;
use crate::state::view::{Location, View};
use crate::sweep::chunk::Chunk;
use crate::sweep::context::StepContext;
use crate::sweep::erased_rule::ErasedRule;
use crate::sweep::gradient_ops::GradientOps;
use crate::sweep::new_state::NewState;
use crate::sweep::non_finite::{NonFinite, first_non_finite, non_finite_gradient};
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::squares::{ChunkSquares, total};
use crate::sweep::step_options::{Outcome, StepOptions};
use crate::sweep::work_plan::WorkPlan;

/// Makes the steps of an optimizer with a [`Rule`](crate::rule::Rule).
pub(crate) struct Sweep {
    rule: Box<dyn ErasedRule>,
    /// Addresses and lengths of the views; `None` for a parameter that is frozen or has no gradient, so that it has no
    /// tensor.
    locations: Vec<Option<Location>>,
    tensors: Vec<ParamTensor>,
    /// The group and the step that each entry of the rule's constants is computed from.
    constant_keys: Vec<(usize, StepInputs)>,
    chunks: Vec<Chunk>,
    /// One entry for each chunk.
    squares: Vec<ChunkSquares>,
    elements: usize,
    plan: WorkPlan,
    /// The number of threads that the plan is made for; 0 if there is none.
    threads: usize,
    /// False if options or state were changed since the last step.
    valid: bool,
    /// True from a rebuild until the next update ends, since that update alone reads the marks of created state.
    rebuilt: bool,
}

/// How a step begins.
#[derive(Default)]
struct Begun {
    /// The first parameter whose gradient is not finite, and the element, if the step checks them.
    found: Option<(usize, f64)>,
    /// State to be added.
    state: Option<NewState>,
    /// The sum of the squares of all gradients, if the step uses their norm.
    squares: f64,
}

impl Sweep {
    pub(crate) fn new(rule: Box<dyn ErasedRule>) -> Self {
        Self {
            rule,
            locations: Vec::new(),
            tensors: Vec::new(),
            constant_keys: Vec::new(),
            chunks: Vec::new(),
            squares: Vec::new(),
            elements: 0,
            plan: WorkPlan::default(),
            threads: 0,
            valid: false,
            rebuilt: false,
        }
    }

    /// Makes the next step rebuild the lists, since options or state have changed.
    pub(crate) fn invalidate(&mut self) {
        self.valid = false;
    }

    /// Makes a step. An error changes nothing, except after a panic of a thread ([`Code::Internal`]): some elements are
    /// then updated.
    pub(crate) fn step(
        &mut self,
        groups: &mut [Group],
        views: &mut [Option<View<'_>>],
        options: StepOptions<'_>,
    ) -> Result<Outcome> {
        let begun = self.begin(groups, views, options);
        let Begun { found, state, squares } = self.agreed(begun, options)?;
        if let Some(found) = found {
            return end_without_update(views, options, found);
        }
        if let Some(state) = state {
            self.install(state, groups, views);
        }
        let unscale = 1.0 / options.loss_scale;
        let transform = options.clip.transform(squares.sqrt() * unscale).after_scaling(unscale);
        let norm = match self.rule.wants_gradient_norm() {
            true if transform != GradientTransform::Identity => self.norm(options, transform)?,
            true => squares.sqrt(),
            false => 0.0,
        };
        self.count(groups, norm);
        let result = self.plan.update(self.context(options, transform));
        if mem::take(&mut self.rebuilt) {
            self.tensors.iter_mut().for_each(|tensor| tensor.created_param_average = false);
            self.constant_keys.iter_mut().for_each(|(_, step)| step.created = false);
        }
        result.map(|()| Outcome::Stepped)
    }

    /// Does what may fail, and changes neither parameters nor state: makes the lists, allocates missing state, and measures gradients.
    fn begin(
        &mut self,
        groups: &mut [Group],
        views: &mut [Option<View<'_>>],
        options: StepOptions<'_>,
    ) -> Result<Begun> {
        let checks = options.non_finite != NonFinite::Propagate;
        let mut begun = Begun::default();
        if !self.valid || !self.matches(views) {
            if !views.iter().flatten().all(View::has_equal_lengths) {
                return Err(Error::new(Code::Internal, "a parameter and its gradient have different lengths"));
            }
            let is_narrow = |view: &View<'_>| matches!(view, View::Half(..) | View::BFloat16(..));
            if cfg!(target_family = "wasm") && views.iter().flatten().any(is_narrow) {
                return Err(Error::new(Code::Internal, "WebAssembly has no parameters of 16 bits"));
            }
            // Checked before any state is made.
            begun.found = if checks { first_non_finite(views) } else { None };
            if begun.found.is_some() {
                return Ok(begun);
            }
            begun.state = Some(self.prepare(groups, views, options)?);
        } else {
            self.update_plan(options.threads)?;
        }
        if self.rule.wants_gradient_norm() || matches!(options.clip, Clip::Norm(_)) || checks {
            begun.squares = self.measured_squares(options, GradientTransform::Identity)?;
            if checks && !begun.squares.is_finite() {
                begun.found = first_non_finite(views);
            }
        }
        Ok(begun)
    }

    /// How the step has begun on all processes that share it; on this one, unless there are others.
    fn agreed(&self, begun: Result<Begun>, options: StepOptions<'_>) -> Result<Begun> {
        #[cfg(not(target_family = "wasm"))]
        if let Some(peers) = options.peers {
            return self.exchange(peers, begun);
        }
        let _ = options;
        begun
    }

    /// The L2 norm of all gradients as one vector, after the transform.
    fn norm(&self, options: StepOptions<'_>, transform: GradientTransform) -> Result<f64> {
        let squares = self.measured_squares(options, transform);
        let measured = squares.map(|squares| Begun { squares, ..Begun::default() });
        Ok(self.agreed(measured, options)?.squares.sqrt())
    }

    /// The sum of the squares of the gradients that this process has, after the transform.
    fn measured_squares(&self, options: StepOptions<'_>, transform: GradientTransform) -> Result<f64> {
        self.plan.measure_gradients(self.context(options, transform))?;
        Ok(total(&self.squares, |squares| &squares.gradient))
    }

    /// Counts the step, and computes the constants.
    fn count(&mut self, groups: &mut [Group], gradient_norm: f64) {
        let states = groups.iter_mut().flat_map(|group| &mut group.states);
        for (state, location) in states.zip(&self.locations) {
            if let (Some(state), Some(_)) = (state, location) {
                state.step += 1;
            }
        }
        self.rule.clear_constants();
        for (group, step) in &mut self.constant_keys {
            step.step_count += 1;
            step.gradient_norm = gradient_norm;
            self.rule.push_constants(*group, *step);
        }
    }

    fn context(&self, options: StepOptions<'_>, transform: GradientTransform) -> StepContext<'_> {
        StepContext {
            rule: &*self.rule,
            tensors: &self.tensors,
            chunks: &self.chunks,
            squares: &self.squares,
            gradient_ops: GradientOps { transform, zero: options.zero_gradients },
            threads: self.threads,
            instruction_set: options.instruction_set,
        }
    }
}

/// Ends a step without an update. Zeroes the gradients if asked to, except in the case of an error.
fn end_without_update(
    views: &mut [Option<View<'_>>],
    options: StepOptions<'_>,
    (parameter, element): (usize, f64),
) -> Result<Outcome> {
    if options.non_finite == NonFinite::Error {
        return Err(non_finite_gradient(&(options.name)(parameter), element));
    }
    if options.zero_gradients {
        views.iter_mut().flatten().for_each(View::zero_gradient);
    }
    Ok(Outcome::Skipped)
}
