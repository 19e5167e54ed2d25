//! The loop of an optimizer that updates each element by itself.

use crate::instruction_set::Work;
use crate::numeric::scalar::Scalar;
use crate::rule::Rule;
use crate::sweep::blocks::{Scratch, Stage};
use crate::sweep::chunk::{Piece, Riders};
use crate::sweep::param_tensor::Unit;
use crate::sweep::rule_instance::Constants;

/// Pieces, updated one after the other: the sets of instructions are told apart once for all of them.
pub(super) struct Update<'a, R: Rule> {
    pub(super) constants: &'a [Constants<R>],
    pub(super) units: &'a [Unit],
    pub(super) pieces: &'a [Piece],
    pub(super) riders: Riders,
}

impl<R: Rule> Work for Update<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { constants, units, pieces, riders } = self;
        let (mut floats, mut doubles) = (None, None);
        // With the same constants in one loop, they stay in registers.
        for pieces in pieces.chunk_by(|a, b| a.constants == b.constants) {
            let Some(first) = pieces.first() else { continue };
            let constants = &constants[first.constants as usize];
            if units[first.unit as usize].is_double() {
                update::<R, f64>(constants.double, units, pieces, riders, &mut doubles);
            } else {
                update::<R, f32>(constants.float, units, pieces, riders, &mut floats);
            }
        }
    }
}

/// Updates pieces. With many small parameters the time goes into what is done beside the formula.
#[inline(always)]
fn update<R: Rule, T: Scalar>(
    constants: R::Constants<T>,
    units: &[Unit],
    pieces: &[Piece],
    riders: Riders,
    scratch: &mut Option<Scratch<T>>,
) {
    for piece in pieces {
        let unit = &units[piece.unit as usize];
        // In WebAssembly a second copy of each formula is worth less than the room that it takes.
        if cfg!(not(target_family = "wasm")) && riders == Riders::NONE && !unit.is_special() {
            // SAFETY: as `Program::update` asks for.
            R::update(&constants, unsafe { unit.block::<T>(piece.start, piece.length) });
            continue;
        }
        let scratch = scratch.get_or_insert_with(Scratch::new);
        // SAFETY: as above.
        let mut blocks = unsafe { unit.blocks::<T>(piece, riders, Stage::Update) };
        while let Some((block, _)) = blocks.next(scratch) {
            R::update(&constants, block);
        }
    }
}
