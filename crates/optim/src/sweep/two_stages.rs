//! The loops of a rule with two stages: measure the update of a tensor, then apply it times a factor.

use std::sync::atomic::Ordering;

use crate::instruction_set::SimdKernel;
use crate::numeric::norm::{BLOCK_LEN, BlockSquares, LANES, sum_squares};
use crate::numeric::scalar::Scalar;
use crate::rule::{Block, Rule};
use crate::sweep::blocks::{Scratch, Stage};
use crate::sweep::chunk::Chunk;
use crate::sweep::gradient_ops::GradientOps;
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::rule_instance::RuleInstance;
use crate::sweep::squares::{ChunkSquares, StageSquares};
use crate::sweep::update_buffer::{UpdateBuffer, UpdatePtr};

/// Runs both stages on small tensors, tensor by tensor.
pub(super) struct UpdateWholeTensors<'a, R: Rule> {
    pub(super) rule: &'a RuleInstance<R>,
    pub(super) tensors: &'a [ParamTensor],
    pub(super) chunks: &'a [Chunk],
    pub(super) gradient_ops: GradientOps,
    pub(super) update_buffer: &'a UpdateBuffer,
}

impl<R: Rule> SimdKernel for UpdateWholeTensors<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rule, tensors, chunks, gradient_ops, update_buffer } = self;
        let (mut floats, mut doubles) = (None, None);
        for tensor in tensors {
            let chunks = &chunks[tensor.chunk_range()];
            let constants = rule.constants(tensor);
            let updates = update_buffer.updates(tensor);
            let factor = |squares| rule.factor(tensor, squares);
            if tensor.is_double() {
                both_stages::<R, f64>(&constants.double, tensor, chunks, gradient_ops, updates, &mut doubles, factor);
            } else {
                both_stages::<R, f32>(&constants.float, tensor, chunks, gradient_ops, updates, &mut floats, factor);
            }
        }
    }
}

#[inline(always)]
fn both_stages<R: Rule, T: Scalar>(
    constants: &R::Constants<T>,
    tensor: &ParamTensor,
    chunks: &[Chunk],
    gradient_ops: GradientOps,
    updates: Option<UpdatePtr>,
    scratch: &mut Option<Scratch<T>>,
    factor: impl Fn(StageSquares) -> f64,
) {
    let mut squares = StageSquares::default();
    for chunk in chunks {
        let next = measure::<R, T>(constants, tensor, chunk, gradient_ops, updates, scratch, &mut None);
        squares.add(next);
    }
    let factor = T::from_f64(factor(squares));
    for chunk in chunks.iter().rev() {
        apply::<R, T>(constants, tensor, chunk, factor, updates, scratch);
    }
}

/// Arguments of the first stage: chunks whose updates are measured.
#[derive(Clone, Copy)]
pub(crate) struct MeasureArgs<'a> {
    pub(super) tensor: &'a ParamTensor,
    pub(super) chunks: &'a [Chunk],
    /// Output: the sums of squares of parameter and update, for each chunk.
    pub(super) squares: &'a [ChunkSquares],
    pub(super) updates: Option<UpdatePtr>,
}

/// Arguments of the second stage: chunks that the updates are applied to.
#[derive(Clone, Copy)]
pub(crate) struct ApplyArgs<'a> {
    pub(super) tensor: &'a ParamTensor,
    pub(super) chunks: &'a [Chunk],
    pub(super) factor: f64,
    pub(super) updates: Option<UpdatePtr>,
}

/// Applies the updates of one tensor and measures the next, block by block.
/// Each new update overwrites an old one that was just read, so it causes no memory traffic. While the first stage
/// waits for memory, the second stage computes from the cache.
pub(super) struct ApplyAndMeasure<'a, R: Rule, T: Scalar> {
    pub(super) measure_args: Option<(&'a R::Constants<T>, MeasureArgs<'a>)>,
    pub(super) apply_args: Option<(&'a R::Constants<T>, ApplyArgs<'a>)>,
    pub(super) gradient_ops: GradientOps,
}

impl<R: Rule, T: Scalar> SimdKernel for ApplyAndMeasure<'_, R, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { measure_args, apply_args, gradient_ops } = self;
        let mut scratch = None;
        let measured = measure_args.map_or(0, |(_, args)| args.chunks.len());
        if let Some((constants, MeasureArgs { tensor, chunks, squares, updates })) = measure_args {
            for (index, (chunk, squares)) in chunks.iter().zip(squares).enumerate() {
                let mut before = None;
                if let Some((constants, args)) = &apply_args
                    && let Some(chunk) = args.chunks.get(index)
                {
                    let factor = T::from_f64(args.factor);
                    match args.updates {
                        Some(updates) => before = Some(StoredUpdates::new(args.tensor, chunk, factor, updates)),
                        None => apply::<R, T>(constants, args.tensor, chunk, factor, None, &mut scratch),
                    }
                }
                let sums = measure::<R, T>(constants, tensor, chunk, gradient_ops, updates, &mut scratch, &mut before);
                squares.parameter.store(sums.parameter.to_bits(), Ordering::Relaxed);
                squares.update.store(sums.update.to_bits(), Ordering::Relaxed);
            }
        }
        // The remaining chunks, in reverse order: the last one is still in the cache.
        if let Some((constants, ApplyArgs { tensor, chunks, factor, updates })) = apply_args {
            let factor = T::from_f64(factor);
            for chunk in chunks.iter().skip(measured).rev() {
                apply::<R, T>(constants, tensor, chunk, factor, updates, &mut scratch);
            }
        }
    }
}

/// Applies stored updates to a chunk, block by block.
struct StoredUpdates<'a, T> {
    tensor: &'a ParamTensor,
    start: usize,
    end: usize,
    factor: T,
    updates: UpdatePtr,
}

impl<'a, T: Scalar> StoredUpdates<'a, T> {
    #[inline(always)]
    fn new(tensor: &'a ParamTensor, chunk: &Chunk, factor: T, updates: UpdatePtr) -> Self {
        Self { tensor, start: chunk.start, end: chunk.start + chunk.length, factor, updates }
    }

    /// Applies the next block; false if there is none.
    ///
    /// # Safety
    /// As for `ErasedRule::apply_and_measure`.
    #[inline(always)]
    unsafe fn next(&mut self) -> bool {
        let (start, length) = (self.start, BLOCK_LEN.min(self.end - self.start));
        if length == 0 {
            return false;
        }
        self.start += length;
        // SAFETY: as the caller promises.
        unsafe {
            let updates: &[T] = self.updates.block(start, length);
            for (p, u) in self.tensor.weights::<T>(start, length).iter_mut().zip(updates) {
                *p = *p - self.factor * *u;
            }
            self.tensor.write_back::<T>(start, length);
        }
        true
    }
}

/// Runs the first stage on a chunk. Before each block, applies the old updates that the block's update overwrites.
#[inline(always)]
fn measure<R: Rule, T: Scalar>(
    constants: &R::Constants<T>,
    tensor: &ParamTensor,
    chunk: &Chunk,
    gradient_ops: GradientOps,
    updates: Option<UpdatePtr>,
    scratch: &mut Option<Scratch<T>>,
    before: &mut Option<StoredUpdates<'_, T>>,
) -> StageSquares {
    let mut squares = StageSquares::default();
    let scratch = scratch.get_or_insert_with(Scratch::new);
    // SAFETY: as `ErasedRule::apply_and_measure` and `ErasedRule::update_whole_tensors` ask for.
    let mut blocks = unsafe { tensor.blocks::<T>(chunk, gradient_ops, Stage::Measure) };
    let mut start = chunk.start;
    loop {
        if let Some(before) = before {
            // SAFETY: as above.
            unsafe { before.next() };
        }
        let Some((Block { parameter, gradient, state }, nowhere)) = blocks.next(scratch) else { break };
        let update = match updates {
            // SAFETY: as above; the old updates at this position were just applied.
            Some(updates) => unsafe { updates.block(start, parameter.len()) },
            None => nowhere,
        };
        start += parameter.len();
        squares.add(measure_block::<R, T>(constants, Block { parameter, gradient, state }, update));
    }
    if let Some(before) = before {
        // SAFETY: as above.
        while unsafe { before.next() } {}
    }
    squares
}

/// Runs the first stage on a block, and returns the sums of squares of parameter and update. Interleaves squares and
/// formula row by row, so that loads stay in flight.
#[inline(always)]
fn measure_block<R: Rule, T: Scalar>(
    constants: &R::Constants<T>,
    block: Block<'_, T>,
    update: &mut [T],
) -> StageSquares {
    let Block { parameter, gradient, mut state } = block;
    // In WebAssembly, a second copy of the formula costs more bytes than its speed is worth.
    let at_once = cfg!(target_family = "wasm") || update.len() != BLOCK_LEN;
    if at_once {
        let state = state.each_mut().map(|state| &mut **state);
        R::measure(constants, Block { parameter: &mut *parameter, gradient, state }, update);
    }
    if update.len() != BLOCK_LEN {
        return StageSquares { parameter: sum_squares(parameter), update: sum_squares(update) };
    }
    let [mut parameters, mut updates] = [BlockSquares::new(), BlockSquares::new()];
    let rows = parameter.as_chunks_mut::<LANES>().0.iter_mut();
    let rows = rows.zip(gradient.as_chunks::<LANES>().0).zip(update.as_chunks_mut::<LANES>().0);
    for (row, ((parameter, gradient), update)) in rows.enumerate() {
        if !at_once {
            let range = row * LANES..(row + 1) * LANES;
            let state = state.each_mut().map(|state| state.get_mut(range.clone()).unwrap_or_default());
            R::measure(constants, Block { parameter: &mut *parameter, gradient, state }, update);
        }
        parameters.add(parameter);
        updates.add(update);
    }
    StageSquares { parameter: parameters.total(parameter), update: updates.total(update) }
}

/// Runs the second stage on a chunk.
#[inline(always)]
fn apply<R: Rule, T: Scalar>(
    constants: &R::Constants<T>,
    tensor: &ParamTensor,
    chunk: &Chunk,
    factor: T,
    updates: Option<UpdatePtr>,
    scratch: &mut Option<Scratch<T>>,
) {
    if let Some(updates) = updates {
        let mut stored = StoredUpdates::new(tensor, chunk, factor, updates);
        // SAFETY: as `ErasedRule::apply_and_measure` and `ErasedRule::update_whole_tensors` ask for.
        while unsafe { stored.next() } {}
        return;
    }
    let scratch = scratch.get_or_insert_with(Scratch::new);
    // SAFETY: as above.
    let mut blocks = unsafe { tensor.blocks::<T>(chunk, GradientOps::NONE, Stage::Apply) };
    while let Some((block, _)) = blocks.next(scratch) {
        R::apply(constants, factor, block);
    }
}
