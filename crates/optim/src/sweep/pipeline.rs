//! The pipeline of two stages over tensors that are too large for one thread: the threads share the chunks of each.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::error::Result;
use crate::fallible::{push_checked, reserve};
use crate::sweep::batches::cut_into_batches;
use crate::sweep::chunk::CHUNK_LEN;
use crate::sweep::context::StepContext;
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::stealing_ranges::StealingRanges;
use crate::sweep::update_buffer::UpdateBuffer;
use crate::thread_pool;
use crate::thread_pool::Backoff;

/// A software pipeline. Each slot measures one tensor and applies the updates of the tensor before it.
#[derive(Default)]
pub(super) struct Pipeline {
    slots: Vec<PipelineSlot>,
    update_buffer: UpdateBuffer,
}

/// A slot of the pipeline, for the time in which all threads work on the same two tensors.
struct PipelineSlot {
    applied_tensor: Option<usize>,
    measured_tensor: Option<usize>,
    /// Ranges of chunk indices, for both tensors.
    batches: Vec<Range<usize>>,
    stealing: StealingRanges,
    /// Ranges that are not finished, plus one until the factor is set.
    remaining: AtomicU32,
    /// The bits of the measured tensor's factor, an `f64`.
    factor: AtomicU64,
}

impl Pipeline {
    /// Plans the slots for these tensors, in this order.
    pub(super) fn build(
        &mut self,
        order: &[usize],
        tensors: &[ParamTensor],
        batch_len: usize,
        threads: usize,
    ) -> Result<()> {
        self.update_buffer.reserve(order.iter().map(|tensor| &tensors[*tensor]))?;
        self.slots.clear();
        reserve(&mut self.slots, order.len() + 1)?;
        for slot in 0..=order.len() {
            let (applied_tensor, measured_tensor) =
                (slot.checked_sub(1).map(|before| order[before]), order.get(slot).copied());
            let count =
                applied_tensor.iter().chain(&measured_tensor).map(|tensor| tensors[*tensor].chunk_range().len()).max();
            let Some(count) = count else { return Ok(()) };
            let mut batches = Vec::new();
            cut_into_batches(0..count, batch_len, |_| CHUNK_LEN, |range| push_checked(&mut batches, range))?;
            let stealing = StealingRanges::new(batches.len(), threads)?;
            let (remaining, factor) = Default::default();
            self.slots.push(PipelineSlot { applied_tensor, measured_tensor, batches, stealing, remaining, factor });
        }
        Ok(())
    }

    /// Chooses the page offset of the update buffer, once the tensors have their state buffers.
    pub(super) fn set_parameter_address(&mut self, tensors: &[ParamTensor]) {
        let Self { slots, update_buffer } = self;
        update_buffer
            .set_parameter_address(slots.iter().filter_map(|slot| slot.measured_tensor).map(|tensor| &tensors[tensor]));
    }

    /// Resets the slots; called before each sweep.
    pub(super) fn reset(&self) {
        for slot in &self.slots {
            slot.stealing.reset();
            slot.remaining.store(slot.batches.len() as u32 + 1, Ordering::Relaxed);
        }
    }

    /// Runs one thread's part of all slots.
    pub(super) fn run(&self, thread: usize, context: &StepContext<'_>) {
        let mut factor = 0.0;
        for (index, slot) in self.slots.iter().enumerate() {
            if let Some(before) = index.checked_sub(1).map(|before| &self.slots[before]) {
                if !before.wait() {
                    return;
                }
                factor = f64::from_bits(before.factor.load(Ordering::Relaxed));
            }
            while let Some(range) = slot.stealing.next(thread).and_then(|range| slot.batches.get(range)) {
                let measure_args =
                    slot.measured_tensor.map(|tensor| context.measure_args(tensor, range, &self.update_buffer));
                let apply_args =
                    slot.applied_tensor.map(|tensor| context.apply_args(tensor, range, factor, &self.update_buffer));
                // SAFETY: as in `WorkPlan::update`; only this thread has taken the range, and with it this part of the
                // update buffer.
                unsafe {
                    context.rule.apply_and_measure(
                        context.instruction_set,
                        apply_args,
                        measure_args,
                        context.gradient_ops,
                    )
                };
                slot.finished(context);
            }
        }
    }
}

impl PipelineSlot {
    /// Counts a range as finished. The thread that finishes the last one computes the factor.
    fn finished(&self, context: &StepContext<'_>) {
        if self.remaining.fetch_sub(1, Ordering::AcqRel) != 2 {
            return;
        }
        if let Some(tensor) = self.measured_tensor {
            self.factor.store(context.factor(&context.tensors[tensor]).to_bits(), Ordering::Relaxed);
        }
        self.remaining.store(0, Ordering::Release);
    }

    /// Waits until no range remains. Returns `false` if a thread panicked, since its range will not be finished.
    fn wait(&self) -> bool {
        let mut backoff = Backoff::default();
        while self.remaining.load(Ordering::Acquire) != 0 {
            if thread_pool::panicked() {
                return false;
            }
            backoff.wait();
        }
        true
    }
}
