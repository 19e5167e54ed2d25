//! What a step goes over: the memory of one parameter, its gradient and its state, and how it is cut into pieces.

use std::ops::Range;
use std::{ptr, slice};

use half::{bf16, f16};

use crate::numeric::clip::Prepare;
use crate::numeric::norm::BLOCK;
use crate::numeric::scalar::{Reduced, Scalar};
use crate::options::rule_options::Common;
use crate::state::buffer::Buffer;
use crate::state::param_state::{AVERAGE, MASTER, MAX_BUFFERS, RULE_BUFFERS, State};
use crate::state::view::{Element, View};

/// Elements of a piece: enough that beginning one costs nothing, few enough that threads finish together. A multiple of
/// the lanes of a sum, and the same for any number of threads: sums are taken for each piece and then together.
pub(super) const PIECE: usize = 1 << 14;

/// The most elements of which updates are kept: they have to stay in the cache together with the parameter.
const KEPT: usize = 1 << 22;

/// One parameter of a step. The addresses are those of a view and of buffers, and good for one step only; the next one
/// compares before it trusts them.
pub(crate) struct Unit {
    /// Which of the program's constants.
    pub(super) constants: u32,
    /// True if this step made the average.
    pub(super) fresh_average: bool,
    pub(super) element: Element,
    /// True if some of the formula's buffers are of 16 bits.
    pub(super) reduced_moments: bool,
    /// Which of them are.
    pub(super) reduced: [bool; RULE_BUFFERS],
    /// The share of the past in the average.
    average_decay: f64,
    pub(super) length: usize,
    /// Which pieces.
    pub(super) pieces: Range<u32>,
    parameter: *mut u8,
    gradient: *mut u8,
    pub(super) buffers: [*mut u8; MAX_BUFFERS],
}

// SAFETY: the memory behind the addresses belongs to the step, which hands each element to one thread at a time.
unsafe impl Send for Unit {}
// SAFETY: as above.
unsafe impl Sync for Unit {}

/// Elements of a unit that lie together.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub(super) unit: u32,
    /// Those of the unit, so that to tell them apart touches no unit.
    pub(super) constants: u32,
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

impl Riders {
    pub(super) const NONE: Riders = Riders { prepare: Prepare::Keep, zero: false };
}

impl Unit {
    /// A unit without its buffers, which [`Unit::set_buffers`] adds. The caller sets what it is the unit of.
    pub(super) fn new(view: &mut View<'_>, reduced: [bool; RULE_BUFFERS], common: Common) -> Self {
        let (parameter, gradient) = view.addresses();
        Self {
            constants: 0,
            fresh_average: false,
            element: view.element(),
            reduced_moments: reduced.contains(&true),
            reduced,
            average_decay: common.average.unwrap_or_default(),
            length: view.len(),
            pieces: 0..0,
            parameter,
            gradient,
            buffers: [ptr::null_mut(); MAX_BUFFERS],
        }
    }

    /// The buffers of the parameter's state, which has all that it needs.
    pub(super) fn set_buffers(&mut self, state: &mut State, common: Common) {
        self.buffers = state.buffers.each_mut().map(|buffer| buffer.as_mut().map_or(ptr::null_mut(), Buffer::address));
        if common.average.is_none() {
            // One that is kept from a time when it was wanted stays as it is.
            self.buffers[AVERAGE] = ptr::null_mut();
        }
    }

    /// Which pieces, to take them from their list.
    #[inline(always)]
    pub(super) fn piece_range(&self) -> Range<usize> {
        self.pieces.start as usize..self.pieces.end as usize
    }

    /// True if it is computed with in 64 bits.
    #[inline(always)]
    pub(super) fn is_double(&self) -> bool {
        self.element == Element::Double
    }

    /// True if a block needs more than the formula.
    #[inline(always)]
    pub(super) fn is_special(&self) -> bool {
        self.element.is_reduced() || self.reduced_moments || !self.buffers[AVERAGE].is_null()
    }

    /// Where the parameter that the formula works on begins, as a number.
    pub(super) fn address(&self) -> usize {
        let master = self.buffers[MASTER];
        if master.is_null() { self.parameter.addr() } else { master.addr() }
    }

    /// True if its updates are kept from the first stage to the second, where there are two. An update is computed again
    /// from state that was rounded when it was stored, so that it is the same whoever does it; and where it would have to
    /// come from memory, which costs more than what it is made of.
    pub(super) fn keeps_updates(&self) -> bool {
        !self.reduced_moments && self.length <= KEPT
    }

    /// Elements from `start` on of what begins at `address`.
    ///
    /// # Safety
    /// As for [`Unit::blocks`], and the elements are of this type.
    #[inline(always)]
    pub(super) unsafe fn elements<'a, E>(address: *mut u8, start: usize, length: usize) -> &'a mut [E] {
        // SAFETY: as the caller promises.
        unsafe { slice::from_raw_parts_mut(address.cast::<E>().add(start), length) }
    }

    /// The parameter's elements that the formula works on: its master weights where it has some.
    ///
    /// # Safety
    /// As for [`Unit::blocks`].
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the memory is not the unit's own")]
    pub(super) unsafe fn weights<T: Scalar>(&self, start: usize, length: usize) -> &mut [T] {
        let address = if T::WIDENS && self.element.is_reduced() { self.buffers[MASTER] } else { self.parameter };
        // SAFETY: as the caller promises; master weights are of 32 bits, which is what 16 bits widen to.
        unsafe { Self::elements(address, start, length) }
    }

    /// Elements of the parameter and of its gradient, as they lie.
    ///
    /// # Safety
    /// As for [`Unit::blocks`], and both are of this type.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the memory is not the unit's own")]
    pub(super) unsafe fn elements_of_both<T>(&self, start: usize, length: usize) -> (&mut [T], &[T]) {
        // SAFETY: as the caller promises.
        unsafe { (Self::elements(self.parameter, start, length), Self::elements(self.gradient, start, length)) }
    }

    /// Takes master weights anew from a parameter of 16 bits that somebody else has set: where they no longer round to it.
    ///
    /// # Safety
    /// As for [`Unit::blocks`].
    #[inline(always)]
    pub(super) unsafe fn refresh_masters(&self, start: usize, length: usize) {
        if !self.element.is_reduced() {
            return;
        }
        // SAFETY: as the caller promises; master weights are of 32 bits.
        unsafe {
            match self.element {
                Element::Half => refresh(
                    Self::elements::<f16>(self.parameter, start, length),
                    Self::elements(self.buffers[MASTER], start, length),
                    [f16::ZERO; BLOCK],
                ),
                Element::BFloat16 => refresh(
                    Self::elements::<bf16>(self.parameter, start, length),
                    Self::elements(self.buffers[MASTER], start, length),
                    [bf16::ZERO; BLOCK],
                ),
                Element::Float | Element::Double => {}
            }
        }
    }

    /// The gradient's elements; as they lie, or widened into `wide`.
    ///
    /// # Safety
    /// As for [`Unit::blocks`].
    #[inline(always)]
    pub(super) unsafe fn gradient<'a, T: Scalar>(
        &self,
        start: usize,
        wide: &'a mut [T; BLOCK],
        length: usize,
    ) -> &'a mut [T] {
        // SAFETY: as the caller promises.
        unsafe {
            match self.element {
                _ if !self.element.is_reduced() => Self::elements(self.gradient, start, length),
                Element::Half if T::WIDENS => {
                    let wide = &mut wide[..length];
                    T::widen(Self::elements::<f16>(self.gradient, start, length), wide);
                    wide
                }
                Element::BFloat16 if T::WIDENS => {
                    let wide = &mut wide[..length];
                    T::widen(Self::elements::<bf16>(self.gradient, start, length), wide);
                    wide
                }
                _ => Self::elements(self.gradient, start, length),
            }
        }
    }

    /// The gradient's elements in `room`, as prepared, and set to zero where they lie if that is asked for.
    ///
    /// # Safety
    /// As for [`Unit::blocks`].
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(super) unsafe fn prepared_gradient<'a, T: Scalar>(
        &self,
        start: usize,
        room: &'a mut [T; BLOCK],
        length: usize,
        riders: Riders,
    ) -> &'a mut [T] {
        // SAFETY: as the caller promises.
        unsafe {
            if self.element.is_reduced() {
                self.gradient(start, room, length);
                if riders.zero {
                    // The zero of 16 bits.
                    Self::elements::<u16>(self.gradient, start, length).fill(0);
                }
            } else {
                let gradient = Self::elements::<T>(self.gradient, start, length);
                room[..length].copy_from_slice(gradient);
                if riders.zero {
                    gradient.fill(T::default());
                }
            }
        }
        let prepared = &mut room[..length];
        riders.prepare.apply(prepared);
        prepared
    }

    /// What follows once the weights have moved: the parameter of 16 bits, and the average.
    ///
    /// # Safety
    /// As for [`Unit::blocks`].
    #[cfg_attr(target_family = "wasm", inline(never))]
    #[cfg_attr(not(target_family = "wasm"), inline(always))]
    pub(super) unsafe fn follow<T: Scalar>(&self, start: usize, length: usize) {
        if !self.is_special() {
            return;
        }
        // SAFETY: as the caller promises.
        unsafe {
            let weights: &[T] = self.weights(start, length);
            match self.element {
                _ if !self.element.is_reduced() => {}
                Element::Half if T::WIDENS => {
                    T::narrow(weights, Self::elements::<f16>(self.parameter, start, length));
                }
                Element::BFloat16 if T::WIDENS => {
                    T::narrow(weights, Self::elements::<bf16>(self.parameter, start, length));
                }
                _ => {}
            }
            if self.buffers[AVERAGE].is_null() {
                return;
            }
            let average = Self::elements::<T>(self.buffers[AVERAGE], start, length);
            if self.fresh_average {
                average.copy_from_slice(weights);
            } else {
                // As torch's `lerp`, from the nearer end.
                let (past, rest) = (T::from_f64(self.average_decay), T::from_f64(1.0 - self.average_decay));
                if self.average_decay > 0.5 {
                    for (average, weight) in average.iter_mut().zip(weights) {
                        *average = *average + rest * (*weight - *average);
                    }
                } else {
                    for (average, weight) in average.iter_mut().zip(weights) {
                        *average = *weight - (*weight - *average) * past;
                    }
                }
            }
        }
    }
}

/// See [`Unit::refresh_masters`].
#[inline(always)]
fn refresh<H: Reduced + PartialEq + Into<f32>>(parameter: &[H], master: &mut [f32], mut room: [H; BLOCK]) {
    let rounded = &mut room[..master.len()];
    H::narrow(master, rounded);
    if *rounded == *parameter {
        return;
    }
    for ((master, rounded), parameter) in master.iter_mut().zip(rounded).zip(parameter) {
        if *rounded != *parameter {
            *master = (*parameter).into();
        }
    }
}
