//! A tensor of a step: pointers to one parameter, its gradient and its state.

use std::ops::Range;
use std::{ptr, slice};

use crate::numeric::scalar::Scalar;
use crate::options::rule_options::SharedOptions;
use crate::state::buffer::Buffer;
use crate::state::param_state::{MASTER, MAX_BUFFERS, PARAM_AVERAGE, RULE_BUFFERS, State};
use crate::state::view::{Element, View};

/// In elements; 16 MiB as f32. Larger updates do not fit into the cache together with the parameter, and are computed
/// again (decision 0012).
const MAX_STORED_UPDATE_LEN: usize = 1 << 22;

/// One parameter of a step. The pointers come from a view and from state buffers, and are valid for one step. The next
/// step compares addresses before it uses them.
pub(crate) struct ParamTensor {
    /// Index into the rule's constants.
    pub(super) constants: u32,
    /// True if this step created the moving average of the parameter.
    pub(super) created_param_average: bool,
    pub(super) element: Element,
    /// True if some buffers of the formula are in bfloat16.
    pub(super) has_bfloat16_buffers: bool,
    /// The buffers of the formula that are in bfloat16.
    pub(super) bfloat16_buffers: [bool; RULE_BUFFERS],
    /// The weight of the past in the moving average of the parameter.
    pub(super) average_decay: f64,
    pub(super) length: usize,
    /// The index of its first element in the parameter, of which it may be a part.
    #[cfg(not(target_family = "wasm"))]
    pub(super) first: usize,
    /// Indices of its chunks.
    pub(super) chunks: Range<u32>,
    pub(super) parameter: *mut u8,
    pub(super) gradient: *mut u8,
    pub(super) buffers: [*mut u8; MAX_BUFFERS],
}

// SAFETY: the memory at the pointers belongs to the step, which gives each element to one thread at a time.
unsafe impl Send for ParamTensor {}
// SAFETY: as above.
unsafe impl Sync for ParamTensor {}

impl ParamTensor {
    /// A tensor without buffers, which [`ParamTensor::set_buffers`] adds. The caller sets `constants` and `chunks`.
    pub(super) fn new(view: &mut View<'_>, bfloat16_buffers: [bool; RULE_BUFFERS], shared: SharedOptions) -> Self {
        let (parameter, gradient) = view.addresses();
        Self {
            constants: 0,
            created_param_average: false,
            element: view.element(),
            has_bfloat16_buffers: bfloat16_buffers.contains(&true),
            bfloat16_buffers,
            average_decay: shared.average.unwrap_or_default(),
            length: view.len(),
            #[cfg(not(target_family = "wasm"))]
            first: 0,
            chunks: 0..0,
            parameter,
            gradient,
            buffers: [ptr::null_mut(); MAX_BUFFERS],
        }
    }

    /// Sets the pointers to the buffers of the parameter's state, which are complete.
    pub(super) fn set_buffers(&mut self, state: &mut State, shared: SharedOptions) {
        self.buffers = state.buffers.each_mut().map(|buffer| buffer.as_mut().map_or(ptr::null_mut(), Buffer::address));
        if shared.average.is_none() {
            // An average from the time before the option was turned off stays unchanged.
            self.buffers[PARAM_AVERAGE] = ptr::null_mut();
        }
    }

    /// Indices of its chunks in the list of chunks.
    #[inline(always)]
    pub(super) fn chunk_range(&self) -> Range<usize> {
        self.chunks.start as usize..self.chunks.end as usize
    }

    /// The index of an element in the parameter.
    #[inline(always)]
    pub(super) fn index_in_parameter(&self, element: usize) -> usize {
        #[cfg(not(target_family = "wasm"))]
        return self.first + element;
        #[cfg(target_family = "wasm")]
        element
    }

    /// True if the formula computes in f64.
    #[inline(always)]
    pub(super) fn is_double(&self) -> bool {
        self.element == Element::Double
    }

    /// True if a block needs more than the formula: conversion or the moving average.
    #[inline(always)]
    pub(super) fn needs_block_loop(&self) -> bool {
        self.element.is_16_bit() || self.has_bfloat16_buffers || !self.buffers[PARAM_AVERAGE].is_null()
    }

    /// The address of the weights that the formula updates.
    pub(super) fn address(&self) -> usize {
        let master = self.buffers[MASTER];
        if master.is_null() { self.parameter.addr() } else { master.addr() }
    }

    /// True if a rule with two stages stores the updates between them. It computes them again if moments were rounded
    /// when they were stored, so that the result does not depend on the plan. It also does if reading them back from
    /// memory would take longer.
    pub(super) fn stores_updates(&self) -> bool {
        !self.has_bfloat16_buffers && self.length <= MAX_STORED_UPDATE_LEN
    }

    /// The elements of an array at `address`, from index `start`.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`]; in addition, the elements have this type.
    #[inline(always)]
    pub(super) unsafe fn elements<'a, E>(address: *mut u8, start: usize, length: usize) -> &'a mut [E] {
        // SAFETY: as the caller promises.
        unsafe { slice::from_raw_parts_mut(address.cast::<E>().add(start), length) }
    }

    /// The elements that the formula updates: the master weights if there are any, else the parameter.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`].
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the memory is not the tensor's own")]
    pub(super) unsafe fn weights<T: Scalar>(&self, start: usize, length: usize) -> &mut [T] {
        let address = if T::WIDENS && self.element.is_16_bit() { self.buffers[MASTER] } else { self.parameter };
        // SAFETY: as the caller promises; master weights are of 32 bits, which is what 16 bits widen to.
        unsafe { Self::elements(address, start, length) }
    }

    /// Elements of the parameter and of its gradient in memory, without conversion.
    ///
    /// # Safety
    /// As for [`ParamTensor::blocks`]; in addition, both have this type.
    #[inline(always)]
    #[allow(clippy::mut_from_ref, reason = "the memory is not the tensor's own")]
    pub(super) unsafe fn elements_of_both<T>(&self, start: usize, length: usize) -> (&mut [T], &[T]) {
        // SAFETY: as the caller promises.
        unsafe { (Self::elements(self.parameter, start, length), Self::elements(self.gradient, start, length)) }
    }
}
