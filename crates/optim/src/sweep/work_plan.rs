//! The order of the work in a sweep, and its distribution to threads.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::fallible::{push_checked, reserve_checked};
use crate::sweep::batches::cut_into_batches;
use crate::sweep::chunk::{CHUNK_LEN, Chunk};
use crate::sweep::context::StepContext;
use crate::sweep::gradient_norm::GradientSquares;
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::pipeline::Pipeline;
use crate::sweep::stealing_ranges::StealingRanges;
use crate::sweep::update_buffer::UpdateBuffer;

/// In elements; 4 MiB as f32. Larger tensors are shared by all threads: one for each thread would not fit into the
/// cache.
const MIN_SHARED_LEN: usize = 1 << 20;
/// In elements; 256 KiB as f32. Shorter tensors skip the pipeline: they stay in the cache between the stages, and
/// hardware prefetching starts too late for them. No tensor reaches it in WebAssembly, which is limited by arithmetic
/// and would need a second copy of the formula.
const MIN_PIPELINED_LEN: usize = if cfg!(target_family = "wasm") { usize::MAX } else { 1 << 16 };
/// WebAssembly has one thread, which neither shares nor pipelines tensors.
pub(super) const SINGLE_THREADED: bool = cfg!(target_family = "wasm");
/// In elements; 256 KiB as f32. The largest batch that a thread takes at a time.
const MAX_BATCH_LEN: usize = 1 << 16;

/// The work of a step, and its distribution to threads.
#[derive(Default)]
pub(super) struct WorkPlan {
    /// Batches of chunks, in any order.
    batches: Vec<Range<usize>>,
    /// The indices of `batches`, for the threads.
    stealing: StealingRanges,
    // For rules with two stages:
    /// Tensors that all threads share, one after the other.
    pipeline: Pipeline,
    /// Tensors that one thread each runs through both stages. Sorted by falling length, so that consecutive tensors
    /// have similar lengths.
    unshared: Vec<usize>,
    /// Ranges of small tensors.
    small: Vec<Range<usize>>,
    /// One entry for each thread.
    thread_states: Vec<Mutex<ThreadState>>,
}

/// The state of one thread.
#[derive(Default)]
struct ThreadState {
    update_buffer: UpdateBuffer,
    small_update_buffer: UpdateBuffer,
    /// A measured tensor whose update is not applied yet, with its factor.
    pending_apply: Option<(usize, f64)>,
}

impl WorkPlan {
    /// Builds the lists.
    pub(super) fn build(
        &mut self,
        has_two_stages: bool,
        tensors: &[ParamTensor],
        chunks: &[Chunk],
        elements: usize,
        threads: usize,
    ) -> Result<()> {
        let batch_len = (elements / (8 * threads)).clamp(CHUNK_LEN, MAX_BATCH_LEN);
        self.batches.clear();
        cut_into_batches(
            0..chunks.len(),
            batch_len,
            |i| chunks[i].length,
            |range| push_checked(&mut self.batches, range),
        )?;
        if !SINGLE_THREADED {
            self.stealing = StealingRanges::new(self.batches.len(), threads)?;
        }
        if !has_two_stages {
            return Ok(());
        }
        // Also shares a tensor that would keep one thread busy after the others have finished.
        let shared = |tensor: &ParamTensor| {
            threads > 1 && (tensor.length > MIN_SHARED_LEN || tensor.length > elements / (2 * threads))
        };
        let (mut pipeline, mut start) = (Vec::new(), 0);
        self.unshared.clear();
        self.small.clear();
        for (index, tensor) in tensors.iter().enumerate().filter(|_| !SINGLE_THREADED) {
            let list = match tensor.length {
                _ if shared(tensor) => &mut pipeline,
                MIN_PIPELINED_LEN.. => &mut self.unshared,
                _ => continue,
            };
            push_checked(list, index)?;
            cut_into_batches(
                start..index,
                batch_len,
                |i| tensors[i].length,
                |range| push_checked(&mut self.small, range),
            )?;
            start = index + 1;
        }
        cut_into_batches(
            start..tensors.len(),
            batch_len,
            |i| tensors[i].length,
            |range| push_checked(&mut self.small, range),
        )?;
        if !SINGLE_THREADED {
            for list in [&mut pipeline, &mut self.unshared] {
                // Ordered by index at equal length. An unstable sort, since a stable one allocates.
                list.sort_unstable_by_key(|tensor| (Reverse(tensors[*tensor].length), *tensor));
            }
            self.pipeline.build(&pipeline, tensors, batch_len, threads)?;
        }
        reserve_checked(&mut self.thread_states, threads)?;
        self.thread_states.resize_with(threads, Mutex::default);
        for state in &mut self.thread_states {
            let state = state.get_mut().unwrap_or_else(PoisonError::into_inner);
            if !SINGLE_THREADED {
                state.update_buffer.reserve(self.unshared.iter().map(|tensor| &tensors[*tensor]))?;
            }
            state.small_update_buffer.reserve(self.small.iter().flat_map(|range| &tensors[range.clone()]))?;
        }
        Ok(())
    }

    /// Chooses the page offsets of the update buffers, once the tensors have their state buffers.
    pub(super) fn set_parameter_addresses(&mut self, tensors: &[ParamTensor]) {
        // WebAssembly has no master weights, so the addresses that `reserve` stored are final.
        if SINGLE_THREADED {
            return;
        }
        self.pipeline.set_parameter_address(tensors);
        for state in &mut self.thread_states {
            let state = state.get_mut().unwrap_or_else(PoisonError::into_inner);
            state.update_buffer.set_parameter_address(self.unshared.iter().map(|tensor| &tensors[*tensor]));
            state
                .small_update_buffer
                .set_parameter_address(self.small.iter().flat_map(|range| &tensors[range.clone()]));
        }
    }

    /// Computes the sums of squares of the transformed gradients.
    pub(super) fn measure_gradients(&self, context: StepContext<'_>) -> Result<()> {
        let count = self.batches.len();
        let measure = |task: usize| {
            let range = self.batches[task].clone();
            let (chunks, squares) = (&context.chunks[range.clone()], &context.squares[range]);
            context.instruction_set.run(GradientSquares {
                tensors: context.tensors,
                chunks,
                squares,
                transform: context.gradient_ops.transform,
            });
        };
        match context.rule.has_two_stages() {
            // In reverse order, so that the step starts with the data that was read last.
            true => context.for_each_index(count, &|task| measure(count - 1 - task)),
            false => self.for_each_stealing(context, &measure),
        }
    }

    /// Updates all tensors.
    pub(super) fn update(&self, context: StepContext<'_>) -> Result<()> {
        if !context.rule.has_two_stages() {
            return self.for_each_stealing(context, &|task| {
                let chunks = &context.chunks[self.batches[task].clone()];
                // SAFETY: the tensors were made from this step's views, or compared with them; one thread runs each
                // task, once.
                unsafe { context.rule.update(context.instruction_set, context.tensors, chunks, context.gradient_ops) };
            });
        }
        if !SINGLE_THREADED {
            self.pipeline.reset();
        }
        let (next_unshared, next_small) = (AtomicUsize::new(0), AtomicUsize::new(0));
        context.run(&|thread| {
            if !SINGLE_THREADED {
                self.pipeline.run(thread, &context);
            }
            // The lock is free: each thread has its own.
            let mut state = self.thread_states[thread].lock().unwrap_or_else(PoisonError::into_inner);
            if !SINGLE_THREADED {
                // Left by a step that failed.
                state.pending_apply = None;
                while let Some(tensor) = self.unshared.get(next_unshared.fetch_add(1, Ordering::Relaxed)) {
                    state.apply_and_measure(Some(*tensor), &context);
                }
                state.apply_and_measure(None, &context);
            }
            while let Some(tensors) = self.small.get(next_small.fetch_add(1, Ordering::Relaxed)) {
                let tensors = &context.tensors[tensors.clone()];
                // SAFETY: as above.
                unsafe {
                    context.rule.update_whole_tensors(
                        context.instruction_set,
                        tensors,
                        context.chunks,
                        context.gradient_ops,
                        &state.small_update_buffer,
                    )
                };
            }
        })
    }
}

impl WorkPlan {
    /// Calls `task` once with the index of each batch. The threads call it at the same time, and steal batches.
    fn for_each_stealing(&self, context: StepContext<'_>, task: &(dyn Fn(usize) + Sync)) -> Result<()> {
        if SINGLE_THREADED {
            return context.for_each_index(self.batches.len(), task);
        }
        self.stealing.reset();
        context.run(&|thread| {
            while let Some(number) = self.stealing.next(thread) {
                task(number);
            }
        })
    }
}

impl ThreadState {
    /// Measures a tensor, and applies the updates of the one before.
    fn apply_and_measure(&mut self, tensor: Option<usize>, context: &StepContext<'_>) {
        const ALL: &Range<usize> = &(0..usize::MAX);
        let apply_args = self
            .pending_apply
            .take()
            .map(|(tensor, factor)| context.apply_args(tensor, ALL, factor, &self.update_buffer));
        let measure_args = tensor.map(|tensor| context.measure_args(tensor, ALL, &self.update_buffer));
        // SAFETY: as in `WorkPlan::update`; only this thread uses the tensor and the update buffer.
        unsafe {
            context.rule.apply_and_measure(context.instruction_set, apply_args, measure_args, context.gradient_ops)
        };
        self.pending_apply = tensor.map(|tensor| (tensor, context.factor(&context.tensors[tensor])));
    }
}
