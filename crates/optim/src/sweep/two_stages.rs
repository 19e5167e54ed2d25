//! The loops of an optimizer with two stages: the update of a unit, and then the unit moved by a multiple of it.

use std::sync::atomic::Ordering;

use crate::Scalar;
use crate::instruction_set::Work;
use crate::norm::{BLOCK, block_squares};
use crate::rule::{Block, Rule};
use crate::sweep::blocks::{Scratch, Stage};
use crate::sweep::program::{Program, RuleProgram};
use crate::sweep::room::{Room, Updates};
use crate::sweep::tasks::Sums;
use crate::sweep::unit::{Piece, Riders, Unit};

/// Both stages of units, one unit after the other.
pub(super) struct UpdateWhole<'a, R: Rule> {
    pub(super) program: &'a RuleProgram<R>,
    pub(super) units: &'a [Unit],
    pub(super) pieces: &'a [Piece],
    pub(super) riders: Riders,
    pub(super) room: &'a mut Room,
}

impl<R: Rule> Work for UpdateWhole<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { program, units, pieces, riders, room } = self;
        let (mut floats, mut doubles) = (None, None);
        for unit in units {
            let pieces = &pieces[unit.piece_range()];
            let constants = program.constants(unit);
            let updates = room.updates(unit);
            let factor = |squares| program.factor(unit, squares);
            if unit.is_double() {
                both_stages::<R, f64>(&constants.double, unit, pieces, riders, updates, &mut doubles, factor);
            } else {
                both_stages::<R, f32>(&constants.float, unit, pieces, riders, updates, &mut floats, factor);
            }
        }
    }
}

#[inline(always)]
fn both_stages<R: Rule, T: Scalar>(
    constants: &R::Constants<T>,
    unit: &Unit,
    pieces: &[Piece],
    riders: Riders,
    updates: Option<Updates>,
    scratch: &mut Option<Scratch<T>>,
    factor: impl Fn([f64; 2]) -> f64,
) {
    let mut sums = [0.0; 2];
    for piece in pieces {
        let squares = measure::<R, T>(constants, unit, piece, riders, updates, scratch);
        sums.iter_mut().zip(squares).for_each(|(sum, square)| *sum += square);
    }
    let factor = T::from_f64(factor(sums));
    for piece in pieces.iter().rev() {
        apply::<R, T>(constants, unit, piece, factor, updates, scratch);
    }
}

/// The first stage of a piece.
#[inline(always)]
fn measure<R: Rule, T: Scalar>(
    constants: &R::Constants<T>,
    unit: &Unit,
    piece: &Piece,
    riders: Riders,
    updates: Option<Updates>,
    scratch: &mut Option<Scratch<T>>,
) -> [f64; 2] {
    let mut sums = [0.0; 2];
    let scratch = scratch.get_or_insert_with(Scratch::new);
    // SAFETY: as `Program::measure` and `Program::update_whole` ask for.
    let mut blocks = unsafe { unit.blocks::<T>(piece, riders, Stage::Measure) };
    // SAFETY: as above.
    let mut kept =
        updates.map(|updates| unsafe { updates.of::<T>(piece) }).into_iter().flat_map(|x| x.chunks_mut(BLOCK));
    while let Some((Block { parameter, gradient, state }, nowhere)) = blocks.next(scratch) {
        let update = kept.next().unwrap_or(nowhere);
        R::measure(constants, Block { parameter: &mut *parameter, gradient, state }, update);
        sums[0] += block_squares(parameter);
        sums[1] += block_squares(update);
    }
    sums
}

/// The first stage of pieces of a unit.
pub(super) struct Measure<'a, R: Rule, T: Scalar> {
    pub(super) constants: &'a R::Constants<T>,
    pub(super) unit: &'a Unit,
    pub(super) pieces: &'a [Piece],
    pub(super) sums: &'a [Sums],
    pub(super) riders: Riders,
    pub(super) updates: Option<Updates>,
}

impl<R: Rule, T: Scalar> Work for Measure<'_, R, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { constants, unit, pieces, sums, riders, updates } = self;
        let mut scratch = None;
        for (piece, sums) in pieces.iter().zip(sums) {
            let squares = measure::<R, T>(constants, unit, piece, riders, updates, &mut scratch);
            sums.iter().zip(squares).for_each(|(sum, square)| sum.store(square.to_bits(), Ordering::Relaxed));
        }
    }
}

/// The second stage of pieces of a unit, the last piece first.
pub(super) struct Apply<'a, R: Rule, T: Scalar> {
    pub(super) constants: &'a R::Constants<T>,
    pub(super) unit: &'a Unit,
    pub(super) pieces: &'a [Piece],
    pub(super) factor: f64,
    pub(super) updates: Option<Updates>,
}

impl<R: Rule, T: Scalar> Work for Apply<'_, R, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { constants, unit, pieces, factor, updates } = self;
        let factor = T::from_f64(factor);
        let mut scratch = None;
        for piece in pieces.iter().rev() {
            apply::<R, T>(constants, unit, piece, factor, updates, &mut scratch);
        }
    }
}

/// The second stage of a piece.
#[inline(always)]
fn apply<R: Rule, T: Scalar>(
    constants: &R::Constants<T>,
    unit: &Unit,
    piece: &Piece,
    factor: T,
    updates: Option<Updates>,
    scratch: &mut Option<Scratch<T>>,
) {
    let Some(updates) = updates else {
        let scratch = scratch.get_or_insert_with(Scratch::new);
        // SAFETY: as `Program::apply` and `Program::update_whole` ask for.
        let mut blocks = unsafe { unit.blocks::<T>(piece, Riders::NONE, Stage::Apply) };
        while let Some((block, _)) = blocks.next(scratch) {
            R::apply(constants, factor, block);
        }
        return;
    };
    // SAFETY: as above.
    let updates = unsafe { updates.of::<T>(piece) };
    for (updates, start) in updates.chunks(BLOCK).zip((piece.start..).step_by(BLOCK)) {
        // SAFETY: as above.
        unsafe {
            for (p, u) in unit.weights::<T>(start, updates.len()).iter_mut().zip(updates) {
                *p = *p - factor * *u;
            }
            unit.follow::<T>(start, updates.len());
        }
    }
}
