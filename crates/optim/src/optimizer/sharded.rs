//! An optimizer whose state several processes share, each of which has the state of the parts of parameters that it owns.

use crate::error::{Code, Error, Result};
use crate::fallible::with_capacity;
use crate::optimizer::Optimizer;
use crate::state::view::View;
use crate::sweep::Sweep;
use crate::sweep::shards::Shards;

impl Optimizer {
    /// Forgets the state of what other processes own.
    ///
    /// # Errors
    /// [`Code::Memory`]. The state of some parameters is then forgotten.
    pub fn keep_owned(&mut self, shards: &Shards) -> Result<()> {
        self.invalidate();
        let states = self.groups.iter_mut().flat_map(|group| &mut group.states);
        for (state, (parameter, parts)) in states.zip(shards.parts().iter().enumerate()) {
            let (Some(own), [.., last]) = (shards.own(parameter), &**parts) else {
                *state = None;
                continue;
            };
            let length = last.range.end;
            let buffers = state.iter_mut().flat_map(|state| &mut state.buffers).enumerate();
            for (index, buffer) in buffers.filter_map(|(index, buffer)| Some((index, buffer.as_mut()?))) {
                if own.len() < length && buffer.len() == length {
                    *buffer = buffer.part(own, index)?;
                }
            }
        }
        Ok(())
    }

    /// True if parts of a parameter may belong to several processes. A trust ratio needs the norm of a whole one.
    pub fn splits_parameters(&self) -> bool {
        self.sweep.as_ref().is_some_and(Sweep::splits_parameters)
    }
}

/// Narrows views to what this process owns. Returns the views of the rest, which a step does not update.
pub(super) fn keep_own<'a>(shards: &Shards, views: &mut [Option<View<'a>>]) -> Result<Vec<View<'a>>> {
    let mut others = with_capacity(2 * views.len())?;
    for (parameter, slot) in views.iter_mut().enumerate() {
        let Some(view) = slot.take() else { continue };
        match shards.own(parameter) {
            None => others.push(view),
            Some(own) if !view.contains(own) => {
                return Err(Error::new(Code::Internal, "a part of a parameter that is not there"));
            }
            Some(own) => {
                let [before, view, after] = view.split(own);
                *slot = Some(view);
                others.extend([before, after]);
            }
        }
    }
    Ok(others)
}
