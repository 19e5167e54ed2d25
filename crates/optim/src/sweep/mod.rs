//! One sweep over the parameters of all groups: what is worked on, in which order, by how many threads.
//!
//! The list of tensors and chunks stays from step to step while the views are the same. A steady step allocates nothing.

mod blocks;
mod chunk;
mod context;
pub(crate) mod erased_rule;
mod gradient_norm;
mod mixed_precision;
mod new_state;
pub(crate) mod non_finite;
mod one_stage;
mod param_tensor;
mod pipeline;
pub(crate) mod rule_instance;
mod stealing_ranges;
pub(crate) mod step_options;
mod two_stages;
mod update_buffer;
mod work_plan;

use std::mem;

use crate::error::{Code, Error, Result};
use crate::fallible::{CHECK_SUFFICES, check_memory, push_checked, reserve_checked};
use crate::numeric::clip::{Clip, GradientTransform};
use crate::rule::Step;
use crate::state::group::Group;
use crate::state::view::{Location, View};
use crate::sweep::chunk::{CHUNK_LEN, Chunk, GradientOps, Sums, total};
use crate::sweep::context::StepContext;
use crate::sweep::erased_rule::ErasedRule;
use crate::sweep::new_state::{plan_state, reduced};
use crate::sweep::non_finite::{NonFinite, first_non_finite, non_finite_gradient};
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::step_options::{Outcome, StepOptions};
use crate::sweep::work_plan::{SINGLE_THREADED, WorkPlan};

/// The elements of a step from which on threads are worth waking.
const MIN_PARALLEL_LEN: usize = 1 << 18;

/// The sweeps of an optimizer's steps.
pub(crate) struct Sweep {
    rule: Box<dyn ErasedRule>,
    /// Where the views of the tensors lie; `None` for parameters without a gradient, which have no tensor.
    locations: Vec<Option<Location>>,
    tensors: Vec<ParamTensor>,
    /// What the constants that the rule has are made of, in its order, as it was in the step before.
    constant_keys: Vec<(usize, Step)>,
    chunks: Vec<Chunk>,
    /// Of each chunk: of the gradient first, and then of parameter and update.
    sums: Vec<Sums>,
    elements: usize,
    plan: WorkPlan,
    /// The number of threads that the plan is made for; 0 before they are.
    threads: usize,
    /// False once options or state were changed from outside.
    valid: bool,
    /// True until the step is over that made state.
    created: bool,
}

impl Sweep {
    pub(crate) fn new(rule: Box<dyn ErasedRule>) -> Self {
        Self {
            rule,
            locations: Vec::new(),
            tensors: Vec::new(),
            constant_keys: Vec::new(),
            chunks: Vec::new(),
            sums: Vec::new(),
            elements: 0,
            plan: WorkPlan::default(),
            threads: 0,
            valid: false,
            created: false,
        }
    }

    /// Options or state have been changed from outside.
    pub(crate) fn invalidate(&mut self) {
        self.valid = false;
    }

    /// Makes a step. A failure changes nothing.
    pub(crate) fn step(
        &mut self,
        groups: &mut [Group],
        views: &mut [Option<View<'_>>],
        options: StepOptions<'_>,
    ) -> Result<Outcome> {
        let checks = options.non_finite != NonFinite::Propagate;
        if !self.valid || !self.matches(views) {
            if !views.iter().flatten().all(View::is_even) {
                return Err(Error::new(Code::Internal, "a parameter and its gradient have different lengths"));
            }
            let is_narrow = |view: &View<'_>| matches!(view, View::Half(..) | View::BFloat16(..));
            if cfg!(target_family = "wasm") && views.iter().flatten().any(is_narrow) {
                return Err(Error::new(Code::Internal, "WebAssembly has no parameters of 16 bits"));
            }
            // Before any state is made.
            if checks && let Some(found) = first_non_finite(views) {
                return refuse(views, options, found);
            }
            self.rebuild(groups, views, options)?;
        } else {
            self.update_plan(options.threads)?;
        }

        let wanted = self.rule.wants_gradient_norm();
        let clips = matches!(options.clip, Clip::Norm(_));
        let raw = if wanted || clips || checks { self.norm(options, GradientTransform::Identity)? } else { 0.0 };
        if checks
            && !raw.is_finite()
            && let Some(found) = first_non_finite(views)
        {
            return refuse(views, options, found);
        }
        let unscale = 1.0 / options.loss_scale;
        let transform = options.clip.transform(raw * unscale).after_scaling(unscale);
        let norm = match wanted {
            true if transform != GradientTransform::Identity => self.norm(options, transform)?,
            true => raw,
            false => 0.0,
        };
        self.count(groups, norm);
        let result = self.plan.update(self.context(options, transform));
        if mem::take(&mut self.created) {
            self.tensors.iter_mut().for_each(|tensor| tensor.created_average = false);
            self.constant_keys.iter_mut().for_each(|(_, step)| step.created = false);
        }
        result.map(|()| Outcome::Stepped)
    }

    /// True if the tensors are made of these views.
    fn matches(&self, views: &[Option<View<'_>>]) -> bool {
        let same = |(view, location): (&Option<View<'_>>, &Option<Location>)| match (view, location) {
            (Some(view), Some(location)) => view.location() == *location,
            (None, None) => true,
            _ => false,
        };
        views.len() == self.locations.len() && views.iter().zip(&self.locations).all(same)
    }

    /// Cuts the work for as many threads, where it is not.
    fn update_plan(&mut self, threads: usize) -> Result<()> {
        let threads = if SINGLE_THREADED || self.elements < MIN_PARALLEL_LEN { 1 } else { threads.max(1) };
        if threads != self.threads {
            self.threads = 0;
            let stages = self.rule.has_two_stages();
            self.plan.build(stages, &self.tensors, &self.chunks, self.elements, threads)?;
            self.plan.place_update_buffers(&self.tensors);
            self.threads = threads;
        }
        Ok(())
    }

    /// Makes the lists and the state that is missing, all of it or none: what needs memory comes first.
    fn rebuild(
        &mut self,
        groups: &mut [Group],
        views: &mut [Option<View<'_>>],
        options: StepOptions<'_>,
    ) -> Result<()> {
        self.valid = false;
        self.threads = 0;
        self.rule.set_options(&mut groups.iter().map(|group| group.options()))?;
        ask_for_lists(views)?;
        let state = plan_state(&*self.rule, groups, views, options.memory_limit)?;

        ask_for_lists(views)?;
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
                let mut tensor = ParamTensor::new(view, reduced(&*self.rule, group, state.as_ref()), shared);
                tensor.created_average = created.average;
                // Those before it mostly have the same. No two types do, so that a loop is over one.
                let number = state.as_ref().map_or(0, |state| state.step);
                let step = Step { number, created: created.moments, gradient_norm: 0.0 };
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
        reserve_checked(&mut self.sums, self.chunks.len())?;
        self.sums.resize_with(self.chunks.len(), Sums::default);
        self.rule.reserve_constants(self.constant_keys.len())?;
        self.update_plan(options.threads)?;

        state.install(groups, views);
        let (mut tensors, mut slots) = (self.tensors.iter_mut(), views.iter());
        for (group, members) in groups.iter_mut().enumerate() {
            for (state, view) in members.states.iter_mut().zip(&mut slots) {
                // A parameter without a gradient has no tensor, whether it has a state or not.
                if let (Some(state), Some(_)) = (state, view)
                    && let Some(tensor) = tensors.next()
                {
                    tensor.set_buffers(state, self.rule.shared(group));
                }
            }
        }
        self.plan.place_update_buffers(&self.tensors);
        (self.valid, self.created) = (true, true);
        Ok(())
    }

    /// The L2 norm of all gradients taken as one vector, as they are when transformed.
    fn norm(&self, options: StepOptions<'_>, transform: GradientTransform) -> Result<f64> {
        self.plan.measure_gradients(self.context(options, transform))?;
        Ok(total(&self.sums, 0).sqrt())
    }

    /// Counts the step, and computes the constants: tensors that had the same in the step before have them again.
    fn count(&mut self, groups: &mut [Group], gradient_norm: f64) {
        let states = groups.iter_mut().flat_map(|group| &mut group.states);
        for (state, location) in states.zip(&self.locations) {
            if let (Some(state), Some(_)) = (state, location) {
                state.step += 1;
            }
        }
        self.rule.clear_constants();
        for (group, step) in &mut self.constant_keys {
            step.number += 1;
            step.gradient_norm = gradient_norm;
            self.rule.push_constants(*group, *step);
        }
    }

    fn context(&self, options: StepOptions<'_>, transform: GradientTransform) -> StepContext<'_> {
        StepContext {
            rule: &*self.rule,
            tensors: &self.tensors,
            chunks: &self.chunks,
            sums: &self.sums,
            gradient_ops: GradientOps { transform, zero: options.zero_gradients },
            threads: self.threads,
            set: options.instruction_set,
        }
    }
}

/// In WebAssembly, asks for all lists of these views at once.
fn ask_for_lists(views: &[Option<View<'_>>]) -> Result<()> {
    /// More than twice what all lists have for a view or a chunk: they grow by as much again.
    const EACH: usize = 1 << 10;
    if !CHECK_SUFFICES {
        return Ok(());
    }
    let chunks: usize = views.iter().flatten().map(|view| view.len() / CHUNK_LEN).sum();
    check_memory((views.len() + chunks).saturating_mul(EACH))
}

/// What becomes of a step that is not made: nothing but gradients is changed, and those only if it is no error.
fn refuse(
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
