//! Tensors that a module has under several names.

use stepwell_optim::Result;

use crate::engine::Engine;
use crate::nn::module::Named;
use crate::values::dedupe::first_positions;

/// Each tensor once, under its first name.
pub(crate) fn distinct<E: Engine>(engine: &E, mut tensors: Vec<Named<E>>) -> Result<Vec<Named<E>>> {
    let is_first = first_of_each(engine, &mut tensors.iter().map(|named| &named.tensor))?;
    let mut flags = is_first.into_iter();
    tensors.retain(|_| flags.next().unwrap_or(true));
    Ok(tensors)
}

/// For each tensor whether it is the first of its identity.
pub(crate) fn first_of_each<E: Engine>(engine: &E, tensors: &mut dyn Iterator<Item = &E::Tensor>) -> Result<Vec<bool>> {
    let mut identities = Vec::new();
    for tensor in tensors {
        identities.push(engine.identity(tensor));
    }
    let positions = first_positions(&identities)?;
    Ok(positions.into_iter().enumerate().map(|(position, first)| position == first).collect())
}
