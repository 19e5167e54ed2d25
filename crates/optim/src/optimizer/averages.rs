//! The exchange of parameters and their moving averages.

use crate::error::{Code, Error, Result};
use crate::optimizer::Optimizer;
use crate::state::buffer::Buffer;
use crate::state::param_state::{AVERAGE, Averaged, MASTER};

impl Optimizer {
    /// What each parameter has to be exchanged with its average; `None` where there is no average.
    pub fn averages(&self) -> impl Iterator<Item = Option<Averaged<&Buffer>>> {
        self.groups.iter().flat_map(|group| &group.states).map(|state| {
            let state = state.as_ref()?;
            let average = state.buffers[AVERAGE].as_ref()?;
            Some(Averaged { master: state.buffers[MASTER].as_ref(), average })
        })
    }

    /// Sets the same once they have been exchanged, and keeps which way it was.
    pub fn set_averages(&mut self, averages: Vec<Option<Averaged<Buffer>>>) {
        let states = self.groups.iter_mut().flat_map(|group| &mut group.states);
        for (state, averaged) in states.zip(averages) {
            if let (Some(state), Some(Averaged { master, average })) = (state, averaged) {
                state.buffers[MASTER] = master;
                state.buffers[AVERAGE] = Some(average);
            }
        }
        self.averaged = !self.averaged;
        self.invalidate();
    }

    /// Fails while parameters and their averages are exchanged: no step can be made then.
    ///
    /// # Errors
    /// [`Code::Parameter`]
    pub fn check_not_averaged(&self) -> Result<()> {
        if !self.averaged {
            return Ok(());
        }
        let message = "parameters and their averages are exchanged: exchange them back first, by average(optimizer)";
        Err(Error::new(Code::Parameter, message))
    }

    /// True while parameters and their averages are exchanged.
    pub fn is_averaged(&self) -> bool {
        self.averaged
    }

    /// Says whether parameters and their averages are exchanged, in a state that was saved.
    pub fn set_averaged(&mut self, averaged: bool) {
        self.averaged = averaged;
    }
}
