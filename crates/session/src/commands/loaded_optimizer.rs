//! An optimizer of the file of a run, whose buffers are read into place.

use stepwell_optim::{Buffer, BufferType, Code, Error, Result, State};

use crate::commands::array_store::ArrayStore;
use crate::commands::restore::Restored;
use crate::commands::state_entries::{Entries, dictionary, find, list, whole};
use crate::engine::Engine;
use crate::training::bound_optimizer::BoundOptimizer;
use crate::values::dedupe::first_positions;
use crate::values::dtype::Dtype;
use crate::values::named_arrays::referenced;

/// A buffer that gets its elements from an array.
pub(crate) struct BufferFill {
    /// The position of the parameter through all groups, and the index of the buffer.
    pub(crate) parameter: usize,
    pub(crate) index: usize,
    pub(crate) array: String,
    /// The parameter of the given optimizer whose buffer is used again, so that it takes no memory twice.
    pub(crate) reused: Option<usize>,
}

/// An optimizer, and where its buffers come from.
pub(crate) struct LoadedOptimizer<E: Engine> {
    restored: Restored<E>,
    fills: Vec<BufferFill>,
}

/// The buffers of a state that are arrays of a file.
pub(crate) fn fills_of<E: Engine>(saved: &Entries, restored: &Restored<E>) -> Result<Vec<BufferFill>> {
    let definition = restored.bound.optimizer.definition();
    let mut rows = Vec::new();
    for row in list(saved, "parms")? {
        let row = dictionary("parms", row)?;
        rows.push((whole(row, "parmgroup", u64::from(u32::MAX))?, row));
    }
    // Parameters count group after group, in their order.
    rows.sort_by_key(|(group, _)| *group);
    let mut fills = Vec::new();
    for (parameter, (_, row)) in rows.into_iter().enumerate() {
        let Some(buffers) = find(row, "buffers") else { continue };
        for (key, value) in dictionary("buffers", buffers)? {
            let index = definition.state_keys().find(|(known, _)| known == key).map(|(_, index)| index);
            if let (Some(index), Some(array)) = (index, referenced(value)) {
                fills.push(BufferFill { parameter, index, array: array.to_owned(), reused: None });
            }
        }
    }
    Ok(fills)
}

impl<E: Engine> LoadedOptimizer<E> {
    /// Allocates the buffers that a given optimizer does not have.
    ///
    /// # Errors
    /// [`Code::Format`] or [`Code::Parameter`] if the given optimizer is another one, or of other parameters; [`Code::Memory`].
    pub(crate) fn new(
        engine: &E,
        arrays: &ArrayStore,
        mut restored: Restored<E>,
        mut fills: Vec<BufferFill>,
        target: Option<&BoundOptimizer<E>>,
    ) -> Result<Self> {
        let positions = match target {
            Some(target) => positions_in(engine, target, &restored.bound)?,
            None => Vec::new(),
        };
        for BufferFill { parameter, index, array, reused } in &mut fills {
            let (dtype, shape) = arrays.describe(array)?;
            let (element, length) = (buffer_type(dtype), shape.iter().product());
            if let (Some(target), Some(position)) = (target, positions.get(*parameter))
                && target.library().is_none()
                && let Ok(buffer) = target.optimizer.buffer(*position, *index)
                && (buffer.element(), buffer.len()) == (element, length)
            {
                *reused = Some(*position);
            } else if let Some(Some(state)) = restored.states.get_mut(*parameter) {
                state.buffers[*index] = Some(Buffer::zeros(element, length, *index)?);
            }
        }
        Ok(Self { restored, fills })
    }

    /// The optimizer with its state. Buffers that are used again are taken from the given one.
    pub(crate) fn complete(
        self,
        arrays: &ArrayStore,
        target: Option<&mut BoundOptimizer<E>>,
    ) -> Result<BoundOptimizer<E>> {
        let Self { mut restored, fills } = self;
        let mut before: Vec<Option<State>> = target.map_or_else(Vec::new, |target| target.optimizer.take_states());
        let mut failed = None;
        for BufferFill { parameter, index, array, reused } in fills {
            let Some(Some(state)) = restored.states.get_mut(parameter) else { continue };
            if let Some(Some(own)) = reused.and_then(|position| before.get_mut(position)) {
                state.buffers[index] = own.buffers[index].take();
            }
            if let Some(buffer) = &mut state.buffers[index]
                && let Err(error) = arrays.fill_buffer(&array, buffer, index)
            {
                failed = Some(error);
            }
        }
        match failed {
            None => restored.finish(),
            Some(error) => Err(error),
        }
    }
}

/// For each parameter of an optimizer its position in a given one. Both have one kind, and the same parameters.
fn positions_in<E: Engine>(engine: &E, target: &BoundOptimizer<E>, bound: &BoundOptimizer<E>) -> Result<Vec<usize>> {
    let (expected, given) = (target.optimizer.definition().name, bound.optimizer.definition().name);
    if expected != given {
        return Err(Error::new(Code::Format, format_args!("expected a state of {expected}, given one of {given}")));
    }
    let (own, count) = (target.tensors(), target.tensors().len());
    let mut identities = Vec::new();
    for tensor in own.iter().chain(bound.tensors()) {
        identities.push(engine.identity(tensor));
    }
    let positions = first_positions(&identities)?.split_off(count);
    if positions.len() != count || positions.iter().any(|position| *position >= count) {
        let message =
            "expected an optimizer of the parameters that the file's has, of the objects that are loaded with it";
        return Err(Error::new(Code::Parameter, message));
    }
    Ok(positions)
}

/// The type of a buffer. The state was checked to have one.
pub(crate) fn buffer_type(dtype: Dtype) -> BufferType {
    match dtype {
        Dtype::Double => BufferType::Double,
        Dtype::BFloat16 => BufferType::BFloat16,
        Dtype::Float | Dtype::Half | Dtype::Long | Dtype::Bool => BufferType::Float,
    }
}
