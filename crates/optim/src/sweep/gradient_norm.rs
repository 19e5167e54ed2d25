//! The norm of all gradients, as they are when transformed.

use std::sync::atomic::Ordering;

use crate::instruction_set::Work;
use crate::numeric::clip::GradientTransform;
use crate::numeric::norm::{BLOCK, squares};
use crate::numeric::scalar::Scalar;
use crate::sweep::blocks::Scratch;
use crate::sweep::chunk::{Piece, Riders, Sums};
use crate::sweep::param_tensor::Unit;

/// Sums of the squares of gradients as transformed, for each piece.
pub(super) struct GradientSquares<'a> {
    pub(super) units: &'a [Unit],
    pub(super) pieces: &'a [Piece],
    pub(super) sums: &'a [Sums],
    pub(super) transform: GradientTransform,
}

impl Work for GradientSquares<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { units, pieces, sums, transform } = self;
        let (mut floats, mut doubles) = (None, None);
        for (piece, sums) in pieces.iter().zip(sums) {
            let unit = &units[piece.unit as usize];
            let squares = match unit.is_double() {
                false => piece_squares::<f32>(unit, piece, transform, &mut floats),
                true => piece_squares::<f64>(unit, piece, transform, &mut doubles),
            };
            sums[0].store(squares.to_bits(), Ordering::Relaxed);
        }
    }
}

#[inline(always)]
fn piece_squares<T: Scalar>(
    unit: &Unit,
    piece: &Piece,
    transform: GradientTransform,
    scratch: &mut Option<Scratch<T>>,
) -> f64 {
    if transform == GradientTransform::Identity && !unit.element.is_reduced() {
        // SAFETY: the piece is the unit's, whose step is not over, and nobody writes to gradients before all are measured.
        let (_, gradient) = unsafe { unit.elements_of_both::<T>(piece.start, piece.length) };
        return squares(gradient);
    }
    let room = &mut scratch.get_or_insert_with(Scratch::new).gradient;
    let riders = Riders { transform, zero: false };
    let mut sum = 0.0;
    for start in (0..piece.length).step_by(BLOCK) {
        let length = BLOCK.min(piece.length - start);
        // SAFETY: as above.
        sum += squares(unsafe { unit.transformed_gradient(piece.start + start, room, length, riders) });
    }
    sum
}
