//! What a step goes over: the memory of one parameter, its gradient and its state, and how it is cut into chunks.

use std::ops::Range;
use std::{ptr, slice};

use crate::numeric::scalar::Scalar;
use crate::options::rule_options::SharedOptions;
use crate::state::buffer::Buffer;
use crate::state::param_state::{AVERAGE, MASTER, MAX_BUFFERS, RULE_BUFFERS, State};
use crate::state::view::{Element, View};

/// The most elements of which updates are kept: they have to stay in the cache together with the parameter.
const MAX_STORED_UPDATE_LEN: usize = 1 << 22;

/// One parameter of a step. The addresses are those of a view and of buffers, and good for one step only; the next one
/// compares before it trusts them.
pub(crate) struct ParamTensor {
    /// Which of the rule's constants.
    pub(super) constants: u32,
    /// True if this step made the average.
    pub(super) created_average: bool,
    pub(super) element: Element,
    /// True if some of the formula's buffers are of 16 bits.
    pub(super) reduced_moments: bool,
    /// Which of them are.
    pub(super) reduced: [bool; RULE_BUFFERS],
    /// The share of the past in the average.
    pub(super) average_decay: f64,
    pub(super) length: usize,
    /// Which chunks.
    pub(super) chunks: Range<u32>,
    pub(super) parameter: *mut u8,
    pub(super) gradient: *mut u8,
    pub(super) buffers: [*mut u8; MAX_BUFFERS],
}

// SAFETY: the memory behind the addresses belongs to the step, which hands each element to one thread at a time.
unsafe impl Send for ParamTensor {}
// SAFETY: as above.
unsafe impl Sync for ParamTensor {}

impl ParamTensor {
    /// A tensor without its buffers, which [`ParamTensor::set_buffers`] adds. The caller sets what it is the tensor of.
    pub(super) fn new(view: &mut View<'_>, reduced: [bool; RULE_BUFFERS], shared: SharedOptions) -> Self {
        let (parameter, gradient) = view.addresses();
        Self {
            constants: 0,
            created_average: false,
            element: view.element(),
            reduced_moments: reduced.contains(&true),
            reduced,
            average_decay: shared.average.unwrap_or_default(),
            length: view.len(),
            chunks: 0..0,
            parameter,
            gradient,
            buffers: [ptr::null_mut(); MAX_BUFFERS],
        }
    }

    /// The buffers of the parameter's state, which has all that it needs.
    pub(super) fn set_buffers(&mut self, state: &mut State, shared: SharedOptions) {
        self.buffers = state.buffers.each_mut().map(|buffer| buffer.as_mut().map_or(ptr::null_mut(), Buffer::address));
        if shared.average.is_none() {
            // One that is kept from a time when it was wanted stays as it is.
            self.buffers[AVERAGE] = ptr::null_mut();
        }
    }

    /// Which chunks, to take them from their list.
    #[inline(always)]
    pub(super) fn chunk_range(&self) -> Range<usize> {
        self.chunks.start as usize..self.chunks.end as usize
    }

    /// True if it is computed with in 64 bits.
    #[inline(always)]
    pub(super) fn is_double(&self) -> bool {
        self.element == Element::Double
    }

    /// True if a block needs more than the formula.
    #[inline(always)]
    pub(super) fn needs_block_loop(&self) -> bool {
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
    pub(super) fn stores_updates(&self) -> bool {
        !self.reduced_moments && self.length <= MAX_STORED_UPDATE_LEN
    }

    /// Elements from `start` on of what begins at `address`.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`], and the elements are of this type.
    #[inline(always)]
    pub(super) unsafe fn elements<'a, E>(address: *mut u8, start: usize, length: usize) -> &'a mut [E] {
        // SAFETY: as the caller promises.
        unsafe { slice::from_raw_parts_mut(address.cast::<E>().add(start), length) }
    }

    /// The parameter's elements that the formula works on: its master weights where it has some.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`].
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the memory is not the tensor's own")]
    pub(super) unsafe fn weights<T: Scalar>(&self, start: usize, length: usize) -> &mut [T] {
        let address = if T::WIDENS && self.element.is_reduced() { self.buffers[MASTER] } else { self.parameter };
        // SAFETY: as the caller promises; master weights are of 32 bits, which is what 16 bits widen to.
        unsafe { Self::elements(address, start, length) }
    }

    /// Elements of the parameter and of its gradient, as they lie.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`], and both are of this type.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the memory is not the tensor's own")]
    pub(super) unsafe fn elements_of_both<T>(&self, start: usize, length: usize) -> (&mut [T], &[T]) {
        // SAFETY: as the caller promises.
        unsafe { (Self::elements(self.parameter, start, length), Self::elements(self.gradient, start, length)) }
    }
}
