//! Tensors of the program outside of modules.

use stepwell_optim::Result;

use crate::commands::saved_file::malformed;
use crate::engine::Engine;
use crate::session::{Object, Session};
use crate::values::handle::Handle;

/// The tensors of a tensor, a vector or a dictionary with their names in it.
pub(crate) fn loose_tensors<E: Engine>(session: &Session<E>, handle: Handle) -> Result<Vec<(String, E::Tensor)>> {
    Ok(match session.object(handle)? {
        Object::Tensor(tensor) => vec![(String::new(), tensor.clone())],
        Object::Vector(tensors) => {
            tensors.iter().enumerate().map(|(position, tensor)| (position.to_string(), tensor.clone())).collect()
        }
        Object::Dictionary(entries) => entries.clone(),
        _ => return Err(malformed("tensors")),
    })
}
