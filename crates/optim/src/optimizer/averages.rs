//! Swapping parameters with their moving averages.

use crate::error::{Code, Error, Result};
use crate::optimizer::Optimizer;
use crate::state::buffer::Buffer;
use crate::state::param_state::{MASTER, PARAM_AVERAGE, SwapBuffers};

impl Optimizer {
    /// The buffers to swap with each parameter; `None` without an average.
    pub fn swap_buffers(&self) -> impl Iterator<Item = Option<SwapBuffers<&Buffer>>> {
        self.groups.iter().flat_map(|group| &group.states).map(|state| {
            let state = state.as_ref()?;
            let average = state.buffers[PARAM_AVERAGE].as_ref()?;
            Some(SwapBuffers { master: state.buffers[MASTER].as_ref(), average })
        })
    }

    /// Stores the swapped buffers and toggles the `swapped` flag.
    pub fn set_swapped_buffers(&mut self, buffers: Vec<Option<SwapBuffers<Buffer>>>) {
        let states = self.groups.iter_mut().flat_map(|group| &mut group.states);
        for (state, swapped) in states.zip(buffers) {
            if let (Some(state), Some(SwapBuffers { master, average })) = (state, swapped) {
                state.buffers[MASTER] = master;
                state.buffers[PARAM_AVERAGE] = Some(average);
            }
        }
        self.swapped = !self.swapped;
        self.invalidate();
    }

    /// Checks that parameters and averages are not swapped, as a step requires.
    ///
    /// # Errors
    /// [`Code::Parameter`]
    pub fn check_not_swapped(&self) -> Result<()> {
        if !self.swapped {
            return Ok(());
        }
        let message = "parameters and their averages are swapped: swap them back first, by average(optimizer)";
        Err(Error::new(Code::Parameter, message))
    }

    /// True while parameters and averages are swapped.
    pub fn is_swapped(&self) -> bool {
        self.swapped
    }

    /// Sets the `swapped` flag of a restored state.
    pub fn set_swapped(&mut self, swapped: bool) {
        self.swapped = swapped;
    }
}
