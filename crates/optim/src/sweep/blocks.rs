//! The elements of a chunk as a formula takes them: block by block, with whatever else has to be done to them.

use std::marker::PhantomData;

use half::bf16;

use crate::numeric::norm::BLOCK;
use crate::numeric::scalar::Scalar;
use crate::rule::Block;
use crate::state::param_state::RULE_BUFFERS;
use crate::sweep::chunk::{Chunk, GradientOps};
use crate::sweep::param_tensor::ParamTensor;

/// Room for one block of what is not kept, or not in this type; each thread has its own. On cache lines of its own: a
/// vector that lies across two is written in two parts.
#[repr(align(64))]
pub(super) struct Scratch<T> {
    pub(super) gradient: [T; BLOCK],
    update: [T; BLOCK],
    state: [[T; BLOCK]; RULE_BUFFERS],
}

/// What a loop does with the blocks of a tensor.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Stage {
    /// Everything.
    Update,
    /// State changes, parameters do not.
    Measure,
    /// Parameters change; state is only read, the gradient is not.
    Apply,
}

impl<T: Scalar> Scratch<T> {
    pub(super) fn new() -> Self {
        let block = [T::default(); BLOCK];
        Self { gradient: block, update: block, state: [block; RULE_BUFFERS] }
    }
}

impl ParamTensor {
    /// Elements of the tensor where the formula is all that there is to do, and nothing else has to be done to them.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`], and the tensor is not special.
    #[inline(always)]
    pub(super) unsafe fn block<T: Scalar>(&self, start: usize, length: usize) -> Block<'_, T> {
        // SAFETY: as the caller promises.
        unsafe {
            let (parameter, gradient) = self.elements_of_both(start, length);
            Block { parameter, gradient, state: self.state(start, length) }
        }
    }

    /// The elements of the formula's buffers; none of those that are not in use.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`], and the buffers are of this type.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the memory is not the tensor's own")]
    unsafe fn state<T: Scalar>(&self, start: usize, length: usize) -> [&mut [T]; RULE_BUFFERS] {
        // Written out, since a closure here is not always compiled into its caller.
        let [first, second, third, ..] = self.buffers;
        let elements = |address: *mut u8| match address.is_null() {
            true => &mut [][..],
            // SAFETY: as the caller promises.
            false => unsafe { Self::elements(address, start, length) },
        };
        [elements(first), elements(second), elements(third)]
    }

    /// The elements of a chunk, block by block. One block does where the formula is all that there is to do.
    ///
    /// # Safety
    /// `T` is the type that the tensor is computed with in, the chunk is one of the tensor's, the step that made the tensor is
    /// not over, and nobody else has these elements meanwhile. The blocks are gone through to the end.
    #[inline(always)]
    pub(super) unsafe fn blocks<T: Scalar>(
        &self,
        chunk: &Chunk,
        gradient_ops: GradientOps,
        stage: Stage,
    ) -> Blocks<'_, T> {
        let whole = gradient_ops == GradientOps::NONE && stage != Stage::Measure && !self.needs_block_loop();
        let most = if whole { chunk.length } else { BLOCK };
        let (start, end) = (chunk.start, chunk.start + chunk.length);
        Blocks { tensor: self, stage, finished: start, start, end, most, gradient_ops, element: PhantomData }
    }
}

/// See [`ParamTensor::blocks`].
pub(super) struct Blocks<'a, T> {
    tensor: &'a ParamTensor,
    stage: Stage,
    /// Where the last block begins, which has not been finished.
    finished: usize,
    start: usize,
    end: usize,
    most: usize,
    gradient_ops: GradientOps,
    element: PhantomData<T>,
}

impl<T: Scalar> Blocks<'_, T> {
    /// Ends the last block: what the formula wrote goes where it is kept.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    fn finish(&mut self, scratch: &Scratch<T>) {
        let (tensor, first, length) = (self.tensor, self.finished, self.start - self.finished);
        self.finished = self.start;
        if length == 0 || !tensor.needs_block_loop() {
            return;
        }
        // SAFETY: as promised to `ParamTensor::blocks`; the block is no longer borrowed.
        unsafe {
            if T::WIDENS && tensor.reduced_moments && self.stage != Stage::Apply {
                let weights: &[T] = tensor.weights(first, length);
                for ((wide, address), _) in
                    scratch.state.iter().zip(tensor.buffers).zip(tensor.reduced).filter(|(_, reduced)| *reduced)
                {
                    let narrow = ParamTensor::elements::<bf16>(address, first, length);
                    T::narrow_stochastically(&wide[..length], weights, first, narrow);
                }
            }
            if self.stage != Stage::Measure {
                tensor.write_back::<T>(first, length);
            }
        }
    }

    /// The next block, and room for an update of it. The block before is over.
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(super) fn next<'a>(&'a mut self, scratch: &'a mut Scratch<T>) -> Option<(Block<'a, T>, &'a mut [T])> {
        self.finish(scratch);
        let Self { tensor, stage, start, end, most, gradient_ops, .. } = self;
        if *start >= *end {
            return None;
        }
        let (first, length) = (*start, (*most).min(*end - *start));
        *start += length;
        // SAFETY: as promised to `ParamTensor::blocks`; blocks do not overlap, and this one is borrowed from the iterator.
        unsafe {
            if *stage != Stage::Apply {
                tensor.refresh_masters(first, length);
            }
            let parameter = tensor.weights(first, length);
            let gradient = if *stage == Stage::Apply && tensor.element.is_reduced() {
                // Not read; and whatever it is, it is as long.
                &mut scratch.gradient[..length]
            } else if *gradient_ops == GradientOps::NONE {
                tensor.gradient(first, &mut scratch.gradient, length)
            } else {
                tensor.transformed_gradient(first, &mut scratch.gradient, length, *gradient_ops)
            };
            let state = if T::WIDENS && tensor.reduced_moments {
                let mut buffers = tensor.buffers.into_iter().zip(tensor.reduced);
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
            // Where blocks are larger than the room, nobody asked for it.
            Some((Block { parameter, gradient, state }, &mut scratch.update[..length.min(BLOCK)]))
        }
    }
}
