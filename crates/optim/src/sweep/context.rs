//! The data of a step that all threads share.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Code, Error, Result};
use crate::instruction_set::InstructionSet;
use crate::sweep::chunk::{Chunk, GradientOps, Sums, total, within};
use crate::sweep::erased_rule::ErasedRule;
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::two_stages::{ApplyArgs, MeasureArgs};
use crate::sweep::update_buffer::UpdateBuffer;
use crate::thread_pool;

/// The data of a step that all threads read.
#[derive(Clone, Copy)]
pub(super) struct StepContext<'a> {
    pub(super) rule: &'a dyn ErasedRule,
    pub(super) tensors: &'a [ParamTensor],
    pub(super) chunks: &'a [Chunk],
    pub(super) sums: &'a [Sums],
    pub(super) gradient_ops: GradientOps,
    pub(super) threads: usize,
    pub(super) instruction_set: InstructionSet,
}

impl<'a> StepContext<'a> {
    /// The arguments of the first stage, for the chunks of the tensor in a range.
    pub(super) fn measure_args(
        &self,
        tensor: usize,
        part: &Range<usize>,
        update_buffer: &UpdateBuffer,
    ) -> MeasureArgs<'a> {
        let tensor = &self.tensors[tensor];
        let (chunks, sums) = (&self.chunks[tensor.chunk_range()], &self.sums[tensor.chunk_range()]);
        MeasureArgs {
            tensor,
            chunks: within(chunks, part),
            sums: within(sums, part),
            updates: update_buffer.updates(tensor),
        }
    }

    /// The arguments of the second stage, for the chunks of the tensor in a range.
    pub(super) fn apply_args(
        &self,
        tensor: usize,
        part: &Range<usize>,
        factor: f64,
        update_buffer: &UpdateBuffer,
    ) -> ApplyArgs<'a> {
        let tensor = &self.tensors[tensor];
        let chunks = within(&self.chunks[tensor.chunk_range()], part);
        ApplyArgs { tensor, chunks, factor, updates: update_buffer.updates(tensor) }
    }

    /// Calls `task` once with each index below `count`. The threads take the indices in rising order from a shared
    /// counter, and call `task` at the same time.
    pub(super) fn for_each_index(&self, count: usize, task: &(dyn Fn(usize) + Sync)) -> Result<()> {
        let next = AtomicUsize::new(0);
        self.run(&|_| {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= count {
                    return;
                }
                task(index);
            }
        })
    }

    pub(super) fn run(&self, job: &(dyn Fn(usize) + Sync)) -> Result<()> {
        match thread_pool::run(self.threads, job) {
            true => Ok(()),
            false => Err(Error::new(Code::Internal, "a thread of the step panicked")),
        }
    }

    /// The factor of the second stage, from the sums of all chunks of the tensor, in order.
    pub(super) fn factor(&self, tensor: &ParamTensor) -> f64 {
        let sums = &self.sums[tensor.chunk_range()];
        self.rule.factor(tensor, [total(sums, 0), total(sums, 1)])
    }
}
