//! The loops of one optimizer, over pieces, and the constants that they run with.

use std::sync::atomic::Ordering;

use crate::instruction_set::{InstructionSet, Work};
use crate::norm::{BLOCK, Squares};
use crate::options::{Common, RuleOptions};
use crate::rule::{Block, Rule, Step};
use crate::state::RULE_BUFFERS;
use crate::sweep::blocks::{Scratch, Stage};
use crate::sweep::tasks::Sums;
use crate::sweep::unit::{Piece, Riders, Unit};
use crate::{Code, Error, OptionSet, Result, Scalar, Value};

/// What a sweep asks of an optimizer: a [`Rule`] with its types erased.
pub(crate) trait Program: Send + Sync {
    /// Sets the options of all groups.
    fn set_options(&mut self, rows: &mut dyn Iterator<Item = &[Value]>) -> Result<()>;
    /// What each buffer of the formula starts with, in a group.
    fn fills(&self, group: usize) -> [Option<f64>; RULE_BUFFERS];
    /// What a group does beside the formula.
    fn common(&self, group: usize) -> Common;
    /// True if a group wants the norm of all gradients.
    fn wants_gradient_norm(&self) -> bool;
    /// True if parameters move by a factor that follows from norms.
    fn has_two_stages(&self) -> bool;
    /// Forgets the constants of the step before.
    fn clear(&mut self);
    /// Computes constants, which units find by their number.
    fn add(&mut self, group: usize, step: Step);

    /// Updates pieces.
    ///
    /// # Safety
    /// The pieces are those of the units, which are made of memory that nobody else has meanwhile.
    unsafe fn update(&self, set: InstructionSet, units: &[Unit], pieces: &[Piece], riders: Riders);

    /// Updates units in both stages, one unit after the other, so that the second stage finds it in the cache.
    ///
    /// # Safety
    /// As for [`Program::update`].
    unsafe fn update_whole(
        &self,
        set: InstructionSet,
        units: &[Unit],
        pieces: &[Piece],
        riders: Riders,
        room: &mut Room,
    );

    /// The first stage of some pieces of a unit. Sets the sums of the squares of parameter and update.
    ///
    /// # Safety
    /// As for [`Program::update`].
    unsafe fn measure(&self, set: InstructionSet, unit: &Unit, pieces: &[Piece], sums: &[Sums], riders: Riders);

    /// What the updates of a unit are multiplied by.
    fn factor(&self, unit: &Unit, squares: [f64; 2]) -> f64;

    /// The second stage of some pieces of a unit.
    ///
    /// # Safety
    /// As for [`Program::update`].
    unsafe fn apply(&self, set: InstructionSet, unit: &Unit, pieces: &[Piece], factor: f64);
}

/// The program of a [`Rule`].
pub(crate) struct RuleProgram<R: Rule> {
    options: Vec<R::Options>,
    constants: Vec<Constants<R>>,
}

struct Constants<R: Rule> {
    group: usize,
    float: R::Constants<f32>,
    double: R::Constants<f64>,
}

impl<R: Rule> Default for RuleProgram<R> {
    fn default() -> Self {
        Self { options: Vec::new(), constants: Vec::new() }
    }
}

impl<R: Rule> Program for RuleProgram<R> {
    fn set_options(&mut self, rows: &mut dyn Iterator<Item = &[Value]>) -> Result<()> {
        self.options = rows.map(R::Options::from_row).collect::<Result<_>>()?;
        Ok(())
    }

    fn fills(&self, group: usize) -> [Option<f64>; RULE_BUFFERS] {
        R::fills(&self.options[group])
    }

    fn common(&self, group: usize) -> Common {
        self.options[group].common()
    }

    fn wants_gradient_norm(&self) -> bool {
        self.options.iter().any(R::wants_gradient_norm)
    }

    fn has_two_stages(&self) -> bool {
        R::TWO_STAGES
    }

    fn clear(&mut self) {
        self.constants.clear();
    }

    fn add(&mut self, group: usize, step: Step) {
        let options = &self.options[group];
        let (float, double) = (R::constants::<f32>(options, &step), R::constants::<f64>(options, &step));
        self.constants.push(Constants { group, float, double });
    }

    unsafe fn update(&self, set: InstructionSet, units: &[Unit], pieces: &[Piece], riders: Riders) {
        if !R::TWO_STAGES {
            set.run(Update::<R> { constants: &self.constants, units, pieces, riders });
        }
    }

    unsafe fn update_whole(
        &self,
        set: InstructionSet,
        units: &[Unit],
        pieces: &[Piece],
        riders: Riders,
        room: &mut Room,
    ) {
        if R::TWO_STAGES {
            set.run(UpdateWhole { program: self, units, pieces, riders, room });
        }
    }

    unsafe fn measure(&self, set: InstructionSet, unit: &Unit, pieces: &[Piece], sums: &[Sums], riders: Riders) {
        if !R::TWO_STAGES {
            return;
        }
        let constants = &self.constants[unit.constants as usize];
        match unit.is_double() {
            false => set.run(Measure::<R, f32> { constants: &constants.float, unit, pieces, sums, riders }),
            true => set.run(Measure::<R, f64> { constants: &constants.double, unit, pieces, sums, riders }),
        }
    }

    fn factor(&self, unit: &Unit, squares: [f64; 2]) -> f64 {
        let [parameter, update] = squares.map(f64::sqrt);
        R::factor(&self.options[self.constants[unit.constants as usize].group], parameter, update)
    }

    unsafe fn apply(&self, set: InstructionSet, unit: &Unit, pieces: &[Piece], factor: f64) {
        if !R::TWO_STAGES {
            return;
        }
        let constants = &self.constants[unit.constants as usize];
        match unit.is_double() {
            false => set.run(Apply::<R, f32> { constants: &constants.float, unit, pieces, factor }),
            true => set.run(Apply::<R, f64> { constants: &constants.double, unit, pieces, factor }),
        }
    }
}

/// Pieces, updated one after the other: the sets of instructions are told apart once for all of them.
struct Update<'a, R: Rule> {
    constants: &'a [Constants<R>],
    units: &'a [Unit],
    pieces: &'a [Piece],
    riders: Riders,
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
        if riders == Riders::NONE && !unit.is_special() {
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

/// Room for the updates of one unit, for each type; the larger the unit, the larger the room.
#[derive(Default)]
pub(crate) struct Room {
    floats: Vec<f32>,
    doubles: Vec<f64>,
}

impl Room {
    /// Makes room for units of that many elements.
    pub(super) fn reserve(&mut self, floats: usize, doubles: usize) -> Result<()> {
        fn grow<T: Clone + Default>(room: &mut Vec<T>, length: usize) -> Result<()> {
            let more = length.saturating_sub(room.len());
            let none = |_| Error::new(Code::Memory, format!("no memory for an update of {length} elements"));
            room.try_reserve_exact(more).map_err(none)?;
            room.resize(room.len() + more, T::default());
            Ok(())
        }
        grow(&mut self.floats, floats)?;
        grow(&mut self.doubles, doubles)
    }
}

struct UpdateWhole<'a, R: Rule> {
    program: &'a RuleProgram<R>,
    units: &'a [Unit],
    pieces: &'a [Piece],
    riders: Riders,
    room: &'a mut Room,
}

impl<R: Rule> Work for UpdateWhole<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { program, units, pieces, riders, room } = self;
        let (mut floats, mut doubles) = (Scratch::new(), Scratch::new());
        for unit in units {
            let pieces = &pieces[unit.piece_range()];
            let constants = &program.constants[unit.constants as usize];
            let factor = |squares| program.factor(unit, squares);
            if unit.is_double() {
                both_stages::<R, f64>(&constants.double, unit, pieces, riders, &mut room.doubles, &mut doubles, factor);
            } else {
                both_stages::<R, f32>(&constants.float, unit, pieces, riders, &mut room.floats, &mut floats, factor);
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
    room: &mut [T],
    scratch: &mut Scratch<T>,
    factor: impl Fn([f64; 2]) -> f64,
) {
    // An update is computed again from the state where that was rounded, as it is where threads share a unit: so the
    // result does not depend on who makes it.
    let keeps = !unit.reduced_moments;
    let mut sums = [0.0; 2];
    for piece in pieces {
        let room = if keeps { Some(&mut room[piece.start..][..piece.length]) } else { None };
        let squares = measure::<R, T>(constants, unit, piece, riders, scratch, room);
        sums.iter_mut().zip(squares).for_each(|(sum, square)| *sum += square);
    }
    let factor = T::from_f64(factor(sums));
    for piece in pieces.iter().rev() {
        if !keeps {
            apply::<R, T>(constants, unit, piece, factor, scratch);
            continue;
        }
        for start in (piece.start..piece.start + piece.length).step_by(BLOCK) {
            let length = BLOCK.min(piece.start + piece.length - start);
            // SAFETY: as `Program::update_whole` asks for.
            unsafe {
                for (p, u) in unit.weights::<T>(start, length).iter_mut().zip(&room[start..]) {
                    *p = *p - factor * *u;
                }
                unit.follow::<T>(start, length);
            }
        }
    }
}

/// The first stage of a piece. Keeps the updates where there is room for them.
#[inline(always)]
fn measure<R: Rule, T: Scalar>(
    constants: &R::Constants<T>,
    unit: &Unit,
    piece: &Piece,
    riders: Riders,
    scratch: &mut Scratch<T>,
    mut room: Option<&mut [T]>,
) -> [f64; 2] {
    let (mut parameter, mut update) = (Squares::default(), Squares::default());
    // SAFETY: as `Program::measure` and `Program::update_whole` ask for.
    let mut blocks = unsafe { unit.blocks::<T>(piece, riders, Stage::Measure) };
    let mut start = 0;
    while let Some((Block { parameter: p, gradient, state }, nowhere)) = blocks.next(scratch) {
        let updates = match &mut room {
            Some(room) => &mut room[start..][..p.len()],
            None => nowhere,
        };
        start += p.len();
        R::measure(constants, Block { parameter: &mut *p, gradient, state }, updates);
        parameter.add(p);
        update.add(updates);
    }
    [parameter.sum(), update.sum()]
}

struct Measure<'a, R: Rule, T: Scalar> {
    constants: &'a R::Constants<T>,
    unit: &'a Unit,
    pieces: &'a [Piece],
    sums: &'a [Sums],
    riders: Riders,
}

impl<R: Rule, T: Scalar> Work for Measure<'_, R, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { constants, unit, pieces, sums, riders } = self;
        let mut scratch = Scratch::new();
        for (piece, sums) in pieces.iter().zip(sums) {
            let squares = measure::<R, T>(constants, unit, piece, riders, &mut scratch, None);
            sums.iter().zip(squares).for_each(|(sum, square)| sum.store(square.to_bits(), Ordering::Relaxed));
        }
    }
}

struct Apply<'a, R: Rule, T: Scalar> {
    constants: &'a R::Constants<T>,
    unit: &'a Unit,
    pieces: &'a [Piece],
    factor: f64,
}

impl<R: Rule, T: Scalar> Work for Apply<'_, R, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { constants, unit, pieces, factor } = self;
        let factor = T::from_f64(factor);
        let mut scratch = Scratch::new();
        for piece in pieces.iter().rev() {
            apply::<R, T>(constants, unit, piece, factor, &mut scratch);
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
    scratch: &mut Scratch<T>,
) {
    // SAFETY: as `Program::apply` and `Program::update_whole` ask for.
    let mut blocks = unsafe { unit.blocks::<T>(piece, Riders::NONE, Stage::Apply) };
    while let Some((block, _)) = blocks.next(scratch) {
        R::apply(constants, factor, block);
    }
}
