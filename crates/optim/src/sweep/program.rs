//! The loops of one optimizer, over pieces, and the constants that they run with.

use crate::instruction_set::{InstructionSet, Work};
use crate::norm::Squares;
use crate::rule::{Block, Rule, Step};
use crate::state::MAX_BUFFERS;
use crate::sweep::unit::{Piece, Riders, Scratch, Unit};
use crate::{OptionSet, Result, Scalar, Value};

/// What a sweep asks of an optimizer: a [`Rule`] with its types erased.
pub(crate) trait Program: Send + Sync {
    /// Sets the options of all groups.
    fn set_options(&mut self, rows: &mut dyn Iterator<Item = &[Value]>) -> Result<()>;
    /// What each state buffer of a group starts with.
    fn fills(&self, group: usize) -> [Option<f64>; MAX_BUFFERS];
    /// True if a group wants the norm of all gradients.
    fn wants_gradient_norm(&self) -> bool;
    /// True if parameters move by a factor that follows from norms.
    fn has_two_stages(&self) -> bool;
    /// Forgets the constants of the step before.
    fn clear(&mut self);
    /// The number under which units find their constants.
    fn add(&mut self, group: usize, step: Step) -> u32;

    /// Updates pieces.
    ///
    /// # Safety
    /// The pieces are those of the units, which are made of memory that nobody else has meanwhile.
    unsafe fn update(&self, set: InstructionSet, units: &[Unit], pieces: &[Piece], riders: Riders);

    /// The first stage of a piece. Returns the sums of the squares of parameter and update.
    ///
    /// # Safety
    /// As for [`Program::update`].
    unsafe fn measure(&self, set: InstructionSet, unit: &Unit, piece: &Piece, riders: Riders) -> [f64; 2];

    /// What the updates of a unit are multiplied by.
    fn factor(&self, unit: &Unit, squares: [f64; 2]) -> f64;

    /// The second stage of a piece.
    ///
    /// # Safety
    /// As for [`Program::update`].
    unsafe fn apply(&self, set: InstructionSet, unit: &Unit, piece: &Piece, factor: f64);
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

    fn fills(&self, group: usize) -> [Option<f64>; MAX_BUFFERS] {
        R::fills(&self.options[group])
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

    fn add(&mut self, group: usize, step: Step) -> u32 {
        let options = &self.options[group];
        let (float, double) = (R::constants::<f32>(options, &step), R::constants::<f64>(options, &step));
        self.constants.push(Constants { group, float, double });
        (self.constants.len() - 1) as u32
    }

    unsafe fn update(&self, set: InstructionSet, units: &[Unit], pieces: &[Piece], riders: Riders) {
        set.run(Update::<R> { constants: &self.constants, units, pieces, riders });
    }

    unsafe fn measure(&self, set: InstructionSet, unit: &Unit, piece: &Piece, riders: Riders) -> [f64; 2] {
        let constants = &self.constants[unit.constants as usize];
        match unit.double {
            false => set.run(Measure::<R, f32> { constants: &constants.float, unit, piece, riders }),
            true => set.run(Measure::<R, f64> { constants: &constants.double, unit, piece, riders }),
        }
    }

    fn factor(&self, unit: &Unit, squares: [f64; 2]) -> f64 {
        let [parameter, update] = squares.map(f64::sqrt);
        R::factor(&self.options[self.constants[unit.constants as usize].group], parameter, update)
    }

    unsafe fn apply(&self, set: InstructionSet, unit: &Unit, piece: &Piece, factor: f64) {
        let constants = &self.constants[unit.constants as usize];
        match unit.double {
            false => set.run(Apply::<R, f32> { constants: &constants.float, unit, piece, factor }),
            true => set.run(Apply::<R, f64> { constants: &constants.double, unit, piece, factor }),
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
        let mut floats = Scratch::new();
        let mut doubles = Scratch::new();
        for piece in pieces {
            let unit = &units[piece.unit as usize];
            let constants = &constants[unit.constants as usize];
            if unit.double {
                // SAFETY: as `Program::update` asks for.
                let mut blocks = unsafe { unit.blocks::<f64>(piece, riders, false) };
                while let Some((block, _)) = blocks.next(&mut doubles) {
                    R::update(&constants.double, block);
                }
            } else {
                // SAFETY: as above.
                let mut blocks = unsafe { unit.blocks::<f32>(piece, riders, false) };
                while let Some((block, _)) = blocks.next(&mut floats) {
                    R::update(&constants.float, block);
                }
            }
        }
    }
}

struct Measure<'a, R: Rule, T: Scalar> {
    constants: &'a R::Constants<T>,
    unit: &'a Unit,
    piece: &'a Piece,
    riders: Riders,
}

impl<R: Rule, T: Scalar> Work for Measure<'_, R, T> {
    type Output = [f64; 2];

    #[inline(always)]
    fn run(self) -> [f64; 2] {
        let Self { constants, unit, piece, riders } = self;
        let mut parameter = Squares::default();
        let mut update = Squares::default();
        let mut scratch = Scratch::new();
        // SAFETY: as `Program::measure` asks for.
        let mut blocks = unsafe { unit.blocks::<T>(piece, riders, true) };
        while let Some((Block { parameter: p, gradient, state }, updates)) = blocks.next(&mut scratch) {
            R::measure(constants, Block { parameter: &mut *p, gradient, state }, updates);
            parameter.add(p);
            update.add(updates);
        }
        [parameter.sum(), update.sum()]
    }
}

struct Apply<'a, R: Rule, T: Scalar> {
    constants: &'a R::Constants<T>,
    unit: &'a Unit,
    piece: &'a Piece,
    factor: f64,
}

impl<R: Rule, T: Scalar> Work for Apply<'_, R, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { constants, unit, piece, factor } = self;
        let factor = T::from_f64(factor);
        let mut scratch = Scratch::new();
        // SAFETY: as `Program::apply` asks for.
        let mut blocks = unsafe { unit.blocks::<T>(piece, Riders::NONE, false) };
        while let Some((block, _)) = blocks.next(&mut scratch) {
            R::apply(constants, factor, block);
        }
    }
}
