//! The blocks of a chunk that a formula updates, with the conversion around it.

use std::marker::PhantomData;

use half::bf16;

use crate::numeric::norm::BLOCK_LEN;
use crate::numeric::scalar::Scalar;
use crate::rule::Block;
use crate::state::param_state::RULE_BUFFERS;
use crate::sweep::chunk::Chunk;
use crate::sweep::gradient_ops::GradientOps;
use crate::sweep::param_tensor::ParamTensor;

/// Scratch buffers of a thread for one block: elements that are not stored, or not in this type. Aligned to cache
/// lines, since the processor splits the access to a vector that crosses two.
#[repr(align(64))]
pub(super) struct Scratch<T> {
    pub(super) gradient: [T; BLOCK_LEN],
    update: [T; BLOCK_LEN],
    state: [[T; BLOCK_LEN]; RULE_BUFFERS],
}

/// The stage that a loop runs on the blocks of a tensor.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stage {
    /// The whole update of a rule with one stage.
    Update,
    /// The first of two stages: updates state, not parameters.
    Measure,
    /// The second of two stages: updates parameters and reads state, not gradients.
    Apply,
}

impl<T: Scalar> Scratch<T> {
    pub(super) fn new() -> Self {
        let block = [T::default(); BLOCK_LEN];
        Self { gradient: block, update: block, state: [block; RULE_BUFFERS] }
    }
}

impl ParamTensor {
    /// Elements of the tensor, without conversion and without gradient operations.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`]; in addition, the tensor does not need the block loop.
    #[inline(always)]
    pub(super) unsafe fn block<T: Scalar>(&self, start: usize, length: usize) -> Block<'_, T> {
        // SAFETY: as the caller promises.
        unsafe {
            let (parameter, gradient) = self.elements_of_both(start, length);
            Block { parameter, gradient, state: self.state(start, length) }
        }
    }

    /// Elements of the formula's buffers; empty for a buffer that is not in use.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`]; in addition, the buffers have this type.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the memory is not the tensor's own")]
    unsafe fn state<T: Scalar>(&self, start: usize, length: usize) -> [&mut [T]; RULE_BUFFERS] {
        // Without `map`, since its closure is not always inlined.
        let [first, second, third, ..] = self.buffers;
        let elements = |address: *mut u8| match address.is_null() {
            true => &mut [][..],
            // SAFETY: as the caller promises.
            false => unsafe { Self::elements(address, start, length) },
        };
        [elements(first), elements(second), elements(third)]
    }

    /// The elements of a chunk, block by block. If the formula is all there is to do, the chunk is one block.
    ///
    /// # Safety
    /// The formula computes the tensor in `T`, the chunk is a part of the tensor, and the step that made the tensor is
    /// running. No other code accesses these elements during the iteration, which runs to its end.
    #[inline(always)]
    pub(super) unsafe fn blocks<T: Scalar>(
        &self,
        chunk: &Chunk,
        gradient_ops: GradientOps,
        stage: Stage,
    ) -> Blocks<'_, T> {
        let whole = gradient_ops == GradientOps::NONE && stage != Stage::Measure && !self.needs_block_loop();
        let block_len = if whole { chunk.length } else { BLOCK_LEN };
        let (start, end) = (chunk.start, chunk.start + chunk.length);
        Blocks { tensor: self, stage, finished: start, start, end, block_len, gradient_ops, element: PhantomData }
    }
}

/// The iterator of [`ParamTensor::blocks`].
pub(super) struct Blocks<'a, T> {
    tensor: &'a ParamTensor,
    stage: Stage,
    /// The start of the last block, which is not finished yet.
    finished: usize,
    start: usize,
    end: usize,
    block_len: usize,
    gradient_ops: GradientOps,
    element: PhantomData<T>,
}

impl<T: Scalar> Blocks<'_, T> {
    /// Finishes the last block: converts results and writes them back.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn finish(&mut self, scratch: &Scratch<T>) {
        let (tensor, first, length) = (self.tensor, self.finished, self.start - self.finished);
        self.finished = self.start;
        if length == 0 || !tensor.needs_block_loop() {
            return;
        }
        // SAFETY: as promised to `ParamTensor::blocks`; the last block is no longer borrowed.
        unsafe {
            if T::WIDENS && tensor.has_bfloat16_buffers && self.stage != Stage::Apply {
                let weights: &[T] = tensor.weights(first, length);
                for ((wide, address), _) in scratch
                    .state
                    .iter()
                    .zip(tensor.buffers)
                    .zip(tensor.bfloat16_buffers)
                    .filter(|(_, is_bfloat16)| *is_bfloat16)
                {
                    let narrow = ParamTensor::elements::<bf16>(address, first, length);
                    T::narrow_stochastically(&wide[..length], weights, tensor.index_in_parameter(first), narrow);
                }
            }
            if self.stage != Stage::Measure {
                tensor.write_back::<T>(first, length);
            }
        }
    }

    /// Finishes the last block, and returns the next one with a scratch buffer for its update.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(super) fn next<'a>(&'a mut self, scratch: &'a mut Scratch<T>) -> Option<(Block<'a, T>, &'a mut [T])> {
        self.finish(scratch);
        let Self { tensor, stage, start, end, block_len, gradient_ops, .. } = self;
        if *start >= *end {
            return None;
        }
        let (first, length) = (*start, (*block_len).min(*end - *start));
        *start += length;
        // SAFETY: as promised to `ParamTensor::blocks`; blocks do not overlap, and the iterator is borrowed while this
        // one lives.
        unsafe {
            if *stage != Stage::Apply {
                tensor.refresh_masters(first, length);
            }
            let parameter = tensor.weights(first, length);
            let gradient = if *stage == Stage::Apply && tensor.element.is_16_bit() {
                // Not read; any buffer of this length does.
                &mut scratch.gradient[..length]
            } else if *gradient_ops == GradientOps::NONE {
                tensor.gradient(first, &mut scratch.gradient, length)
            } else {
                tensor.transformed_gradient(first, &mut scratch.gradient, length, *gradient_ops)
            };
            let state = if T::WIDENS && tensor.has_bfloat16_buffers {
                let mut buffers = tensor.buffers.into_iter().zip(tensor.bfloat16_buffers);
                scratch.state.each_mut().map(|wide| match buffers.next() {
                    Some((address, true)) => {
                        let wide = &mut wide[..length];
                        T::widen(ParamTensor::elements::<bf16>(address, first, length), wide);
                        wide
                    }
                    Some((address, false)) if !address.is_null() => ParamTensor::elements::<T>(address, first, length),
                    _ => &mut [][..],
                })
            } else {
                tensor.state(first, length)
            };
            // A block longer than the scratch buffer has no update.
            Some((Block { parameter, gradient, state }, &mut scratch.update[..length.min(BLOCK_LEN)]))
        }
    }
}
