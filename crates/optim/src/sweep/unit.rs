//! What a step goes over: the memory of one parameter, its gradient and its state, and how it is cut into pieces.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::{ptr, slice};

use crate::clip::Prepare;
use crate::instruction_set::Work;
use crate::norm::Squares;
use crate::rule::Block;
use crate::state::{Buffer, MAX_BUFFERS, State};
use crate::sweep::tasks::Sums;
use crate::{Scalar, View};

/// Elements of a piece: enough that beginning one costs nothing, few enough that threads finish together. A multiple of
/// the lanes of a sum, and the same for any number of threads: sums are taken for each piece and then together.
pub(super) const PIECE: usize = 1 << 14;

/// Elements that are prepared at a time, so that they are still in the nearest cache when the formula reads them. A
/// multiple of the lanes of a sum.
pub(super) const BLOCK: usize = 512;

/// One parameter of a step. The addresses are those of a view and of buffers, and good for one step only; the next one
/// compares before it trusts them.
pub(crate) struct Unit {
    /// Which view.
    pub(super) view: u32,
    /// Which group, and which parameter of it.
    pub(super) group: u32,
    pub(super) index: u32,
    /// Which of the program's constants.
    pub(super) constants: u32,
    /// True if its state was made by this step.
    pub(super) fresh: bool,
    /// True if the elements are of 64 bits.
    pub(super) double: bool,
    pub(super) length: usize,
    /// Which pieces.
    pub(super) pieces: Range<u32>,
    parameter: *mut u8,
    gradient: *mut u8,
    state: [*mut u8; MAX_BUFFERS],
}

// SAFETY: the memory behind the addresses belongs to the step, which hands each element to one thread at a time.
unsafe impl Send for Unit {}
// SAFETY: as above.
unsafe impl Sync for Unit {}

/// Elements of a unit that lie together.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub(super) unit: u32,
    pub(super) start: usize,
    pub(super) length: usize,
}

/// What is done to gradients on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Riders {
    pub(super) prepare: Prepare,
    /// Set the gradient to zero once it has been read for the last time.
    pub(super) zero: bool,
}

/// Room for one block of what is not kept; each thread has its own.
pub(super) struct Scratch<T> {
    gradient: [T; BLOCK],
    update: [T; BLOCK],
}

impl Riders {
    pub(super) const NONE: Riders = Riders { prepare: Prepare::Keep, zero: false };
}

impl<T: Scalar> Scratch<T> {
    pub(super) fn new() -> Self {
        Self { gradient: [T::default(); BLOCK], update: [T::default(); BLOCK] }
    }
}

impl Unit {
    /// A unit of a parameter whose state has every buffer that it needs. The caller sets what it is the unit of.
    pub(super) fn new(view: &mut View<'_>, state: &mut State) -> Self {
        let address = |buffer: &mut Option<Buffer>| match buffer {
            Some(Buffer::Float(elements)) => elements.as_mut_ptr().cast(),
            Some(Buffer::Double(elements)) => elements.as_mut_ptr().cast(),
            None => ptr::null_mut(),
        };
        let (parameter, gradient) = view.addresses();
        Self {
            view: 0,
            group: 0,
            index: 0,
            constants: 0,
            fresh: false,
            double: matches!(view, View::Double(..)),
            length: view.len(),
            pieces: 0..0,
            parameter,
            gradient,
            state: state.buffers.each_mut().map(address),
        }
    }

    /// True if the unit is made of this view.
    #[inline]
    pub(super) fn is_of(&self, number: usize, view: &mut View<'_>) -> bool {
        self.view as usize == number
            && self.double == matches!(view, View::Double(..))
            && self.length == view.len()
            && (self.parameter, self.gradient) == view.addresses()
    }

    /// The parameter's elements of a piece.
    ///
    /// # Safety
    /// As for [`Unit::blocks`].
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the memory is not the unit's own")]
    pub(super) unsafe fn parameter<T: Scalar>(&self, piece: &Piece) -> &mut [T] {
        // SAFETY: as the caller promises.
        unsafe { slice::from_raw_parts_mut(self.parameter.cast::<T>().add(piece.start), piece.length) }
    }

    /// The elements of a piece, block by block, with the gradient as prepared. One block does where nothing has to be
    /// prepared and `small` does not ask for blocks.
    ///
    /// # Safety
    /// `T` is the unit's type, the piece is one of the unit's, the step that made the unit is not over, and nobody else
    /// has these elements meanwhile.
    #[inline(always)]
    pub(super) unsafe fn blocks<T: Scalar>(&self, piece: &Piece, riders: Riders, small: bool) -> Blocks<'_, T> {
        let whole = riders == Riders::NONE && !small;
        let most = if whole { piece.length } else { BLOCK };
        Blocks { unit: self, start: piece.start, end: piece.start + piece.length, most, riders, element: PhantomData }
    }
}

/// See [`Unit::blocks`].
pub(super) struct Blocks<'a, T> {
    unit: &'a Unit,
    start: usize,
    end: usize,
    most: usize,
    riders: Riders,
    element: PhantomData<T>,
}

impl<T: Scalar> Blocks<'_, T> {
    /// The next block, and room for an update of it. The block before is over.
    #[inline(always)]
    pub(super) fn next<'a>(&'a mut self, scratch: &'a mut Scratch<T>) -> Option<(Block<'a, T>, &'a mut [T])> {
        let Self { unit, start, end, most, riders, .. } = self;
        if *start >= *end {
            return None;
        }
        let (first, length) = (*start, (*most).min(*end - *start));
        *start += length;
        // SAFETY: as promised to `Unit::blocks`; blocks do not overlap, and this one is borrowed from the iterator.
        let elements = |address: *mut u8| unsafe { slice::from_raw_parts_mut(address.cast::<T>().add(first), length) };
        let parameter = elements(unit.parameter);
        let state = unit.state.map(|address| if address.is_null() { &mut [][..] } else { elements(address) });
        let mut gradient = elements(unit.gradient);
        if *riders != Riders::NONE {
            let prepared = &mut scratch.gradient[..length];
            prepared.copy_from_slice(gradient);
            riders.prepare.apply(prepared);
            if riders.zero {
                gradient.fill(T::default());
            }
            gradient = prepared;
        }
        // Where blocks are larger than the room, nobody asked for it.
        let room = length.min(BLOCK);
        Some((Block { parameter, gradient, state }, &mut scratch.update[..room]))
    }
}

/// Sums of the squares of gradients as prepared, for each piece.
pub(super) struct GradientSquares<'a> {
    pub(super) units: &'a [Unit],
    pub(super) pieces: &'a [Piece],
    pub(super) sums: &'a [Sums],
    pub(super) prepare: Prepare,
}

impl Work for GradientSquares<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { units, pieces, sums, prepare } = self;
        let (mut floats, mut doubles) = (Scratch::new(), Scratch::new());
        for (piece, sums) in pieces.iter().zip(sums) {
            let unit = &units[piece.unit as usize];
            let squares = match unit.double {
                false => squares::<f32>(unit, piece, prepare, &mut floats),
                true => squares::<f64>(unit, piece, prepare, &mut doubles),
            };
            sums[0].store(squares.to_bits(), Ordering::Relaxed);
        }
    }
}

#[inline(always)]
fn squares<T: Scalar>(unit: &Unit, piece: &Piece, prepare: Prepare, scratch: &mut Scratch<T>) -> f64 {
    // SAFETY: the piece is the unit's, whose step is not over, and nobody writes to gradients before they are measured.
    let gradient =
        unsafe { slice::from_raw_parts(unit.gradient.cast::<T>().cast_const().add(piece.start), piece.length) };
    let mut squares = Squares::default();
    if prepare == Prepare::Keep {
        squares.add(gradient);
        return squares.sum();
    }
    for block in gradient.chunks(BLOCK) {
        let prepared = &mut scratch.gradient[..block.len()];
        prepared.copy_from_slice(block);
        prepare.apply(prepared);
        squares.add(prepared);
    }
    squares.sum()
}
