//! The loop of a rule that updates each element by itself.

use crate::instruction_set::SimdKernel;
use crate::numeric::scalar::Scalar;
use crate::rule::Rule;
use crate::sweep::blocks::{Scratch, Stage};
use crate::sweep::chunk::Chunk;
use crate::sweep::gradient_ops::GradientOps;
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::rule_instance::GroupConstants;

/// Updates a list of chunks, with one dispatch on the instruction set.
pub(super) struct Update<'a, R: Rule> {
    pub(super) constants: &'a [GroupConstants<R>],
    pub(super) tensors: &'a [ParamTensor],
    pub(super) chunks: &'a [Chunk],
    pub(super) gradient_ops: GradientOps,
}

impl<R: Rule> SimdKernel for Update<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { constants, tensors, chunks, gradient_ops } = self;
        let (mut floats, mut doubles) = (None, None);
        // Chunks with equal constants share a loop, so that constants stay in registers.
        for chunks in chunks.chunk_by(|a, b| a.constants == b.constants) {
            let Some(first) = chunks.first() else { continue };
            let constants = &constants[first.constants as usize];
            if tensors[first.tensor as usize].is_double() {
                update::<R, f64>(constants.double, tensors, chunks, gradient_ops, &mut doubles);
            } else {
                update::<R, f32>(constants.float, tensors, chunks, gradient_ops, &mut floats);
            }
        }
    }
}

/// Updates chunks. With many small parameters, most of the time is spent outside the formula.
#[inline(always)]
fn update<R: Rule, T: Scalar>(
    constants: R::Constants<T>,
    tensors: &[ParamTensor],
    chunks: &[Chunk],
    gradient_ops: GradientOps,
    scratch: &mut Option<Scratch<T>>,
) {
    for chunk in chunks {
        let tensor = &tensors[chunk.tensor as usize];
        // In WebAssembly, a second copy of each formula costs more bytes than its speed is worth.
        if cfg!(not(target_family = "wasm")) && gradient_ops == GradientOps::NONE && !tensor.needs_block_loop() {
            // SAFETY: as `ErasedRule::update` asks for.
            R::update(&constants, unsafe { tensor.block::<T>(chunk.start, chunk.length) });
            continue;
        }
        let scratch = scratch.get_or_insert_with(Scratch::new);
        // SAFETY: as above.
        let mut blocks = unsafe { tensor.blocks::<T>(chunk, gradient_ops, Stage::Update) };
        while let Some((block, _)) = blocks.next(scratch) {
            R::update(&constants, block);
        }
    }
}
