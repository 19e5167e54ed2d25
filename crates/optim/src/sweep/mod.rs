//! One sweep over the parameters of all groups: the tensors and chunks, their order, and the number of threads.
//!
//! The lists of tensors and chunks are kept while the views stay equal. A step with kept lists allocates nothing.

mod batches;
mod blocks;
pub(crate) mod chunk;
mod context;
pub(crate) mod erased_rule;
mod gradient_norm;
mod gradient_ops;
mod mixed_precision;
pub(crate) mod new_state;
pub(crate) mod non_finite;
mod one_stage;
mod param_average;
mod param_tensor;
mod pipeline;
pub(crate) mod rule_instance;
mod squares;
mod stealing_ranges;
pub(crate) mod step_options;
mod two_stages;
mod update_buffer;
mod work_plan;

use std::mem;

use crate::error::{Code, Error, Result};
use crate::fallible::{CHECK_SUFFICES, check_memory, push_checked, reserve_checked};
use crate::numeric::clip::{Clip, GradientTransform};
use crate::rule::StepInputs;
use crate::state::group::Group;
use crate::state::view::{Location, View};
use crate::sweep::chunk::{CHUNK_LEN, Chunk};
use crate::sweep::context::StepContext;
use crate::sweep::erased_rule::ErasedRule;
use crate::sweep::gradient_ops::GradientOps;
use crate::sweep::new_state::{bfloat16_buffers, plan_state};
use crate::sweep::non_finite::{NonFinite, first_non_finite, non_finite_gradient};
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::squares::{ChunkSquares, total};
use crate::sweep::step_options::{Outcome, StepOptions};
use crate::sweep::work_plan::{SINGLE_THREADED, WorkPlan};

/// In elements. Below this, waking threads takes longer than their help saves.
const MIN_PARALLEL_LEN: usize = 1 << 18;

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
        let checks = options.non_finite != NonFinite::Propagate;
        if !self.valid || !self.matches(views) {
            if !views.iter().flatten().all(View::has_equal_lengths) {
                return Err(Error::new(Code::Internal, "a parameter and its gradient have different lengths"));
            }
            let is_narrow = |view: &View<'_>| matches!(view, View::Half(..) | View::BFloat16(..));
            if cfg!(target_family = "wasm") && views.iter().flatten().any(is_narrow) {
                return Err(Error::new(Code::Internal, "WebAssembly has no parameters of 16 bits"));
            }
            // Checked before any state is made.
            if checks && let Some(found) = first_non_finite(views) {
                return end_without_update(views, options, found);
            }
            self.rebuild(groups, views, options)?;
        } else {
            self.update_plan(options.threads)?;
        }

        let uses_norm = self.rule.wants_gradient_norm();
        let clips = matches!(options.clip, Clip::Norm(_));
        let raw = if uses_norm || clips || checks { self.norm(options, GradientTransform::Identity)? } else { 0.0 };
        if checks
            && !raw.is_finite()
            && let Some(found) = first_non_finite(views)
        {
            return end_without_update(views, options, found);
        }
        let unscale = 1.0 / options.loss_scale;
        let transform = options.clip.transform(raw * unscale).after_scaling(unscale);
        let norm = match uses_norm {
            true if transform != GradientTransform::Identity => self.norm(options, transform)?,
            true => raw,
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

    /// True if the tensors were made of these views.
    fn matches(&self, views: &[Option<View<'_>>]) -> bool {
        let same = |(view, location): (&Option<View<'_>>, &Option<Location>)| match (view, location) {
            (Some(view), Some(location)) => view.location() == *location,
            (None, None) => true,
            _ => false,
        };
        views.len() == self.locations.len() && views.iter().zip(&self.locations).all(same)
    }

    /// Makes the plan for this number of threads, unless it is there.
    fn update_plan(&mut self, threads: usize) -> Result<()> {
        let threads = if SINGLE_THREADED || self.elements < MIN_PARALLEL_LEN { 1 } else { threads.max(1) };
        if threads != self.threads {
            self.threads = 0;
            let has_two_stages = self.rule.has_two_stages();
            self.plan.build(has_two_stages, &self.tensors, &self.chunks, self.elements, threads)?;
            self.plan.set_parameter_addresses(&self.tensors);
            self.threads = threads;
        }
        Ok(())
    }

    /// Makes the lists and the missing state, all or none: allocations come before changes.
    fn rebuild(
        &mut self,
        groups: &mut [Group],
        views: &mut [Option<View<'_>>],
        options: StepOptions<'_>,
    ) -> Result<()> {
        self.valid = false;
        self.threads = 0;
        self.rule.set_options(&mut groups.iter().map(|group| group.options()))?;
        check_list_memory(views)?;
        let state = plan_state(&*self.rule, groups, views, options.memory_limit)?;

        check_list_memory(views)?;
        self.locations.clear();
        reserve_checked(&mut self.locations, views.len())?;
        self.locations.extend(views.iter().map(|view| view.as_ref().map(View::location)));
        self.tensors.clear();
        self.constant_keys.clear();
        self.chunks.clear();
        let mut slots = views.iter_mut().zip(&state.created);
        for (group, members) in groups.iter().enumerate() {
            for (state, (view, created)) in members.states.iter().zip(&mut slots) {
                let Some(view) = view else { continue };
                let shared = self.rule.shared(group);
                let mut tensor = ParamTensor::new(view, bfloat16_buffers(&*self.rule, group, state.as_ref()), shared);
                tensor.created_param_average = created.param_average;
                // Most tensors have the constants of the one before. A loop has one type, so f32 and f64 have separate
                // entries.
                let step_count = state.as_ref().map_or(0, |state| state.step);
                let step = StepInputs { step_count, created: created.rule_buffers, gradient_norm: 0.0 };
                let is_double = self.tensors.last().is_some_and(ParamTensor::is_double);
                if self.constant_keys.last() != Some(&(group, step)) || is_double != tensor.is_double() {
                    push_checked(&mut self.constant_keys, (group, step))?;
                }
                tensor.constants = (self.constant_keys.len() - 1) as u32;
                let first = self.chunks.len() as u32;
                for start in (0..tensor.length).step_by(CHUNK_LEN) {
                    let length = CHUNK_LEN.min(tensor.length - start);
                    let chunk = Chunk { tensor: self.tensors.len() as u32, constants: tensor.constants, start, length };
                    push_checked(&mut self.chunks, chunk)?;
                }
                tensor.chunks = first..self.chunks.len() as u32;
                push_checked(&mut self.tensors, tensor)?;
            }
        }
        self.elements = self.tensors.iter().map(|tensor| tensor.length).sum();
        reserve_checked(&mut self.squares, self.chunks.len())?;
        self.squares.resize_with(self.chunks.len(), ChunkSquares::default);
        self.rule.reserve_constants(self.constant_keys.len())?;
        self.update_plan(options.threads)?;

        state.install(groups, views);
        let (mut tensors, mut slots) = (self.tensors.iter_mut(), views.iter());
        for (group, members) in groups.iter_mut().enumerate() {
            for (state, view) in members.states.iter_mut().zip(&mut slots) {
                // A parameter that is frozen or has no gradient has no tensor, with or without state.
                if let (Some(state), Some(_)) = (state, view)
                    && let Some(tensor) = tensors.next()
                {
                    tensor.set_buffers(state, self.rule.shared(group));
                }
            }
        }
        self.plan.set_parameter_addresses(&self.tensors);
        (self.valid, self.rebuilt) = (true, true);
        Ok(())
    }

    /// The L2 norm of all gradients as one vector, after the transform.
    fn norm(&self, options: StepOptions<'_>, transform: GradientTransform) -> Result<f64> {
        self.plan.measure_gradients(self.context(options, transform))?;
        Ok(total(&self.squares, |squares| &squares.gradient).sqrt())
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

/// Checks in WebAssembly that there is memory for all lists of these views.
fn check_list_memory(views: &[Option<View<'_>>]) -> Result<()> {
    /// In bytes. More than twice the entries of all lists for one view or chunk, since lists double when they grow.
    const BYTES_PER_ENTRY: usize = 1 << 10;
    if !CHECK_SUFFICES {
        return Ok(());
    }
    let chunks: usize = views.iter().flatten().map(|view| view.len() / CHUNK_LEN).sum();
    check_memory((views.len() + chunks).saturating_mul(BYTES_PER_ENTRY))
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
