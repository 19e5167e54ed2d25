//! The norm of all gradients, after the transform.

use std::sync::atomic::Ordering;

use crate::instruction_set::SimdKernel;
use crate::numeric::clip::GradientTransform;
use crate::numeric::norm::{BLOCK_LEN, sum_squares};
use crate::numeric::scalar::Scalar;
use crate::sweep::blocks::Scratch;
use crate::sweep::chunk::Chunk;
use crate::sweep::gradient_ops::GradientOps;
use crate::sweep::param_tensor::ParamTensor;
use crate::sweep::squares::ChunkSquares;

/// Computes each chunk's sum of squared gradients, after the transform.
pub(super) struct GradientSquares<'a> {
    pub(super) tensors: &'a [ParamTensor],
    pub(super) chunks: &'a [Chunk],
    pub(super) squares: &'a [ChunkSquares],
    pub(super) transform: GradientTransform,
}

impl SimdKernel for GradientSquares<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { tensors, chunks, squares, transform } = self;
        let (mut floats, mut doubles) = (None, None);
        for (chunk, squares) in chunks.iter().zip(squares) {
            let tensor = &tensors[chunk.tensor as usize];
            let sum = match tensor.is_double() {
                false => chunk_squares::<f32>(tensor, chunk, transform, &mut floats),
                true => chunk_squares::<f64>(tensor, chunk, transform, &mut doubles),
            };
            squares.gradient.store(sum.to_bits(), Ordering::Relaxed);
        }
    }
}

#[inline(always)]
fn chunk_squares<T: Scalar>(
    tensor: &ParamTensor,
    chunk: &Chunk,
    transform: GradientTransform,
    scratch: &mut Option<Scratch<T>>,
) -> f64 {
    if transform == GradientTransform::Identity && !tensor.element.is_16_bit() {
        // SAFETY: the chunk is a part of the tensor, the step is running, and gradients are written only after all are
        // measured.
        let (_, gradient) = unsafe { tensor.elements_of_both::<T>(chunk.start, chunk.length) };
        return sum_squares(gradient);
    }
    let scratch_gradient = &mut scratch.get_or_insert_with(Scratch::new).gradient;
    let gradient_ops = GradientOps { transform, zero: false };
    let mut sum = 0.0;
    for start in (0..chunk.length).step_by(BLOCK_LEN) {
        let length = BLOCK_LEN.min(chunk.length - start);
        // SAFETY: as above.
        sum += sum_squares(unsafe {
            tensor.transformed_gradient(chunk.start + start, scratch_gradient, length, gradient_ops)
        });
    }
    sum
}
