//! The data of a step that all threads share.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{Code, Error, Result};
use crate::instruction_set::InstructionSet;
use crate::sweep::chunk::Chunk;
use crate::sweep::erased_rule::ErasedRule;
use crate::sweep::gradient_ops::GradientOps;
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::squares::{ChunkSquares, StageSquares, total};
use crate::sweep::two_stages::{ApplyArgs, MeasureArgs};
use crate::sweep::update_buffer::UpdateBuffer;
use crate::thread_pool;

/// The data of a step that all threads read.
#[derive(Clone, Copy)]
pub(super) struct StepContext<'a> {
    pub(super) rule: &'a dyn ErasedRule,
    pub(super) tensors: &'a [ParamTensor],
    pub(super) chunks: &'a [Chunk],
    pub(super) squares: &'a [ChunkSquares],
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
        let (chunks, squares) = (&self.chunks[tensor.chunk_range()], &self.squares[tensor.chunk_range()]);
        MeasureArgs {
            tensor,
            chunks: part_of(chunks, part),
            squares: part_of(squares, part),
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
        let chunks = part_of(&self.chunks[tensor.chunk_range()], part);
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
        let chunks = &self.squares[tensor.chunk_range()];
        let parameter = total(chunks, |squares| &squares.parameter);
        self.rule.factor(tensor, StageSquares { parameter, update: total(chunks, |squares| &squares.update) })
    }
}

/// The elements of a list in a range, which may end after the list.
fn part_of<'a, T>(list: &'a [T], range: &Range<usize>) -> &'a [T] {
    &list[range.start.min(list.len())..range.end.min(list.len())]
}
