//! Room for the updates of an optimizer with two stages, from the first stage to the second.

use std::ptr::NonNull;

use crate::error::Result;
use crate::memory::{Elements, padding_to_offset};
use crate::numeric::scalar::Scalar;
use crate::state::page_offsets::{SPARE, UPDATE, page_offset};
use crate::sweep::param_tensor::Unit;

/// Room for the updates of one unit at a time, of either type. Those of the next may take the place of those that are not
/// wanted any more: an element of one unit lies where that of another does.
#[derive(Default)]
pub(crate) struct Room {
    floats: Option<Elements<f32>>,
    doubles: Option<Elements<f64>>,
    /// Where the parameter of one of the units begins: mostly, all are at that place of a page.
    parameter: usize,
}

/// Where the updates of a unit are kept from the first stage to the second.
#[derive(Clone, Copy)]
pub(crate) struct Updates(NonNull<u8>);

// SAFETY: the elements there are handed to one thread at a time, as those of a unit.
unsafe impl Send for Updates {}
// SAFETY: as above.
unsafe impl Sync for Updates {}

impl Updates {
    /// Those of some elements.
    ///
    /// # Safety
    /// As for [`crate::sweep::erased_rule::Program::pass`]; `T` is the type that the unit is computed with in.
    #[inline(always)]
    pub(super) unsafe fn block<'a, T: Scalar>(self, start: usize, length: usize) -> &'a mut [T] {
        // SAFETY: as the caller promises; there is room for all of the unit.
        unsafe { Unit::elements(self.0.as_ptr(), start, length) }
    }
}

impl Room {
    /// Makes room for the largest of these units that keep their updates.
    pub(super) fn reserve<'a>(&mut self, units: impl Iterator<Item = &'a Unit>) -> Result<()> {
        let [mut floats, mut doubles] = [0; 2];
        for unit in units.filter(|unit| unit.keeps_updates()) {
            let most = if unit.is_double() { &mut doubles } else { &mut floats };
            *most = unit.length.max(*most);
            self.parameter = unit.address();
        }
        fn grow<T: Scalar>(room: &mut Option<Elements<T>>, length: usize) -> Result<()> {
            if room.as_ref().map_or(0, |room| room.len()) < length + SPARE && length > 0 {
                *room = None;
                *room = Some(Elements::new(length + SPARE)?);
            }
            Ok(())
        }
        grow(&mut self.floats, floats)?;
        grow(&mut self.doubles, doubles)
    }

    /// Keeps updates apart from these units, whose buffers are there now.
    pub(super) fn aim<'a>(&mut self, units: impl Iterator<Item = &'a Unit>) {
        self.parameter = units.filter(|unit| unit.keeps_updates()).last().map_or(0, Unit::address);
    }

    /// The room of a unit that keeps its updates.
    pub(super) fn updates(&self, unit: &Unit) -> Option<Updates> {
        fn place<T: Scalar>(room: &Option<Elements<T>>, unit: &Unit, parameter: usize) -> Option<Updates> {
            let room = room.as_ref()?;
            let start = padding_to_offset(room.first().addr().get(), page_offset(parameter, UPDATE)) / size_of::<T>();
            // SAFETY: within the room.
            (start + unit.length <= room.len()).then(|| Updates(unsafe { room.first().add(start) }.cast()))
        }
        match unit.keeps_updates() {
            true if unit.is_double() => place(&self.doubles, unit, self.parameter),
            true => place(&self.floats, unit, self.parameter),
            false => None,
        }
    }
}
