//! Parameters with the object that they came from.

use crate::engine::Engine;
use crate::nn::module::{Module, Named};
use stepwell_optim::Shared;

/// The kind that a tensor without a module shows.
pub(crate) const LOOSE: &str = "parmdict";

/// Tensors with the object that they came from.
pub(crate) struct ParameterList<E: Engine> {
    pub(crate) tensors: Vec<Named<E>>,
    pub(crate) origin: ParameterOrigin<E>,
}

/// The origin of a list.
pub(crate) enum ParameterOrigin<E: Engine> {
    Nothing,
    Module(Shared<Module<E>>),
    /// Loose tensors that have no name of their own.
    Unnamed,
    /// Tensors of a dictionary, named by its keys.
    Named,
}
