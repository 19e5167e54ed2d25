//! The state of some parameters from the file of a run, in an optimizer that keeps its groups and options.

use stepwell_optim::{Buffer, Code, Error, Result, State};

use crate::commands::array_store::ArrayStore;
use crate::commands::loaded_optimizer::{BufferFill, buffer_type};
use crate::commands::restore::state_of;
use crate::commands::state_entries::{Entries, flag, text};
use crate::engine::Engine;
use crate::training::bound_optimizer::BoundOptimizer;
use crate::values::data::Data;
use crate::values::named_arrays::{put, referenced};
use crate::values::value::{NumericArray, Value};

/// State for parameters by their positions through all groups.
pub(crate) struct LoadedStates {
    states: Vec<(usize, Option<State>)>,
    fills: Vec<BufferFill>,
}

impl LoadedStates {
    /// Checks that the state of a file is one of a given optimizer.
    ///
    /// # Errors
    /// [`Code::Format`] if it is one of another kind, or of swapped averages. [`Code::Unsupported`] for L-BFGS.
    pub(crate) fn new<E: Engine>(target: &BoundOptimizer<E>, saved: &Entries) -> Result<Self> {
        let (definition, given) = (target.optimizer.definition(), text(saved, "optimizer")?);
        if definition.name != given {
            let message = format_args!("expected a state of {}, given one of {given}", definition.name);
            return Err(Error::new(Code::Format, message));
        }
        if definition.needs_closure() {
            let message = format_args!("{given} has one state of all parameters, which loads only as a whole");
            return Err(Error::new(Code::Unsupported, message));
        }
        let (expected, given) = (target.optimizer.is_swapped(), flag(saved, "averaged")?.unwrap_or(false));
        if expected != given {
            let words = |is_swapped| if is_swapped { "swapped in" } else { "not swapped in" };
            let (expected, given) = (words(expected), words(given));
            let message =
                format_args!("expected averages that are {expected}, as by average(o), given ones that are {given}");
            return Err(Error::new(Code::Format, message));
        }
        Ok(Self { states: Vec::new(), fills: Vec::new() })
    }

    /// Takes the state of a parameter, and allocates the buffers that the given optimizer does not have.
    pub(crate) fn take<E: Engine>(
        &mut self,
        engine: &E,
        arrays: &ArrayStore,
        target: &BoundOptimizer<E>,
        position: usize,
        name: &str,
        buffers: &Entries,
    ) -> Result<()> {
        let Some(tensor) = target.tensors().get(position) else { return Ok(()) };
        let (shape, dtype) = (engine.shape(tensor)?, engine.dtype(tensor)?);
        let mut described = Value::Object(buffers.to_vec());
        put(&mut described, &mut |array| {
            let (dtype, shape) = arrays.describe(array)?;
            Ok(NumericArray { data: Data::empty(dtype), shape })
        })?;
        let Value::Object(described) = described else { return Ok(()) };
        let (definition, fused) = (target.optimizer.definition(), target.library().is_none());
        let mut state = state_of(definition, &described, name, &shape, dtype, fused)?;
        for (key, value) in buffers {
            let index = definition.state_keys().find(|(known, _)| known == key).map(|(_, index)| index);
            let (Some(index), Some(array), Some(state)) = (index, referenced(value), &mut state) else { continue };
            let (dtype, shape) = arrays.describe(array)?;
            let (element, length) = (buffer_type(dtype), shape.iter().product());
            let own = if fused { target.optimizer.buffer(position, index).ok() } else { None };
            let is_reused = own.is_some_and(|own| (own.element(), own.len()) == (element, length));
            if !is_reused {
                state.buffers[index] = Some(Buffer::zeros(element, length, index)?);
            }
            let reused = is_reused.then_some(position);
            self.fills.push(BufferFill { parameter: position, index, array: array.to_owned(), reused });
        }
        self.states.push((position, state));
        Ok(())
    }

    /// Reads the elements, and sets the states.
    pub(crate) fn complete<E: Engine>(
        self,
        engine: &E,
        arrays: &ArrayStore,
        target: &mut BoundOptimizer<E>,
    ) -> Result<()> {
        target.settle(engine)?;
        let mut all = target.take_states()?;
        for (position, mut state) in self.states {
            let Some(own) = all.get_mut(position) else { continue };
            std::mem::swap(own, &mut state);
            // The state now has the buffers of before.
            for BufferFill { index, reused, .. } in self.fills.iter().filter(|fill| fill.parameter == position) {
                if let (Some(_), Some(before), Some(own)) = (reused, &mut state, &mut *own) {
                    own.buffers[*index] = before.buffers[*index].take();
                }
            }
        }
        let mut failed = None;
        for BufferFill { parameter, index, array, .. } in &self.fills {
            if let Some(Some(state)) = all.get_mut(*parameter)
                && let Some(buffer) = &mut state.buffers[*index]
                && let Err(error) = arrays.fill_buffer(array, buffer, *index)
            {
                failed = Some(error);
            }
        }
        target.set_states(all)?;
        failed.map_or(Ok(()), Err)
    }
}
