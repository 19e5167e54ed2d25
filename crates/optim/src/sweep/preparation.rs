//! The lists of tensors and chunks of a sweep, made once for views that stay equal.

use crate::error::Result;
use crate::fallible::{CHECK_SUFFICES, check_memory, push_checked, reserve_checked};
use crate::rule::StepInputs;
use crate::state::group::Group;
use crate::state::view::{Location, View};
use crate::sweep::Sweep;
use crate::sweep::chunk::{CHUNK_LEN, Chunk};
use crate::sweep::new_state::{NewState, bfloat16_buffers, plan_state};
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::squares::ChunkSquares;
use crate::sweep::step_options::StepOptions;
use crate::sweep::work_plan::SINGLE_THREADED;

/// In elements. Below this, waking threads takes longer than their help saves.
const MIN_PARALLEL_LEN: usize = 1 << 18;

impl Sweep {
    /// True if the tensors were made of these views.
    pub(super) fn matches(&self, views: &[Option<View<'_>>]) -> bool {
        let same = |(view, location): (&Option<View<'_>>, &Option<Location>)| match (view, location) {
            (Some(view), Some(location)) => view.location() == *location,
            (None, None) => true,
            _ => false,
        };
        views.len() == self.locations.len() && views.iter().zip(&self.locations).all(same)
    }

    /// Makes the plan for this number of threads, unless it is there.
    pub(super) fn update_plan(&mut self, threads: usize) -> Result<()> {
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

    /// Makes the lists, and allocates the missing state, which [`Sweep::install`] adds: all or none.
    pub(super) fn prepare(
        &mut self,
        groups: &mut [Group],
        views: &mut [Option<View<'_>>],
        options: StepOptions<'_>,
    ) -> Result<NewState> {
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
        #[cfg(not(target_family = "wasm"))]
        if let Some(peers) = options.peers {
            self.set_first_elements(peers.shards);
        }
        self.elements = self.tensors.iter().map(|tensor| tensor.length).sum();
        reserve_checked(&mut self.squares, self.chunks.len())?;
        self.squares.resize_with(self.chunks.len(), ChunkSquares::default);
        self.rule.reserve_constants(self.constant_keys.len())?;
        self.update_plan(options.threads)?;
        Ok(state)
    }

    /// Adds the missing state, and completes the lists.
    pub(super) fn install(&mut self, state: NewState, groups: &mut [Group], views: &[Option<View<'_>>]) {
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
