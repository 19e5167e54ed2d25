//! The engine during a step of L-BFGS, whose closure may use the session, and checks of what the closure leaves.

use std::cell::Ref;
use std::ops::Deref;

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;

/// Access to the engine between calls of the closure.
pub(crate) enum EngineAccess<'a, E: Engine> {
    /// The closure can use the session, which is borrowed for the engine only between calls of the closure.
    Borrowed(&'a dyn Fn() -> Ref<'a, E>),
    /// The closure shares the engine, and the session is not used during the step.
    Engine(&'a E),
}

/// A borrowed engine, released before the closure runs.
pub(crate) enum EngineRef<'a, E> {
    Borrowed(Ref<'a, E>),
    Shared(&'a E),
}

impl<E: Engine> EngineAccess<'_, E> {
    pub(crate) fn engine(&self) -> EngineRef<'_, E> {
        match self {
            Self::Borrowed(engine) => EngineRef::Borrowed(engine()),
            Self::Engine(engine) => EngineRef::Shared(engine),
        }
    }
}

impl<E> Deref for EngineRef<'_, E> {
    type Target = E;

    fn deref(&self) -> &E {
        match self {
            Self::Borrowed(engine) => engine,
            Self::Shared(engine) => engine,
        }
    }
}

/// The number of elements of a tensor.
pub(crate) fn element_count<E: Engine>(engine: &E, tensor: &E::Tensor) -> Result<usize> {
    Ok(engine.shape(tensor)?.iter().product())
}

/// The error of a closure that converted or replaced a parameter.
pub(crate) fn changed() -> Error {
    Error::new(Code::Parameter, "the closure changed the dtype or the shape of a parameter")
}
